//! Sums in numbered slots over the lanes: what `batch_affine::Slots` does with scalar code.
//!
//! Points are named, not copied: pairs (slot, index in the key). Their sums by slot are those of `lane_sums`; a list that
//! was cut into pieces has several, which are added among themselves, two by two.

use ark_ec::short_weierstrass::Projective;
use ark_ff::AdditiveGroup;
use std::marker::PhantomData;

use crate::batch_affine::{Curve, Point};
use crate::coordinate::Coordinate;
use crate::groth16_error::{Control, Result};
use crate::lane_lists::Lists;
use crate::lane_points::{AddBatch, Line, Workspace};
use crate::lane_sums::{groups, SumLists};
use crate::simd::{Backend, Row};

/// Additions that share one inversion.
const BATCH: usize = 2048;
/// Segments in which weighted totals run side by side.
const SEGMENTS: usize = 512;

pub struct LaneSlots<C: Curve> {
    backend: Backend,
    count: usize,
    slots: Vec<Line>,
    workspace: Workspace,
    curve: PhantomData<C>,
}

/// Lines of a point.
const fn lines<C: Curve>() -> usize {
    C::POINT_BYTES / 64
}

fn read<C: Curve>(slots: &[Line], slot: usize) -> Point<C> {
    let mut bytes = [0; 128];
    for (line, bytes) in slots[slot * lines::<C>()..].iter().zip(bytes[..C::POINT_BYTES].chunks_exact_mut(64)) {
        bytes[..32].copy_from_slice(&line.0[0]);
        bytes[32..].copy_from_slice(&line.0[1]);
    }
    let Point { x, y } = Point::<C>::read(&bytes[..C::POINT_BYTES]);
    // Read by arkworks, a coordinate of the lanes has a factor 2^4 too many, and may not be below the modulus.
    let leave = |coordinate: C::BaseField| coordinate.reduced().times(&C::BaseField::ONE_SIXTEENTH);
    Point { x: leave(x), y: leave(y) }
}

impl<C: Curve> LaneSlots<C> {
    /// The sums of `terms`, each a slot and a point, in `count` slots. `key` holds the points, of which none that is named
    /// may be infinity.
    pub fn new(
        backend: Backend,
        key: &[Row],
        count: usize,
        terms: impl Iterator<Item = (u32, u32)> + Clone,
        control: &Control,
    ) -> Result<Self> {
        let lists = Lists::new(count, groups(lines::<C>()), terms);
        let pieces = lists.pieces();
        let mut sums = vec![Line::ZERO; pieces.len() * lines::<C>()];
        backend.run(SumLists::<C::Lanes> { key, lists: &lists, sums: &mut sums, control, group: PhantomData })?;
        let slots = vec![Line::ZERO; count * lines::<C>()];
        let mut of = Self { backend, count, slots, workspace: Workspace::default(), curve: PhantomData };
        let (mut filled, mut others) = (vec![false; count], Vec::new());
        for (at, piece) in pieces.iter().enumerate() {
            let slot = piece.slot as usize;
            if std::mem::replace(&mut filled[slot], true) {
                others.push((piece.slot, at as u32));
            } else {
                of.line_mut(slot).copy_from_slice(&sums[at * lines::<C>()..(at + 1) * lines::<C>()]);
            }
        }
        of.add_others(others, &sums);
        Ok(of)
    }

    fn line_mut(&mut self, slot: usize) -> &mut [Line] {
        &mut self.slots[slot * lines::<C>()..(slot + 1) * lines::<C>()]
    }

    /// Adds sums to slots: for each slot two by two, until one is left.
    fn add_others(&mut self, mut others: Vec<(u32, u32)>, sums: &[Line]) {
        if others.is_empty() {
            return;
        }
        others.sort_unstable();
        let mut owners: Vec<u32> = others.iter().map(|pair| pair.0).collect();
        let chosen = |at: usize| &sums[at * lines::<C>()..(at + 1) * lines::<C>()];
        let mut points: Vec<Line> = others.iter().flat_map(|pair| chosen(pair.1 as usize)).copied().collect();
        while owners.windows(2).any(|two| two[0] == two[1]) {
            let before = points.clone();
            let (mut kept, mut pairs) = (Vec::with_capacity(owners.len()), Vec::with_capacity(owners.len()));
            let mut at = 0;
            while at < owners.len() {
                kept.push(at);
                if owners.get(at + 1) == Some(&owners[at]) {
                    pairs.push((at as u32, at as u32 + 1));
                    at += 1;
                }
                at += 1;
            }
            self.add_batches(&mut points, &pairs, &before);
            points = kept.iter().flat_map(|at| &points[at * lines::<C>()..(at + 1) * lines::<C>()]).copied().collect();
            owners = kept.iter().map(|at| owners[*at]).collect();
        }
        let pairs: Vec<(u32, u32)> = owners.into_iter().zip(0..).collect();
        let mut slots = std::mem::take(&mut self.slots);
        self.add_batches(&mut slots, &pairs, &points);
        self.slots = slots;
    }

    fn add_batches(&mut self, slots: &mut [Line], pairs: &[(u32, u32)], sums: &[Line]) {
        for pairs in pairs.chunks(BATCH) {
            let workspace = &mut self.workspace;
            self.backend.run(AddBatch::<C::Lanes> { slots, pairs, sums, workspace, coordinates: PhantomData });
        }
    }

    /// The sum over slots of (slot + 1) times its sum. The slots are cut into segments, whose running sums advance
    /// together; what lies before a segment then counts as often as its first slot says.
    pub fn weighted_total(mut self) -> Projective<C> {
        let count = self.count;
        let length = count.div_ceil(SEGMENTS);
        let segments = count.div_ceil(length);
        let slots = std::mem::take(&mut self.slots);
        let mut running = vec![Line::ZERO; segments * lines::<C>()];
        let mut total = running.clone();
        let straight: Vec<(u32, u32)> = (0..segments as u32).map(|segment| (segment, segment)).collect();
        for step in (0..length).rev() {
            let slot = |segment: usize| (segment as u32, (segment * length + step) as u32);
            let pairs: Vec<_> = (0..segments).map(slot).filter(|pair| (pair.1 as usize) < count).collect();
            self.add_batches(&mut running, &pairs, &slots);
            self.add_batches(&mut total, &straight, &running);
        }
        let (mut after, mut weighted, mut sum) =
            (Projective::<C>::default(), Projective::default(), Projective::default());
        for segment in (0..segments).rev() {
            sum += read::<C>(&total, segment).to_affine();
            if segment > 0 {
                after += read::<C>(&running, segment).to_affine();
                weighted += after;
            }
        }
        sum + multiple(weighted, length)
    }

    /// The sum over all slots.
    pub fn total(self) -> Projective<C> {
        (0..self.count).map(|slot| read::<C>(&self.slots, slot).to_affine()).fold(Projective::default(), |a, b| a + b)
    }
}

fn multiple<C: Curve>(point: Projective<C>, factor: usize) -> Projective<C> {
    let mut sum = Projective::<C>::default();
    for bit in (0..usize::BITS).rev() {
        sum.double_in_place();
        if factor >> bit & 1 == 1 {
            sum += point;
        }
    }
    sum
}
