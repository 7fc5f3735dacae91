//! The field of a curve's coordinates in scalar code: BN254's base field, or its quadratic extension.

use ark_bn254::{Fq, Fq2};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, MontFp, PrimeField};
use std::marker::PhantomData;

use crate::inverse::invert;
use crate::mulx::{difference, negated_if, product, sum_of_products};

/// A coordinate as keys hold it: little-endian Montgomery limbs, the same as arkworks has them in memory.
pub trait Coordinate: Field {
    const BYTES: usize;
    const ONE_SIXTEENTH: Self;
    fn read(bytes: &[u8]) -> Self;
    fn write(&self, out: &mut Vec<u8>);
    /// Below the modulus; `read` takes the limbs as they are.
    fn is_canonical(&self) -> bool;
    /// The same value below the modulus, from limbs of a value below twice the modulus.
    fn reduced(self) -> Self;
    /// The product, by the fastest scalar code there is.
    fn times(&self, other: &Self) -> Self;
    fn squared(&self) -> Self;
    fn minus(&self, other: &Self) -> Self;
    /// One over it; none if it is zero.
    fn inverted(&self) -> Option<Self>;
    fn negated_if(&self, negative: bool) -> Self;
}

impl Coordinate for Fq {
    const BYTES: usize = 32;
    const ONE_SIXTEENTH: Self =
        MontFp!("12312136615409592312513603231707217237391675025980025810262583815737939742328");

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        let mut limbs = [0u64; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut eight = [0u8; 8];
            eight.copy_from_slice(chunk);
            *limb = u64::from_le_bytes(eight);
        }
        Self(BigInt(limbs), PhantomData)
    }

    fn write(&self, out: &mut Vec<u8>) {
        for limb in self.0 .0 {
            out.extend_from_slice(&limb.to_le_bytes());
        }
    }

    fn is_canonical(&self) -> bool {
        self.0 < Self::MODULUS
    }

    fn reduced(mut self) -> Self {
        if !self.is_canonical() {
            self.0.sub_with_borrow(&Self::MODULUS);
        }
        self
    }

    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        product(self, other)
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        product(self, self)
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        difference(self, other)
    }

    fn inverted(&self) -> Option<Self> {
        invert(self)
    }

    #[inline(always)]
    fn negated_if(&self, negative: bool) -> Self {
        negated_if(self, negative)
    }
}

impl Coordinate for Fq2 {
    const BYTES: usize = 64;
    const ONE_SIXTEENTH: Self = Self::new(Fq::ONE_SIXTEENTH, Fq::ZERO);

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        let (low, high) = bytes.split_at(32);
        Self::new(Fq::read(low), Fq::read(high))
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.c0.write(out);
        self.c1.write(out);
    }

    fn is_canonical(&self) -> bool {
        self.c0.is_canonical() && self.c1.is_canonical()
    }

    fn reduced(self) -> Self {
        Self::new(self.c0.reduced(), self.c1.reduced())
    }

    /// (a + b i)(c + d i) = a c - b d + (a d + b c) i, each sum reduced once.
    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        let left = [self.c0, self.c1];
        let real = sum_of_products(&left, &[other.c0, negated_if(&other.c1, true)]);
        Self::new(real, sum_of_products(&left, &[other.c1, other.c0]))
    }

    /// (a + b i)^2 = (a + b)(a - b) + 2 a b i.
    #[inline(always)]
    fn squared(&self) -> Self {
        let half = product(&self.c0, &self.c1);
        let minus = negated_if(&self.c1, true);
        let real = product(&difference(&self.c0, &minus), &difference(&self.c0, &self.c1));
        Self::new(real, difference(&half, &negated_if(&half, true)))
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        Self::new(difference(&self.c0, &other.c0), difference(&self.c1, &other.c1))
    }

    /// 1 / (a + b i) = (a - b i) / (a^2 + b^2).
    fn inverted(&self) -> Option<Self> {
        let norm = invert(&sum_of_products(&[self.c0, self.c1], &[self.c0, self.c1]))?;
        Some(Self::new(product(&self.c0, &norm), product(&negated_if(&self.c1, true), &norm)))
    }

    #[inline(always)]
    fn negated_if(&self, negative: bool) -> Self {
        Self::new(negated_if(&self.c0, negative), negated_if(&self.c1, negative))
    }
}

/// A factor over each of a few values, by one inversion; none if one of them is zero.
pub fn inverses_times<F: Coordinate, const N: usize>(values: [F; N], factor: F) -> Option<[F; N]> {
    let mut products = [F::ONE; N];
    for at in 1..N {
        products[at] = products[at - 1].times(&values[at - 1]);
    }
    let mut inverse = products[N - 1].times(&values[N - 1]).inverted()?;
    for at in (0..N).rev() {
        products[at] = products[at].times(&inverse.times(&factor));
        inverse = inverse.times(&values[at]);
    }
    Some(products)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<F: Coordinate>() {
        let mut rng = ark_std::test_rng();
        assert!((F::ONE_SIXTEENTH * F::from(16u64)).is_one());
        assert_eq!(F::zero().inverted(), None);
        let [a, b] = std::array::from_fn(|_| F::rand(&mut rng));
        assert_eq!([a.times(&b), a.squared(), a.minus(&b)], [a * b, a.square(), a - b]);
        assert_eq!([false, true].map(|negative| a.negated_if(negative)), [a, -a]);
        assert_eq!(inverses_times([a, F::zero()], b), None);
        assert_eq!(inverses_times([a, b], b), Some([b / a, F::ONE]));
    }

    #[test]
    fn coordinates_arithmetic_is_arkworks() {
        check::<Fq>();
        check::<Fq2>();
    }
}
