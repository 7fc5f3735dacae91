//! From values on a domain to values at its odd points (its coset in the domain twice as large), by scalar code.
//!
//! As over the [lanes](crate::ntt): back to coefficients a transform takes its input in order and leaves it in bit-reversed
//! order, on to the odd points it takes it so, and nothing is reordered. Halves are transformed one after the other, so that
//! what a core works on fits its cache.

use ark_bn254::Fr;
use ark_ff::{FftField, Field};
use rayon::prelude::*;

use crate::mulx::{difference, product, sum};

/// The most values that one core transforms alone.
const ALONE: usize = 1 << 13;

/// The tables of a domain.
pub struct Shift {
    /// At `half + i` the i-th power of the inverse root of 2 `half`, for each level of that half.
    back: Vec<Fr>,
    /// The same of the root.
    on: Vec<Fr>,
    /// What coefficients are multiplied by, in order: powers of the first odd point, over the size.
    factors: Vec<Fr>,
}

/// `count` powers of `base` times `first`.
fn powers(first: Fr, base: Fr, count: usize) -> Vec<Fr> {
    let mut powers = vec![first; count];
    powers.par_chunks_mut(ALONE).enumerate().for_each(|(chunk, powers)| {
        let mut power = product(&first, &base.pow([(chunk * ALONE) as u64]));
        for value in powers {
            *value = power;
            power = product(&power, &base);
        }
    });
    powers
}

/// For each level of a transform of `size` values, the powers of its root.
fn table(root: Fr, size: usize) -> Vec<Fr> {
    let mut table = vec![Fr::ONE; size / 2];
    table.extend(powers(Fr::ONE, root, size / 2));
    for at in (1..size / 2).rev() {
        table[at] = table[2 * at];
    }
    table
}

impl Shift {
    /// None if the field has no domain of `size`, or none twice as large.
    pub fn new(size: usize) -> Option<Self> {
        let (root, first) = (Fr::get_root_of_unity(size as u64)?, Fr::get_root_of_unity(2 * size as u64)?);
        let back = table(root.inverse()?, size);
        let factors = powers(Fr::from(size as u64).inverse()?, first, size);
        Some(Self { back, on: table(root, size), factors })
    }

    /// Replaces values on the domain by those at its odd points.
    ///
    /// # Panics
    /// If there are not as many as the domain has.
    pub fn apply(&self, values: &mut [Fr]) {
        assert_eq!(values.len(), self.factors.len());
        self.transform_back(values);
        let unused = usize::BITS - values.len().ilog2();
        values.par_iter_mut().enumerate().with_min_len(ALONE).for_each(|(at, value)| {
            let order = at.reverse_bits().checked_shr(unused).unwrap_or(0);
            *value = product(value, &self.factors[order]);
        });
        self.transform_on(values);
    }

    /// In order to bit-reversed.
    fn transform_back(&self, values: &mut [Fr]) {
        let half = values.len() / 2;
        if half == 0 {
            return;
        }
        let roots = &self.back[half..2 * half];
        level(values, roots, |a, b, root| (sum(a, b), product(&difference(a, b), root)));
        both_halves(values, |half| self.transform_back(half));
    }

    /// Bit-reversed to in order.
    fn transform_on(&self, values: &mut [Fr]) {
        let half = values.len() / 2;
        if half == 0 {
            return;
        }
        both_halves(values, |half| self.transform_on(half));
        let roots = &self.on[half..2 * half];
        level(values, roots, |a, b, root| {
            let b = product(b, root);
            (sum(a, &b), difference(a, &b))
        });
    }
}

/// Each value of the first half with its fellow of the second.
#[inline(always)]
fn level(values: &mut [Fr], roots: &[Fr], butterfly: impl Fn(&Fr, &Fr, &Fr) -> (Fr, Fr) + Sync) {
    let (first, second) = values.split_at_mut(roots.len());
    let part = |((first, second), roots): ((&mut [Fr], &mut [Fr]), &[Fr])| {
        for ((a, b), root) in first.iter_mut().zip(second).zip(roots) {
            (*a, *b) = butterfly(a, b, root);
        }
    };
    if roots.len() < ALONE {
        return part(((first, second), roots));
    }
    let parts = first.par_chunks_mut(ALONE).zip(second.par_chunks_mut(ALONE)).zip(roots.par_chunks(ALONE));
    parts.for_each(part);
}

fn both_halves(values: &mut [Fr], transform: impl Fn(&mut [Fr]) + Sync) {
    let (first, second) = values.split_at_mut(values.len() / 2);
    if first.len() < ALONE {
        transform(first);
        transform(second);
    } else {
        rayon::join(|| transform(first), || transform(second));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;
    use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

    #[test]
    fn shift_of_random_values_equals_that_of_arkworks() {
        let mut rng = ark_std::test_rng();
        for log in [0, 1, 2, 5, 13, 15] {
            let size = 1usize << log;
            let mut values: Vec<Fr> = (0..size).map(|_| Fr::rand(&mut rng)).collect();
            let domain = Radix2EvaluationDomain::<Fr>::new(size).expect("a domain");
            let odd = domain.get_coset(Fr::get_root_of_unity(2 * size as u64).expect("a root")).expect("a coset");
            let expected = odd.fft(&domain.ifft(&values));
            Shift::new(size).expect("a domain").apply(&mut values);
            assert_eq!(values, expected, "2^{log}");
        }
        assert!(Shift::new(1 << 28).is_none());
    }
}
