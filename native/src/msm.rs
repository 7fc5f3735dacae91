//! Sums of scalar multiples of a key's points.
//!
//! Scalar code reads the points in the mapped file, in order; the lanes, in no order, from a copy in large pages.

use ark_ec::short_weierstrass::Projective;
use ark_ff::AdditiveGroup;
use memmap2::{Advice, MmapMut};
use rayon::prelude::*;
use std::marker::PhantomData;

use crate::batch_affine::{Curve, Point, Slots};
use crate::groth16_error::{Control, Error, Result};
use crate::lane_slots::LaneSlots;
use crate::scalars::{Scalars, Term, NEGATIVE_INDEX};
use crate::simd::Backend;

/// Slots for sums of units.
const UNIT_SLOTS: usize = 2048;
/// Terms that are made at a time.
const PART: usize = 1 << 14;
/// Terms between asking for a slot and adding to it.
const AHEAD: usize = 16;
/// Bytes that one task copies.
const COPIED: usize = 1 << 20;

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

/// Slots over either kind of code, with what was added to them.
enum Sums<C: Curve> {
    Lanes(LaneSlots<C>),
    Scalar(Slots<C>),
}

impl<C: Curve> Sums<C> {
    fn total(self) -> Projective<C> {
        match self {
            Self::Lanes(slots) => slots.total(),
            Self::Scalar(slots) => slots.total(),
        }
    }

    fn weighted_total(self) -> Projective<C> {
        match self {
            Self::Lanes(slots) => slots.weighted_total(),
            Self::Scalar(slots) => slots.weighted_total(),
        }
    }
}

/// One sum's points and how to add them.
struct Adder<'a, C: Curve> {
    backend: Backend,
    points: Points<'a, C>,
    lanes: Option<(MmapMut, Vec<bool>)>,
    first: usize,
    control: &'a Control,
}

/// A copy whose addresses take few entries of the processor's table of pages, and which of its points are not infinity.
fn copy_for_lanes<C: Curve>(points: Points<'_, C>) -> Result<(MmapMut, Vec<bool>)> {
    let no_memory = |error| Error::Io("memory for points".into(), error);
    let mut copy = MmapMut::map_anon(points.bytes.len().max(1)).map_err(no_memory)?;
    // Where the system has no large pages it is only slower.
    let _ = copy.advise(Advice::HugePage);
    copy.par_chunks_mut(COPIED)
        .zip(points.bytes.par_chunks(COPIED))
        .for_each(|(to, from)| to[..from.len()].copy_from_slice(from));
    let is_finite = |point: &[u8]| point.iter().any(|byte| *byte != 0);
    let finite = points.bytes.par_chunks_exact(C::POINT_BYTES).with_min_len(1 << 12).map(is_finite).collect();
    Ok((copy, finite))
}

impl<'a, C: Curve> Adder<'a, C> {
    fn new(backend: Backend, points: Points<'a, C>, first: usize, control: &'a Control) -> Result<Self> {
        let lanes = if backend.is_vector() { Some(copy_for_lanes(points)?) } else { None };
        Ok(Self { backend, points, lanes, first, control })
    }

    /// Adds each point, by its index and sign, to its slot.
    fn add(&self, slots: usize, terms: impl Iterator<Item = Term> + Clone) -> Result<Sums<C>> {
        let first = self.first as u32;
        let terms =
            terms.filter(move |term| term.1 & !NEGATIVE_INDEX >= first).map(move |term| (term.0, term.1 - first));
        if let Some((copy, finite)) = &self.lanes {
            let terms = terms.filter(|term| finite[(term.1 & !NEGATIVE_INDEX) as usize]);
            let key = copy[..self.points.bytes.len()].as_chunks().0;
            return LaneSlots::new(self.backend, key, slots, terms, self.control).map(Sums::Lanes);
        }
        let mut sums = Slots::new(slots);
        let (mut terms, mut part) = (terms, Vec::with_capacity(PART));
        loop {
            self.control.check()?;
            part.clear();
            part.extend(terms.by_ref().take(PART));
            if part.is_empty() {
                return Ok(Sums::Scalar(sums));
            }
            for (at, (slot, index)) in part.iter().enumerate() {
                if let Some((slot, _)) = part.get(at + AHEAD) {
                    sums.expect(*slot as usize);
                }
                let point = self.points.get((index & !NEGATIVE_INDEX) as usize);
                sums.add(*slot as usize, point.negated_if(index & NEGATIVE_INDEX != 0));
            }
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
    let adder = Adder::new(backend, points, first, control)?;
    let (n_units, n_full) = scalars.counts();
    let unit_slots = UNIT_SLOTS.min(n_units) as u32;
    let units = (0u32..).zip(scalars.units()).map(|(position, unit)| (position % unit_slots, unit));
    let units = if n_units > 0 { adder.add(unit_slots as usize, units)?.total() } else { Projective::default() };
    if n_full == 0 {
        return Ok(units);
    }
    let digits = &scalars.digits;
    let tasks: Vec<(usize, usize)> =
        (0..digits.windows()).flat_map(|window| (0..scalars.shares).map(move |share| (window, share))).collect();
    let sums: Vec<(usize, Projective<C>)> = tasks
        .into_par_iter()
        .with_max_len(1)
        .map(|(window, share)| {
            let terms = scalars.terms(window, share);
            Ok((window, adder.add(digits.limit(), terms)?.weighted_total()))
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
    use ark_bn254::Fr;
    use ark_bn254::{g1, g2, G1Projective, G2Projective};
    use ark_ec::{CurveGroup, PrimeGroup};
    use ark_ff::{Field, One, PrimeField, UniformRand, Zero};

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
    fn msm_of_different_points_equals_the_naive_sum() {
        // No sum meets its own point: no denominator is zero.
        fn check_different<C: Curve>(base: Projective<C>, count: u64) {
            let mut rng = ark_std::test_rng();
            let scalars: Vec<Fr> = (0..count).map(|_| Fr::rand(&mut rng)).collect();
            let (mut bytes, mut expected) = (Vec::new(), Fr::zero());
            for scalar in &scalars {
                let multiple = Fr::rand(&mut rng);
                Point::from_affine(&(base * multiple).into_affine()).write(&mut bytes);
                expected += multiple * scalar;
            }
            for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
                let sum = msm_by(backend, Points::<C>::new(&bytes), &Scalars::new(&scalars), 0, &Control::default());
                assert_eq!(sum.ok(), Some(base * expected), "{}", backend.name());
            }
        }
        check_different(G1Projective::generator(), 1000);
        check_different(G2Projective::generator(), 300);
    }

    #[test]
    fn msm_of_more_units_than_slots_and_most_points_infinite_equals_the_naive_sum() {
        let (one, infinity) = (G1Projective::generator(), G1Projective::default());
        let (mut bytes, mut expected) = (Vec::new(), G1Projective::default());
        let scalars: Vec<Fr> = (0..3 * UNIT_SLOTS).map(|index| Fr::from(1 - 2 * (index as i64 % 3 % 2))).collect();
        for (index, scalar) in scalars.iter().enumerate() {
            // A slot gets its second and third point before a batch is full.
            let point = if index % UNIT_SLOTS < 100 { one * Fr::from(1 + index as u64) } else { infinity };
            Point::from_affine(&point.into_affine()).write(&mut bytes);
            expected += point * scalar;
        }
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            let points = Points::<g1::Config>::new(&bytes);
            let sum = msm_by(backend, points, &Scalars::new(&scalars), 0, &Control::default());
            assert_eq!(sum.ok(), Some(expected), "{}", backend.name());
        }
    }

    #[test]
    fn msm_of_few_different_scalars_equals_the_naive_sum() {
        // All points want the same few slots: more than a batch is put off.
        let scalars: Vec<Fr> = (0..9000u64).map(|index| Fr::from(2 + index % 3)).collect();
        check::<g1::Config>(G1Projective::generator(), &scalars, 0);
        check::<g2::Config>(G2Projective::generator(), &scalars, 0);
    }

    /// `cargo test --release measure_msm -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn measure_msm() {
        fn measure<C: Curve>(base: Projective<C>, log: u32) {
            let mut rng = ark_std::test_rng();
            let points: Vec<_> =
                std::iter::successors(Some(base), |point| Some(*point + base)).take(1 << log).collect();
            let mut bytes = Vec::new();
            Projective::normalize_batch(&points).iter().for_each(|point| Point::from_affine(point).write(&mut bytes));
            let scalars = Scalars::new(&(0..1 << log).map(|_| Fr::rand(&mut rng)).collect::<Vec<_>>());
            for backend in [Backend::Ifma, Backend::Scalar].into_iter().filter(|backend| backend.is_available()) {
                let best = (0..5).map(|_| {
                    let start = std::time::Instant::now();
                    let sum = msm_by(backend, Points::<C>::new(&bytes), &scalars, 0, &Control::default());
                    assert!(!std::hint::black_box(sum.expect("a sum")).is_zero());
                    start.elapsed().as_secs_f64()
                });
                let best = best.fold(f64::MAX, f64::min);
                let adds = ((1 << log) * scalars.digits.windows()) as f64;
                println!("2^{log} {}: {best:.3} s, {:.1} ns an addition", backend.name(), best / adds * 1e9);
            }
        }
        for log in [16, 18, 20] {
            measure::<g1::Config>(G1Projective::generator(), log);
        }
        measure::<g2::Config>(G2Projective::generator(), 18);
    }
}
