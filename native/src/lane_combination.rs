//! Linear combinations of many lanes, with one reduction for many terms.

use std::marker::PhantomData;

use crate::lanes::{Element, Lane, LaneField, LIMBS};
use crate::simd::{for_limbs, Vector, LIMB};

/// Terms of a [`Products`]: a column sums ten halves of 52 bits for each, and so stays below 2^63.
pub const MAX_PRODUCTS: usize = 128;

/// A sum of products of constants with values, not reduced: columns of low halves, and of high halves one column further on.
pub struct Products<F, V> {
    low: [V; 2 * LIMBS - 1],
    high: [V; 2 * LIMBS - 1],
    field: PhantomData<F>,
}

impl<F: LaneField, V: Vector> Products<F, V> {
    #[inline(always)]
    pub fn zero() -> Self {
        let zero = V::splat(0);
        Self { low: [zero; 2 * LIMBS - 1], high: [zero; 2 * LIMBS - 1], field: PhantomData }
    }

    #[inline(always)]
    pub fn add(&mut self, constant: &Element, value: Lane<F, V>) {
        for_limbs!(|left| {
            let factor = V::splat(constant[left]);
            for_limbs!(|right| {
                self.low[left + right] = self.low[left + right].madd_low(factor, value.limbs[right]);
                self.high[left + right] = self.high[left + right].madd_high(factor, value.limbs[right]);
            });
        });
    }

    /// The sum times 2^-260. With at most [`MAX_PRODUCTS`] terms, constants below p and values below 2 p: below
    /// (2 * 128 / 84 + 1) p < 4.1 p.
    #[inline(always)]
    pub fn reduce(self) -> Lane<F, V> {
        let (low, high) = (self.low, self.high);
        let mut columns = [
            low[0],
            low[1].add(high[0]),
            low[2].add(high[1]),
            low[3].add(high[2]),
            low[4].add(high[3]),
            low[5].add(high[4]),
            low[6].add(high[5]),
            low[7].add(high[6]),
            low[8].add(high[7]),
            high[8],
        ];
        let inverse = V::splat(F::INVERSE);
        for_limbs!(|at| {
            let factor = V::splat(0).madd_low(columns[at], inverse);
            for_limbs!(|limb| {
                let modulus = V::splat(F::MODULUS[limb]);
                columns[at + limb] = columns[at + limb].madd_low(factor, modulus);
                columns[at + limb + 1] = columns[at + limb + 1].madd_high(factor, modulus);
            });
            columns[at + 1] = columns[at + 1].add(columns[at].shr::<LIMB>());
        });
        Lane::carried(for_limbs!(|at| columns[LIMBS + at]))
    }
}

/// A sum of values and opposites, its carries not taken.
pub struct Sum<F, V> {
    limbs: [V; LIMBS],
    field: PhantomData<F>,
}

impl<F: LaneField, V: Vector> Sum<F, V> {
    #[inline(always)]
    pub fn new(first: Lane<F, V>) -> Self {
        Self { limbs: first.limbs, field: PhantomData }
    }

    #[inline(always)]
    pub fn add(&mut self, value: Lane<F, V>) {
        self.limbs = for_limbs!(|at| self.limbs[at].add(value.limbs[at]));
    }

    /// Adds 2 p - value, for a value of at most 2 p.
    #[inline(always)]
    pub fn sub(&mut self, value: Lane<F, V>) {
        let twice = const { crate::lanes::times(F::MODULUS, 2) };
        self.limbs = for_limbs!(|at| self.limbs[at].add(V::splat(twice[at])).sub(value.limbs[at]));
    }

    /// Takes a sum below 2^260.
    #[inline(always)]
    pub fn carried(self) -> Lane<F, V> {
        Lane::carried(self.limbs)
    }
}
