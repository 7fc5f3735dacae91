//! The constraints as the planner sees them: indexed by wire, linear ones unfolded, factors named.
//!
//! O2 leaves factors of up to hundreds of terms, each used in several rows (x * x, x4 * x). Every such combination,
//! without its constant and up to a multiple, becomes one *made-up* wire with a defining row: terms - wire = 0.
//! So it is computed once, and it can be known while its terms are not (see [`crate::witness_linear`]).

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};

use crate::inverse::invert;
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
    /// Real wires and, above them, the made-up ones.
    pub n_wires: usize,
    /// The two values of a wire, where a constraint says that there are only two.
    pub two_valued: Vec<Option<(Fr, Fr)>>,
    /// (row, sides as bits) of each wire, one wire after the other.
    pub uses: Vec<(u32, u8)>,
    starts: Vec<usize>,
    /// Of each constraint that is linear, 0 * 0 = terms.
    linear: Vec<Option<Terms>>,
    /// The rows from `n_constraints` up, linear too: they define the made-up wires in order.
    definitions: Vec<Terms>,
    /// A and B of the other rows: at most one wire and a constant.
    factors: Vec<[Terms; 2]>,
    defined: HashMap<u64, Vec<u32>>,
    same: HashMap<u64, Vec<(u32, Side)>>,
}

impl<'a> Rows<'a> {
    pub fn new(r1cs: &'a R1cs) -> Self {
        let mut rows = Self {
            r1cs,
            n_wires: r1cs.n_wires,
            two_valued: vec![None; r1cs.n_wires],
            uses: Vec::new(),
            starts: Vec::new(),
            linear: Vec::with_capacity(r1cs.n_constraints()),
            definitions: Vec::new(),
            factors: Vec::with_capacity(r1cs.n_constraints()),
            defined: HashMap::new(),
            same: HashMap::new(),
        };
        for row in 0..r1cs.n_constraints() {
            rows.classify(row);
        }
        rows.index();
        rows
    }

    pub fn len(&self) -> usize {
        self.r1cs.n_constraints() + self.n_wires - self.r1cs.n_wires
    }

    pub fn terms(&self, row: u32, side: Side) -> &[(u32, Fr)] {
        let index = row as usize;
        let linear = match index.checked_sub(self.r1cs.n_constraints()) {
            Some(made_up) => self.definitions.get(made_up),
            None => self.linear[index].as_ref(),
        };
        match (linear, side) {
            (Some(terms), Side::C) => terms,
            (Some(_), _) => &[],
            (None, Side::A) => &self.factors[index][0],
            (None, Side::B) => &self.factors[index][1],
            (None, Side::C) => self.r1cs.c.row(index),
        }
    }

    /// Whether the wire is in the circuit, not made up here.
    pub fn is_real(&self, wire: u32) -> bool {
        (wire as usize) < self.r1cs.n_wires
    }

    /// The row that defines a made-up wire.
    pub fn definition(&self, wire: u32) -> Option<u32> {
        (!self.is_real(wire)).then(|| (self.r1cs.n_constraints() + wire as usize - self.r1cs.n_wires) as u32)
    }

    /// The made-up wire that a row defines.
    pub fn defines(&self, row: u32) -> Option<u32> {
        let index = (row as usize).checked_sub(self.r1cs.n_constraints())?;
        Some((self.r1cs.n_wires + index) as u32)
    }

    /// Terms with every made-up wire replaced by its definition.
    pub fn expand(&self, terms: &[(u32, Fr)]) -> Terms {
        let mut out = Terms::new();
        for &(wire, value) in terms {
            match self.definition(wire) {
                None => out.push((wire, value)),
                Some(row) => {
                    let inner = self.terms(row, Side::C).iter().filter(|term| term.0 != wire);
                    out.extend(inner.map(|&(wire, inner)| (wire, inner * value)));
                }
            }
        }
        combine(&out, &[], Fr::zero())
    }

    pub fn of_wire(&self, wire: u32) -> Range<usize> {
        self.starts[wire as usize]..self.starts[wire as usize + 1]
    }

    /// Wires other than the constant in A, B, C, and in all of them.
    pub fn counts(&self) -> Vec<[u32; 4]> {
        let mut counts = vec![[0; 4]; self.len()];
        for &(row, sides) in &self.uses {
            let count = &mut counts[row as usize];
            for (side, count) in count.iter_mut().take(3).enumerate() {
                *count += u32::from(sides >> side & 1);
            }
            count[3] += 1;
        }
        counts
    }

    /// Rows with a factor that is a multiple of this row's: (row, side).
    pub fn same_factor(&self, row: u32, side: Side) -> Vec<(u32, Side)> {
        let mine = self.terms(row, side);
        let Some(found) = self.same.get(&hash_wires(mine)) else { return Vec::new() };
        let others = found.iter().filter(|&&(other, at)| other != row && is_multiple(mine, self.terms(other, at)));
        others.copied().collect()
    }

    fn classify(&mut self, row: usize) {
        let r1cs = self.r1cs;
        let (a, b, c) = (r1cs.a.row(row), r1cs.b.row(row), r1cs.c.row(row));
        let constant = |terms: &[(u32, Fr)]| terms.iter().all(|term| term.0 == 0);
        if constant(a) || constant(b) {
            let (factor, other) = if constant(a) { (a, b) } else { (b, a) };
            let factor: Fr = factor.iter().map(|term| term.1).sum();
            self.linear.push(Some(combine(c, other, -factor)));
            self.factors.push([Terms::new(), Terms::new()]);
            return;
        }
        self.linear.push(None);
        let factors = [self.name_factor(a), self.name_factor(b)];
        if let Some((wire, (first, second))) = two_values(&factors[0], &factors[1], c) {
            // Zero first: the bits of a value count its ones, whichever way b * (b - 1) is written.
            let values = if second.is_zero() { (second, first) } else { (first, second) };
            self.two_valued[wire as usize].get_or_insert(values);
        }
        self.factors.push(factors);
    }

    /// The factor as multiple * wire + constant.
    fn name_factor(&mut self, factor: &[(u32, Fr)]) -> Terms {
        let factor = combine(factor, &[], Fr::zero());
        let (constant, wires): (Terms, Terms) = factor.into_iter().partition(|term| term.0 == 0);
        let Some(&(first, multiple)) = wires.first() else { return constant };
        let mut named = constant;
        let Some(inverse) = (wires.len() > 1).then(|| invert(&multiple)).flatten() else {
            named.push((first, multiple));
            return named;
        };
        let terms: Terms = wires.iter().map(|&(wire, value)| (wire, value * inverse)).collect();
        let mut hasher = DefaultHasher::new();
        terms.hash(&mut hasher);
        let key = hasher.finish();
        let known = self.defined.get(&key).into_iter().flatten().copied().find(|&wire| {
            let found = &self.definitions[wire as usize - self.r1cs.n_wires];
            found[..found.len() - 1] == terms[..]
        });
        let wire = known.unwrap_or_else(|| {
            let wire = self.n_wires as u32;
            self.n_wires += 1;
            self.two_valued.push(None);
            self.defined.entry(key).or_default().push(wire);
            let mut row = terms;
            row.push((wire, -Fr::one()));
            self.definitions.push(row);
            wire
        });
        named.push((wire, multiple));
        named
    }

    fn index(&mut self) {
        let mut all: Vec<(u32, u32, u8)> = Vec::new();
        for row in 0..self.len() as u32 {
            for (bit, side) in [Side::A, Side::B, Side::C].into_iter().enumerate() {
                let terms = self.terms(row, side);
                all.extend(terms.iter().filter(|term| term.0 != 0).map(|term| (term.0, row, 1 << bit)));
            }
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
            for side in [Side::A, Side::B] {
                let terms = self.terms(row, side);
                if !terms.is_empty() {
                    let key = hash_wires(terms);
                    self.same.entry(key).or_default().push((row, side));
                }
            }
        }
    }
}

fn hash_wires(terms: &[(u32, Fr)]) -> u64 {
    let mut hasher = DefaultHasher::new();
    terms.iter().for_each(|term| term.0.hash(&mut hasher));
    hasher.finish()
}

/// Whether `other / mine` is the same for every term.
fn is_multiple(mine: &[(u32, Fr)], other: &[(u32, Fr)]) -> bool {
    let (Some((_, of_mine)), Some((_, of_other))) = (mine.first(), other.first()) else { return false };
    let same = |(mine, other): (&(u32, Fr), &(u32, Fr))| mine.0 == other.0 && mine.1 * of_other == other.1 * of_mine;
    mine.len() == other.len() && mine.iter().zip(other).all(same)
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

/// When the row is a quadratic equation in one wire: the wire and the two roots.
fn two_values(a: &[(u32, Fr)], b: &[(u32, Fr)], c: &[(u32, Fr)]) -> Option<(u32, (Fr, Fr))> {
    let wire = a.last()?.0;
    let at = |terms: &[(u32, Fr)], wire: u32| terms.iter().filter(|term| term.0 == wire).map(|term| term.1).sum::<Fr>();
    if b.last()?.0 != wire || c.iter().any(|term| term.0 != 0 && term.0 != wire) {
        return None;
    }
    let ([a0, a1], [b0, b1], [c0, c1]) = [a, b, c].map(|terms| [at(terms, 0), at(terms, wire)]).into();
    if c0.is_zero() && c1.is_zero() {
        return Some((wire, (-a0 * invert(&a1)?, -b0 * invert(&b1)?)));
    }
    let (square, linear, constant) = (a1 * b1, a0 * b1 + a1 * b0 - c1, a0 * b0 - c0);
    let root = (linear.square() - Fr::from(4u64) * square * constant).sqrt()?;
    let half = invert(&(square + square))?;
    Some((wire, ((-linear - root) * half, (root - linear) * half)))
}
