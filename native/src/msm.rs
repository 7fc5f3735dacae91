//! Sums of scalar multiples of a key's points, read in place from the mapped file.
//!
//! A witness is mostly bits: scalars 0 cost nothing, 1 and -1 one addition, small ones only their low windows. A scalar
//! above r/2 is replaced by its negative, so that small negative numbers are small too.

use ark_bn254::Fr;
use ark_ec::short_weierstrass::Projective;
use ark_ff::{AdditiveGroup, BigInteger, PrimeField, Zero};
use rayon::prelude::*;
use std::marker::PhantomData;

use crate::batch_affine::{Curve, Point, Slots};
use crate::groth16_error::{Control, Result};
use crate::lane_slots::LaneSlots;
use crate::simd::Backend;

/// Marks a negative scalar: in the index of a unit, and in the top limb of a magnitude (which is below 2^253).
const NEGATIVE_UNIT: u32 = 1 << 31;
const NEGATIVE: u64 = 1 << 63;
const MAGNITUDE_BITS: usize = 253;
/// Slots for sums of units: enough that no slot comes twice in one batch.
const UNIT_SLOTS: usize = 2048;

/// Points of one key section, `POINT_BYTES` each.
pub struct Points<'a, C: Curve> {
    bytes: &'a [u8],
    curve: PhantomData<C>,
}

// Derived, these would ask the same of the curve's type parameter, which is only a name.
impl<C: Curve> Clone for Points<'_, C> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<C: Curve> Copy for Points<'_, C> {}

impl<'a, C: Curve> Points<'a, C> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, curve: PhantomData }
    }

    pub fn len(&self) -> usize {
        self.bytes.len() / C::POINT_BYTES
    }

    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    #[inline]
    pub fn get(&self, index: usize) -> Point<C> {
        Point::read(&self.bytes[index * C::POINT_BYTES..(index + 1) * C::POINT_BYTES])
    }
}

/// |scalar| or |r - scalar|, whichever is smaller, with its sign in the top bit.
#[derive(Clone, Copy, Debug)]
pub struct Magnitude([u64; 4]);

impl Magnitude {
    pub fn new(scalar: &Fr) -> Self {
        let value = scalar.into_bigint();
        if value <= Fr::MODULUS_MINUS_ONE_DIV_TWO {
            return Self(value.0);
        }
        let mut negated = Fr::MODULUS;
        negated.sub_with_borrow(&value);
        negated.0[3] |= NEGATIVE;
        Self(negated.0)
    }

    fn is_negative(&self) -> bool {
        self.0[3] & NEGATIVE != 0
    }

    fn is_small(&self, value: u64) -> bool {
        self.0[0] == value && self.0[1] == 0 && self.0[2] == 0 && self.0[3] & !NEGATIVE == 0
    }
}

/// Cuts magnitudes into signed digits of `width` bits, from -2^(width-1) to 2^(width-1) - 1. The top one is unsigned.
///
/// Adding 2^(width-1) to every digit but the top one makes all digits unsigned, so that any one of them can be
/// read without the carries of those below.
pub struct Digits {
    width: usize,
    offset: [u64; 4],
}

impl Digits {
    /// `width` from 3 to 16.
    pub fn new(width: usize) -> Self {
        let mut offset = [0u64; 4];
        for window in 0..Self::windows_of(width) - 1 {
            let bit = window * width + width - 1;
            offset[bit / 64] |= 1 << (bit % 64);
        }
        Self { width, offset }
    }

    fn windows_of(width: usize) -> usize {
        (MAGNITUDE_BITS + 1).div_ceil(width)
    }

    pub fn windows(&self) -> usize {
        Self::windows_of(self.width)
    }

    /// Digits are at most this in absolute value.
    pub fn limit(&self) -> usize {
        1 << (self.width - 1)
    }

    /// The digit of a window: its absolute value, and whether it is negative.
    #[inline]
    pub fn get(&self, magnitude: &Magnitude, window: usize) -> (usize, bool) {
        let mut sum = [0u64; 5];
        let mut carry = 0u128;
        let [low, middle, high, top] = magnitude.0;
        for ((sum, limb), offset) in sum.iter_mut().zip([low, middle, high, top & !NEGATIVE]).zip(self.offset) {
            carry += u128::from(limb) + u128::from(offset);
            *sum = carry as u64;
            carry >>= 64;
        }
        let bit = window * self.width;
        let pair = u128::from(sum[bit / 64]) | u128::from(sum[bit / 64 + 1]) << 64;
        let raw = ((pair >> (bit % 64)) as usize) & ((1 << self.width) - 1);
        let negative = magnitude.is_negative();
        if window + 1 == self.windows() {
            (raw, negative)
        } else if raw >= self.limit() {
            (raw - self.limit(), negative)
        } else {
            (self.limit() - raw, !negative)
        }
    }

    /// The width with the least work for `count` points: six multiplications a point, some forty a bucket.
    fn best(count: usize) -> Self {
        let cost = |width: &usize| Self::windows_of(*width) * (6 * count + 40 * (1 << (width - 1)));
        Self::new((3..=16).min_by_key(cost).unwrap_or(16))
    }
}

/// Scalars sorted by what they cost; zeros are gone.
#[derive(Debug, Default)]
pub struct Scalars {
    units: Vec<u32>,
    indices: Vec<u32>,
    magnitudes: Vec<Magnitude>,
}

impl Scalars {
    pub fn new(values: &[Fr]) -> Self {
        let parts: Vec<Self> = values
            .par_chunks(1 << 16)
            .enumerate()
            .map(|(chunk, values)| {
                let mut part = Self::default();
                for (index, value) in values.iter().enumerate().filter(|(_, value)| !value.is_zero()) {
                    let index = ((chunk << 16) + index) as u32;
                    let magnitude = Magnitude::new(value);
                    if magnitude.is_small(1) {
                        part.units.push(if magnitude.is_negative() { index | NEGATIVE_UNIT } else { index });
                    } else {
                        part.indices.push(index);
                        part.magnitudes.push(magnitude);
                    }
                }
                part
            })
            .collect();
        let mut all = Self::default();
        all.units.reserve_exact(parts.iter().map(|part| part.units.len()).sum());
        let full = parts.iter().map(|part| part.indices.len()).sum();
        all.indices.reserve_exact(full);
        all.magnitudes.reserve_exact(full);
        for part in parts {
            all.units.extend_from_slice(&part.units);
            all.indices.extend_from_slice(&part.indices);
            all.magnitudes.extend_from_slice(&part.magnitudes);
        }
        all
    }

    /// How many are ±1, and how many are neither that nor zero.
    pub fn counts(&self) -> (usize, usize) {
        (self.units.len(), self.indices.len())
    }
}

/// Slots over either kind of code.
enum Sums<'a, C: Curve> {
    Lanes(LaneSlots<'a, C>),
    Scalar(Points<'a, C>, Slots<C>),
}

impl<'a, C: Curve> Sums<'a, C> {
    fn new(backend: Backend, points: Points<'a, C>, count: usize) -> Self {
        if backend.is_vector() {
            Self::Lanes(LaneSlots::new(backend, points.bytes, count))
        } else {
            Self::Scalar(points, Slots::new(count))
        }
    }

    #[inline]
    fn add(&mut self, slot: usize, index: usize, negative: bool) {
        match self {
            Self::Lanes(slots) => slots.add(slot, index, negative),
            Self::Scalar(points, slots) => slots.add(slot, points.get(index).negated_if(negative)),
        }
    }

    fn total(self) -> Projective<C> {
        match self {
            Self::Lanes(slots) => slots.total(),
            Self::Scalar(_, slots) => slots.total(),
        }
    }

    fn weighted_total(self) -> Projective<C> {
        match self {
            Self::Lanes(slots) => slots.weighted_total(),
            Self::Scalar(_, slots) => slots.weighted_total(),
        }
    }
}

/// The sum of `scalar[i] * points[i - first]` over all `i >= first`; scalars beyond the points' end are refused by panic,
/// so callers compare lengths first.
pub fn msm<C: Curve>(
    points: Points<'_, C>,
    scalars: &Scalars,
    first: usize,
    control: &Control,
) -> Result<Projective<C>> {
    msm_by(Backend::current(), points, scalars, first, control)
}

/// [`msm`] by one kind of code.
pub fn msm_by<C: Curve>(
    backend: Backend,
    points: Points<'_, C>,
    scalars: &Scalars,
    first: usize,
    control: &Control,
) -> Result<Projective<C>> {
    let start = scalars.indices.partition_point(|&index| (index as usize) < first);
    let (indices, magnitudes) = (&scalars.indices[start..], &scalars.magnitudes[start..]);
    let start = scalars.units.partition_point(|&unit| ((unit & !NEGATIVE_UNIT) as usize) < first);
    let units = &scalars.units[start..];

    let threads = rayon::current_num_threads();
    let unit_chunk = units.len().div_ceil(threads).max(UNIT_SLOTS);
    let units = units
        .par_chunks(unit_chunk)
        .map(|chunk| {
            control.check()?;
            let mut slots = Sums::new(backend, points, UNIT_SLOTS.min(chunk.len()));
            for (position, unit) in chunk.iter().enumerate() {
                slots.add(position % UNIT_SLOTS, (unit & !NEGATIVE_UNIT) as usize - first, unit & NEGATIVE_UNIT != 0);
            }
            Ok(slots.total())
        })
        .try_reduce(Projective::default, |left, right| Ok(left + right))?;

    if indices.is_empty() {
        return Ok(units);
    }
    // Windows are the unit of work; many cores also share a window.
    let digits = Digits::best(indices.len());
    let shares = (2 * threads).div_ceil(digits.windows());
    let digits = if shares > 1 { Digits::best(indices.len().div_ceil(shares)) } else { digits };
    let chunk = indices.len().div_ceil(shares).max(1);
    let tasks: Vec<(usize, usize)> = (0..digits.windows())
        .flat_map(|window| (0..indices.len()).step_by(chunk).map(move |at| (window, at)))
        .collect();
    let sums: Vec<(usize, Projective<C>)> = tasks
        .into_par_iter()
        .with_max_len(1)
        .map(|(window, at)| {
            let end = indices.len().min(at + chunk);
            let mut slots = Sums::new(backend, points, digits.limit());
            for (step, (index, magnitude)) in indices[at..end].iter().zip(&magnitudes[at..end]).enumerate() {
                if step % (1 << 16) == 0 {
                    control.check()?;
                }
                let (digit, negative) = digits.get(magnitude, window);
                if digit != 0 {
                    slots.add(digit - 1, *index as usize - first, negative);
                }
            }
            Ok((window, slots.weighted_total()))
        })
        .collect::<Result<_>>()?;

    let mut total = Projective::<C>::default();
    for window in (0..digits.windows()).rev() {
        for _ in 0..digits.width {
            total.double_in_place();
        }
        for (_, sum) in sums.iter().filter(|(of, _)| *of == window) {
            total += sum;
        }
    }
    Ok(total + units)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{g1, g2, G1Projective, G2Projective};
    use ark_ec::{CurveGroup, PrimeGroup};
    use ark_ff::{Field, One, UniformRand};

    fn check<C: Curve>(base: Projective<C>, scalars: &[Fr], first: usize) {
        let mut bytes = Vec::new();
        let mut expected = Projective::<C>::default();
        for (index, scalar) in scalars.iter().enumerate().skip(first) {
            // Few distinct points, among them infinity and negatives: doublings and cancellations happen.
            let point = base * Fr::from((index as i64 % 7) - 3);
            Point::from_affine(&point.into_affine()).write(&mut bytes);
            expected += point * scalar;
        }
        for backend in Backend::ALL {
            if backend.is_available() {
                let scalars = Scalars::new(scalars);
                let sum = msm_by(backend, Points::<C>::new(&bytes), &scalars, first, &Control::default());
                assert_eq!(sum.ok(), Some(expected), "{}", backend.name());
            } else {
                eprintln!("SKIPPED: this machine has no {} kernels", backend.name());
            }
        }
    }

    #[test]
    fn msm_of_mixed_scalars_equals_the_naive_sum() {
        let mut rng = ark_std::test_rng();
        let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
        let mut scalars = vec![Fr::zero(), Fr::one(), -Fr::one(), half, half + Fr::one(), -Fr::from(2u64)];
        for index in 0..3000u64 {
            scalars.push(match index % 5 {
                0 => Fr::zero(),
                1 => Fr::one(),
                2 => Fr::from(index % 300),
                3 => -Fr::from(2u64).pow([index % 254]),
                _ => Fr::rand(&mut rng),
            });
        }
        for count in [0, 1, 6, 40, scalars.len()] {
            check::<g1::Config>(G1Projective::generator(), &scalars[..count], 0);
            check::<g2::Config>(G2Projective::generator(), &scalars[..count], 0);
        }
        check::<g1::Config>(G1Projective::generator(), &scalars, 17);
    }

    #[test]
    fn msm_of_few_different_scalars_equals_the_naive_sum() {
        // All points want the same few slots: more than a batch is put off.
        let scalars: Vec<Fr> = (0..9000u64).map(|index| Fr::from(2 + index % 3)).collect();
        check::<g1::Config>(G1Projective::generator(), &scalars, 0);
        check::<g2::Config>(G2Projective::generator(), &scalars, 0);
    }

    #[test]
    fn digits_of_every_width_rebuild_the_scalar() {
        let mut rng = ark_std::test_rng();
        for width in 3..=16 {
            let digits = Digits::new(width);
            for scalar in [Fr::zero(), Fr::one(), Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO), Fr::rand(&mut rng)] {
                let magnitude = Magnitude::new(&scalar);
                let mut sum = Fr::zero();
                for window in (0..digits.windows()).rev() {
                    let (digit, negative) = digits.get(&magnitude, window);
                    assert!(digit <= digits.limit());
                    let digit = Fr::from(digit as u64);
                    sum = sum * Fr::from(1u64 << width) + if negative { -digit } else { digit };
                }
                assert_eq!(sum, scalar);
            }
        }
    }
}
