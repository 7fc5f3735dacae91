//! Our witness generator: a straight-line plan computed once from the constraints, then run for any inputs.
//!
//! circom's own generator takes 318 ms a step (WASM under node); nearly all it does is implied by the constraints. The planner finds, for
//! every wire, one constraint that gives it from wires already known:
//!
//! 1. *determined*: the only unknown, linear, with a constant coefficient; or joint linear systems of such;
//! 2. *bits*: a linear relation over two-valued wires with coefficients c * (1, 2, 4, ...);
//! 3. *is-zero*: k * inverse = 1 - out together with k * out = 0;
//! 4. *quotient*: the only unknown, times a known value. Where that value is 0 the wire is set to 0;
//! 5. *guard*: like 4, from a product that must be 0; taken last.
//!
//! So a wire of the first kind cannot have another value in a valid witness with the same inputs; the others are
//! *hinted* and listed by [`Plan::hinted`]. Nothing here decides validity: [`check`] evaluates every constraint.

use std::fmt;

use ark_bn254::Fr;
use ark_ff::{PrimeField, Zero};
use rayon::prelude::*;

use crate::circuit::Circuit;
use crate::r1cs::Result;
use crate::system::{Matrix, Piece, System};

pub use crate::witness_exec::solve_many;
pub use crate::witness_plan::plan;

/// Why a wire of a plan isn't determined by a constraint with a constant coefficient.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Hint {
    Bit,
    /// A bit of a decomposition 254 bits wide, which alone allows v and v + r.
    AliasedBit,
    Inverse,
    Quotient,
    Guard,
}

impl fmt::Display for Hint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bit => "bit",
            Self::AliasedBit => "aliased bit",
            Self::Inverse => "inverse",
            Self::Quotient => "quotient",
            Self::Guard => "guard",
        })
    }
}

/// A linear combination over slots, in the plan's term table: general coefficients first, then +1, then -1.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lc {
    pub start: u32,
    pub general: u32,
    pub plus: u32,
    pub minus: u32,
    /// Constant term, an index into the coefficients (0 is zero).
    pub constant: u32,
}

impl Lc {
    /// General terms, those with coefficient +1, and those with -1.
    #[inline(always)]
    pub(crate) fn terms(self, plan: &Plan) -> (&[Term], &[Term], &[Term]) {
        let all = &plan.terms[self.start as usize..][..(self.general + self.plus + self.minus) as usize];
        let (general, units) = all.split_at(self.general as usize);
        let (plus, minus) = units.split_at(self.plus as usize);
        (general, plus, minus)
    }
}

/// (slot, coefficient index); the coefficient of a +1 or -1 term is not read.
pub type Term = (u32, u32);

#[derive(Clone, Copy, Debug)]
pub enum Op {
    /// slot = a * b + c
    MulAdd { to: u32, a: Lc, b: Lc, c: Lc },
    /// slot = c
    Linear { to: u32, c: Lc },
    /// slot = num / den, or 0 where den is 0. Neighbours are independent of each other and share inversions.
    Divide { to: u32, num: u32, den: u32 },
    /// Bits of a slot: `bits[first..last]`.
    Bits { from: u32, first: u32, last: u32 },
}

/// slot = bit `index` of the source ? `one` : `zero` (indices into the coefficients).
#[derive(Clone, Copy, Debug)]
pub struct BitOut {
    pub index: u32,
    pub to: u32,
    pub zero: u32,
    pub one: u32,
}

/// Slots 0..n_wires are the wires, those above are temporary.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    pub n_wires: usize,
    pub n_slots: usize,
    pub given: Vec<u32>,
    pub ops: Vec<Op>,
    pub terms: Vec<Term>,
    pub coefficients: Vec<Fr>,
    pub bits: Vec<BitOut>,
    pub hinted: Vec<(u32, Hint)>,
}

/// One solving job: values of the plan's given wires, and wires that are to keep a value whatever the plan says.
#[derive(Clone, Debug, Default)]
pub struct Job {
    pub given: Vec<(u32, Fr)>,
    pub forced: Vec<(u32, Fr)>,
}

/// The first row that a witness violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    pub piece: usize,
    pub row: usize,
    pub sides: [Fr; 3],
}

fn evaluate(row: &[(u32, Fr)], piece: &Piece, values: &[Fr]) -> Fr {
    row.iter().map(|(wire, coefficient)| values[piece.wires[*wire as usize] as usize] * coefficient).sum()
}

/// Evaluates every row of every piece; `values` must cover the system's wires.
pub fn check(system: &System, values: &[Fr]) -> std::result::Result<(), Violation> {
    let rows: Vec<(usize, usize)> = (0..system.pieces.len())
        .flat_map(|piece| (0..system.pieces[piece].r1cs.n_constraints()).step_by(1024).map(move |row| (piece, row)))
        .collect();
    let found = rows.par_iter().find_map_first(|&(index, first)| {
        let piece = &system.pieces[index];
        let last = piece.r1cs.n_constraints().min(first + 1024);
        (first..last).find_map(|row| {
            let side = |matrix: &Matrix| evaluate(matrix.row(row), piece, values);
            let sides = [side(&piece.r1cs.a), side(&piece.r1cs.b), side(&piece.r1cs.c)];
            (sides[0] * sides[1] != sides[2]).then_some(Violation { piece: index, row, sides })
        })
    });
    found.map_or(Ok(()), Err)
}

/// A row as text, with signal names: `(a + 2*b) * (c) = d`, and what each side came to.
pub fn render(circuit: &Circuit, violation: &Violation) -> String {
    let row = |matrix: &Matrix| render_terms(circuit, matrix.row(violation.row));
    let [a, b, c] = violation.sides.map(|side| small(&side));
    format!(
        "row {}: ({}) * ({}) = {} | {a} * {b} != {c}",
        violation.row,
        row(&circuit.r1cs.a),
        row(&circuit.r1cs.b),
        row(&circuit.r1cs.c)
    )
}

const SHOWN_TERMS: usize = 5;

fn render_terms(circuit: &Circuit, terms: &[(u32, Fr)]) -> String {
    if terms.is_empty() {
        return "0".to_owned();
    }
    let mut parts: Vec<String> = terms
        .iter()
        .take(SHOWN_TERMS)
        .map(|(wire, coefficient)| match (circuit.wire_name(*wire), small(coefficient)) {
            (name, factor) if name == "1" => factor,
            (name, factor) if factor == "1" => name,
            (name, factor) if factor == "-1" => format!("-{name}"),
            (name, factor) => format!("{factor}*{name}"),
        })
        .collect();
    if terms.len() > SHOWN_TERMS {
        parts.push(format!("... {} more", terms.len() - SHOWN_TERMS));
    }
    parts.join(" + ")
}

/// Decimal, with values near r as negative ones.
fn small(value: &Fr) -> String {
    let opposite = -*value;
    if !opposite.is_zero() && opposite.into_bigint() < value.into_bigint() {
        format!("-{}", opposite.into_bigint())
    } else {
        value.into_bigint().to_string()
    }
}

/// Solves one job.
pub fn solve(plan: &Plan, job: &Job) -> Result<Vec<Fr>> {
    let mut solved = solve_many(plan, std::slice::from_ref(job))?;
    Ok(solved.pop().unwrap_or_default())
}
