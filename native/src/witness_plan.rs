//! The planner: from constraints and the set of given wires to a straight-line [`Plan`]. See [`crate::witness`].

use std::collections::{HashSet, VecDeque};

use ark_bn254::Fr;
use ark_ff::Zero;

use crate::circuit::{shorten, Circuit};
use crate::inverse::invert;
use crate::r1cs::{refuse, Result};
use crate::witness::{Hint, Plan};
use crate::witness_bits;
use crate::witness_emit::Emitter;
use crate::witness_linear::{self, Joint};
use crate::witness_rows::{Rows, Side};

/// Plans `circuit` with the wires of `given` known.
pub fn plan(circuit: &Circuit, given: &[u32]) -> Result<Plan> {
    let mut planner = Planner::new(circuit, given);
    planner.run();
    let unknown: Vec<u32> = (1..circuit.r1cs.n_wires as u32).filter(|&wire| !planner.known[wire as usize]).collect();
    if !unknown.is_empty() {
        let names: Vec<String> = unknown.iter().map(|&wire| circuit.wire_name(wire)).collect();
        let dropped: Vec<&str> = circuit
            .inputs()
            .filter(|signal| signal.wire.is_none())
            .map(|signal| crate::circuit::bare(&signal.name))
            .collect();
        let note = match dropped.is_empty() {
            true => String::new(),
            false => format!(
                "; the optimiser dropped the private inputs {}: make them public (`name_local` in a linked template)",
                shorten(&dropped)
            ),
        };
        return refuse!(
            "{}: {} signals do not follow from the inputs and must be given as hints: {}{note}",
            circuit.name,
            names.len(),
            shorten(&names)
        );
    }
    Ok(planner.emit.finish(circuit.r1cs.n_wires, given))
}

/// What is known so far, and which rows may give more.
pub struct Planner<'a> {
    pub rows: Rows<'a>,
    pub known: Vec<bool>,
    pub emit: Emitter,
    /// Unknown wires per row: in A, in B, in C, and all of them counted once.
    unknown: Vec<[u32; 4]>,
    /// Rows with one unknown left.
    singles: VecDeque<u32>,
    /// Rows whose A and B are known, with several unknowns in C.
    pub pending: Vec<u32>,
    /// Rows with one unknown, beside a known factor.
    quotients: Vec<u32>,
    pub joint: Joint,
    /// Rows that are in `joint`: kept, as one may yet turn out to be a bit decomposition.
    pub taken_up: Vec<u32>,
    redundant: HashSet<u32>,
}

impl<'a> Planner<'a> {
    fn new(circuit: &'a Circuit, given: &[u32]) -> Self {
        let rows = Rows::new(&circuit.r1cs);
        let unknown: Vec<[u32; 4]> = rows.counts();
        let mut planner = Self {
            known: vec![false; rows.n_wires],
            emit: Emitter::new(rows.n_wires),
            unknown,
            singles: VecDeque::new(),
            pending: Vec::new(),
            quotients: Vec::new(),
            joint: Joint::new(),
            taken_up: Vec::new(),
            redundant: HashSet::new(),
            rows,
        };
        planner.known[0] = true;
        for row in 0..planner.rows.len() as u32 {
            planner.file(row);
        }
        for &wire in given {
            planner.learn(wire);
        }
        planner
    }

    fn run(&mut self) {
        while self.singles() || self.bits() || self.joint() || self.zero_tests() || self.quotients() || self.guards() {}
    }

    /// Puts a row where its number of unknowns says.
    fn file(&mut self, row: u32) {
        let [a, b, _, all] = self.unknown[row as usize];
        if all == 1 {
            self.singles.push_back(row);
        } else if a == 0 && b == 0 && all > 1 && !self.redundant.contains(&row) {
            self.pending.push(row);
        }
    }

    /// Marks a wire as known and files the rows it is in.
    pub fn learn(&mut self, wire: u32) {
        if std::mem::replace(&mut self.known[wire as usize], true) {
            return;
        }
        for index in self.rows.of_wire(wire) {
            let (row, sides) = self.rows.uses[index];
            let counts = &mut self.unknown[row as usize];
            let factors_before = counts[0] + counts[1];
            for (side, count) in counts.iter_mut().take(3).enumerate() {
                *count -= u32::from(sides >> side & 1);
            }
            counts[3] -= 1;
            let [a, b, _, all] = *counts;
            // A row enters `pending` once, when A and B become known.
            if all == 1 || (all > 1 && factors_before > 0 && a + b == 0) {
                self.file(row);
            }
        }
    }

    pub fn unknown_in(&self, row: u32) -> u32 {
        self.unknown[row as usize][3]
    }

    pub fn the_unknown(&self, row: u32) -> Option<u32> {
        let unknown =
            |side| self.rows.terms(row, side).iter().map(|term| term.0).find(|&wire| !self.known[wire as usize]);
        [Side::C, Side::A, Side::B].into_iter().find_map(unknown)
    }

    fn coefficient(&self, row: u32, side: Side, wire: u32) -> Fr {
        self.rows.terms(row, side).iter().find(|term| term.0 == wire).map_or(Fr::zero(), |term| term.1)
    }

    fn singles(&mut self) -> bool {
        let mut progress = false;
        while let Some(row) = self.singles.pop_front() {
            let [a, b, _, all] = self.unknown[row as usize];
            if all != 1 {
                continue;
            }
            if a > 0 && b > 0 {
                continue; // a wire that is only known to be one of two values
            }
            if a + b > 0 {
                self.quotients.push(row);
                continue;
            }
            let Some(wire) = self.the_unknown(row) else { continue };
            let Some(scale) = invert(&self.coefficient(row, Side::C, wire)) else { continue };
            self.emit_relation(row, wire, scale, Fr::zero(), &[wire]);
            self.learn(wire);
            progress = true;
        }
        progress
    }

    /// slot = (A * B - C without `skip`) * scale + constant.
    pub fn emit_relation(&mut self, row: u32, to: u32, scale: Fr, constant: Fr, skip: &[u32]) {
        let (a, b, c) = (self.rows.terms(row, Side::A), self.rows.terms(row, Side::B), self.rows.terms(row, Side::C));
        let mut rest: Vec<(u32, Fr)> =
            c.iter().filter(|term| !skip.contains(&term.0)).map(|&(wire, value)| (wire, -value * scale)).collect();
        if !constant.is_zero() {
            rest.push((0, constant));
        }
        // Scaling the shorter factor keeps most coefficients as they are.
        let (scaled, other) = if a.len() <= b.len() { (a, b) } else { (b, a) };
        let scaled: Vec<(u32, Fr)> = scaled.iter().map(|&(wire, value)| (wire, value * scale)).collect();
        self.emit.mul_add(to, &scaled, other, &rest);
    }

    fn bits(&mut self) -> bool {
        let mut progress = false;
        for row in std::mem::take(&mut self.pending) {
            if self.unknown_in(row) < 2 {
                continue;
            }
            if witness_bits::decompose(self, row) {
                progress = true;
            } else {
                self.pending.push(row);
            }
        }
        for row in std::mem::take(&mut self.taken_up) {
            if self.unknown_in(row) < 2 {
                continue;
            }
            if witness_bits::decompose(self, row) {
                progress = true;
            } else {
                self.taken_up.push(row);
            }
        }
        progress
    }

    /// A definition that was used to learn its own wire says nothing about its terms.
    pub fn redundant(&mut self, row: u32) {
        self.redundant.insert(row);
        self.pending.retain(|&pending| pending != row);
    }

    fn joint(&mut self) -> bool {
        self.pending.sort_unstable();
        self.pending.dedup();
        witness_linear::eliminate(self)
    }

    /// Drops quotient rows that have nothing unknown any more.
    fn live_quotients(&mut self) -> Vec<u32> {
        let unknown = &self.unknown;
        self.quotients.retain(|&row| unknown[row as usize][3] == 1);
        self.quotients.clone()
    }

    /// k * (v) = 0 with k * (u) = (v): v is 1 - out, u the inverse.
    fn zero_tests(&mut self) -> bool {
        let mut progress = false;
        for row in self.live_quotients() {
            if self.unknown[row as usize][3] == 1 && self.rows.terms(row, Side::C).is_empty() {
                progress |= self.zero_test(row);
            }
        }
        progress
    }

    fn zero_test(&mut self, row: u32) -> bool {
        let (known_side, other_side) =
            if self.unknown[row as usize][0] == 0 { (Side::A, Side::B) } else { (Side::B, Side::A) };
        // O2 may have replaced out by a combination of one unknown and known wires.
        let other = self.rows.expand(self.rows.terms(row, other_side));
        let mut unknowns = other.iter().filter(|term| !self.known[term.0 as usize]);
        let (Some(&(out, l)), None) = (unknowns.next(), unknowns.next()) else { return false };
        let Some((partner, factor_side)) =
            self.rows.same_factor(row, known_side).into_iter().find(|&(partner, side)| {
                let [a, b, c, all] = self.unknown[partner as usize];
                let beside = if side == Side::A { (a, b) } else { (b, a) };
                all == 2 && beside == (0, 1) && c == 1 && !self.coefficient(partner, Side::C, out).is_zero()
            })
        else {
            return false;
        };
        let inverse_side = factor_side.other();
        let unknown = |term: &&(u32, Fr)| !self.known[term.0 as usize];
        let Some(&(inverse, m)) = self.rows.terms(partner, inverse_side).iter().find(unknown) else { return false };
        let r = self.coefficient(partner, Side::C, out);
        let (Some(m_inv), Some(l_inv), Some(r_inv)) = (invert(&m), invert(&l), invert(&r)) else { return false };
        if inverse == out || !self.rows.is_real(inverse) {
            return false;
        }
        // k is the factor in the partner row: where it is 0, out follows from the partner's C side.
        let k = self.emit.temporary();
        let factor = self.rows.terms(partner, factor_side).to_vec();
        self.emit.linear(k, &factor);
        let one = self.emit.temporary();
        self.emit.linear(one, &[(0, Fr::from(1u64))]);
        let k_inv = self.emit.temporary();
        self.emit.divide(k_inv, one, k);
        let scaled = |terms: &[(u32, Fr)], by: Fr, skip: u32| -> Vec<(u32, Fr)> {
            terms.iter().filter(|term| term.0 != skip).map(|&(wire, value)| (wire, value * by)).collect()
        };
        let if_not_zero = scaled(&other, -l_inv, out);
        let if_zero = scaled(self.rows.terms(partner, Side::C), -r_inv, out);
        // out = if_not_zero + (1 - k * k_inv) * (if_zero - if_not_zero)
        let difference: Vec<(u32, Fr)> =
            if_zero.iter().copied().chain(if_not_zero.iter().map(|&(wire, value)| (wire, -value))).collect();
        let is_zero = self.emit.temporary();
        self.emit.mul_add(is_zero, &[(k, -Fr::from(1u64))], &[(k_inv, Fr::from(1u64))], &[(0, Fr::from(1u64))]);
        self.emit.mul_add(out, &[(is_zero, Fr::from(1u64))], &difference, &if_not_zero);
        self.learn(out);
        // inverse = (C * k_inv - the known part of its side) / m
        let c_side = scaled(self.rows.terms(partner, Side::C), m_inv, u32::MAX);
        let rest = scaled(self.rows.terms(partner, inverse_side), -m_inv, inverse);
        self.emit.mul_add(inverse, &c_side, &[(k_inv, Fr::from(1u64))], &rest);
        self.emit.hint(inverse, Hint::Inverse);
        self.learn(inverse);
        true
    }

    /// Every quotient that is ready: first those of the shape w * den = num, else any with a right side.
    fn quotients(&mut self) -> bool {
        let ready = self.live_quotients();
        let has_right = |this: &Self, row: u32| !this.rows.terms(row, Side::C).is_empty();
        let plain: Vec<u32> = ready
            .iter()
            .copied()
            .filter(|&row| {
                let side = if self.unknown[row as usize][0] > 0 { Side::A } else { Side::B };
                let terms = self.rows.terms(row, side);
                has_right(self, row)
                    && self.unknown[row as usize][2] == 0
                    && terms.len() == 1
                    && self.rows.is_real(terms[0].0)
            })
            .collect();
        if !plain.is_empty() {
            return self.divide(&plain, Hint::Quotient);
        }
        let other: Vec<u32> = ready.into_iter().filter(|&row| has_right(self, row)).take(1).collect();
        self.divide(&other, Hint::Quotient)
    }

    fn guards(&mut self) -> bool {
        let first: Vec<u32> = self.live_quotients().into_iter().take(1).collect();
        self.divide(&first, Hint::Guard)
    }

    /// (f*w + F) * K = c*w + C, so w = (C - F*K) / (f*K - c). The divisions come last, together.
    fn divide(&mut self, rows: &[u32], hint: Hint) -> bool {
        let mut solved: Vec<(u32, u32, u32)> = Vec::new();
        for &row in rows {
            let Some(wire) = self.the_unknown(row) else { continue };
            if solved.iter().any(|entry| entry.0 == wire) {
                continue;
            }
            let (side, known) = if self.unknown[row as usize][0] > 0 { (Side::A, Side::B) } else { (Side::B, Side::A) };
            let f = self.coefficient(row, side, wire);
            let c = self.coefficient(row, Side::C, wire);
            let Some(f_inv) = invert(&f) else { continue };
            let without = |terms: &[(u32, Fr)], by: Fr| -> Vec<(u32, Fr)> {
                terms.iter().filter(|term| term.0 != wire).map(|&(other, value)| (other, value * by)).collect()
            };
            let factor = self.rows.terms(row, known).to_vec();
            let (num, den) = (self.emit.temporary(), self.emit.temporary());
            let minus_rest = without(self.rows.terms(row, side), -f_inv);
            let right = without(self.rows.terms(row, Side::C), f_inv);
            self.emit.mul_add(num, &minus_rest, &factor, &right);
            let mut divisor = factor;
            if !c.is_zero() {
                divisor.push((0, -c * f_inv));
            }
            self.emit.linear(den, &divisor);
            solved.push((wire, num, den));
        }
        for &(wire, num, den) in &solved {
            self.emit.divide(wire, num, den);
            let Some(row) = self.rows.definition(wire) else {
                self.emit.hint(wire, hint);
                continue;
            };
            for &(term, _) in self.rows.terms(row, Side::C) {
                if self.rows.is_real(term) && !self.known[term as usize] {
                    self.emit.hint(term, hint);
                }
            }
        }
        for &(wire, ..) in &solved {
            self.learn(wire);
        }
        !solved.is_empty()
    }
}
