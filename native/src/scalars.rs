//! Scalars of a sum, cut into digits.
//!
//! Scalars 0 cost nothing, 1 and -1 one addition, small ones only their low windows. A scalar
//! above r/2 is replaced by its negative, so that small negative numbers are small too.

use ark_bn254::Fr;
use ark_ff::{BigInteger, One, PrimeField, Zero};
use rayon::prelude::*;

/// Marks a negative scalar or point, in the top bit of its index.
pub const NEGATIVE_INDEX: u32 = 1 << 31;
/// The same in the top limb of a magnitude, which is below 2^253.
const NEGATIVE: u64 = 1 << 63;
const MAGNITUDE_BITS: usize = 253;
/// Bits of the widest digit: digits without sign are kept in 16 bits.
const MAX_WIDTH: usize = u16::BITS as usize;
/// Scalars that are cut at a time.
const BLOCK: usize = 1 << 14;

/// |scalar| or |r - scalar|, whichever is smaller, with its sign in the top bit.
#[derive(Clone, Copy, Debug)]
pub struct Magnitude([u64; 4]);

impl Magnitude {
    pub fn new(scalar: &Fr) -> Self {
        let value = scalar.into_bigint();
        if value <= Fr::MODULUS_MINUS_ONE_DIV_TWO {
            return Self(value.0);
        }
        let mut negated = Fr::MODULUS;
        negated.sub_with_borrow(&value);
        negated.0[3] |= NEGATIVE;
        Self(negated.0)
    }

    fn is_negative(&self) -> bool {
        self.0[3] & NEGATIVE != 0
    }

    fn is_small(&self, value: u64) -> bool {
        self.0[0] == value && self.0[1] == 0 && self.0[2] == 0 && self.0[3] & !NEGATIVE == 0
    }
}

/// Cuts magnitudes into signed digits of `width` bits, from -2^(width-1) to 2^(width-1) - 1. The top one is unsigned.
///
/// Adding 2^(width-1) to every digit but the top one makes all digits unsigned, so that any one of them can be
/// read without the carries of those below.
#[derive(Debug)]
pub struct Digits {
    pub width: usize,
    offset: [u64; 4],
}

impl Digits {
    /// `width` from 3 to [`MAX_WIDTH`].
    pub fn new(width: usize) -> Self {
        assert!((3..=MAX_WIDTH).contains(&width), "a digit of {width} bits");
        let mut offset = [0u64; 4];
        for window in 0..Self::windows_of(width) - 1 {
            let bit = window * width + width - 1;
            offset[bit / 64] |= 1 << (bit % 64);
        }
        Self { width, offset }
    }

    fn windows_of(width: usize) -> usize {
        (MAGNITUDE_BITS + 1).div_ceil(width)
    }

    pub fn windows(&self) -> usize {
        Self::windows_of(self.width)
    }

    /// Digits are at most this in absolute value.
    pub fn limit(&self) -> usize {
        1 << (self.width - 1)
    }

    /// All digits, unsigned, of `width` bits each.
    #[inline]
    fn all(&self, magnitude: &Magnitude) -> [u64; 5] {
        let mut sum = [0u64; 5];
        let mut carry = 0u128;
        let [low, middle, high, top] = magnitude.0;
        for ((sum, limb), offset) in sum.iter_mut().zip([low, middle, high, top & !NEGATIVE]).zip(self.offset) {
            carry += u128::from(limb) + u128::from(offset);
            *sum = carry as u64;
            carry >>= 64;
        }
        sum
    }

    #[inline]
    fn unsigned(&self, all: &[u64; 5], window: usize) -> usize {
        let bit = window * self.width;
        let pair = u128::from(all[bit / 64]) | u128::from(all[bit / 64 + 1]) << 64;
        ((pair >> (bit % 64)) as usize) & ((1 << self.width) - 1)
    }

    /// What is to be taken from the unsigned digit of a window.
    fn offset(&self, window: usize) -> usize {
        if window + 1 == self.windows() {
            0
        } else {
            self.limit()
        }
    }

    /// The digit of a window: its absolute value, and whether it is negative.
    #[inline]
    pub fn get(&self, magnitude: &Magnitude, window: usize) -> (usize, bool) {
        let (unsigned, offset) = (self.unsigned(&self.all(magnitude), window), self.offset(window));
        (unsigned.abs_diff(offset), magnitude.is_negative() ^ (unsigned < offset))
    }

    /// The width with the least work for `count` points: six multiplications a point, some twenty a bucket.
    fn best(count: usize) -> Self {
        let cost = |width: &usize| Self::windows_of(*width) * (6 * count + 20 * (1 << (width - 1)));
        Self::new((3..=MAX_WIDTH).min_by_key(cost).unwrap_or(MAX_WIDTH))
    }
}

/// Scalars sorted by what they cost; zeros are gone.
#[derive(Debug)]
pub struct Scalars {
    pub digits: Digits,
    /// Parts in which many cores share a window.
    pub shares: usize,
    blocks: Vec<Block>,
}

/// Some scalars in the order of their indices, each with its sign in the top bit.
#[derive(Debug, Default)]
struct Block {
    units: Vec<u32>,
    indices: Vec<u32>,
    /// Unsigned digits of the scalars that are no units, window after window.
    unsigned: Vec<u16>,
}

/// A digit or unit that isn't zero: its absolute value less one, the scalar's index and the sign of both.
pub type Term = (u32, u32);

fn signed_index(index: usize, negative: bool) -> u32 {
    index as u32 | if negative { NEGATIVE_INDEX } else { 0 }
}

impl Block {
    fn new(first: usize, values: &[Fr], digits: &Digits) -> Self {
        let mut block = Self::default();
        let mut all = Vec::with_capacity(values.len());
        for (index, value) in values.iter().enumerate().filter(|(_, value)| !value.is_zero()) {
            let magnitude = Magnitude::new(value);
            let index = signed_index(first + index, magnitude.is_negative());
            if magnitude.is_small(1) {
                block.units.push(index);
            } else {
                block.indices.push(index);
                all.push(digits.all(&magnitude));
            }
        }
        block.unsigned.reserve_exact(digits.windows() * all.len());
        for window in 0..digits.windows() {
            block.unsigned.extend(all.iter().map(|all| digits.unsigned(all, window) as u16));
        }
        block
    }
}

impl Scalars {
    pub fn new(values: &[Fr]) -> Self {
        let minus_one = -Fr::one();
        let is_full = |value: &&Fr| !value.is_zero() && !value.is_one() && **value != minus_one;
        let full = values.par_iter().with_min_len(1 << 12).filter(is_full).count();
        // Windows are the unit of work; many cores also share a window.
        let digits = Digits::best(full);
        let shares = (2 * rayon::current_num_threads()).div_ceil(digits.windows());
        let digits = if shares > 1 { Digits::best(full.div_ceil(shares)) } else { digits };
        Self::cut(values, digits, shares)
    }

    fn cut(values: &[Fr], digits: Digits, shares: usize) -> Self {
        let cut = |(at, values)| Block::new(at * BLOCK, values, &digits);
        let blocks = values.par_chunks(BLOCK).enumerate().map(cut).collect();
        Self { digits, shares, blocks }
    }

    /// How many are ±1, and how many are neither that nor zero.
    pub fn counts(&self) -> (usize, usize) {
        let count = |of: fn(&Block) -> &Vec<u32>| self.blocks.iter().map(|block| of(block).len()).sum();
        (count(|block| &block.units), count(|block| &block.indices))
    }

    pub fn units(&self) -> impl Iterator<Item = u32> + Clone + '_ {
        self.blocks.iter().flat_map(|block| block.units.iter().copied())
    }

    /// The terms of a window, of one of the parts that share it.
    pub fn terms(&self, window: usize, share: usize) -> impl Iterator<Item = Term> + Clone + '_ {
        let each = self.blocks.len().div_ceil(self.shares).max(1);
        let offset = self.digits.offset(window) as u32;
        self.blocks.iter().skip(share * each).take(each).flat_map(move |block| {
            let count = block.indices.len();
            let unsigned = &block.unsigned[window * count..(window + 1) * count];
            block.indices.iter().zip(unsigned).filter_map(move |(index, unsigned)| {
                let unsigned = u32::from(*unsigned);
                let sign = if unsigned < offset { NEGATIVE_INDEX } else { 0 };
                (unsigned != offset).then(|| (unsigned.abs_diff(offset) - 1, index ^ sign))
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;

    #[test]
    fn digits_of_every_width_rebuild_the_scalar() {
        let mut rng = ark_std::test_rng();
        for width in 3..=MAX_WIDTH {
            let digits = Digits::new(width);
            for scalar in [Fr::zero(), Fr::one(), Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO), Fr::rand(&mut rng)] {
                let magnitude = Magnitude::new(&scalar);
                let mut sum = Fr::zero();
                for window in (0..digits.windows()).rev() {
                    let (digit, negative) = digits.get(&magnitude, window);
                    assert!(digit <= digits.limit());
                    let digit = Fr::from(digit as u64);
                    sum = sum * Fr::from(1u64 << width) + if negative { -digit } else { digit };
                }
                assert_eq!(sum, scalar);
            }
        }
    }

    #[test]
    fn terms_of_every_width_rebuild_the_scalars() {
        let mut rng = ark_std::test_rng();
        let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
        let mut values =
            vec![Fr::zero(), Fr::one(), -Fr::one(), half, -half, Fr::from(1u64 << 15), Fr::from(1u64 << 16)];
        values.extend((0..40).map(|_| Fr::rand(&mut rng)));
        for width in 3..=MAX_WIDTH {
            let scalars = Scalars::cut(&values, Digits::new(width), 1);
            let signed = |index: u32, value: Fr| if index & NEGATIVE_INDEX == 0 { value } else { -value };
            let mut sums = vec![Fr::zero(); values.len()];
            for window in (0..scalars.digits.windows()).rev() {
                sums.iter_mut().for_each(|sum| *sum *= Fr::from(1u64 << width));
                for (digit, index) in scalars.terms(window, 0) {
                    sums[(index & !NEGATIVE_INDEX) as usize] += signed(index, Fr::from(digit + 1));
                }
            }
            for unit in scalars.units() {
                sums[(unit & !NEGATIVE_INDEX) as usize] += signed(unit, Fr::one());
            }
            assert_eq!(sums, values, "{width}");
        }
    }
}
