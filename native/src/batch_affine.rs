//! Sums of many curve points in affine coordinates, with one inversion shared by a batch of additions.
//!
//! An affine addition costs one inversion, two multiplications and a square; shared by 1,024 additions, the inversion
//! costs three multiplications and little more. That is 6 instead of the 10 of a mixed addition in XYZZ coordinates.

use ark_bn254::{Fq, Fq2};
use ark_ec::short_weierstrass::{Affine, Bucket, Projective, SWCurveConfig};
use ark_ec::AffineRepr;
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField, Zero};
use std::marker::PhantomData;

use crate::lane_coordinates::{Group, OverBase, OverPair};

/// Additions that share one inversion.
const BATCH: usize = 1024;

/// A coordinate as keys hold it: little-endian Montgomery limbs, the same as arkworks has them in memory.
pub trait Coordinate: Field {
    const BYTES: usize;
    fn read(bytes: &[u8]) -> Self;
    fn write(&self, out: &mut Vec<u8>);
    /// Below the modulus; `read` takes the limbs as they are.
    fn is_canonical(&self) -> bool;
    /// The same value below the modulus, from limbs of a value below twice the modulus.
    fn reduced(self) -> Self;
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

/// An affine point; infinity is (0, 0), as in key files, which is on neither curve.
#[derive(Debug)]
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
        if negative {
            self.y = -self.y;
        }
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

/// Sums in numbered slots, to which points are added in any order.
pub struct Slots<C: Curve> {
    sums: Vec<Point<C>>,
    /// Round in which a slot last joined the batch: a slot joins only once per batch.
    joined: Vec<u32>,
    round: u32,
    pending: Vec<(u32, Point<C>)>,
    denominators: Vec<C::BaseField>,
    /// `products[i]` is the product of `denominators[..i]`.
    products: Vec<C::BaseField>,
    product: C::BaseField,
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
            pending: Vec::with_capacity(BATCH),
            denominators: Vec::with_capacity(BATCH),
            products: Vec::with_capacity(BATCH),
            product: C::BaseField::ONE,
            late: Vec::new(),
        }
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
        let mut denominator = point.x - sum.x;
        if denominator.is_zero() {
            denominator = sum.y.double();
            if point.y != sum.y || denominator.is_zero() {
                self.sums[slot] = Point::INFINITY;
                return;
            }
        }
        self.joined[slot] = self.round;
        self.pending.push((slot as u32, point));
        self.products.push(self.product);
        self.product *= denominator;
        self.denominators.push(denominator);
        if self.pending.len() == BATCH {
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
        // Every denominator is non-zero, so the product is invertible; an empty batch has product one.
        let Some(mut inverse) = self.product.inverse() else { return };
        for (index, (slot, point)) in self.pending.iter().enumerate().rev() {
            let reciprocal = inverse * self.products[index];
            inverse *= self.denominators[index];
            let sum = &mut self.sums[*slot as usize];
            let numerator = if point.x == sum.x {
                let square = sum.x.square();
                square.double() + square
            } else {
                point.y - sum.y
            };
            let slope = numerator * reciprocal;
            let x = slope.square() - sum.x - point.x;
            sum.y = slope * (sum.x - x) - sum.y;
            sum.x = x;
        }
        self.pending.clear();
        self.denominators.clear();
        self.products.clear();
        self.product = C::BaseField::ONE;
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
