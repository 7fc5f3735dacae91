//! Many multiples of one point, for key generation: a table per window, additions batched over thousands of scalars.

use ark_bn254::Fr;
use ark_ec::short_weierstrass::Projective;
use ark_ec::CurveGroup;
use ark_ff::{AdditiveGroup, Zero};

use crate::batch_affine::{Curve, Point, Slots};
use crate::scalars::{Digits, Magnitude};

/// Scalars per batch: one window of the table stays in cache while all of them use it.
pub const CHUNK: usize = 4096;

pub struct FixedBase<C: Curve> {
    digits: Digits,
    /// Multiples 1..=limit of 2^(width * window) times the base, window after window.
    table: Vec<Point<C>>,
}

impl<C: Curve> FixedBase<C> {
    /// `width` in bits per window; a table has about 2^(width - 1) * 254 / width points.
    pub fn new(base: Projective<C>, width: usize) -> Self {
        let digits = Digits::new(width);
        let mut table = Vec::with_capacity(digits.windows() * digits.limit());
        let mut step = base;
        for _ in 0..digits.windows() {
            let mut multiple = step;
            let mut multiples = Vec::with_capacity(digits.limit());
            for _ in 0..digits.limit() {
                multiples.push(multiple);
                multiple += step;
            }
            table.extend(Projective::normalize_batch(&multiples).iter().map(Point::from_affine));
            for _ in 0..width {
                step.double_in_place();
            }
        }
        Self { digits, table }
    }

    /// The bytes of `scalar * base` for each scalar, as key files have them; at most `CHUNK` scalars.
    pub fn multiply(&self, scalars: &[Fr]) -> Vec<u8> {
        let busy: Vec<(usize, Magnitude)> = scalars
            .iter()
            .enumerate()
            .filter(|(_, scalar)| !scalar.is_zero())
            .map(|(index, scalar)| (index, Magnitude::new(scalar)))
            .collect();
        let mut slots = Slots::new(scalars.len());
        for window in 0..self.digits.windows() {
            let table = &self.table[window * self.digits.limit()..];
            for (index, magnitude) in &busy {
                let (digit, negative) = self.digits.get(magnitude, window);
                if digit != 0 {
                    slots.add(*index, table[digit - 1].negated_if(negative));
                }
            }
            slots.flush();
        }
        let mut bytes = Vec::with_capacity(scalars.len() * C::POINT_BYTES);
        for sum in slots.sums() {
            sum.write(&mut bytes);
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{g1, G1Projective};
    use ark_ec::PrimeGroup;
    use ark_ff::{One, UniformRand};

    #[test]
    fn multiples_equal_those_of_arkworks() {
        let mut rng = ark_std::test_rng();
        let base = G1Projective::generator() * Fr::rand(&mut rng);
        let mut scalars = vec![Fr::zero(), Fr::one(), -Fr::one(), Fr::from(2u64)];
        scalars.extend((0..100).map(|_| Fr::rand(&mut rng)));
        let bytes = FixedBase::<g1::Config>::new(base, 7).multiply(&scalars);
        for (scalar, bytes) in scalars.iter().zip(bytes.chunks(64)) {
            assert_eq!(Point::<g1::Config>::read(bytes).to_affine(), (base * scalar).into_affine());
        }
    }
}
