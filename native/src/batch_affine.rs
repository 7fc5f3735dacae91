//! Sums of many curve points in affine coordinates, with one inversion shared by a batch of additions.
//!
//! An affine addition costs one inversion, two multiplications and a square; shared by 1,024 additions, the inversion
//! costs three multiplications and little more. That is 6 instead of the 10 of a mixed addition in XYZZ coordinates.

use ark_ec::short_weierstrass::{Affine, Bucket, Projective, SWCurveConfig};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, Zero};

use crate::coordinate::{inverses_times, Coordinate};
use crate::lane_coordinates::{Group, OverBase, OverPair};
use crate::simd::prefetch;

/// Additions that share one inversion.
const BATCH: usize = 1024;
/// Points that a batch may put off to the next.
const PUT_OFF: usize = BATCH / 8;
/// Additions done side by side.
const IN_STEP: usize = 4;

/// The curves here: y^2 = x^3 + b over a field whose elements can be read from a key.
pub trait Curve: SWCurveConfig<BaseField: Coordinate, ScalarField = ark_bn254::Fr> {
    const POINT_BYTES: usize = 2 * <Self::BaseField as Coordinate>::BYTES;
    type Lanes: Group;
}

impl Curve for ark_bn254::g1::Config {
    type Lanes = OverBase;
}

impl Curve for ark_bn254::g2::Config {
    type Lanes = OverPair;
}

/// An affine point; infinity is (0, 0), as in key files, which is on neither curve. Aligned, so that it is in no more
/// cache lines than it fills.
#[derive(Debug)]
#[repr(align(64))]
pub struct Point<C: Curve> {
    pub x: C::BaseField,
    pub y: C::BaseField,
}

// Derived, these would ask the same of the curve's type parameter, which is only a name.
impl<C: Curve> Clone for Point<C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Curve> Copy for Point<C> {}

impl<C: Curve> Point<C> {
    pub const INFINITY: Self = Self { x: C::BaseField::ZERO, y: C::BaseField::ZERO };

    #[inline]
    pub fn is_infinity(&self) -> bool {
        self.x.is_zero() && self.y.is_zero()
    }

    #[inline]
    pub fn read(bytes: &[u8]) -> Self {
        let (x, y) = bytes.split_at(<C::BaseField as Coordinate>::BYTES);
        Self { x: C::BaseField::read(x), y: C::BaseField::read(y) }
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        self.x.write(out);
        self.y.write(out);
    }

    #[inline]
    pub fn negated_if(mut self, negative: bool) -> Self {
        self.y = self.y.negated_if(negative);
        self
    }

    pub fn from_affine(point: &Affine<C>) -> Self {
        point.xy().map_or(Self::INFINITY, |(x, y)| Self { x, y })
    }

    /// As arkworks has it, without a check that it is on the curve.
    pub fn to_affine(self) -> Affine<C> {
        if self.is_infinity() {
            Affine::identity()
        } else {
            Affine::new_unchecked(self.x, self.y)
        }
    }
}

/// One over each of some values that are not zero, by one inversion and three products a value: of every [`IN_STEP`]th
/// value the product of those before it, then backwards one over that product.
fn reciprocals<F: Coordinate>(values: &[F]) -> Vec<F> {
    let mut products = [F::ONE; IN_STEP];
    let mut reciprocals = Vec::with_capacity(values.len());
    for values in values.chunks(IN_STEP) {
        for (product, value) in products.iter_mut().zip(values) {
            reciprocals.push(*product);
            *product = product.times(value);
        }
    }
    let mut inverses = inverses_times(products, F::ONE).expect("no denominator is zero");
    for (reciprocals, values) in reciprocals.chunks_mut(IN_STEP).zip(values.chunks(IN_STEP)).rev() {
        for ((reciprocal, value), inverse) in reciprocals.iter_mut().zip(values).zip(&mut inverses) {
            *reciprocal = inverse.times(reciprocal);
            *inverse = inverse.times(value);
        }
    }
    reciprocals
}

/// Adds points to sums, each with one over the difference of their x (or twice their y, if they are the same): side by side,
/// so that the processor has other products to do while it waits for one.
#[inline(always)]
fn add_in_step<C: Curve, const N: usize>(
    sums: &mut [Point<C>],
    targets: &[u32; N],
    points: &[Point<C>; N],
    reciprocals: &[C::BaseField; N],
) {
    let old = targets.map(|target| sums[target as usize]);
    // Loops, as the compiler does not inline the closures of `array::from_fn` here.
    let (mut slopes, mut x) = ([C::BaseField::ZERO; N], [C::BaseField::ZERO; N]);
    for at in 0..N {
        let (sum, point) = (&old[at], &points[at]);
        let numerator = if point.x == sum.x {
            let square = sum.x.squared();
            square.double() + square
        } else {
            point.y.minus(&sum.y)
        };
        slopes[at] = numerator.times(&reciprocals[at]);
    }
    for at in 0..N {
        x[at] = slopes[at].squared().minus(&old[at].x).minus(&points[at].x);
    }
    for at in 0..N {
        let y = slopes[at].times(&old[at].x.minus(&x[at])).minus(&old[at].y);
        sums[targets[at] as usize] = Point { x: x[at], y };
    }
}

/// Sums in numbered slots, to which points are added in any order.
pub struct Slots<C: Curve> {
    sums: Vec<Point<C>>,
    /// Round in which a slot last joined the batch: a slot joins only once per batch.
    joined: Vec<u32>,
    round: u32,
    /// Slots and points of the batch.
    targets: Vec<u32>,
    points: Vec<Point<C>>,
    denominators: Vec<C::BaseField>,
    /// Points for slots already in the batch: they join the next one.
    put_off: Vec<(u32, Point<C>)>,
    /// Those beyond [`PUT_OFF`]. None where slots are random; where they are not (many small scalars), a point here costs
    /// what it costs an MSM without batches.
    late: Vec<Bucket<C>>,
}

impl<C: Curve> Slots<C> {
    pub fn new(count: usize) -> Self {
        Self {
            sums: vec![Point::INFINITY; count],
            joined: vec![0; count],
            round: 1,
            targets: Vec::with_capacity(BATCH),
            points: Vec::with_capacity(BATCH),
            denominators: Vec::with_capacity(BATCH),
            put_off: Vec::with_capacity(PUT_OFF),
            late: Vec::new(),
        }
    }

    /// Says that a slot will be added to soon: sums are many, and taken in no order.
    #[inline]
    pub fn expect(&self, slot: usize) {
        prefetch(&self.sums[slot].x);
        prefetch(&self.sums[slot].y);
        prefetch(&self.joined[slot]);
    }

    #[inline]
    pub fn add(&mut self, slot: usize, point: Point<C>) {
        if point.is_infinity() {
            return;
        }
        if self.joined[slot] == self.round {
            return self.put_off(slot, point);
        }
        let sum = self.sums[slot];
        if sum.is_infinity() {
            self.sums[slot] = point;
            return;
        }
        let mut denominator = point.x.minus(&sum.x);
        if denominator.is_zero() {
            denominator = sum.y.double();
            if point.y != sum.y || denominator.is_zero() {
                self.sums[slot] = Point::INFINITY;
                return;
            }
        }
        self.joined[slot] = self.round;
        self.targets.push(slot as u32);
        self.points.push(point);
        self.denominators.push(denominator);
        if self.targets.len() == BATCH {
            self.flush();
        }
    }

    #[cold]
    fn put_off(&mut self, slot: usize, point: Point<C>) {
        if self.put_off.len() < PUT_OFF {
            return self.put_off.push((slot as u32, point));
        }
        if self.late.is_empty() {
            self.late = vec![Bucket::ZERO; self.sums.len()];
        }
        self.late[slot] += &point.to_affine();
    }

    /// Does the batch, and begins the next one with what was put off.
    pub fn flush(&mut self) {
        if self.targets.is_empty() {
            return;
        }
        let reciprocals = &reciprocals(&self.denominators);
        let (targets, last) = self.targets.as_chunks::<IN_STEP>();
        for (targets, at) in targets.iter().zip((0..).step_by(IN_STEP)) {
            let points = self.points[at..].first_chunk().zip(reciprocals[at..].first_chunk());
            let Some((points, reciprocals)) = points else { break };
            add_in_step(&mut self.sums, targets, points, reciprocals);
        }
        let first = self.points.len() - last.len();
        for ((target, point), reciprocal) in last.iter().zip(&self.points[first..]).zip(&reciprocals[first..]) {
            add_in_step(&mut self.sums, &[*target], &[*point], &[*reciprocal]);
        }
        self.targets.clear();
        self.points.clear();
        self.denominators.clear();
        self.round += 1;
        for (slot, point) in std::mem::replace(&mut self.put_off, Vec::with_capacity(PUT_OFF)) {
            self.add(slot as usize, point);
        }
    }

    fn finish(&mut self) {
        while !self.targets.is_empty() {
            self.flush();
        }
    }

    /// The sums, if no slot was used twice in one batch (`fixed_base` keeps to that).
    pub fn sums(&mut self) -> &[Point<C>] {
        self.flush();
        debug_assert!(self.targets.is_empty() && self.late.is_empty());
        &self.sums
    }

    /// The sum over slots of (slot + 1) times its sum.
    pub fn weighted_total(mut self) -> Projective<C> {
        self.finish();
        let (mut running, mut total) = (Bucket::<C>::ZERO, Bucket::<C>::ZERO);
        for late in self.late.iter().rev() {
            running += late;
            total += &running;
        }
        let late: Projective<C> = total.into();
        late + weighted_sum(&self.sums)
    }

    /// The sum over all slots.
    pub fn total(mut self) -> Projective<C> {
        self.finish();
        let mut total = Bucket::<C>::ZERO;
        for sum in &self.sums {
            total += &sum.to_affine();
        }
        for late in &self.late {
            total += late;
        }
        total.into()
    }
}

/// The sum over all i of (i + 1) times `points[i]`, in segments side by side, so that a step in all of them is a batch:
/// in each from its end, the sum of its points so far, and the sum of these.
fn weighted_sum<C: Curve>(points: &[Point<C>]) -> Projective<C> {
    let segments = points.len().min(BATCH);
    let len = points.len().div_ceil(segments.max(1));
    let (mut running, mut totals) = (Slots::<C>::new(segments), Slots::<C>::new(segments));
    for step in (0..len).rev() {
        for segment in 0..segments {
            running.add(segment, points.get(segment * len + step).copied().unwrap_or(Point::INFINITY));
        }
        running.finish();
        for segment in 0..segments {
            totals.add(segment, running.sums[segment]);
        }
        totals.finish();
    }
    // A point of segment k weighs k len more than in its segment.
    let (mut total, mut later, mut lens) = (Bucket::<C>::ZERO, Bucket::<C>::ZERO, Bucket::<C>::ZERO);
    for segment in (0..segments).rev() {
        lens += &later;
        later += &running.sums[segment].to_affine();
        total += &totals.sums[segment].to_affine();
    }
    Projective::from(total) + Projective::from(lens) * C::ScalarField::from(len as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::Fq;
    use ark_ff::{Field, UniformRand};

    #[test]
    fn reciprocals_of_any_number_of_values_are_arkworks_inverses() {
        let mut rng = ark_std::test_rng();
        for count in 0..10 {
            let values: Vec<Fq> = (0..count).map(|_| Fq::rand(&mut rng)).collect();
            let expected: Vec<Fq> = values.iter().filter_map(Field::inverse).collect();
            assert_eq!(reciprocals(&values), expected);
        }
    }
}
