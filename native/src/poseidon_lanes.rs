//! Poseidon of eight inputs at once, over the lanes of [`lanes`](crate::lanes): the same rounds as `poseidon.rs`.
//!
//! Bounds, in multiples of p: what is loaded is below 16, a round's constant below 1. An S-box takes values below 17 and
//! leaves less than 1.3 (17^2 / 84 + 1 < 4.5, 4.5^2 / 84 + 1 < 1.3, 17 * 1.3 / 84 + 1 < 1.3); an inner product of 17 such values with
//! constants is below 17 * 1.3 / 84 + 1 < 1.3. In a partial round all but the first element grow by less than 1.1 each, 72 at
//! most in 68 rounds; they are reduced every eighth round, below 2 + 8 * 1.1 < 11, so that inner products stay below 17 * 11 / 84 + 1 < 4.

use ark_bn254::Fr;
use ark_ff::Field;

use crate::lanes::{constant, from_row, to_row, Element, Lane, Scalar};
use crate::poseidon::{self, Schedule, MAX_WIDTH};
use crate::simd::{for_lanes, Backend, Kernel, Row, Vector, LANES};

/// Partial rounds between two reductions of the elements that have no S-box.
const REDUCE_EVERY: usize = 8;

/// A [`Schedule`] whose constants are limbs.
pub struct LaneSchedule {
    first: Vec<FullRound>,
    partial: Vec<PartialRound>,
    last: Vec<FullRound>,
    /// 2^256: takes a product out of the lanes' form.
    leave: Element,
}

struct FullRound {
    constants: Vec<Element>,
    rows: Vec<Vec<Element>>,
}

struct PartialRound {
    constant: Element,
    row: Vec<Element>,
    column: Vec<Element>,
}

fn elements(values: &[Fr]) -> Vec<Element> {
    values.iter().map(constant::<Scalar>).collect()
}

impl LaneSchedule {
    pub(crate) fn new(schedule: &Schedule) -> Self {
        let full = |round: &poseidon::FullRound| FullRound {
            constants: elements(&round.constants),
            rows: (0..round.matrix.size()).map(|i| elements(round.matrix.row(i))).collect(),
        };
        let partial = |round: &poseidon::PartialRound| PartialRound {
            constant: constant::<Scalar>(&round.constant),
            row: elements(&round.row),
            column: elements(&round.column),
        };
        Self {
            first: schedule.first.iter().map(full).collect(),
            partial: schedule.partial.iter().map(partial).collect(),
            last: schedule.last.iter().map(full).collect(),
            leave: constant::<Scalar>(&Fr::from(16u64).inverse().unwrap_or_default()),
        }
    }

    /// The hashes of `inputs`, `each` the schedule's width less one.
    pub fn hash(&self, backend: Backend, inputs: &[Fr], each: usize, out: &mut [Fr]) {
        for (inputs, out) in inputs.chunks(LANES * each).zip(out.chunks_mut(LANES)) {
            backend.run(Eight { schedule: self, inputs, each, out });
        }
    }
}

/// At most eight hashes.
struct Eight<'a> {
    schedule: &'a LaneSchedule,
    inputs: &'a [Fr],
    each: usize,
    out: &'a mut [Fr],
}

impl Kernel for Eight<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        let mut state = [Lane::<Scalar, V>::zero(); MAX_WIDTH];
        let state = &mut state[..=self.each];
        for (at, element) in state[1..].iter_mut().enumerate() {
            // Lanes too many repeat the first.
            let rows: [Row; LANES] = for_lanes!(|lane| {
                let lane = if lane < self.out.len() { lane } else { 0 };
                to_row::<Scalar>(&self.inputs[lane * self.each + at])
            });
            *element = Lane::load_shifted(for_lanes!(|lane| &rows[lane]));
        }
        let hashes = self.schedule.permute(state).mul(Lane::splat(&self.schedule.leave)).reduce().canonical().store();
        for (hash, row) in self.out.iter_mut().zip(&hashes) {
            *hash = from_row::<Scalar>(row);
        }
    }
}

impl LaneSchedule {
    /// The first element after all rounds.
    #[inline(always)]
    fn permute<V: Vector>(&self, state: &mut [Lane<Scalar, V>]) -> Lane<Scalar, V> {
        for round in &self.first {
            round.s_boxes(state);
            round.mix(state);
        }
        for (at, round) in self.partial.iter().enumerate() {
            round.apply(state);
            if at % REDUCE_EVERY == REDUCE_EVERY - 1 {
                state[1..].iter_mut().for_each(|element| *element = element.reduce());
            }
        }
        let (end, before) = self.last.split_at(self.last.len() - 1);
        for round in end {
            round.s_boxes(state);
            round.mix(state);
        }
        before[0].s_boxes(state);
        Lane::dot(&before[0].rows[0], state)
    }
}

impl FullRound {
    #[inline(always)]
    fn s_boxes<V: Vector>(&self, state: &mut [Lane<Scalar, V>]) {
        for (element, constant) in state.iter_mut().zip(&self.constants) {
            *element = fifth_power(element.add(Lane::splat(constant)));
        }
    }

    #[inline(always)]
    fn mix<V: Vector>(&self, state: &mut [Lane<Scalar, V>]) {
        let mut after = [Lane::zero(); MAX_WIDTH];
        for (element, row) in after.iter_mut().zip(&self.rows) {
            *element = Lane::dot(row, state);
        }
        let width = state.len();
        state.copy_from_slice(&after[..width]);
    }
}

impl PartialRound {
    #[inline(always)]
    fn apply<V: Vector>(&self, state: &mut [Lane<Scalar, V>]) {
        state[0] = fifth_power(state[0].add(Lane::splat(&self.constant)));
        let corner = Lane::dot(&self.row, state);
        let (head, rest) = (state[0], &mut state[1..]);
        for (element, factor) in rest.iter_mut().zip(&self.column) {
            *element = element.add(head.mul(Lane::splat(factor)));
        }
        state[0] = corner;
    }
}

#[inline(always)]
fn fifth_power<V: Vector>(x: Lane<Scalar, V>) -> Lane<Scalar, V> {
    x.square().square().mul(x)
}
