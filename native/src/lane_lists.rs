//! Lists of a key's points, one for each slot, in the order in which eight lanes add them up.
//!
//! A long list is cut into pieces, so that no lane adds alone for long. Pieces are sorted by length: eight neighbours make
//! a group, whose lanes are busy to its end but for a few.

use std::cmp::Reverse;

use crate::simd::LANES;

/// A piece is at most this long, or at most so many times as long as lists are on average.
const LEAST_CUT: usize = 64;
const CUT_FACTOR: usize = 4;

/// A slot's list, or part of it. Never empty.
#[derive(Clone, Copy, Debug)]
pub struct Piece {
    pub slot: u32,
    pub len: u32,
}

/// The most groups that add up together.
pub const MAX_GROUPS: usize = u16::MAX as usize / LANES;

/// Eight pieces.
#[derive(Clone, Copy, Debug)]
struct Group {
    longest: u32,
    shortest: u32,
}

#[derive(Debug, Default)]
pub struct Lists {
    /// Groups of a batch.
    each: usize,
    /// Longest first.
    pieces: Vec<Piece>,
    groups: Vec<Group>,
    /// Where the rounds of each batch begin in `starts`.
    batches: Vec<usize>,
    /// Where the points of a round of a batch begin.
    starts: Vec<u32>,
    /// Batch by batch, round by round, for each group one point for each lane: its index in the key and its sign.
    points: Vec<[u32; LANES]>,
}

/// Where the next point of a slot goes, and how many more go there before another piece begins.
#[derive(Clone, Copy, Debug, Default)]
struct Cursor {
    /// In `starts`.
    round: u32,
    /// Lane of the batch.
    lane: u16,
    left: u16,
}

impl Lists {
    /// The lists of `terms`, each a slot below `slots` and a point, in batches of `groups`.
    pub fn new(slots: usize, groups: usize, terms: impl Iterator<Item = (u32, u32)> + Clone) -> Self {
        let mut counts = vec![0u32; slots];
        terms.clone().for_each(|(slot, _)| counts[slot as usize] += 1);
        let all = counts.iter().map(|count| *count as usize).sum::<usize>();
        let cut = LEAST_CUT.max(CUT_FACTOR * all / slots.max(1)).min(u16::MAX.into()) as u32;
        let mut pieces = Vec::with_capacity(slots);
        for (slot, mut count) in (0u32..).zip(counts) {
            while count > 0 {
                let len = count.min(cut);
                pieces.push(Piece { slot, len });
                count -= len;
            }
        }
        pieces.sort_unstable_by_key(|piece| (Reverse(piece.len), piece.slot));
        debug_assert!(groups <= MAX_GROUPS);
        let mut lists = Self { each: groups, pieces, ..Self::default() };
        let room = lists.make_groups();
        lists.points = vec![[0; LANES]; room];
        lists.fill(slots, terms);
        lists
    }

    /// Makes groups, batches and rounds; returns how many points of eight lanes they have.
    fn make_groups(&mut self) -> usize {
        for eight in self.pieces.chunks(LANES) {
            let shortest = if eight.len() == LANES { eight[LANES - 1].len } else { 0 };
            self.groups.push(Group { longest: eight[0].len, shortest });
        }
        let mut room = 0;
        for batch in self.groups.chunks(self.each) {
            self.batches.push(self.starts.len());
            for round in 0..batch[0].longest {
                self.starts.push(room as u32);
                room += busy(batch, round);
            }
        }
        room
    }

    fn fill(&mut self, slots: usize, terms: impl Iterator<Item = (u32, u32)>) {
        let lanes = self.each * LANES;
        let cursor = |at: u32| match self.pieces.get(at as usize) {
            None => Cursor::default(),
            Some(piece) => Cursor {
                round: self.batches[at as usize / lanes] as u32,
                lane: (at as usize % lanes) as u16,
                left: piece.len as u16,
            },
        };
        let none = u32::MAX;
        let mut current = vec![none; slots];
        let mut after = vec![none; self.pieces.len()];
        for (at, piece) in self.pieces.iter().enumerate().rev() {
            after[at] = std::mem::replace(&mut current[piece.slot as usize], at as u32);
        }
        let mut cursors: Vec<Cursor> = current.iter().map(|at| cursor(*at)).collect();
        let (points, starts) = (&mut self.points, &self.starts);
        terms.for_each(|(slot, point)| {
            let at = &mut cursors[slot as usize];
            if at.left == 0 {
                let current = &mut current[slot as usize];
                *current = after[*current as usize];
                *at = cursor(*current);
            }
            let lane = usize::from(at.lane);
            points[starts[at.round as usize] as usize + lane / LANES][lane % LANES] = point;
            at.round += 1;
            at.left -= 1;
        });
    }

    pub fn pieces(&self) -> &[Piece] {
        &self.pieces
    }

    /// Batches of groups, in the order of their pieces.
    pub fn batches(&self) -> impl Iterator<Item = Batch<'_>> {
        let parts = self.groups.chunks(self.each).zip(self.pieces.chunks(self.each * LANES)).zip(&self.batches);
        parts.map(|((groups, pieces), first)| Batch {
            groups,
            pieces,
            starts: &self.starts[*first..],
            points: &self.points,
        })
    }
}

/// How many groups have points in that round; they come first.
fn busy(groups: &[Group], round: u32) -> usize {
    groups.partition_point(|group| group.longest > round)
}

#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    groups: &'a [Group],
    pub pieces: &'a [Piece],
    starts: &'a [u32],
    points: &'a [[u32; LANES]],
}

impl<'a> Batch<'a> {
    pub fn rounds(&self) -> u32 {
        self.groups[0].longest
    }

    /// The points of a round for each group that has any.
    #[inline(always)]
    pub fn round(&self, round: u32) -> &'a [[u32; LANES]] {
        &self.points[self.starts[round as usize] as usize..][..busy(self.groups, round)]
    }

    /// The lanes of a group that have a point in a round.
    #[inline(always)]
    pub fn lanes(&self, group: usize, round: u32) -> u8 {
        match self.groups.get(group) {
            Some(of) if of.shortest > round => u8::MAX,
            Some(of) if of.longest > round => {
                let eight = self.pieces[group * LANES..].iter().take(LANES);
                let busy = eight.take_while(|piece| piece.len > round).count();
                (0xff >> (LANES - busy)) as u8
            }
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    #[test]
    fn lists_of_uneven_slots_hold_every_point_once_where_its_piece_is() {
        // Slot 3 has most points, slot 7 none, the others a few.
        let terms: Vec<(u32, u32)> = (0..5000u32).map(|at| (if at % 9 == 0 { at % 7 } else { 3 }, at)).collect();
        let lists = Lists::new(8, 4, terms.iter().copied());
        let mut found: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut pieces = 0;
        for batch in lists.batches() {
            for round in 0..batch.rounds() {
                for (group, points) in batch.round(round).iter().enumerate() {
                    let lanes = batch.lanes(group, round);
                    for (lane, point) in points.iter().enumerate().filter(|(lane, _)| lanes >> lane & 1 == 1) {
                        found.entry(batch.pieces[group * LANES + lane].slot).or_default().push(*point);
                    }
                }
                assert_eq!(batch.lanes(batch.round(round).len(), round), 0);
            }
            pieces += batch.pieces.len();
        }
        assert_eq!(pieces, lists.pieces().len());
        assert!(lists.pieces().iter().all(|piece| piece.len > 0));
        for slot in 0..8 {
            let mut points = found.remove(&slot).unwrap_or_default();
            points.sort_unstable();
            let expected: Vec<u32> = terms.iter().filter(|term| term.0 == slot).map(|term| term.1).collect();
            assert_eq!(points, expected, "slot {slot}");
        }
    }
}
