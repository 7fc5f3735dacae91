//! Runs a plan for many jobs: lanes of a chunk go through the plan in lockstep and share inversions; chunks run in parallel.

use std::collections::HashMap;

use ark_bn254::{Fr, FrConfig};
use ark_ff::{BigInt, Field, MontConfig, One, PrimeField, Zero};
use rayon::prelude::*;

use crate::r1cs::{refuse, Result};
use crate::witness::{Job, Lc, Op, Plan};

const LANES: usize = 4;
const R: [u64; 4] = Fr::MODULUS.0;

/// Solves all jobs; the answers are full witnesses in the order of the jobs.
pub fn solve_many(plan: &Plan, jobs: &[Job]) -> Result<Vec<Vec<Fr>>> {
    for (index, job) in jobs.iter().enumerate() {
        if !job.given.iter().map(|pair| pair.0).eq(plan.given.iter().copied()) {
            return refuse!("job {index} gives other wires than its plan");
        }
        if let Some(pair) = job.forced.iter().find(|pair| pair.0 as usize >= plan.n_wires) {
            return refuse!("job {index} forces wire {} of {}", pair.0, plan.n_wires);
        }
    }
    let chunks: Vec<Vec<Vec<Fr>>> = match jobs.len() {
        1 => vec![run::<1>(plan, jobs)],
        _ => jobs.par_chunks(LANES).map(|chunk| run::<LANES>(plan, chunk)).collect(),
    };
    Ok(chunks.into_iter().flatten().collect())
}

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

/// Slots of `L` jobs, and scratch space for divisions; nothing is allocated while the plan runs.
struct Lanes<'a, const L: usize> {
    plan: &'a Plan,
    slots: Vec<[Fr; L]>,
    /// Wire -> per lane, the value that it is to keep.
    forced: HashMap<u32, [Option<Fr>; L]>,
    prefix: Vec<Fr>,
}

fn run<const L: usize>(plan: &Plan, jobs: &[Job]) -> Vec<Vec<Fr>> {
    let mut lanes = Lanes::<L> {
        plan,
        slots: vec![[Fr::zero(); L]; plan.n_slots],
        forced: HashMap::new(),
        prefix: Vec::with_capacity(L * longest_divide(&plan.ops)),
    };
    lanes.slots[0] = [Fr::one(); L];
    for (lane, job) in jobs.iter().enumerate() {
        for &(wire, value) in &job.given {
            lanes.slots[wire as usize][lane] = value;
        }
        for &(wire, value) in &job.forced {
            lanes.forced.entry(wire).or_insert([None; L])[lane] = Some(value);
            lanes.slots[wire as usize][lane] = value;
        }
    }
    lanes.execute();
    let witness = |lane: usize| lanes.slots[..plan.n_wires].iter().map(|slot| slot[lane]).collect();
    (0..jobs.len()).map(witness).collect()
}

fn longest_divide(ops: &[Op]) -> usize {
    ops.chunk_by(|a, b| matches!((a, b), (Op::Divide { .. }, Op::Divide { .. }))).map(<[Op]>::len).max().unwrap_or(0)
}

impl<const L: usize> Lanes<'_, L> {
    fn execute(&mut self) {
        let plan = self.plan;
        let mut at = 0;
        while let Some(op) = plan.ops.get(at) {
            at += 1;
            match *op {
                Op::MulAdd { to, a, b, c } => {
                    let (a, b, mut sum) = (self.lc(a), self.lc(b), self.lc(c));
                    for lane in 0..L {
                        sum[lane] += a[lane] * b[lane];
                    }
                    self.set(to, sum);
                }
                Op::Linear { to, c } => {
                    let sum = self.lc(c);
                    self.set(to, sum);
                }
                Op::Divide { .. } => {
                    let rest = &plan.ops[at - 1..];
                    let count = rest.iter().take_while(|op| matches!(op, Op::Divide { .. })).count();
                    self.divide(&rest[..count]);
                    at += count - 1;
                }
                Op::Bits { from, first, last } => self.bits(from, first as usize..last as usize),
            }
        }
    }

    #[inline(always)]
    fn set(&mut self, to: u32, mut values: [Fr; L]) {
        if !self.forced.is_empty() {
            self.force(to, &mut values);
        }
        self.slots[to as usize] = values;
    }

    #[cold]
    fn force(&self, to: u32, values: &mut [Fr; L]) {
        if let Some(forced) = self.forced.get(&to) {
            for (value, forced) in values.iter_mut().zip(forced) {
                *value = forced.unwrap_or(*value);
            }
        }
    }

    #[inline(always)]
    fn lc(&self, lc: Lc) -> [Fr; L] {
        let plan = self.plan;
        let start = lc.start as usize;
        let plus = start + lc.general as usize;
        let minus = plus + lc.plus as usize;
        let mut total = [plan.coefficients[lc.constant as usize]; L];
        for &(slot, _) in &plan.terms[plus..minus] {
            for (total, value) in total.iter_mut().zip(&self.slots[slot as usize]) {
                *total += value;
            }
        }
        for &(slot, _) in &plan.terms[minus..minus + lc.minus as usize] {
            for (total, value) in total.iter_mut().zip(&self.slots[slot as usize]) {
                *total -= value;
            }
        }
        for group in plan.terms[start..plus].chunks(Sum::MAX_TERMS) {
            let mut sums = [Sum([0; 8]); L];
            for &(slot, coefficient) in group {
                let coefficient = &plan.coefficients[coefficient as usize];
                for (sum, value) in sums.iter_mut().zip(&self.slots[slot as usize]) {
                    sum.add_product(coefficient, value);
                }
            }
            for (total, sum) in total.iter_mut().zip(sums) {
                *total += sum.reduce();
            }
        }
        total
    }

    /// Independent divisions with one inversion for all operations and lanes; x / 0 is 0.
    fn divide(&mut self, ops: &[Op]) {
        self.prefix.clear();
        let mut product = Fr::one();
        for op in ops {
            let Op::Divide { den, .. } = *op else { continue };
            for value in &self.slots[den as usize] {
                self.prefix.push(product);
                if !value.is_zero() {
                    product *= value;
                }
            }
        }
        let mut inverse = product.inverse().unwrap_or_default();
        for op in ops.iter().rev() {
            let Op::Divide { to, num, den } = *op else { continue };
            let mut quotients = [Fr::zero(); L];
            for lane in (0..L).rev() {
                let prefix = self.prefix.pop().unwrap_or_default();
                let value = self.slots[den as usize][lane];
                if !value.is_zero() {
                    quotients[lane] = self.slots[num as usize][lane] * inverse * prefix;
                    inverse *= value;
                }
            }
            self.set(to, quotients);
        }
    }

    fn bits(&mut self, from: u32, range: std::ops::Range<usize>) {
        let plan = self.plan;
        let sources = self.slots[from as usize].map(|value| value.into_bigint().0);
        for out in &plan.bits[range] {
            let (word, bit) = ((out.index / 64) as usize, out.index % 64);
            let value = |source: &[u64; 4]| match source[word] >> bit & 1 {
                0 => plan.coefficients[out.zero as usize],
                _ => plan.coefficients[out.one as usize],
            };
            let values = std::array::from_fn(|lane| value(&sources[lane]));
            self.set(out.to, values);
        }
    }
}
