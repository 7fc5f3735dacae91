//! The interpreter's machines against each other and against a plain evaluation, on plans and values at their edges.

use ark_bn254::Fr;
use ark_ff::{BigInteger, Field, One, PrimeField, UniformRand, Zero};
use rand::{rngs::StdRng, Rng, SeedableRng};

use crate::lane_combination::MAX_PRODUCTS;
use crate::simd::{Backend, LANES};
use crate::witness::{Job, Lc, Op, Plan};
use crate::witness_emit::Emitter;
use crate::witness_exec::solve_with;

const GIVEN: u32 = 24;
const OPERATIONS: u32 = 200;

fn value(rng: &mut StdRng) -> Fr {
    match rng.gen_range(0..8) {
        0 | 1 => Fr::zero(),
        2 => Fr::one(),
        3 => -Fr::one(),
        4 => Fr::from(2u64).pow([rng.gen_range(0..254)]),
        5 => -Fr::from(rng.gen::<u64>()),
        _ => Fr::rand(rng),
    }
}

/// Up to 300 terms, and a constant; of slots below `end`, some of them the latest.
fn terms(rng: &mut StdRng, end: u32) -> Vec<(u32, Fr)> {
    let count = [0, 1, 2, 5, 40, MAX_PRODUCTS, MAX_PRODUCTS + 1, 300][rng.gen_range(0..8)];
    let units = rng.gen_bool(0.5);
    let mut all: Vec<(u32, Fr)> = (0..count as u32).map(|_| (rng.gen_range(0..end), value(rng))).collect();
    if units {
        all.iter_mut().for_each(|term| term.1 = if rng.gen_bool(0.5) { Fr::one() } else { -Fr::one() });
    }
    // A slot once, or terms would be merged and lists stay short.
    all.sort_unstable_by_key(|term| term.0);
    all.dedup_by_key(|term| term.0);
    all
}

/// Every operation in turn; divisions also in groups, and by what is 0 for some of the jobs.
fn random_plan(rng: &mut StdRng) -> Plan {
    let n_wires = GIVEN + 4 * OPERATIONS;
    let mut emit = Emitter::new(n_wires as usize);
    let mut next = GIVEN;
    while next < n_wires - 300 {
        match rng.gen_range(0..5) {
            0 | 1 => emit.mul_add(next, &terms(rng, next), &terms(rng, next), &terms(rng, next)),
            2 => emit.linear(next, &terms(rng, next)),
            3 => {
                let before = next;
                for _ in 1..rng.gen_range(1..6) {
                    emit.divide(next, rng.gen_range(0..before), rng.gen_range(0..before));
                    next += 1;
                }
                emit.divide(next, rng.gen_range(0..before), rng.gen_range(0..before));
                // Another group would be taken for a part of this one.
                next += 1;
                emit.linear(next, &terms(rng, next));
            }
            _ => {
                let from = rng.gen_range(0..next);
                let width = [1, 3, 52, 53, 254][rng.gen_range(0..5)];
                let outs: Vec<_> = (0..width).map(|bit| (bit, next + bit, value(rng), value(rng))).collect();
                emit.bits(from, &outs);
                next += width - 1;
            }
        }
        next += 1;
    }
    while next < n_wires {
        emit.linear(next, &[(next - 1, Fr::one())]);
        next += 1;
    }
    emit.finish(n_wires as usize, &(1..GIVEN).collect::<Vec<u32>>())
}

/// What the operations say, one after the other.
fn evaluate(plan: &Plan, job: &Job) -> Vec<Fr> {
    let mut slots = vec![Fr::zero(); plan.n_slots];
    slots[0] = Fr::one();
    job.given.iter().for_each(|&(wire, value)| slots[wire as usize] = value);
    let set = |slots: &mut Vec<Fr>, to: u32, value: Fr| {
        let forced = job.forced.iter().find(|pair| pair.0 == to);
        slots[to as usize] = forced.map_or(value, |pair| pair.1);
    };
    job.forced.iter().for_each(|&(wire, value)| slots[wire as usize] = value);
    let sum = |slots: &[Fr], lc: Lc| {
        let (general, plus, minus) = lc.terms(plan);
        let slot = |term: &(u32, u32)| slots[term.0 as usize];
        let products = general.iter().map(|term| slot(term) * plan.coefficients[term.1 as usize]);
        plan.coefficients[lc.constant as usize] + products.sum::<Fr>() + plus.iter().map(slot).sum::<Fr>()
            - minus.iter().map(slot).sum::<Fr>()
    };
    for op in &plan.ops {
        match *op {
            Op::MulAdd { to, a, b, c } => {
                let value = sum(&slots, a) * sum(&slots, b) + sum(&slots, c);
                set(&mut slots, to, value);
            }
            Op::Linear { to, c } => {
                let value = sum(&slots, c);
                set(&mut slots, to, value);
            }
            Op::Divide { to, num, den } => {
                let value = slots[num as usize] * slots[den as usize].inverse().unwrap_or_default();
                set(&mut slots, to, value);
            }
            Op::Bits { from, first, last } => {
                let source = slots[from as usize].into_bigint();
                for out in &plan.bits[first as usize..last as usize] {
                    let index = if source.get_bit(out.index as usize) { out.one } else { out.zero };
                    set(&mut slots, out.to, plan.coefficients[index as usize]);
                }
            }
        }
    }
    slots.truncate(plan.n_wires);
    slots
}

#[test]
fn solve_random_plans_every_machine_and_number_of_jobs_equals_the_plain_evaluation() {
    for seed in 0..12 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let plan = random_plan(rng);
        let n_wires = plan.n_wires as u32;
        let mut job = |at: usize| Job {
            given: plan.given.iter().map(|&wire| (wire, value(rng))).collect(),
            forced: if at % 3 == 1 { vec![(2, value(rng)), (n_wires / 2, value(rng))] } else { Vec::new() },
        };
        let jobs: Vec<Job> = (0..2 * LANES + 1).map(&mut job).collect();
        let expected: Vec<Vec<Fr>> = jobs.iter().map(|job| evaluate(&plan, job)).collect();
        for backend in Backend::ALL {
            if !backend.is_available() {
                eprintln!("SKIPPED: this machine has no {} kernels", backend.name());
                continue;
            }
            for count in [0, 1, 2, LANES, 2 * LANES + 1] {
                let solved = solve_with(backend, &plan, &jobs[..count]).expect("the jobs are the plan's");
                assert!(solved == expected[..count], "{}, {count} jobs, seed {seed}", backend.name());
            }
        }
    }
}
