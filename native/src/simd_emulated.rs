//! [`Vector`] without any instruction set, operation for operation as AVX-512 has it: for tests.
//!
//! Nothing is inlined: written out in the kernels it would take minutes to compile.

use crate::simd::{Row, Vector, Words, LANES, LIMB, LIMB_MASK};

#[derive(Clone, Copy, Debug)]
pub struct Emulated([u64; LANES]);

impl Emulated {
    #[inline]
    fn map(self, other: Self, operation: impl Fn(u64, u64) -> u64) -> Self {
        Self(std::array::from_fn(|lane| operation(self.0[lane], other.0[lane])))
    }

    #[inline]
    fn mask(self, test: impl Fn(u64) -> bool) -> u8 {
        self.0.iter().enumerate().fold(0, |mask, (lane, value)| mask | u8::from(test(*value)) << lane)
    }
}

#[inline]
fn wide(a: u64, b: u64) -> u128 {
    u128::from(a & LIMB_MASK) * u128::from(b & LIMB_MASK)
}

impl Vector for Emulated {
    #[inline(never)]
    fn splat(value: u64) -> Self {
        Self([value; LANES])
    }

    #[inline(never)]
    fn load(from: &[u64; LANES]) -> Self {
        Self(*from)
    }

    #[inline(never)]
    fn store(self, to: &mut [u64; LANES]) {
        *to = self.0;
    }

    #[inline(never)]
    fn add(self, other: Self) -> Self {
        self.map(other, u64::wrapping_add)
    }

    #[inline(never)]
    fn sub(self, other: Self) -> Self {
        self.map(other, u64::wrapping_sub)
    }

    #[inline(never)]
    fn and(self, other: Self) -> Self {
        self.map(other, |a, b| a & b)
    }

    #[inline(never)]
    fn or(self, other: Self) -> Self {
        self.map(other, |a, b| a | b)
    }

    #[inline(never)]
    fn shl<const BITS: u32>(self) -> Self {
        Self(self.0.map(|value| value << BITS))
    }

    #[inline(never)]
    fn shr<const BITS: u32>(self) -> Self {
        Self(self.0.map(|value| value >> BITS))
    }

    #[inline(never)]
    fn sar<const BITS: u32>(self) -> Self {
        Self(self.0.map(|value| (value as i64 >> BITS) as u64))
    }

    #[inline(never)]
    fn madd_low(self, a: Self, b: Self) -> Self {
        self.add(a.map(b, |a, b| wide(a, b) as u64 & LIMB_MASK))
    }

    #[inline(never)]
    fn madd_high(self, a: Self, b: Self) -> Self {
        self.add(a.map(b, |a, b| (wide(a, b) >> LIMB) as u64))
    }

    #[inline(never)]
    fn zeros(self) -> u8 {
        self.mask(|value| value == 0)
    }

    #[inline(never)]
    fn negatives(self) -> u8 {
        self.mask(|value| (value as i64) < 0)
    }

    #[inline(never)]
    fn select(mask: u8, yes: Self, no: Self) -> Self {
        Self(std::array::from_fn(|lane| if mask >> lane & 1 == 1 { yes.0[lane] } else { no.0[lane] }))
    }

    #[inline(never)]
    fn from_rows(rows: [&Row; LANES]) -> [Self; 4] {
        let word = |row: &Row, at: usize| u64::from_le_bytes(std::array::from_fn(|byte| row[8 * at + byte]));
        std::array::from_fn(|at| Self(rows.map(|row| word(row, at))))
    }

    #[inline(never)]
    fn from_words(rows: [&Words; LANES]) -> [Self; 4] {
        std::array::from_fn(|at| Self(rows.map(|row| row[at])))
    }

    #[inline(never)]
    fn to_rows(words: [Self; 4]) -> [Row; LANES] {
        std::array::from_fn(|lane| std::array::from_fn(|byte| words[byte / 8].0[lane].to_le_bytes()[byte % 8]))
    }
}
