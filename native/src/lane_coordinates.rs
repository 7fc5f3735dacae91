//! Coordinates of curve points in lanes: elements of the base field, or of its quadratic extension.

use ark_bn254::{Fq, Fq2};

use crate::coordinate::inverses_times;
use crate::lanes::{from_row, to_row, Base, Lane};
use crate::simd::{for_lanes, Row, Vector, LANES};

/// Eight coordinates. Unless a function says otherwise, values are below 20 p.
pub trait Coordinates<V: Vector>: Copy {
    /// Rows of 32 bytes.
    const ROWS: usize;
    fn load<'a>(row: impl Fn(usize, usize) -> &'a Row, shifted: bool) -> Self;
    /// Takes values below 2 p.
    fn store(self, put: impl FnMut(usize, usize, Row));
    fn zero() -> Self;
    fn one() -> Self;
    /// Below 2 p, if not both factors are above 4 p (2 p in the extension).
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
    pub const ZERO: Self = Self([[[0; LANES]; 5]; 2]);
}

/// With the lanes' radix, as arkworks reads it, an element has a factor 2^4; its inverse is to have it too.
const INVERSE_FACTOR: u64 = 1 << 8;

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
        let inverses = inverses_times(values, Fq::from(INVERSE_FACTOR))?.map(|value| to_row::<Base>(&value));
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
        let inverses = inverses_times(std::array::from_fn(value), Fq2::from(INVERSE_FACTOR))?;
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
