//! Additions of affine points in lanes: eight at a time, with one inversion for a batch.
//!
//! An addition takes six products of coordinates, as in `batch_affine`, but eight go side by side. Sums lie in *slots*:
//! coordinates with the lanes' radix, below 2 p, infinity all zeros.

use ark_bn254::{Fq, Fq2};
use ark_ff::Field;

use crate::lanes::{from_row, to_row, Base, Lane};
use crate::simd::{for_lanes, Kernel, Row, Vector, LANES};

/// One or two cache lines hold a slot: x, then y.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Line(pub [Row; 2]);

impl Line {
    pub const ZERO: Self = Self([[0; 32]; 2]);
}

/// The sign of a source, in the top bit of its index.
pub const NEGATIVE: u32 = 1 << 31;

/// Rows of points, one point after the other, that are added to slots.
pub trait Source: Copy {
    /// A key's: radix 2^256, and none of the points is infinity. The others have the form of slots.
    const IS_KEY: bool;
    fn row(&self, index: usize) -> &Row;
}

/// A section of a key.
#[derive(Clone, Copy, Debug)]
pub struct Key<'a>(pub &'a [Row]);

impl Source for Key<'_> {
    const IS_KEY: bool = true;
    #[inline(always)]
    fn row(&self, index: usize) -> &Row {
        &self.0[index]
    }
}

/// Other slots.
#[derive(Clone, Copy, Debug)]
pub struct Sums<'a>(pub &'a [Line]);

impl Source for Sums<'_> {
    const IS_KEY: bool = false;
    #[inline(always)]
    fn row(&self, index: usize) -> &Row {
        &self.0[index / 2].0[index % 2]
    }
}

/// Eight coordinates. Unless a function says otherwise, values are below 20 p.
pub trait Coordinates<V: Vector>: Copy {
    /// Rows of 32 bytes.
    const ROWS: usize;
    fn load<'a>(row: impl Fn(usize, usize) -> &'a Row, shifted: bool) -> Self;
    /// Takes values below 2 p.
    fn store(self, put: impl FnMut(usize, usize, Row));
    fn zero() -> Self;
    fn one() -> Self;
    /// Below 2 p, if not both factors are above 4 p.
    fn mul(self, other: Self) -> Self;
    /// Takes values below 2 p and leaves such.
    fn square(self) -> Self;
    /// self - other, for `other` below 2 p.
    fn sub(self, other: Self) -> Self;
    /// self - first - second below 2 p, for `self` and `first` below 2 p.
    fn sub_both(self, first: Self, second: Self) -> Self;
    fn opposite(self) -> Self;
    fn double(self) -> Self;
    /// Below 2 p.
    fn reduce(self) -> Self;
    /// Below p.
    fn canonical(self) -> Self;
    /// Where all bits are zero.
    fn zeros(self) -> u8;
    fn select(mask: u8, yes: Self, no: Self) -> Self;
    /// 1 / each; none if one of them is zero. By scalar code, one inversion for all.
    fn inverse(self) -> Option<Self>;
    fn to_scratch(self, out: &mut Scratch);
    fn from_scratch(scratch: &Scratch) -> Self;
}

/// Room for eight coordinates between the phases of a batch.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub struct Scratch([[[u64; LANES]; 5]; 2]);

impl Scratch {
    const ZERO: Self = Self([[[0; LANES]; 5]; 2]);
}

/// With the lanes' radix, as arkworks reads it, an element has a factor 2^4; its inverse is to have it too.
const INVERSE_FACTOR: u64 = 1 << 8;

fn inverse_of_all<T: Field>(values: [T; LANES], factor: T) -> Option<[T; LANES]> {
    let mut prefix = [T::one(); LANES];
    for lane in 1..LANES {
        prefix[lane] = prefix[lane - 1] * values[lane - 1];
    }
    let mut inverse = (prefix[LANES - 1] * values[LANES - 1]).inverse()?;
    for lane in (0..LANES).rev() {
        prefix[lane] *= inverse * factor;
        inverse *= values[lane];
    }
    Some(prefix)
}

impl<V: Vector> Coordinates<V> for Lane<Base, V> {
    const ROWS: usize = 1;

    #[inline(always)]
    fn load<'a>(row: impl Fn(usize, usize) -> &'a Row, shifted: bool) -> Self {
        let rows = for_lanes!(|lane| row(lane, 0));
        if shifted {
            Self::load_shifted(rows)
        } else {
            Self::load(rows)
        }
    }

    #[inline(always)]
    fn store(self, mut put: impl FnMut(usize, usize, Row)) {
        let rows = Lane::store(self);
        for_lanes!(|lane| put(lane, 0, rows[lane]));
    }

    #[inline(always)]
    fn zero() -> Self {
        Self::zero()
    }

    #[inline(always)]
    fn one() -> Self {
        Self::one()
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        self.mul(other)
    }

    #[inline(always)]
    fn square(self) -> Self {
        self.square()
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.sub::<2>(other)
    }

    #[inline(always)]
    fn sub_both(self, first: Self, second: Self) -> Self {
        self.sub_both::<22>(first, second).reduce()
    }

    #[inline(always)]
    fn opposite(self) -> Self {
        self.opposite::<16>()
    }

    #[inline(always)]
    fn double(self) -> Self {
        self.double()
    }

    #[inline(always)]
    fn reduce(self) -> Self {
        self.reduce()
    }

    #[inline(always)]
    fn canonical(self) -> Self {
        self.reduce().canonical()
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        self.zeros()
    }

    #[inline(always)]
    fn select(mask: u8, yes: Self, no: Self) -> Self {
        Self::select(mask, yes, no)
    }

    #[inline(always)]
    fn inverse(self) -> Option<Self> {
        let values = Lane::store(Coordinates::canonical(self)).map(|row| from_row::<Base>(&row));
        let inverses = inverse_of_all(values, Fq::from(INVERSE_FACTOR))?.map(|value| to_row::<Base>(&value));
        Some(Lane::load(inverses.each_ref()))
    }

    #[inline(always)]
    fn to_scratch(self, out: &mut Scratch) {
        Lane::to_scratch(self, &mut out.0[0]);
    }

    #[inline(always)]
    fn from_scratch(scratch: &Scratch) -> Self {
        Lane::from_scratch(&scratch.0[0])
    }
}

/// Eight elements c0 + c1 u of the extension, u^2 = -1.
#[derive(Clone, Copy, Debug)]
pub struct Pair<V: Copy>([Lane<Base, V>; 2]);

impl<V: Vector> Pair<V> {
    #[inline(always)]
    fn map(self, operation: impl Fn(Lane<Base, V>) -> Lane<Base, V>) -> Self {
        Self([operation(self.0[0]), operation(self.0[1])])
    }

    #[inline(always)]
    fn with(self, other: Self, operation: impl Fn(Lane<Base, V>, Lane<Base, V>) -> Lane<Base, V>) -> Self {
        Self([operation(self.0[0], other.0[0]), operation(self.0[1], other.0[1])])
    }
}

impl<V: Vector> Coordinates<V> for Pair<V> {
    const ROWS: usize = 2;

    #[inline(always)]
    fn load<'a>(row: impl Fn(usize, usize) -> &'a Row, shifted: bool) -> Self {
        let part = |part: usize| Coordinates::load(|lane, _| row(lane, part), shifted);
        Self([part(0), part(1)])
    }

    #[inline(always)]
    fn store(self, mut put: impl FnMut(usize, usize, Row)) {
        let [real, imaginary] = self.0;
        Coordinates::store(real, |lane, _, row| put(lane, 0, row));
        Coordinates::store(imaginary, |lane, _, row| put(lane, 1, row));
    }

    #[inline(always)]
    fn zero() -> Self {
        Self([Lane::zero(); 2])
    }

    #[inline(always)]
    fn one() -> Self {
        Self([Lane::one(), Lane::zero()])
    }

    #[inline(always)]
    fn mul(self, other: Self) -> Self {
        let ([a, b], [c, d]) = (self.0, other.0);
        let minus_b = b.opposite::<20>();
        Self([Lane::sum_of_products([(a, c), (minus_b, d)]), Lane::sum_of_products([(a, d), (b, c)])])
    }

    #[inline(always)]
    fn square(self) -> Self {
        let [a, b] = self.0;
        Self([a.add(b).mul(a.sub::<2>(b)), a.double().mul(b)])
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        self.with(other, |a, b| Coordinates::sub(a, b))
    }

    #[inline(always)]
    fn sub_both(self, first: Self, second: Self) -> Self {
        let part = |at: usize| Coordinates::sub_both(self.0[at], first.0[at], second.0[at]);
        Self([part(0), part(1)])
    }

    #[inline(always)]
    fn opposite(self) -> Self {
        self.map(Coordinates::opposite)
    }

    #[inline(always)]
    fn double(self) -> Self {
        self.map(Lane::double)
    }

    #[inline(always)]
    fn reduce(self) -> Self {
        self.map(Lane::reduce)
    }

    #[inline(always)]
    fn canonical(self) -> Self {
        self.map(Coordinates::canonical)
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        self.0[0].zeros() & self.0[1].zeros()
    }

    #[inline(always)]
    fn select(mask: u8, yes: Self, no: Self) -> Self {
        yes.with(no, |yes, no| Lane::select(mask, yes, no))
    }

    #[inline(always)]
    fn inverse(self) -> Option<Self> {
        let [real, imaginary] = Coordinates::canonical(self).0.map(Lane::store);
        let value = |lane: usize| Fq2::new(from_row::<Base>(&real[lane]), from_row::<Base>(&imaginary[lane]));
        let inverses = inverse_of_all(std::array::from_fn(value), Fq2::from(INVERSE_FACTOR))?;
        let (real, imaginary) = (inverses.map(|v| to_row::<Base>(&v.c0)), inverses.map(|v| to_row::<Base>(&v.c1)));
        Some(Self([Lane::load(real.each_ref()), Lane::load(imaginary.each_ref())]))
    }

    #[inline(always)]
    fn to_scratch(self, out: &mut Scratch) {
        Lane::to_scratch(self.0[0], &mut out.0[0]);
        Lane::to_scratch(self.0[1], &mut out.0[1]);
    }

    #[inline(always)]
    fn from_scratch(scratch: &Scratch) -> Self {
        Self([Lane::from_scratch(&scratch.0[0]), Lane::from_scratch(&scratch.0[1])])
    }
}

/// One eighth of a batch between its phases, and in which lanes the sum is not a sum of two different points.
#[derive(Clone, Copy, Debug)]
struct Step {
    prefix: Scratch,
    denominator: Scratch,
    /// The slot is infinity: the sum is the source.
    take: u8,
    /// The source is infinity: the sum is the slot.
    keep: u8,
    double: u8,
    /// They cancel.
    clear: u8,
}

/// Memory that batches use again.
#[derive(Debug, Default)]
pub struct Workspace(Vec<Step>);

/// `slots[slot] += source` for each (slot, source) of `pairs`, in which no slot may come twice.
pub struct AddBatch<'a, C, S> {
    pub slots: &'a mut [Line],
    pub pairs: &'a [(u32, u32)],
    pub source: S,
    pub workspace: &'a mut Workspace,
    pub coordinates: std::marker::PhantomData<C>,
}

/// Names the kind of coordinates for any kind of vector.
pub trait Group {
    type Of<V: Vector>: Coordinates<V>;
}

#[derive(Debug)]
pub struct OverBase;
impl Group for OverBase {
    type Of<V: Vector> = Lane<Base, V>;
}

#[derive(Debug)]
pub struct OverPair;
impl Group for OverPair {
    type Of<V: Vector> = Pair<V>;
}

impl<G: Group, S: Source> Kernel for AddBatch<'_, G, S> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        // Denominators are zero only if a point meets itself or its opposite. That is looked for when it happened.
        if S::IS_KEY && self.try_run::<V, G::Of<V>, false>() {
            return;
        }
        let done = self.try_run::<V, G::Of<V>, true>();
        assert!(done, "a careful batch has no zero denominators");
    }
}

/// Pairs for all lanes; where there are fewer, the last one again.
type Eight = [(u32, u32); LANES];

impl<G, S: Source> AddBatch<'_, G, S> {
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
        let slots = Sums(self.slots);
        let first = |lane: usize| 2 * C::ROWS * pairs[lane].0 as usize + coordinate * C::ROWS;
        C::load(|lane, row| slots.row(first(lane) + row), false)
    }

    #[inline(always)]
    fn point<V: Vector, C: Coordinates<V>>(&self, pairs: &Eight, coordinate: usize) -> C {
        let first = |lane: usize| 2 * C::ROWS * (pairs[lane].1 & !NEGATIVE) as usize + coordinate * C::ROWS;
        C::load(|lane, row| self.source.row(first(lane) + row), S::IS_KEY)
    }

    #[inline(always)]
    fn signed_y<V: Vector, C: Coordinates<V>>(&self, pairs: &Eight) -> C {
        let y: C = self.point(pairs, 1);
        let mut negative = 0;
        for_lanes!(|lane| negative |= ((pairs[lane].1 >> 31) << lane) as u8);
        C::select(negative, y.opposite(), y)
    }

    /// The denominator of the slope, and what is special: see [`Step`].
    #[inline(always)]
    fn denominator<V: Vector, C: Coordinates<V>, const CAREFUL: bool>(&self, pairs: &Eight) -> (C, [u8; 4]) {
        let (slot, point): (C, C) = (self.slot(pairs, 0), self.point(pairs, 0));
        let mut denominator = point.sub(slot);
        let mut take = slot.zeros();
        if take != 0 {
            take &= self.slot::<V, C>(pairs, 1).zeros();
        }
        let mut special = [take, 0, 0, 0];
        if CAREFUL {
            let slot_y = self.slot::<V, C>(pairs, 1).canonical();
            let point_y = self.signed_y::<V, C>(pairs).canonical();
            let keep = point.zeros() & self.point::<V, C>(pairs, 1).zeros();
            let met = denominator.canonical().zeros() & !take & !keep;
            let double = met & point_y.sub(slot_y).canonical().zeros() & !slot_y.zeros();
            denominator = C::select(double, slot_y.double(), denominator);
            special = [take & !keep, keep, double, met & !double];
        }
        let [take, keep, _, clear] = special;
        (C::select(take | keep | clear, C::one(), denominator), special)
    }

    /// False, with nothing changed, if a denominator was zero.
    #[inline(always)]
    fn try_run<V: Vector, C: Coordinates<V>, const CAREFUL: bool>(&mut self) -> bool {
        let empty = Step { prefix: Scratch::ZERO, denominator: Scratch::ZERO, take: 0, keep: 0, double: 0, clear: 0 };
        let count = self.pairs.len().div_ceil(LANES);
        let mut steps = std::mem::take(&mut self.workspace.0);
        if steps.len() < count {
            steps.resize(count, empty);
        }
        // Two chains of products, so that one need not wait for the other.
        let mut products = [C::one(); 2];
        for at in 0..count {
            let (denominator, [take, keep, double, clear]) = self.denominator::<V, C, CAREFUL>(&self.eight(at).0);
            let step = &mut steps[at];
            products[at % 2].to_scratch(&mut step.prefix);
            denominator.to_scratch(&mut step.denominator);
            (step.take, step.keep, step.double, step.clear) = (take, keep, double, clear);
            products[at % 2] = denominator.mul(products[at % 2]);
        }
        let inverse = products[0].mul(products[1]).inverse();
        if let Some(inverse) = inverse {
            let mut inverses = [inverse.mul(products[1]), inverse.mul(products[0])];
            for at in (0..count).rev() {
                let step = &steps[at];
                let inverse = inverses[at % 2];
                let reciprocal = C::from_scratch(&step.prefix).mul(inverse);
                inverses[at % 2] = C::from_scratch(&step.denominator).mul(inverse);
                let (pairs, lanes) = self.eight(at);
                self.finish(&pairs, lanes, step, reciprocal);
            }
        }
        self.workspace.0 = steps;
        inverse.is_some()
    }

    #[inline(always)]
    fn finish<V: Vector, C: Coordinates<V>>(&mut self, pairs: &Eight, lanes: usize, step: &Step, reciprocal: C) {
        let (slot_x, slot_y): (C, C) = (self.slot(pairs, 0), self.slot(pairs, 1));
        let (point_x, point_y): (C, C) = (self.point(pairs, 0), self.signed_y(pairs));
        let mut numerator = point_y.sub(slot_y);
        if step.double != 0 {
            let square = slot_x.square();
            numerator = C::select(step.double, square.double().sub(square.opposite().reduce()), numerator);
        }
        let slope = numerator.mul(reciprocal);
        let mut x = slope.square().sub_both(slot_x, point_x);
        let mut y = slot_x.sub(x).mul(slope).sub(slot_y).reduce();
        if step.take | step.keep | step.clear != 0 {
            let special = |sum: C, slot: C, point: C| {
                let sum = C::select(step.take, point.reduce(), sum);
                C::select(step.clear, C::zero(), C::select(step.keep, slot, sum))
            };
            x = special(x, slot_x, point_x);
            y = special(y, slot_y, point_y);
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
