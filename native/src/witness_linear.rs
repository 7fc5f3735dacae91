//! Joint linear systems: rows whose A and B are known, solved together by sparse elimination.
//!
//! O2 may keep the sum of two products instead of either, so that no row alone has one unknown.

use std::collections::BTreeMap;

use ark_bn254::Fr;
use ark_ff::{Field, Zero};

use crate::witness_plan::Planner;
use crate::witness_rows::Side;

/// Above this many rows or terms an elimination is not tried.
const MAX_ROWS: usize = 2000;
const MAX_TERMS: usize = 200_000;

/// unknowns = sum of multiple * (value of row), where the value of a row is A * B - the known part of C.
#[derive(Clone, Default)]
struct Equation {
    unknowns: BTreeMap<u32, Fr>,
    rows: BTreeMap<u32, Fr>,
}

fn add(to: &mut BTreeMap<u32, Fr>, from: &BTreeMap<u32, Fr>, factor: Fr) {
    for (&key, &value) in from {
        let sum = to.entry(key).or_insert(Fr::zero());
        *sum += value * factor;
        if sum.is_zero() {
            to.remove(&key);
        }
    }
}

impl Equation {
    fn subtract(&mut self, other: &Self, factor: Fr) {
        add(&mut self.unknowns, &other.unknowns, -factor);
        add(&mut self.rows, &other.rows, -factor);
    }
}

/// Brings the pending rows to reduced echelon form and solves every wire that stands alone in one.
pub fn eliminate(planner: &mut Planner<'_>) -> bool {
    let rows: Vec<u32> = planner.pending.iter().copied().filter(|&row| planner.unknown_in(row) > 1).collect();
    let terms: usize = rows.iter().map(|&row| planner.unknown_in(row) as usize).sum();
    if rows.len() < 2 || rows.len() > MAX_ROWS || terms > MAX_TERMS {
        return false;
    }
    let mut solved: BTreeMap<u32, Equation> = BTreeMap::new(); // pivot wire -> equation, pivot coefficient 1
    for row in rows {
        let mut equation = Equation::default();
        for &(wire, value) in planner.rows.terms(row, Side::C) {
            if !planner.known[wire as usize] {
                equation.unknowns.insert(wire, value);
            }
        }
        equation.rows.insert(row, Fr::from(1u64));
        let pivots: Vec<u32> = equation.unknowns.keys().copied().filter(|wire| solved.contains_key(wire)).collect();
        for wire in pivots {
            if let (Some(pivot), Some(&factor)) = (solved.get(&wire), equation.unknowns.get(&wire)) {
                equation.subtract(pivot, factor);
            }
        }
        let Some((&wire, value)) = equation.unknowns.iter().next() else { continue };
        let Some(inverse) = value.inverse() else { continue };
        equation.unknowns.values_mut().chain(equation.rows.values_mut()).for_each(|value| *value *= inverse);
        for other in solved.values_mut() {
            if let Some(&factor) = other.unknowns.get(&wire) {
                other.subtract(&equation, factor);
            }
        }
        solved.insert(wire, equation);
    }
    let mut values: BTreeMap<u32, u32> = BTreeMap::new(); // row -> slot of its value
    let mut done = Vec::new();
    for (wire, equation) in solved.into_iter().filter(|(_, equation)| equation.unknowns.len() == 1) {
        let mut sum = Vec::new();
        for (&row, &multiple) in &equation.rows {
            let slot = *values.entry(row).or_insert_with(|| {
                let unknown: Vec<u32> = planner
                    .rows
                    .terms(row, Side::C)
                    .iter()
                    .map(|term| term.0)
                    .filter(|&wire| !planner.known[wire as usize])
                    .collect();
                let slot = planner.emit.temporary();
                planner.emit_relation(row, slot, Fr::from(1u64), Fr::zero(), &unknown);
                slot
            });
            sum.push((slot, multiple));
        }
        planner.emit.linear(wire, &sum);
        done.push(wire);
    }
    for &wire in &done {
        planner.learn(wire);
    }
    !done.is_empty()
}
