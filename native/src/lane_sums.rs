//! Sums of lists of a key's points in lanes: each lane adds up a list of its own, one point a round.
//!
//! The sums of a batch of groups stay in the lanes' form from its first round to its last; only a point of the key is cut
//! into limbs, once a coordinate. The additions of a round share one inversion, and take six products of coordinates each.
//! Groups go two by two, each with a chain of products of its own, so that one has work while the other waits.

use std::marker::PhantomData;

use crate::groth16_error::{Control, Result};
use crate::lane_coordinates::{Coordinates, Group};
use crate::lane_lists::{Batch, Lists};
use crate::lane_points::Line;
use crate::scalars::NEGATIVE_INDEX;
use crate::simd::{for_lanes, prefetch, written_out, Kernel, Row, Vector, LANES};

/// Groups of a batch over coordinates of so many rows: their sums and steps stay in the second cache.
pub const fn groups(rows: usize) -> usize {
    512 / rows
}

/// Couples of groups whose points are asked for ahead.
const AHEAD: usize = 4;

/// `[f(0), f(1)]`: for both groups of a couple.
macro_rules! both {
    (|$at:ident| $value:expr) => {
        written_out!($at, $value, 0 1)
    };
}

/// The sum of every piece of `lists`, in their order, in the form of slots.
pub struct SumLists<'a, G> {
    pub key: &'a [Row],
    pub lists: &'a Lists,
    pub sums: &'a mut [Line],
    pub control: &'a Control,
    pub group: PhantomData<G>,
}

/// Below 2 p; infinity all zeros.
#[derive(Clone, Copy)]
struct Sum<C> {
    x: C,
    y: C,
}

/// What the first half of an addition leaves for the second.
#[derive(Clone, Copy)]
struct Step<C> {
    prefix: C,
    denominator: C,
    /// Of the point.
    x: C,
    special: Special,
}

/// Lanes where the sum is not the sum of two different points.
#[derive(Clone, Copy, Default)]
struct Special {
    /// There is no sum yet: the point.
    take: u8,
    double: u8,
    /// They cancel.
    clear: u8,
}

/// A round's points; groups at the end may have none.
#[derive(Clone, Copy)]
struct Round<'a> {
    batch: Batch<'a>,
    points: &'a [[u32; LANES]],
    number: u32,
}

/// The sums of a batch, and what an addition of all of them needs.
struct Adder<'a, V, C> {
    key: &'a [Row],
    sums: Vec<Sum<C>>,
    steps: Vec<Step<C>>,
    vectors: PhantomData<V>,
}

impl<G: Group> Kernel for SumLists<'_, G> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Result<()> {
        let zero = G::Of::<V>::zero();
        let empty = Step { prefix: zero, denominator: zero, x: zero, special: Special::default() };
        let rows = G::Of::<V>::ROWS;
        let groups = groups(rows);
        let sums = vec![Sum { x: zero, y: zero }; groups];
        let mut adder = Adder { key: self.key, sums, steps: vec![empty; groups], vectors: PhantomData::<V> };
        for (batch, to) in self.lists.batches().zip(self.sums.chunks_mut(groups * LANES * rows)) {
            self.control.check()?;
            adder.add_up(batch);
            for (sum, to) in adder.sums.iter().zip(to.chunks_mut(LANES * rows)) {
                for (coordinate, value) in [sum.x, sum.y].into_iter().enumerate() {
                    value.store(|lane, row, bytes| {
                        let at = coordinate * rows + row;
                        if let Some(line) = to.get_mut(lane * rows + at / 2) {
                            line.0[at % 2] = bytes;
                        }
                    });
                }
            }
        }
        Ok(())
    }
}

impl Round<'_> {
    /// A group's points and the lanes that have one.
    #[inline(always)]
    fn group(&self, group: usize) -> (&[u32; LANES], u8) {
        match self.points.get(group) {
            Some(points) => (points, self.batch.lanes(group, self.number)),
            None => (&[0; LANES], 0),
        }
    }
}

impl<V: Vector, C: Coordinates<V>> Adder<'_, V, C> {
    #[inline(always)]
    fn ask_for(&self, points: Option<&[u32; LANES]>) {
        if let Some(points) = points {
            for_lanes!(|lane| {
                let first = (points[lane] & !NEGATIVE_INDEX) as usize * 2 * C::ROWS;
                prefetch(&self.key[first]);
                if C::ROWS > 1 {
                    prefetch(&self.key[first + C::ROWS]);
                }
            });
        }
    }

    /// Rounds until no group has points left.
    #[inline(always)]
    fn add_up(&mut self, batch: Batch<'_>) {
        for (sum, points) in self.sums.iter_mut().zip(batch.round(0)) {
            let (x, y) = (load::<V, C>(self.key, points, 0), signed_y::<V, C>(self.key, points));
            *sum = Sum { x: x.reduce(), y: y.reduce() };
        }
        // A sum that was infinity once makes the rest of the batch careful.
        let mut careful = false;
        for number in 1..batch.rounds() {
            let round = Round { batch, points: batch.round(number), number };
            if careful || !self.add_round::<false>(round) {
                careful = true;
                let done = self.add_round::<true>(round);
                assert!(done, "a careful round has no zero denominators");
            }
        }
    }

    /// False, with nothing changed, if a denominator was zero.
    #[inline(always)]
    fn add_round<const CAREFUL: bool>(&mut self, round: Round<'_>) -> bool {
        let couples = round.points.len().div_ceil(2);
        let mut products = [C::one(); 2];
        for couple in 0..couples {
            both!(|at| self.ask_for(round.points.get(2 * (couple + AHEAD) + at)));
            let parts = both!(|at| self.denominator::<CAREFUL>(2 * couple + at, round.group(2 * couple + at)));
            both!(|at| {
                let (denominator, x, special) = parts[at];
                self.steps[2 * couple + at] = Step { prefix: products[at], denominator, x, special };
            });
            products = both!(|at| parts[at].0.mul(products[at]));
        }
        let Some(inverse) = products[0].mul(products[1]).inverse() else { return false };
        let mut inverses = both!(|at| inverse.mul(products[1 - at]));
        for couple in (0..couples).rev() {
            let steps = both!(|at| self.steps[2 * couple + at]);
            let groups = both!(|at| round.group(2 * couple + at));
            let reciprocals = both!(|at| steps[at].prefix.mul(inverses[at]));
            inverses = both!(|at| steps[at].denominator.mul(inverses[at]));
            let sums = both!(|at| self.sums[2 * couple + at]);
            let points = both!(|at| Sum { x: steps[at].x, y: signed_y::<V, C>(self.key, groups[at].0) });
            let slopes =
                both!(|at| numerator::<V, C, CAREFUL>(&sums[at], &points[at], steps[at].special.double)
                    .mul(reciprocals[at]));
            let xs = both!(|at| slopes[at].square().sub_both(sums[at].x, points[at].x));
            let ys = both!(|at| sums[at].x.sub(xs[at]).mul(slopes[at]).sub(sums[at].y).reduce());
            both!(|at| {
                let new = Sum { x: xs[at], y: ys[at] };
                let new = special_sum::<V, C, CAREFUL>(new, points[at], steps[at].special);
                self.sums[2 * couple + at] = choose(groups[at].1, new, sums[at]);
            });
        }
        true
    }

    /// The denominator of the slope, the point's x, and what is special.
    #[inline(always)]
    fn denominator<const CAREFUL: bool>(&self, at: usize, (points, busy): (&[u32; LANES], u8)) -> (C, C, Special) {
        let x: C = load::<V, C>(self.key, points, 0);
        let sum = self.sums[at];
        let mut denominator = x.sub(sum.x);
        let mut special = Special::default();
        if CAREFUL {
            let sum_y = sum.y.canonical();
            special.take = sum.x.zeros() & sum.y.zeros();
            let met = denominator.canonical().zeros() & !special.take;
            special.double =
                met & signed_y::<V, C>(self.key, points).canonical().sub(sum_y).canonical().zeros() & !sum_y.zeros();
            special.clear = met & !special.double;
            denominator = C::select(special.double, sum_y.double(), denominator);
            denominator = C::select(special.take | special.clear, C::one(), denominator);
        }
        if busy != u8::MAX {
            denominator = C::select(busy, denominator, C::one());
        }
        (denominator, x, special)
    }
}

#[inline(always)]
fn load<V: Vector, C: Coordinates<V>>(key: &[Row], points: &[u32; LANES], coordinate: usize) -> C {
    let first = for_lanes!(|lane| ((points[lane] & !NEGATIVE_INDEX) as usize * 2 + coordinate) * C::ROWS);
    C::load(|lane, row| &key[first[lane] + row], true)
}

#[inline(always)]
fn signed_y<V: Vector, C: Coordinates<V>>(key: &[Row], points: &[u32; LANES]) -> C {
    let y: C = load(key, points, 1);
    let mut negative = 0;
    for_lanes!(|lane| negative |= ((points[lane] >> 31) << lane) as u8);
    C::select(negative, y.opposite(), y)
}

#[inline(always)]
fn numerator<V: Vector, C: Coordinates<V>, const CAREFUL: bool>(sum: &Sum<C>, point: &Sum<C>, double: u8) -> C {
    let numerator = point.y.sub(sum.y);
    if CAREFUL && double != 0 {
        let square = sum.x.square();
        return C::select(double, square.double().sub(square.opposite().reduce()), numerator);
    }
    numerator
}

#[inline(always)]
fn special_sum<V: Vector, C: Coordinates<V>, const CAREFUL: bool>(
    sum: Sum<C>,
    point: Sum<C>,
    special: Special,
) -> Sum<C> {
    if !CAREFUL {
        return sum;
    }
    let zero = Sum { x: C::zero(), y: C::zero() };
    let sum = choose(special.take, Sum { x: point.x.reduce(), y: point.y.reduce() }, sum);
    choose(special.clear, zero, sum)
}

#[inline(always)]
fn choose<V: Vector, C: Coordinates<V>>(mask: u8, yes: Sum<C>, no: Sum<C>) -> Sum<C> {
    match mask {
        u8::MAX => yes,
        _ => Sum { x: C::select(mask, yes.x, no.x), y: C::select(mask, yes.y, no.y) },
    }
}
