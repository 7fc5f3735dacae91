//! The constraints as the planner sees them: indexed by wire, linear ones unfolded, two-valued combinations found.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use ark_bn254::Fr;
use ark_ff::{Field, Zero};

use crate::system::R1cs;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    A,
    B,
    C,
}

impl Side {
    /// The other factor.
    pub fn other(self) -> Self {
        if self == Self::A {
            Self::B
        } else {
            Self::A
        }
    }
}

pub type Terms = Vec<(u32, Fr)>;

pub struct Rows<'a> {
    r1cs: &'a R1cs,
    /// Real wires and, above them, one for each two-valued combination of several wires.
    pub n_wires: usize,
    /// The two values of a wire, where a constraint says that there are only two.
    pub two_valued: Vec<Option<(Fr, Fr)>>,
    /// (row, sides as bits) of each wire, one wire after the other.
    pub uses: Vec<(u32, u8)>,
    starts: Vec<usize>,
    /// Row -> its linear form: 0 * 0 = terms. Rows from `n_constraints` up are combination - its wire = 0.
    linear: HashMap<u32, Terms>,
    n_rows: usize,
    factors: HashMap<u64, Vec<(u32, Side)>>,
}

impl<'a> Rows<'a> {
    pub fn new(r1cs: &'a R1cs) -> Self {
        let mut rows = Self {
            r1cs,
            n_wires: r1cs.n_wires,
            two_valued: vec![None; r1cs.n_wires],
            uses: Vec::new(),
            starts: Vec::new(),
            linear: HashMap::new(),
            n_rows: r1cs.n_constraints(),
            factors: HashMap::new(),
        };
        for row in 0..r1cs.n_constraints() {
            rows.classify(row as u32);
        }
        rows.index();
        rows
    }

    pub fn len(&self) -> usize {
        self.n_rows
    }

    pub fn terms(&self, row: u32, side: Side) -> &[(u32, Fr)] {
        if let Some(terms) = self.linear.get(&row) {
            return if side == Side::C { terms } else { &[] };
        }
        match side {
            Side::A => self.r1cs.a.row(row as usize),
            Side::B => self.r1cs.b.row(row as usize),
            Side::C => self.r1cs.c.row(row as usize),
        }
    }

    /// Whether the wire is in the circuit, not one made up here for a combination.
    pub fn is_real(&self, wire: u32) -> bool {
        (wire as usize) < self.r1cs.n_wires
    }

    pub fn of_wire(&self, wire: u32) -> Range<usize> {
        self.starts[wire as usize]..self.starts[wire as usize + 1]
    }

    /// Wires other than the constant in A, B, C, and in all of them.
    pub fn counts(&self) -> Vec<[u32; 4]> {
        let mut counts = vec![[0; 4]; self.n_rows];
        for &(row, sides) in &self.uses {
            let count = &mut counts[row as usize];
            for (side, count) in count.iter_mut().take(3).enumerate() {
                *count += u32::from(sides >> side & 1);
            }
            count[3] += 1;
        }
        counts
    }

    /// Rows with a factor that is a multiple of this row's: (row, side, multiple).
    pub fn same_factor(&self, row: u32, side: Side) -> Vec<(u32, Side, Fr)> {
        let mine = self.terms(row, side);
        let Some(found) = self.factors.get(&hash_wires(mine)) else { return Vec::new() };
        let others = found.iter().filter(|&&(other, _)| other != row);
        others.filter_map(|&(other, at)| Some((other, at, ratio(mine, self.terms(other, at))?))).collect()
    }

    fn classify(&mut self, row: u32) {
        let [a, b, c] = [Side::A, Side::B, Side::C].map(|side| self.terms(row, side));
        let constant = |terms: &[(u32, Fr)]| terms.iter().all(|term| term.0 == 0);
        if constant(a) || constant(b) {
            let (factor, other) = if constant(a) { (a, b) } else { (b, a) };
            let factor: Fr = factor.iter().map(|term| term.1).sum();
            let folded = combine(c, other, -factor);
            self.linear.insert(row, folded);
            return;
        }
        let (Some((wires, values)), false) = (two_values(a, b, c), constant(a)) else { return };
        if let [(wire, scale)] = wires[..] {
            if let Some(inverse) = scale.inverse() {
                self.two_valued[wire as usize].get_or_insert((values.0 * inverse, values.1 * inverse));
            }
            return;
        }
        let made_up = self.n_wires as u32;
        self.n_wires += 1;
        self.two_valued.push(Some(values));
        let mut terms = wires;
        terms.push((made_up, -Fr::from(1u64)));
        self.linear.insert(self.n_rows as u32, terms);
        self.n_rows += 1;
    }

    fn index(&mut self) {
        let mut all: Vec<(u32, u32, u8)> = Vec::new();
        for row in 0..self.n_rows as u32 {
            let first = all.len();
            for (bit, side) in [Side::A, Side::B, Side::C].into_iter().enumerate() {
                let terms = self.terms(row, side);
                all.extend(terms.iter().filter(|term| term.0 != 0).map(|term| (term.0, row, 1 << bit)));
            }
            all[first..].sort_unstable();
        }
        all.sort_unstable();
        all.dedup_by(|next, kept| {
            let same = next.0 == kept.0 && next.1 == kept.1;
            if same {
                kept.2 |= next.2;
            }
            same
        });
        self.starts = vec![0; self.n_wires + 1];
        for &(wire, ..) in &all {
            self.starts[wire as usize + 1] += 1;
        }
        for wire in 0..self.n_wires {
            self.starts[wire + 1] += self.starts[wire];
        }
        self.uses = all.into_iter().map(|(_, row, sides)| (row, sides)).collect();
        for row in 0..self.r1cs.n_constraints() as u32 {
            if self.linear.contains_key(&row) {
                continue;
            }
            for side in [Side::A, Side::B] {
                let key = hash_wires(self.terms(row, side));
                self.factors.entry(key).or_default().push((row, side));
            }
        }
    }
}

fn hash_wires(terms: &[(u32, Fr)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut wires: Vec<u32> = terms.iter().map(|term| term.0).collect();
    wires.sort_unstable();
    wires.hash(&mut hasher);
    hasher.finish()
}

/// `other / mine`, when it is the same for every term.
fn ratio(mine: &[(u32, Fr)], other: &[(u32, Fr)]) -> Option<Fr> {
    let find = |wire: u32| other.iter().find(|term| term.0 == wire).map(|term| term.1);
    let (first, rest) = mine.split_first()?;
    let quotient = find(first.0)? * first.1.inverse()?;
    let same = mine.len() == other.len() && rest.iter().all(|term| find(term.0) == Some(term.1 * quotient));
    same.then_some(quotient)
}

/// `c + factor * other`, sorted by wire, without zeros.
pub fn combine(c: &[(u32, Fr)], other: &[(u32, Fr)], factor: Fr) -> Terms {
    let mut sum: Terms = c.iter().copied().chain(other.iter().map(|&(wire, value)| (wire, value * factor))).collect();
    sum.sort_unstable_by_key(|term| term.0);
    sum.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    sum.retain(|term| !term.1.is_zero());
    sum
}

/// When the row is a quadratic equation in one combination L of wires: L, without its constant, and its two roots.
fn two_values(a: &[(u32, Fr)], b: &[(u32, Fr)], c: &[(u32, Fr)]) -> Option<(Terms, (Fr, Fr))> {
    let split = |terms: &[(u32, Fr)]| -> (Terms, Fr) {
        let constant = terms.iter().filter(|term| term.0 == 0).map(|term| term.1).sum();
        (terms.iter().filter(|term| term.0 != 0).copied().collect(), constant)
    };
    if a.len().abs_diff(b.len()) > 1 {
        return None;
    }
    let ((l, a0), (m, b0), (n, c0)) = (split(a), split(b), split(c));
    let beta = ratio(&l, &m)?;
    let gamma = if n.is_empty() { Fr::zero() } else { ratio(&l, &n)? };
    // (L + a0) (beta L + b0) = gamma L + c0
    if gamma.is_zero() && c0.is_zero() {
        return Some((l, (-a0, -b0 * beta.inverse()?)));
    }
    let linear = a0 * beta + b0 - gamma;
    let constant = a0 * b0 - c0;
    let root = (linear.square() - Fr::from(4u64) * beta * constant).sqrt()?;
    let half = (beta + beta).inverse()?;
    Some((l, ((-linear - root) * half, (root - linear) * half)))
}
