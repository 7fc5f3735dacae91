//! Collects the planner's operations, with each coefficient stored once, and drops what nothing reads.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::{One, Zero};

use crate::witness::{BitOut, Hint, Lc, Op, Plan};
use crate::witness_rows::combine;

pub struct Emitter {
    ops: Vec<Op>,
    terms: Vec<(u32, u32)>,
    coefficients: Vec<Fr>,
    interned: HashMap<Fr, u32>,
    bits: Vec<BitOut>,
    hinted: Vec<(u32, Hint)>,
    n_slots: u32,
}

impl Emitter {
    pub fn new(n_wires: usize) -> Self {
        Self {
            ops: Vec::new(),
            terms: Vec::new(),
            coefficients: vec![Fr::zero()],
            interned: HashMap::from([(Fr::zero(), 0)]),
            bits: Vec::new(),
            hinted: Vec::new(),
            n_slots: n_wires as u32,
        }
    }

    pub fn temporary(&mut self) -> u32 {
        self.n_slots += 1;
        self.n_slots - 1
    }

    pub fn hint(&mut self, wire: u32, hint: Hint) {
        self.hinted.push((wire, hint));
    }

    fn coefficient(&mut self, value: Fr) -> u32 {
        let next = self.coefficients.len() as u32;
        let index = *self.interned.entry(value).or_insert(next);
        if index == next {
            self.coefficients.push(value);
        }
        index
    }

    /// Writes a combination into the table; slot 0 is the constant one.
    fn lc(&mut self, terms: &[(u32, Fr)]) -> Lc {
        let minus_one = -Fr::one();
        let merged = combine(terms, &[], Fr::zero());
        let constant = merged.iter().filter(|term| term.0 == 0).map(|term| term.1).sum();
        let mut lc = Lc { start: self.terms.len() as u32, constant: self.coefficient(constant), ..Lc::default() };
        let wires = || merged.iter().filter(|term| term.0 != 0);
        for &(slot, value) in wires().filter(|term| !term.1.is_one() && term.1 != minus_one) {
            let index = self.coefficient(value);
            self.terms.push((slot, index));
            lc.general += 1;
        }
        for &(slot, _) in wires().filter(|term| term.1.is_one()) {
            self.terms.push((slot, 0));
            lc.plus += 1;
        }
        for &(slot, _) in wires().filter(|term| term.1 == minus_one) {
            self.terms.push((slot, 0));
            lc.minus += 1;
        }
        lc
    }

    pub fn linear(&mut self, to: u32, terms: &[(u32, Fr)]) {
        let c = self.lc(terms);
        self.ops.push(Op::Linear { to, c });
    }

    /// to = a * b + c
    pub fn mul_add(&mut self, to: u32, a: &[(u32, Fr)], b: &[(u32, Fr)], c: &[(u32, Fr)]) {
        let constant = |terms: &[(u32, Fr)]| terms.iter().all(|term| term.0 == 0);
        if constant(a) || constant(b) {
            let (factor, other) = if constant(a) { (a, b) } else { (b, a) };
            let factor: Fr = factor.iter().map(|term| term.1).sum();
            let sum = combine(c, other, factor);
            return self.linear(to, &sum);
        }
        let (a, b, c) = (self.lc(a), self.lc(b), self.lc(c));
        self.ops.push(Op::MulAdd { to, a, b, c });
    }

    pub fn divide(&mut self, to: u32, num: u32, den: u32) {
        self.ops.push(Op::Divide { to, num, den });
    }

    /// outs: (bit, wire, value for 0, value for 1)
    pub fn bits(&mut self, from: u32, outs: &[(u32, u32, Fr, Fr)]) {
        let first = self.bits.len() as u32;
        for &(index, to, zero, one) in outs {
            let out = BitOut { index, to, zero: self.coefficient(zero), one: self.coefficient(one) };
            self.bits.push(out);
        }
        self.ops.push(Op::Bits { from, first, last: self.bits.len() as u32 });
    }

    fn used(&self, lcs: &[Lc], needed: &mut [bool]) {
        for lc in lcs {
            let count = lc.general + lc.plus + lc.minus;
            for term in &self.terms[lc.start as usize..(lc.start + count) as usize] {
                needed[term.0 as usize] = true;
            }
        }
    }

    pub fn finish(mut self, n_wires: usize, given: &[u32]) -> Plan {
        let mut needed = vec![false; self.n_slots as usize];
        needed[..n_wires].fill(true);
        let mut kept = Vec::with_capacity(self.ops.len());
        for op in self.ops.iter().rev() {
            match *op {
                Op::MulAdd { to, a, b, c } if needed[to as usize] => self.used(&[a, b, c], &mut needed),
                Op::Linear { to, c } if needed[to as usize] => self.used(&[c], &mut needed),
                Op::Divide { to, num, den } if needed[to as usize] => {
                    needed[num as usize] = true;
                    needed[den as usize] = true;
                }
                Op::Bits { from, .. } => needed[from as usize] = true,
                _ => continue,
            }
            kept.push(*op);
        }
        kept.reverse();
        self.hinted.sort_unstable();
        Plan {
            n_wires,
            n_slots: self.n_slots as usize,
            given: given.to_vec(),
            ops: kept,
            terms: self.terms,
            coefficients: self.coefficients,
            bits: self.bits,
            hinted: self.hinted,
        }
    }
}
