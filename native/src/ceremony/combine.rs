//! Sums of a matrix's columns times points: what Groth16 keys are made of when only the points are known, not tau.
//!
//! All columns of a block of rows go in step, digit by digit: they share tables of the points' multiples, and every
//! batch of additions shares one inversion.

use std::collections::HashMap;

use ark_bn254::Fr;

use super::lockstep::{add_pairs, digits, double_all, odd_multiples, pick, MULTIPLES};
use crate::batch_affine::{Curve, Point};
use crate::groth16_error::{Control, Result};
use crate::msm::Points;
use crate::system::{Matrix, R1cs, System};
use rayon::prelude::*;

/// Rows whose tables one task holds.
const ROWS: usize = 1 << 12;

/// One matrix and the points of its rows.
pub struct Term<'a> {
    pub matrix: fn(&R1cs) -> &Matrix,
    /// As key files hold them.
    pub points: &'a [u8],
}

/// For each wire the sum over all terms and rows of coefficient times point; wires that no row has stay infinity.
pub fn columns<C: Curve>(
    system: &System,
    terms: &[Term<'_>],
    phase: &'static str,
    control: &Control,
) -> Result<Vec<Point<C>>> {
    let mut sums = vec![Point::INFINITY; system.n_wires];
    let mut tasks = Vec::new();
    let mut first = 0;
    for (index, piece) in system.pieces.iter().enumerate() {
        let rows = piece.r1cs.n_constraints();
        tasks.extend((0..rows).step_by(ROWS).map(|start| (index, start, first + start, ROWS.min(rows - start))));
        first += rows;
    }
    let group = 2 * rayon::current_num_threads();
    for (done, tasks) in tasks.chunks(group).enumerate() {
        control.report(phase, (done * group) as f64 / first.div_ceil(ROWS).max(1) as f64)?;
        let parts: Vec<Vec<(u32, Point<C>)>> = tasks
            .par_iter()
            .map(|&(piece, start, row, count)| block(system, piece, terms, start, row, count))
            .collect();
        for part in parts {
            let pairs: Vec<_> = part.iter().map(|(wire, sum)| (sums[*wire as usize], *sum)).collect();
            for ((wire, _), sum) in part.iter().zip(add_pairs(&pairs)) {
                sums[*wire as usize] = sum;
            }
        }
    }
    control.report(phase, 1.0)?;
    Ok(sums)
}

/// An entry of a block: the place of its wire among the block's, that of its point, and its coefficient's digits.
struct Entry {
    wire: u32,
    point: u32,
    digits: u32,
}

/// The sums of `count` rows of a piece, by wire. `start` counts in the piece, `row` in the system.
fn block<C: Curve>(
    system: &System,
    piece: usize,
    terms: &[Term<'_>],
    start: usize,
    row: usize,
    count: usize,
) -> Vec<(u32, Point<C>)> {
    let piece = &system.pieces[piece];
    let mut forms: Vec<Vec<i8>> = Vec::new();
    let mut known: HashMap<Fr, u32> = HashMap::new();
    let mut entries = Vec::new();
    let mut points = Vec::with_capacity(terms.len() * count);
    for term in terms {
        let matrix = (term.matrix)(&piece.r1cs);
        let bases = Points::<C>::new(term.points);
        for local in 0..count {
            points.push(bases.get(row + local));
            for (wire, coefficient) in matrix.row(start + local) {
                let digits = *known.entry(*coefficient).or_insert_with(|| {
                    forms.push(digits(coefficient));
                    forms.len() as u32 - 1
                });
                entries.push(Entry { wire: piece.wires[*wire as usize], point: points.len() as u32 - 1, digits });
            }
        }
    }
    entries.sort_by_key(|entry| entry.wire);
    let mut wires: Vec<u32> = Vec::new();
    for entry in &mut entries {
        if wires.last() != Some(&entry.wire) {
            wires.push(entry.wire);
        }
        entry.wire = wires.len() as u32 - 1;
    }
    let sums = sum_up(&entries, &forms, &odd_multiples(&points), wires.len());
    wires.into_iter().zip(sums).collect()
}

/// Digit by digit from the top: double all sums, then add what the digits pick.
fn sum_up<C: Curve>(entries: &[Entry], forms: &[Vec<i8>], table: &[Point<C>], wires: usize) -> Vec<Point<C>> {
    let mut sums = vec![Point::INFINITY; wires];
    for place in (0..forms.iter().map(Vec::len).max().unwrap_or(0)).rev() {
        double_all(&mut sums);
        let mut picked: Vec<(u32, Point<C>)> = Vec::new();
        for entry in entries {
            let digit = forms[entry.digits as usize].get(place).copied().unwrap_or_default();
            if digit != 0 {
                let at = entry.point as usize * MULTIPLES;
                picked.push((entry.wire, pick(&table[at..at + MULTIPLES], digit)));
            }
        }
        merge(&mut picked);
        let pairs: Vec<_> = picked.iter().map(|(wire, point)| (sums[*wire as usize], *point)).collect();
        for ((wire, _), sum) in picked.iter().zip(add_pairs(&pairs)) {
            sums[*wire as usize] = sum;
        }
    }
    sums
}

/// Adds up neighbours of one wire, half of them at a time, until each wire has one point.
fn merge<C: Curve>(picked: &mut Vec<(u32, Point<C>)>) {
    loop {
        let mut pairs = Vec::new();
        let mut merged: Vec<(u32, Option<Point<C>>)> = Vec::new();
        let mut rest = picked.as_slice();
        while let Some(((wire, point), tail)) = rest.split_first() {
            match tail.split_first() {
                Some(((next, other), tail)) if next == wire => {
                    pairs.push((*point, *other));
                    merged.push((*wire, None));
                    rest = tail;
                }
                _ => {
                    merged.push((*wire, Some(*point)));
                    rest = tail;
                }
            }
        }
        if pairs.is_empty() {
            return;
        }
        let mut sums = add_pairs(&pairs).into_iter();
        *picked = merged
            .into_iter()
            .map(|(wire, point)| (wire, point.or_else(|| sums.next()).unwrap_or(Point::INFINITY)))
            .collect();
    }
}
