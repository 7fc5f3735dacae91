//! Sums in numbered slots over the lanes: what `batch_affine::Slots` does with scalar code.
//!
//! Points are named, not copied: a pair (slot, index in the key) waits until there is a batch of pairs for different
//! slots. A pair whose slot is in the batch already is put off to the next; when many are, because few slots are in
//! demand, those for one slot are first added among themselves, two by two.

use ark_ec::short_weierstrass::Projective;
use ark_ff::{AdditiveGroup, Field};
use std::marker::PhantomData;

use crate::batch_affine::{Coordinate, Curve, Point};
use crate::lane_points::{AddBatch, Key, Line, Source, Sums, Workspace, NEGATIVE};
use crate::simd::{Backend, Row};

/// Additions that share one inversion.
const BATCH: usize = 2048;
/// Pairs put off before they are added among themselves.
const PUT_OFF: usize = 4096;
/// Segments in which weighted totals run side by side.
const SEGMENTS: usize = 512;

pub struct LaneSlots<'a, C: Curve> {
    backend: Backend,
    key: &'a [Row],
    slots: Vec<Line>,
    /// Round in which a slot last joined the batch: a slot joins only once per batch.
    joined: Vec<u32>,
    round: u32,
    pending: Vec<(u32, u32)>,
    put_off: Vec<(u32, u32)>,
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
    let leave = C::BaseField::from(16u64).inverse().unwrap_or(C::BaseField::ZERO);
    Point { x: x.reduced() * leave, y: y.reduced() * leave }
}

impl<'a, C: Curve> LaneSlots<'a, C> {
    /// `key` holds the points that will be named, `count` is the number of slots, all at infinity.
    pub fn new(backend: Backend, key: &'a [u8], count: usize) -> Self {
        Self {
            backend,
            key: key.as_chunks().0,
            slots: vec![Line::ZERO; count * lines::<C>()],
            joined: vec![0; count],
            round: 1,
            pending: Vec::with_capacity(BATCH),
            put_off: Vec::new(),
            workspace: Workspace::default(),
            curve: PhantomData,
        }
    }

    /// Adds the point of that index, or its opposite.
    #[inline]
    pub fn add(&mut self, slot: usize, index: usize, negative: bool) {
        let rows = 2 * lines::<C>();
        if self.key[index * rows..(index + 1) * rows].iter().all(|row| *row == [0; 32]) {
            return;
        }
        let pair = (slot as u32, index as u32 | if negative { NEGATIVE } else { 0 });
        self.join(pair);
        if self.pending.len() == BATCH {
            self.flush();
        }
    }

    #[inline]
    fn join(&mut self, pair: (u32, u32)) {
        let joined = &mut self.joined[pair.0 as usize];
        if *joined == self.round {
            self.put_off.push(pair);
        } else {
            *joined = self.round;
            self.pending.push(pair);
        }
    }

    fn flush(&mut self) {
        add(self.backend, &mut self.slots, &self.pending, Key(self.key), &mut self.workspace, PhantomData::<C>);
        self.pending.clear();
        self.round += 1;
        if self.put_off.len() > PUT_OFF {
            self.add_put_off();
        }
        // Fewer than a batch: those that are put off again were put off before.
        for pair in std::mem::take(&mut self.put_off) {
            self.join(pair);
        }
        if self.pending.len() >= BATCH {
            self.flush();
        }
    }

    /// Adds what was put off: for each slot its points two by two, until one is left.
    fn add_put_off(&mut self) {
        let mut pairs = std::mem::take(&mut self.put_off);
        pairs.sort_unstable_by_key(|pair| pair.0);
        let mut owners: Vec<u32> = pairs.iter().map(|pair| pair.0).collect();
        for (index, pair) in (0u32..).zip(&mut pairs) {
            pair.0 = index;
        }
        let mut points = vec![Line::ZERO; pairs.len() * lines::<C>()];
        self.add_batches(&mut points, &pairs, Key(self.key));
        while owners.windows(2).any(|two| two[0] == two[1]) {
            let before = points.clone();
            let (mut kept, mut sums) = (Vec::with_capacity(owners.len()), Vec::with_capacity(owners.len()));
            let mut at = 0;
            while at < owners.len() {
                kept.push(at);
                if owners.get(at + 1) == Some(&owners[at]) {
                    sums.push((at as u32, at as u32 + 1));
                    at += 1;
                }
                at += 1;
            }
            self.add_batches(&mut points, &sums, Sums(&before));
            points = kept.iter().flat_map(|at| &points[at * lines::<C>()..(at + 1) * lines::<C>()]).copied().collect();
            owners = kept.iter().map(|at| owners[*at]).collect();
        }
        let pairs: Vec<(u32, u32)> = owners.into_iter().zip(0..).collect();
        let mut slots = std::mem::take(&mut self.slots);
        self.add_batches(&mut slots, &pairs, Sums(&points));
        self.slots = slots;
    }

    fn add_batches(&mut self, slots: &mut [Line], pairs: &[(u32, u32)], source: impl Source) {
        for batch in pairs.chunks(BATCH) {
            add(self.backend, slots, batch, source, &mut self.workspace, PhantomData::<C>);
        }
    }

    fn finish(&mut self) {
        self.flush();
        if !self.pending.is_empty() {
            self.put_off.append(&mut self.pending);
            self.add_put_off();
        }
    }

    /// The sum over slots of (slot + 1) times its sum. The slots are cut into segments, whose running sums advance
    /// together; what lies before a segment then counts as often as its first slot says.
    pub fn weighted_total(mut self) -> Projective<C> {
        self.finish();
        let count = self.joined.len();
        let length = count.div_ceil(SEGMENTS);
        let segments = count.div_ceil(length);
        let slots = std::mem::take(&mut self.slots);
        let mut running = vec![Line::ZERO; segments * lines::<C>()];
        let mut total = running.clone();
        let straight: Vec<(u32, u32)> = (0..segments as u32).map(|segment| (segment, segment)).collect();
        for step in (0..length).rev() {
            let slot = |segment: usize| (segment as u32, (segment * length + step) as u32);
            let pairs: Vec<_> = (0..segments).map(slot).filter(|pair| (pair.1 as usize) < count).collect();
            self.add_batches(&mut running, &pairs, Sums(&slots));
            self.add_batches(&mut total, &straight, Sums(&running));
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
    pub fn total(mut self) -> Projective<C> {
        self.finish();
        (0..self.joined.len())
            .map(|slot| read::<C>(&self.slots, slot).to_affine())
            .fold(Projective::default(), |a, b| a + b)
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

fn add<C: Curve, S: Source>(
    backend: Backend,
    slots: &mut [Line],
    pairs: &[(u32, u32)],
    source: S,
    workspace: &mut Workspace,
    _: PhantomData<C>,
) {
    if !pairs.is_empty() {
        backend.run(AddBatch::<C::Lanes, S> { slots, pairs, source, workspace, coordinates: PhantomData });
    }
}
