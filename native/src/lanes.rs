//! BN254's two prime fields in eight lanes: five limbs of 52 bits, Montgomery form with radix 2^260.
//!
//! Values are below 2^260 = 84 p and need not be below p: a product of factors below a p and b p is below
//! (a b / 84 + 1) p, so that sums of a few terms can be multiplied as they are. Each function says what it takes and
//! leaves. An element in memory has radix 2^256; times 16, that is radix 2^260, and this costs nothing but another shift
//! when its words are cut into limbs: [`Lane::load_shifted`].

#![allow(clippy::should_implement_trait, reason = "an operator would hide the bounds that its operands must keep")]

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInt, Fp, MontBackend, MontConfig, PrimeField};
use std::marker::PhantomData;

use crate::dot::MAX_TERMS;
use crate::simd::{for_lanes, for_limbs, Row, Vector, Words, LANES, LIMB, LIMB_MASK};

pub(crate) const LIMBS: usize = 5;
type Limbs = [u64; LIMBS];
/// A constant for all lanes, see [`constant`].
pub type Element = Limbs;

/// A prime field of four words, with what the lanes need to know of it.
pub trait LaneField: 'static + Copy + Send + Sync {
    type Element: PrimeField<BigInt = BigInt<4>>;
    const MODULUS: Limbs;
    /// -1 / p modulo 2^52.
    const INVERSE: u64;
    /// 2^260 - p.
    const COMPLEMENT: Limbs;
    /// 2^260 mod p.
    const ONE: Limbs;
    /// The words of an element as it lies in memory, in Montgomery form.
    fn words(element: &Self::Element) -> &Words;
    fn from_words(words: [u64; 4]) -> Self::Element;
}

const fn limbs(words: [u64; 4]) -> Limbs {
    [
        words[0] & LIMB_MASK,
        (words[0] >> 52 | words[1] << 12) & LIMB_MASK,
        (words[1] >> 40 | words[2] << 24) & LIMB_MASK,
        (words[2] >> 28 | words[3] << 36) & LIMB_MASK,
        words[3] >> 16,
    ]
}

const fn complement(limbs: Limbs) -> Limbs {
    let mut value = [0; LIMBS];
    let mut carry = 1;
    let mut at = 0;
    while at < LIMBS {
        let sum = (LIMB_MASK - limbs[at]) + carry;
        value[at] = sum & LIMB_MASK;
        carry = sum >> LIMB;
        at += 1;
    }
    value
}

/// `factor` times the value; the result must be below 2^260.
pub(crate) const fn times(limbs: Limbs, factor: u64) -> Limbs {
    let mut value = [0; LIMBS];
    let mut carry = 0;
    let mut at = 0;
    while at < LIMBS {
        let sum = limbs[at] * factor + carry;
        value[at] = sum & LIMB_MASK;
        carry = sum >> LIMB;
        at += 1;
    }
    value
}

const fn is_less(a: Limbs, b: Limbs) -> bool {
    let mut at = LIMBS;
    while at > 0 {
        at -= 1;
        if a[at] != b[at] {
            return a[at] < b[at];
        }
    }
    false
}

/// 2^exponent mod p, by doubling.
const fn power_of_two(modulus: Limbs, exponent: u32) -> Limbs {
    let mut value = [1, 0, 0, 0, 0];
    let mut step = 0;
    while step < exponent {
        value = times(value, 2);
        if !is_less(value, modulus) {
            let mut borrow = 0i64;
            let mut at = 0;
            while at < LIMBS {
                let difference = value[at] as i64 - modulus[at] as i64 + borrow;
                value[at] = difference as u64 & LIMB_MASK;
                borrow = difference >> LIMB;
                at += 1;
            }
        }
        step += 1;
    }
    value
}

macro_rules! lane_field {
    ($(#[$doc:meta])* $name:ident, $element:ty, $config:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl LaneField for $name {
            type Element = $element;
            const MODULUS: Limbs = limbs(<$element>::MODULUS.0);
            const INVERSE: u64 = <$config as MontConfig<4>>::INV & LIMB_MASK;
            const COMPLEMENT: Limbs = complement(Self::MODULUS);
            const ONE: Limbs = power_of_two(Self::MODULUS, 260);

            #[inline(always)]
            fn words(element: &$element) -> &Words {
                &element.0 .0
            }

            #[inline(always)]
            fn from_words(words: [u64; 4]) -> $element {
                Fp::<MontBackend<$config, 4>, 4>(BigInt(words), PhantomData)
            }
        }
    };
}

lane_field!(
    /// The field of the curve's coordinates.
    Base, Fq, ark_bn254::FqConfig
);
lane_field!(
    /// The field of scalars.
    Scalar, Fr, ark_bn254::FrConfig
);

/// An element in memory, as its bytes.
pub fn to_row<F: LaneField>(element: &F::Element) -> Row {
    let words = F::words(element).map(u64::to_le_bytes);
    std::array::from_fn(|byte| words[byte / 8][byte % 8])
}

/// The opposite. The bytes must be of a value below p.
pub fn from_row<F: LaneField>(row: &Row) -> F::Element {
    F::from_words(std::array::from_fn(|word| u64::from_le_bytes(std::array::from_fn(|byte| row[8 * word + byte]))))
}

/// A constant for all lanes, as limbs with radix 2^260, below p.
pub fn constant<F: LaneField>(element: &F::Element) -> Limbs {
    // In memory v 2^256; the same words of 16 v are v 2^260.
    limbs(*F::words(&(*element * F::Element::from(16u64))))
}

/// Eight elements.
#[derive(Debug)]
pub struct Lane<F, V> {
    pub(crate) limbs: [V; LIMBS],
    field: PhantomData<F>,
}

impl<F, V: Copy> Clone for Lane<F, V> {
    #[inline(always)]
    fn clone(&self) -> Self {
        *self
    }
}

impl<F, V: Copy> Copy for Lane<F, V> {}

impl<F: LaneField, V: Vector> Lane<F, V> {
    #[inline(always)]
    fn new(limbs: [V; LIMBS]) -> Self {
        Self { limbs, field: PhantomData }
    }

    #[inline(always)]
    pub fn splat(limbs: &Limbs) -> Self {
        Self::new(for_limbs!(|at| V::splat(limbs[at])))
    }

    #[inline(always)]
    pub fn one() -> Self {
        Self::splat(&F::ONE)
    }

    #[inline(always)]
    pub fn zero() -> Self {
        Self::splat(&[0; LIMBS])
    }

    /// Eight rows as they are: below 2^256.
    #[inline(always)]
    pub fn load(rows: [&Row; LANES]) -> Self {
        Self::cut(V::from_rows(rows))
    }

    /// The same, of elements in memory: below p.
    #[inline(always)]
    pub fn load_elements(elements: [&F::Element; LANES]) -> Self {
        Self::cut(V::from_words(for_lanes!(|lane| F::words(elements[lane]))))
    }

    #[inline(always)]
    fn cut([a, b, c, d]: [V; 4]) -> Self {
        let mask = V::splat(LIMB_MASK);
        Self::new([
            a.and(mask),
            a.shr::<52>().or(b.shl::<12>()).and(mask),
            b.shr::<40>().or(c.shl::<24>()).and(mask),
            c.shr::<28>().or(d.shl::<36>()).and(mask),
            d.shr::<16>(),
        ])
    }

    /// Eight rows times 16: below 16 p if the rows are below p.
    #[inline(always)]
    pub fn load_shifted(rows: [&Row; LANES]) -> Self {
        let mask = V::splat(LIMB_MASK);
        let [a, b, c, d] = V::from_rows(rows);
        Self::new([
            a.shl::<4>().and(mask),
            a.shr::<48>().or(b.shl::<16>()).and(mask),
            b.shr::<36>().or(c.shl::<28>()).and(mask),
            c.shr::<24>().or(d.shl::<40>()).and(mask),
            d.shr::<12>(),
        ])
    }

    /// Takes values below 2^256.
    #[inline(always)]
    pub fn store(self) -> [Row; LANES] {
        let [a, b, c, d, e] = self.limbs;
        V::to_rows([
            a.or(b.shl::<52>()),
            b.shr::<12>().or(c.shl::<40>()),
            c.shr::<24>().or(d.shl::<28>()),
            d.shr::<36>().or(e.shl::<16>()),
        ])
    }

    /// Limbs, each for all lanes: the form of scratch memory.
    #[inline(always)]
    pub fn to_scratch(self, out: &mut [[u64; LANES]; LIMBS]) {
        for_limbs!(|at| self.limbs[at].store(&mut out[at]));
    }

    #[inline(always)]
    pub fn from_scratch(scratch: &[[u64; LANES]; LIMBS]) -> Self {
        Self::new(for_limbs!(|at| V::load(&scratch[at])))
    }

    /// Carries on, with their sign; all limbs but the highest are then below 2^52.
    #[inline(always)]
    pub(crate) fn carried(limbs: [V; LIMBS]) -> Self {
        let mask = V::splat(LIMB_MASK);
        let [a, b, c, d, e] = limbs;
        let b = b.add(a.sar::<LIMB>());
        let c = c.add(b.sar::<LIMB>());
        let d = d.add(c.sar::<LIMB>());
        let e = e.add(d.sar::<LIMB>());
        Self::new([a.and(mask), b.and(mask), c.and(mask), d.and(mask), e])
    }

    /// The plain sum, below 2^260 if the caller's bounds say so.
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self::carried(for_limbs!(|at| self.limbs[at].add(other.limbs[at])))
    }

    /// self - other + multiple * p, which must not be negative.
    #[inline(always)]
    pub fn sub<const MULTIPLE: u64>(self, other: Self) -> Self {
        let modulus = const { times(F::MODULUS, MULTIPLE) };
        Self::carried(for_limbs!(|at| self.limbs[at].sub(other.limbs[at]).add(V::splat(modulus[at]))))
    }

    /// self - first - second + multiple * p, which must not be negative.
    #[inline(always)]
    pub fn sub_both<const MULTIPLE: u64>(self, first: Self, second: Self) -> Self {
        let modulus = const { times(F::MODULUS, MULTIPLE) };
        Self::carried(for_limbs!(|at| self.limbs[at]
            .sub(first.limbs[at])
            .sub(second.limbs[at])
            .add(V::splat(modulus[at]))))
    }

    /// multiple * p - self.
    #[inline(always)]
    pub fn opposite<const MULTIPLE: u64>(self) -> Self {
        Self::zero().sub::<MULTIPLE>(self)
    }

    /// Twice the value.
    #[inline(always)]
    pub fn double(self) -> Self {
        self.add(self)
    }

    /// `sum` + the low halves of the products of `a` and each limb.
    #[inline(always)]
    fn add_low(sum: [V; LIMBS], a: V, b: &[V; LIMBS]) -> [V; LIMBS] {
        for_limbs!(|at| sum[at].madd_low(a, b[at]))
    }

    #[inline(always)]
    fn add_high(sum: [V; LIMBS], a: V, b: &[V; LIMBS]) -> [V; LIMBS] {
        for_limbs!(|at| sum[at].madd_high(a, b[at]))
    }

    /// The sum of products times 2^-260: below (sum of the products of their bounds / 84 + 1) p. At most four pairs, or
    /// the limbs would overflow.
    ///
    /// Limb by limb of the left factors: their products with the right ones, then a multiple of p that clears the lowest.
    #[inline(always)]
    pub fn sum_of_products<const N: usize>(pairs: [(Self, Self); N]) -> Self {
        const { assert!(N <= 4) };
        let zero = V::splat(0);
        let modulus = for_limbs!(|at| V::splat(F::MODULUS[at]));
        let inverse = V::splat(F::INVERSE);
        let mut sum = [zero; LIMBS];
        for_limbs!(|limb| {
            let mut pair = 0;
            while pair < N {
                sum = Self::add_low(sum, pairs[pair].0.limbs[limb], &pairs[pair].1.limbs);
                pair += 1;
            }
            let factor = zero.madd_low(sum[0], inverse);
            sum = Self::add_low(sum, factor, &modulus);
            sum = [sum[1].add(sum[0].shr::<LIMB>()), sum[2], sum[3], sum[4], zero];
            pair = 0;
            while pair < N {
                sum = Self::add_high(sum, pairs[pair].0.limbs[limb], &pairs[pair].1.limbs);
                pair += 1;
            }
            sum = Self::add_high(sum, factor, &modulus);
        });
        Self::carried(sum)
    }

    /// The inner product with constants below p, times 2^-260: below (sum of the values' bounds / 84 + 1) p.
    ///
    /// As [`sum_of_products`](Self::sum_of_products), low and high halves apart. At most [`MAX_TERMS`] terms: a limb sums
    /// five times 2 * 17 + 2 values below 2^52, which is below 2^60.
    #[inline(always)]
    pub fn dot(constants: &[Element], values: &[Self]) -> Self {
        debug_assert!(constants.len() == values.len() && values.len() <= MAX_TERMS);
        let zero = V::splat(0);
        let modulus = for_limbs!(|at| V::splat(F::MODULUS[at]));
        let inverse = V::splat(F::INVERSE);
        let mut sum = [zero; LIMBS];
        for_limbs!(|limb| {
            let mut high = [zero; LIMBS];
            for (constant, value) in constants.iter().zip(values) {
                let constant = V::splat(constant[limb]);
                sum = Self::add_low(sum, constant, &value.limbs);
                high = Self::add_high(high, constant, &value.limbs);
            }
            let factor = zero.madd_low(sum[0], inverse);
            sum = Self::add_low(sum, factor, &modulus);
            high = Self::add_high(high, factor, &modulus);
            let [a, b, c, d, e] = sum;
            sum = [b.add(a.shr::<LIMB>()).add(high[0]), c.add(high[1]), d.add(high[2]), e.add(high[3]), high[4]];
        });
        Self::carried(sum)
    }

    #[inline(always)]
    pub fn mul(self, other: Self) -> Self {
        Self::sum_of_products([(self, other)])
    }

    #[inline(always)]
    pub fn square(self) -> Self {
        self.mul(self)
    }

    /// The same value below 2 p. Takes values below 2^260.
    ///
    /// The quotient by p is guessed from the highest limb: with m = floor(2^92 / (h + 1)), h the highest limb of p, and
    /// the highest limb t of v, floor(t m / 2^92) <= v / p, and it is less than floor(v / p) by one at most.
    #[inline(always)]
    pub fn reduce(self) -> Self {
        let guess = const { ((1u128 << 92) / (F::MODULUS[LIMBS - 1] as u128 + 1)) as u64 };
        let quotient = V::splat(0).madd_high(self.limbs[LIMBS - 1], V::splat(guess)).shr::<40>();
        // The sum wraps at 2^260 as often as the quotient says.
        let complement = for_limbs!(|at| V::splat(F::COMPLEMENT[at]));
        let low = for_limbs!(|at| self.limbs[at].madd_low(quotient, complement[at]));
        let [a, b, c, d, _] = for_limbs!(|at| V::splat(0).madd_high(quotient, complement[at]));
        let mut sum = Self::carried([low[0], low[1].add(a), low[2].add(b), low[3].add(c), low[4].add(d)]);
        sum.limbs[4] = sum.limbs[4].and(V::splat(LIMB_MASK));
        sum
    }

    /// The value below p. Takes values below 2 p.
    #[inline(always)]
    pub fn canonical(self) -> Self {
        let less = Self::carried(for_limbs!(|at| self.limbs[at].sub(V::splat(F::MODULUS[at]))));
        Self::select(less.limbs[LIMBS - 1].negatives(), self, less)
    }

    /// Lanes where all limbs are zero. Only where values are below p is that the same as being zero.
    #[inline(always)]
    pub fn zeros(self) -> u8 {
        let [a, b, c, d, e] = self.limbs;
        a.or(b).or(c.or(d)).or(e).zeros()
    }

    #[inline(always)]
    pub fn select(mask: u8, yes: Self, no: Self) -> Self {
        Self::new(for_limbs!(|at| V::select(mask, yes.limbs[at], no.limbs[at])))
    }
}
