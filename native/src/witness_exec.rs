//! Runs a plan for many jobs: the jobs of a chunk go through the plan in lockstep and share inversions; chunks run in parallel.
//!
//! One interpreter, over a [`Machine`]: eight jobs in lanes ([`witness_lanes`](crate::witness_lanes)) where the machine has
//! vectors, else four by scalar code; a job alone is scalar everywhere.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::One;
use rayon::prelude::*;

use crate::r1cs::{refuse, Result};
use crate::simd::{Backend, LANES};
use crate::witness::{Job, Lc, Op, Plan};
use crate::witness_lanes::{Chunk, Limbs};
use crate::witness_scalar::Scalars;

/// Jobs that go in step by scalar code: they share inversions.
const SCALAR_JOBS: usize = 4;

/// Solves all jobs; the answers are full witnesses in the order of the jobs.
pub fn solve_many(plan: &Plan, jobs: &[Job]) -> Result<Vec<Vec<Fr>>> {
    solve_with(Backend::current(), plan, jobs)
}

pub(crate) fn solve_with(backend: Backend, plan: &Plan, jobs: &[Job]) -> Result<Vec<Vec<Fr>>> {
    for (index, job) in jobs.iter().enumerate() {
        if !job.given.iter().map(|pair| pair.0).eq(plan.given.iter().copied()) {
            return refuse!("job {index} gives other wires than its plan");
        }
        if let Some(pair) = job.forced.iter().find(|pair| pair.0 as usize >= plan.n_wires) {
            return refuse!("job {index} forces wire {} of {}", pair.0, plan.n_wires);
        }
    }
    if jobs.len() < 2 {
        return Ok(run(Scalars::<1>::new(plan), plan, jobs, &mut Vec::new()));
    }
    // Slots are kept from chunk to chunk: new ones would be cleared, page by page.
    let chunks: Vec<Vec<Vec<Fr>>> = if backend.is_vector() {
        let limbs = Limbs::new(plan);
        let solve = |slots: &mut Vec<_>, jobs| backend.run(Chunk { plan, limbs: &limbs, jobs, slots });
        jobs.par_chunks(LANES).map_init(Vec::new, solve).collect()
    } else {
        let solve = |slots: &mut Vec<_>, jobs| run(Scalars::<SCALAR_JOBS>::new(plan), plan, jobs, slots);
        jobs.par_chunks(SCALAR_JOBS).map_init(Vec::new, solve).collect()
    };
    Ok(chunks.into_iter().flatten().collect())
}

/// What computes a plan's operations for a few jobs at once. A slot holds a value of each job.
pub(crate) trait Machine: Sized {
    type Slot: Copy;
    fn zero() -> Self::Slot;
    fn put(slot: &mut Self::Slot, job: usize, value: &Fr);
    /// c
    fn linear(&self, slots: &[Self::Slot], c: Lc) -> Self::Slot;
    /// a * b + c
    fn mul_add(&self, slots: &[Self::Slot], a: Lc, b: Lc, c: Lc) -> Self::Slot;
    /// Independent divisions (to, num, den) with one inversion for all of them and all jobs; x / 0 is 0.
    fn divide(&mut self, slots: &mut Slots<'_, Self>, divisions: &[Op]);
    /// Sets what `plan.bits[range]` names.
    fn bits(&self, slots: &mut Slots<'_, Self>, from: u32, range: std::ops::Range<usize>);
    /// The first `count` slots of each of the first `jobs` jobs.
    fn take(&self, slots: &[Self::Slot], count: usize, jobs: usize) -> Vec<Vec<Fr>>;
}

/// The slots of a chunk, and the wires that keep a value whatever the plan says.
pub(crate) struct Slots<'a, M: Machine> {
    pub values: &'a mut [M::Slot],
    /// Wire -> (job, value).
    forced: HashMap<u32, Vec<(usize, Fr)>>,
}

impl<M: Machine> Slots<'_, M> {
    #[inline(always)]
    pub fn get(&self, slot: u32) -> &M::Slot {
        &self.values[slot as usize]
    }

    #[inline(always)]
    pub fn set(&mut self, to: u32, value: M::Slot) {
        self.values[to as usize] = value;
        if !self.forced.is_empty() {
            self.force(to);
        }
    }

    #[cold]
    fn force(&mut self, to: u32) {
        for (job, value) in self.forced.get(&to).into_iter().flatten() {
            M::put(&mut self.values[to as usize], *job, value);
        }
    }
}

/// Solves the jobs of a chunk, in the memory of `slots`.
#[inline(always)]
pub(crate) fn run<M: Machine>(mut machine: M, plan: &Plan, jobs: &[Job], slots: &mut Vec<M::Slot>) -> Vec<Vec<Fr>> {
    slots.resize(plan.n_slots, M::zero());
    let mut slots = Slots::<M> { values: slots, forced: HashMap::new() };
    for (at, job) in jobs.iter().enumerate() {
        for (wire, value) in std::iter::once(&(0, Fr::one())).chain(&job.given).chain(&job.forced) {
            M::put(&mut slots.values[*wire as usize], at, value);
        }
        for &(wire, value) in &job.forced {
            slots.forced.entry(wire).or_default().push((at, value));
        }
    }
    execute(&mut machine, plan, &mut slots);
    machine.take(slots.values, plan.n_wires, jobs.len())
}

#[inline(always)]
fn execute<M: Machine>(machine: &mut M, plan: &Plan, slots: &mut Slots<'_, M>) {
    let mut at = 0;
    while let Some(op) = plan.ops.get(at) {
        at += 1;
        match *op {
            Op::MulAdd { to, a, b, c } => {
                let value = machine.mul_add(slots.values, a, b, c);
                slots.set(to, value);
            }
            Op::Linear { to, c } => {
                let value = machine.linear(slots.values, c);
                slots.set(to, value);
            }
            Op::Divide { .. } => {
                let rest = &plan.ops[at - 1..];
                let count = rest.iter().take_while(|op| matches!(op, Op::Divide { .. })).count();
                machine.divide(slots, &rest[..count]);
                at += count - 1;
            }
            Op::Bits { from, first, last } => machine.bits(slots, from, first as usize..last as usize),
        }
    }
}
