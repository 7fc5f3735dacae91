//! A few jobs side by side by scalar code, see [`witness_exec`](crate::witness_exec).

use ark_bn254::{Fr, FrConfig};
use ark_ff::{BigInt, MontConfig, One, PrimeField, Zero};

use crate::inverse::invert;
use crate::witness::{Lc, Op, Plan};
use crate::witness_exec::{Machine, Slots};

const R: [u64; 4] = Fr::MODULUS.0;

/// Sum of products, reduced once per [`Sum::MAX_TERMS`].
///
/// With q = 2^256 / r > 5.29, at most 17 products stay below 2^512 (q^2 > 28), and the reduction leaves less than
/// 17 r / q + r < 4.3 r < 2^256.
#[derive(Clone, Copy)]
struct Sum([u64; 8]);

impl Sum {
    const MAX_TERMS: usize = 17;

    #[inline(always)]
    fn add_product(&mut self, a: &Fr, b: &Fr) {
        let (a, b) = (&a.0 .0, &b.0 .0);
        let mut product = [0u64; 8];
        for i in 0..4 {
            let mut carry = 0u64;
            for j in 0..4 {
                let wide = u128::from(a[i]) * u128::from(b[j]) + u128::from(product[i + j]) + u128::from(carry);
                product[i + j] = wide as u64;
                carry = (wide >> 64) as u64;
            }
            product[i + 4] = carry;
        }
        let mut carry = false;
        for (word, product) in self.0.iter_mut().zip(product) {
            let (sum, first) = word.overflowing_add(product);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *word = sum;
            carry = first | second;
        }
    }

    #[inline(always)]
    fn reduce(self) -> Fr {
        let mut sum = self.0;
        let mut above = 0u64;
        for i in 0..4 {
            let factor = sum[i].wrapping_mul(<FrConfig as MontConfig<4>>::INV);
            let mut carry = 0u64;
            for j in 0..4 {
                let wide = u128::from(factor) * u128::from(R[j]) + u128::from(sum[i + j]) + u128::from(carry);
                sum[i + j] = wide as u64;
                carry = (wide >> 64) as u64;
            }
            let wide = u128::from(sum[i + 4]) + u128::from(carry) + u128::from(above);
            sum[i + 4] = wide as u64;
            above = (wide >> 64) as u64;
        }
        let mut value = [sum[4], sum[5], sum[6], sum[7]];
        while let Some(less) = subtract(&value) {
            value = less;
        }
        Fr::new_unchecked(BigInt::new(value))
    }
}

/// `value - r`, unless it is negative.
#[inline(always)]
fn subtract(value: &[u64; 4]) -> Option<[u64; 4]> {
    let mut borrow = false;
    let mut less = [0u64; 4];
    for i in 0..4 {
        let (word, first) = value[i].overflowing_sub(R[i]);
        let (word, second) = word.overflowing_sub(u64::from(borrow));
        less[i] = word;
        borrow = first | second;
    }
    (!borrow).then_some(less)
}

pub(crate) struct Scalars<'a, const L: usize> {
    plan: &'a Plan,
    /// Of a group of divisions, the products of the divisors so far.
    prefix: Vec<Fr>,
}

impl<'a, const L: usize> Scalars<'a, L> {
    pub fn new(plan: &'a Plan) -> Self {
        Self { plan, prefix: Vec::new() }
    }

    #[inline(always)]
    fn combination(&self, slots: &[[Fr; L]], lc: Lc) -> [Fr; L] {
        let plan = self.plan;
        let (general, plus, minus) = lc.terms(plan);
        let mut total = [plan.coefficients[lc.constant as usize]; L];
        for &(slot, _) in plus {
            for (total, value) in total.iter_mut().zip(&slots[slot as usize]) {
                *total += value;
            }
        }
        for &(slot, _) in minus {
            for (total, value) in total.iter_mut().zip(&slots[slot as usize]) {
                *total -= value;
            }
        }
        for group in general.chunks(Sum::MAX_TERMS) {
            let mut sums = [Sum([0; 8]); L];
            for &(slot, coefficient) in group {
                let coefficient = &plan.coefficients[coefficient as usize];
                for (sum, value) in sums.iter_mut().zip(&slots[slot as usize]) {
                    sum.add_product(coefficient, value);
                }
            }
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum.reduce();
            }
        }
        total
    }
}

impl<const L: usize> Machine for Scalars<'_, L> {
    type Slot = [Fr; L];

    fn zero() -> Self::Slot {
        [Fr::zero(); L]
    }

    fn put(slot: &mut Self::Slot, job: usize, value: &Fr) {
        slot[job] = *value;
    }

    #[inline(always)]
    fn linear(&self, slots: &[Self::Slot], c: Lc) -> Self::Slot {
        self.combination(slots, c)
    }

    #[inline(always)]
    fn mul_add(&self, slots: &[Self::Slot], a: Lc, b: Lc, c: Lc) -> Self::Slot {
        let (a, b, mut sum) = (self.combination(slots, a), self.combination(slots, b), self.combination(slots, c));
        for job in 0..L {
            sum[job] += a[job] * b[job];
        }
        sum
    }

    fn divide(&mut self, slots: &mut Slots<'_, Self>, divisions: &[Op]) {
        self.prefix.clear();
        let mut product = Fr::one();
        for op in divisions {
            let Op::Divide { den, .. } = *op else { continue };
            for value in slots.get(den) {
                self.prefix.push(product);
                if !value.is_zero() {
                    product *= value;
                }
            }
        }
        let mut inverse = invert(&product).unwrap_or_default();
        for op in divisions.iter().rev() {
            let Op::Divide { to, num, den } = *op else { continue };
            let mut quotients = [Fr::zero(); L];
            for job in (0..L).rev() {
                let prefix = self.prefix.pop().unwrap_or_default();
                let value = slots.get(den)[job];
                if !value.is_zero() {
                    quotients[job] = slots.get(num)[job] * inverse * prefix;
                    inverse *= value;
                }
            }
            slots.set(to, quotients);
        }
    }

    fn bits(&self, slots: &mut Slots<'_, Self>, from: u32, range: std::ops::Range<usize>) {
        let plan = self.plan;
        let sources = slots.get(from).map(|value| value.into_bigint().0);
        for out in &plan.bits[range] {
            let (word, bit) = ((out.index / 64) as usize, out.index % 64);
            let value = |source: &[u64; 4]| match source[word] >> bit & 1 {
                0 => plan.coefficients[out.zero as usize],
                _ => plan.coefficients[out.one as usize],
            };
            let values = std::array::from_fn(|job| value(&sources[job]));
            slots.set(out.to, values);
        }
    }

    fn take(&self, slots: &[Self::Slot], count: usize, jobs: usize) -> Vec<Vec<Fr>> {
        (0..jobs).map(|job| slots[..count].iter().map(|slot| slot[job]).collect()).collect()
    }
}
