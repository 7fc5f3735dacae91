//! Sums of many curve points in affine coordinates, with one inversion shared by a batch of additions.
//!
//! An affine addition costs one inversion, two multiplications and a square; shared by 1,024 additions, the inversion
//! costs three multiplications and little more. That is 6 instead of the 10 of a mixed addition in XYZZ coordinates.

use ark_bn254::{Fq, Fq2};
use ark_ec::short_weierstrass::{Affine, Bucket, Projective, SWCurveConfig};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField, Zero};
use std::array::from_fn;
use std::marker::PhantomData;

use crate::inverse::invert;
use crate::lane_coordinates::{Group, OverBase, OverPair};
use crate::mulx::{difference, negated_if, product, sum_of_products};
use crate::simd::prefetch;

/// Additions that share one inversion.
const BATCH: usize = 1024;
/// Additions done side by side.
const IN_STEP: usize = 4;

/// A coordinate as keys hold it: little-endian Montgomery limbs, the same as arkworks has them in memory.
pub trait Coordinate: Field {
    const BYTES: usize;
    fn read(bytes: &[u8]) -> Self;
    fn write(&self, out: &mut Vec<u8>);
    /// Below the modulus; `read` takes the limbs as they are.
    fn is_canonical(&self) -> bool;
    /// The same value below the modulus, from limbs of a value below twice the modulus.
    fn reduced(self) -> Self;
    /// The product, by the fastest scalar code there is.
    fn times(&self, other: &Self) -> Self;
    fn squared(&self) -> Self;
    fn minus(&self, other: &Self) -> Self;
    /// One over it; none if it is zero.
    fn inverted(&self) -> Option<Self>;
    fn negated_if(&self, negative: bool) -> Self;
}

impl Coordinate for Fq {
    const BYTES: usize = 32;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        let mut limbs = [0u64; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut eight = [0u8; 8];
            eight.copy_from_slice(chunk);
            *limb = u64::from_le_bytes(eight);
        }
        Self(BigInt(limbs), PhantomData)
    }

    fn write(&self, out: &mut Vec<u8>) {
        for limb in self.0 .0 {
            out.extend_from_slice(&limb.to_le_bytes());
        }
    }

    fn is_canonical(&self) -> bool {
        self.0 < Self::MODULUS
    }

    fn reduced(mut self) -> Self {
        if !self.is_canonical() {
            self.0.sub_with_borrow(&Self::MODULUS);
        }
        self
    }

    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        product(self, other)
    }

    #[inline(always)]
    fn squared(&self) -> Self {
        product(self, self)
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        difference(self, other)
    }

    fn inverted(&self) -> Option<Self> {
        invert(self)
    }

    #[inline(always)]
    fn negated_if(&self, negative: bool) -> Self {
        negated_if(self, negative)
    }
}

impl Coordinate for Fq2 {
    const BYTES: usize = 64;

    #[inline]
    fn read(bytes: &[u8]) -> Self {
        let (low, high) = bytes.split_at(32);
        Self::new(Fq::read(low), Fq::read(high))
    }

    fn write(&self, out: &mut Vec<u8>) {
        self.c0.write(out);
        self.c1.write(out);
    }

    fn is_canonical(&self) -> bool {
        self.c0.is_canonical() && self.c1.is_canonical()
    }

    fn reduced(self) -> Self {
        Self::new(self.c0.reduced(), self.c1.reduced())
    }

    /// (a + b i)(c + d i) = a c - b d + (a d + b c) i, each sum reduced once.
    #[inline(always)]
    fn times(&self, other: &Self) -> Self {
        let left = [self.c0, self.c1];
        let real = sum_of_products(&left, &[other.c0, negated_if(&other.c1, true)]);
        Self::new(real, sum_of_products(&left, &[other.c1, other.c0]))
    }

    /// (a + b i)^2 = (a + b)(a - b) + 2 a b i.
    #[inline(always)]
    fn squared(&self) -> Self {
        let half = product(&self.c0, &self.c1);
        let minus = negated_if(&self.c1, true);
        let real = product(&difference(&self.c0, &minus), &difference(&self.c0, &self.c1));
        Self::new(real, difference(&half, &negated_if(&half, true)))
    }

    #[inline(always)]
    fn minus(&self, other: &Self) -> Self {
        Self::new(difference(&self.c0, &other.c0), difference(&self.c1, &other.c1))
    }

    /// 1 / (a + b i) = (a - b i) / (a^2 + b^2).
    fn inverted(&self) -> Option<Self> {
        let norm = invert(&sum_of_products(&[self.c0, self.c1], &[self.c0, self.c1]))?;
        Some(Self::new(product(&self.c0, &norm), product(&negated_if(&self.c1, true), &norm)))
    }

    #[inline(always)]
    fn negated_if(&self, negative: bool) -> Self {
        Self::new(negated_if(&self.c0, negative), negated_if(&self.c1, negative))
    }
}

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

/// A factor over each of a few values, by one inversion; none if one of them is zero.
pub fn inverses_times<F: Coordinate, const N: usize>(values: [F; N], factor: F) -> Option<[F; N]> {
    let mut products = [F::ONE; N];
    for at in 1..N {
        products[at] = products[at - 1].times(&values[at - 1]);
    }
    let mut inverse = products[N - 1].times(&values[N - 1]).inverted()?;
    for at in (0..N).rev() {
        products[at] = products[at].times(&inverse.times(&factor));
        inverse = inverse.times(&values[at]);
    }
    Some(products)
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
    let Some(mut inverses) = inverses_times(products, F::ONE) else { return Vec::new() };
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
    let slopes: [_; N] = from_fn(|at| {
        let (sum, point) = (&old[at], &points[at]);
        let numerator = if point.x == sum.x {
            let square = sum.x.squared();
            square.double() + square
        } else {
            point.y.minus(&sum.y)
        };
        numerator.times(&reciprocals[at])
    });
    let x: [_; N] = from_fn(|at| slopes[at].squared().minus(&old[at].x).minus(&points[at].x));
    let y: [_; N] = from_fn(|at| slopes[at].times(&old[at].x.minus(&x[at])).minus(&old[at].y));
    for at in 0..N {
        sums[targets[at] as usize] = Point { x: x[at], y: y[at] };
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
    /// Points for slots already in the batch. Rare where slots are random; where they are not (many small scalars),
    /// it costs what an MSM without batches costs.
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
            return self.add_late(slot, &point);
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
    fn add_late(&mut self, slot: usize, point: &Point<C>) {
        if self.late.is_empty() {
            self.late = vec![Bucket::ZERO; self.sums.len()];
        }
        self.late[slot] += &point.to_affine();
    }

    pub fn flush(&mut self) {
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
    }

    /// The sums, if no slot was used twice in one batch (`fixed_base` keeps to that).
    pub fn sums(&mut self) -> &[Point<C>] {
        self.flush();
        debug_assert!(self.late.is_empty());
        &self.sums
    }

    /// The sum over slots of (slot + 1) times its sum.
    pub fn weighted_total(mut self) -> Projective<C> {
        self.flush();
        let (mut running, mut total) = (Bucket::<C>::ZERO, Bucket::<C>::ZERO);
        for slot in (0..self.sums.len()).rev() {
            running += &self.sums[slot].to_affine();
            if let Some(late) = self.late.get(slot) {
                running += late;
            }
            total += &running;
        }
        total.into()
    }

    /// The sum over all slots.
    pub fn total(mut self) -> Projective<C> {
        self.flush();
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
