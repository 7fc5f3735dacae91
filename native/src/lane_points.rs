//! Additions of sums in memory, whatever they are, in lanes: eight at a time, with one inversion for a batch.
//!
//! Sums lie in *slots*: coordinates with the lanes' radix, below 2 p, infinity all zeros. For the points of a key, of which
//! there are many more, see `lane_sums`.

use crate::lane_coordinates::{Coordinates, Group, Scratch};
use crate::simd::{for_lanes, Kernel, Row, Vector, LANES};

/// One or two cache lines hold a slot: x, then y.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Line(pub [Row; 2]);

impl Line {
    pub const ZERO: Self = Self([[0; 32]; 2]);
}

/// One eighth of a batch between its phases, and in which lanes the sum is not a sum of two different points.
#[derive(Clone, Copy, Debug)]
struct Step {
    prefix: Scratch,
    denominator: Scratch,
    /// The slot is infinity.
    take: u8,
    /// What is added is.
    keep: u8,
    double: u8,
    /// They cancel.
    clear: u8,
}

/// Memory that batches use again.
#[derive(Debug, Default)]
pub struct Workspace(Vec<Step>);

/// `slots[slot] += sums[sum]` for each (slot, sum) of `pairs`, in which no slot may come twice.
pub struct AddBatch<'a, C> {
    pub slots: &'a mut [Line],
    pub pairs: &'a [(u32, u32)],
    pub sums: &'a [Line],
    pub workspace: &'a mut Workspace,
    pub coordinates: std::marker::PhantomData<C>,
}

impl<G: Group> Kernel for AddBatch<'_, G> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        self.add::<V, G::Of<V>>();
    }
}

#[inline(always)]
fn read<V: Vector, C: Coordinates<V>>(slots: &[Line], slot: [u32; LANES], coordinate: usize) -> C {
    let first = for_lanes!(|lane| (2 * slot[lane] as usize + coordinate) * C::ROWS);
    C::load(|lane, row| &slots[(first[lane] + row) / 2].0[(first[lane] + row) % 2], false)
}

/// Pairs for all lanes; where there are fewer, the last one again.
type Eight = [(u32, u32); LANES];

impl<G> AddBatch<'_, G> {
    /// The pairs of a step, and for how many lanes they are.
    #[inline(always)]
    fn eight(&self, at: usize) -> (Eight, usize) {
        let rest = &self.pairs[at * LANES..];
        match rest.first_chunk() {
            Some(eight) => (*eight, LANES),
            None => (std::array::from_fn(|lane| rest[lane.min(rest.len() - 1)]), rest.len()),
        }
    }

    #[inline(always)]
    fn slot<V: Vector, C: Coordinates<V>>(&self, pairs: &Eight, coordinate: usize) -> C {
        read(self.slots, for_lanes!(|lane| pairs[lane].0), coordinate)
    }

    #[inline(always)]
    fn sum<V: Vector, C: Coordinates<V>>(&self, pairs: &Eight, coordinate: usize) -> C {
        read(self.sums, for_lanes!(|lane| pairs[lane].1), coordinate)
    }

    /// The denominator of the slope, and what is special: see [`Step`].
    #[inline(always)]
    fn denominator<V: Vector, C: Coordinates<V>>(&self, pairs: &Eight) -> (C, [u8; 4]) {
        let (slot, sum): (C, C) = (self.slot(pairs, 0), self.sum(pairs, 0));
        let (slot_y, sum_y): (C, C) = (self.slot(pairs, 1), self.sum(pairs, 1));
        let (take, keep) = (slot.zeros() & slot_y.zeros(), sum.zeros() & sum_y.zeros());
        let denominator = sum.sub(slot);
        let met = denominator.canonical().zeros() & !take & !keep;
        let double = match met {
            0 => 0,
            _ => met & sum_y.sub(slot_y).canonical().zeros() & !slot_y.canonical().zeros(),
        };
        let clear = met & !double;
        let denominator = C::select(double, slot_y.double(), denominator);
        (C::select(take | keep | clear, C::one(), denominator), [take & !keep, keep, double, clear])
    }

    #[inline(always)]
    fn add<V: Vector, C: Coordinates<V>>(&mut self) {
        let empty = Step { prefix: Scratch::ZERO, denominator: Scratch::ZERO, take: 0, keep: 0, double: 0, clear: 0 };
        let count = self.pairs.len().div_ceil(LANES);
        let mut steps = std::mem::take(&mut self.workspace.0);
        if steps.len() < count {
            steps.resize(count, empty);
        }
        // Two chains of products, so that one need not wait for the other.
        let mut products = [C::one(); 2];
        for at in 0..count {
            let (denominator, [take, keep, double, clear]) = self.denominator::<V, C>(&self.eight(at).0);
            let step = &mut steps[at];
            products[at % 2].to_scratch(&mut step.prefix);
            denominator.to_scratch(&mut step.denominator);
            (step.take, step.keep, step.double, step.clear) = (take, keep, double, clear);
            products[at % 2] = denominator.mul(products[at % 2]);
        }
        let inverse = products[0].mul(products[1]).inverse().expect("no denominator is zero");
        let mut inverses = [inverse.mul(products[1]), inverse.mul(products[0])];
        for at in (0..count).rev() {
            let step = &steps[at];
            let inverse = inverses[at % 2];
            let reciprocal = C::from_scratch(&step.prefix).mul(inverse);
            inverses[at % 2] = C::from_scratch(&step.denominator).mul(inverse);
            let (pairs, lanes) = self.eight(at);
            self.finish(&pairs, lanes, step, reciprocal);
        }
        self.workspace.0 = steps;
    }

    #[inline(always)]
    fn finish<V: Vector, C: Coordinates<V>>(&mut self, pairs: &Eight, lanes: usize, step: &Step, reciprocal: C) {
        let (slot_x, slot_y): (C, C) = (self.slot(pairs, 0), self.slot(pairs, 1));
        let (sum_x, sum_y): (C, C) = (self.sum(pairs, 0), self.sum(pairs, 1));
        let mut numerator = sum_y.sub(slot_y);
        if step.double != 0 {
            let square = slot_x.square();
            numerator = C::select(step.double, square.double().sub(square.opposite().reduce()), numerator);
        }
        let slope = numerator.mul(reciprocal);
        let mut x = slope.square().sub_both(slot_x, sum_x);
        let mut y = slot_x.sub(x).mul(slope).sub(slot_y).reduce();
        if step.take | step.keep | step.clear != 0 {
            let special = |new: C, slot: C, sum: C| {
                let new = C::select(step.take, sum, new);
                C::select(step.clear, C::zero(), C::select(step.keep, slot, new))
            };
            x = special(x, slot_x, sum_x);
            y = special(y, slot_y, sum_y);
        }
        self.put(x, 0, pairs, lanes);
        self.put(y, 1, pairs, lanes);
    }

    #[inline(always)]
    fn put<V: Vector, C: Coordinates<V>>(&mut self, value: C, coordinate: usize, pairs: &Eight, lanes: usize) {
        value.store(|lane, row, bytes| {
            if lane < lanes {
                let at = 2 * C::ROWS * pairs[lane].0 as usize + coordinate * C::ROWS + row;
                self.slots[at / 2].0[at % 2] = bytes;
            }
        });
    }
}
