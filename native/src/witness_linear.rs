//! Joint linear systems: what rows whose A and B are known say together.
//!
//! O2 replaces wires by combinations of others, so that a row may hold many unknowns although, as in Poseidon's partial
//! rounds, the next factor (a combination of the same unknowns) follows from the rows so far. The rows are kept in
//! reduced echelon form. Whether a factor is in their span is asked of a random vector of their null space first.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ark_bn254::Fr;
use ark_ff::{One, Zero};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::inverse::invert;
use crate::witness_plan::Planner;
use crate::witness_rows::{combine, Side, Terms};

/// Above this many equations the elimination gives up: the circuit needs hints.
const MAX_EQUATIONS: usize = 20_000;

/// Equations sum = 0 over slots (wires, products), in reduced echelon form with respect to the unknown wires.
pub struct Joint {
    /// Pivot wire, with coefficient 1 -> equation.
    equations: BTreeMap<u32, Terms>,
    /// A vector that satisfies all equations with zero for everything known; random where it is free.
    null: HashMap<u32, Fr>,
    rng: ChaCha8Rng,
}

impl Joint {
    pub fn new() -> Self {
        Self { equations: BTreeMap::new(), null: HashMap::new(), rng: ChaCha8Rng::seed_from_u64(0) }
    }

    fn random(&mut self, wire: u32) -> Fr {
        use ark_ff::UniformRand;
        let rng = &mut self.rng;
        *self.null.entry(wire).or_insert_with(|| Fr::rand(rng))
    }

    /// Replaces the pivots in a combination.
    fn reduce(&self, terms: &[(u32, Fr)]) -> Terms {
        let mut out: HashMap<u32, Fr> = HashMap::with_capacity(2 * terms.len());
        for &(wire, value) in terms {
            match self.equations.get(&wire) {
                None => *out.entry(wire).or_insert(Fr::zero()) += value,
                Some(equation) => {
                    for &(other, inner) in equation.iter().filter(|term| term.0 != wire) {
                        *out.entry(other).or_insert(Fr::zero()) -= inner * value;
                    }
                }
            }
        }
        combine(&out.into_iter().collect::<Terms>(), &[], Fr::zero())
    }

    fn insert(&mut self, equation: &[(u32, Fr)], known: &dyn Fn(u32) -> bool) {
        let reduced = self.reduce(equation);
        let Some(&(pivot, value)) = reduced.iter().find(|term| !known(term.0)) else { return };
        let Some(inverse) = invert(&value) else { return };
        let reduced: Terms = reduced.into_iter().map(|(wire, value)| (wire, value * inverse)).collect();
        for other in self.equations.values_mut() {
            if let Ok(at) = other.binary_search_by_key(&pivot, |term| term.0) {
                *other = combine(other, &reduced, -other[at].1);
            }
        }
        self.equations.insert(pivot, reduced);
    }
}

/// Takes up the pending rows and learns what they say together: wires that stand alone, then factors in their span.
pub fn eliminate(planner: &mut Planner<'_>) -> bool {
    let mut joint = std::mem::replace(&mut planner.joint, Joint::new());
    let n_wires = planner.rows.n_wires;
    let known = planner.known.clone();
    let is_known = |slot: u32| slot as usize >= n_wires || known[slot as usize];
    // Equations whose pivot has become known meanwhile are taken up again.
    let stale: Vec<u32> = joint.equations.keys().copied().filter(|&pivot| is_known(pivot)).collect();
    let mut fresh: Vec<Terms> = stale.iter().filter_map(|pivot| joint.equations.remove(pivot)).collect();
    for row in std::mem::take(&mut planner.pending) {
        if planner.unknown_in(row) < 2 {
            continue;
        }
        if planner.rows.defines(row).is_some_and(|wire| !is_known(wire)) {
            planner.pending.push(row);
            continue;
        }
        let mut equation = planner.rows.terms(row, Side::C).to_vec();
        let (a, b) = (planner.rows.terms(row, Side::A), planner.rows.terms(row, Side::B));
        if !a.is_empty() && !b.is_empty() {
            let product = planner.emit.temporary();
            planner.emit.mul_add(product, a, b, &[]);
            equation.push((product, -Fr::one()));
        }
        fresh.push(combine(&equation, &[], Fr::zero()));
        planner.taken_up.push(row);
    }
    if joint.equations.len() + fresh.len() > MAX_EQUATIONS {
        planner.joint = joint;
        return false;
    }
    for equation in &fresh {
        joint.insert(equation, &is_known);
    }
    let alone = |equation: &Terms| equation.iter().filter(|term| !is_known(term.0)).count() == 1;
    let solved: Vec<u32> =
        joint.equations.iter().filter(|(_, equation)| alone(equation)).map(|(&pivot, _)| pivot).collect();
    let mut progress = !solved.is_empty();
    for &pivot in &solved {
        let Some(equation) = joint.equations.remove(&pivot) else { continue };
        let rest: Terms = equation.iter().filter(|term| term.0 != pivot).map(|&(slot, value)| (slot, -value)).collect();
        planner.emit.linear(pivot, &rest);
    }
    for pivot in solved {
        planner.learn(pivot);
    }
    if !progress {
        for wire in factors_in_span(planner, &mut joint) {
            let Some(row) = planner.rows.definition(wire) else { continue };
            let definition: Terms =
                planner.rows.terms(row, Side::C).iter().copied().filter(|term| term.0 != wire).collect();
            let reduced = joint.reduce(&definition);
            if reduced.iter().all(|term| is_known(term.0)) {
                planner.emit.linear(wire, &reduced);
                planner.learn(wire);
                planner.redundant(row);
                progress = true;
            }
        }
    }
    planner.joint = joint;
    progress
}

/// Unknown made-up wires whose definition vanishes on a null vector of the equations.
fn factors_in_span(planner: &Planner<'_>, joint: &mut Joint) -> BTreeSet<u32> {
    let unknown = |wire: u32| (wire as usize) < planner.rows.n_wires && !planner.known[wire as usize];
    let pivots: Vec<u32> = joint.equations.keys().copied().collect();
    let mut changed: BTreeSet<u32> = BTreeSet::new();
    for &pivot in &pivots {
        let equation = joint.equations.get(&pivot).cloned().unwrap_or_default();
        let free = equation.iter().filter(|term| term.0 != pivot && unknown(term.0));
        let sum: Fr = free.map(|&(wire, value)| joint.random(wire) * value).sum();
        if joint.null.insert(pivot, -sum) != Some(-sum) {
            changed.insert(pivot);
        }
    }
    let rows: BTreeSet<u32> =
        changed.iter().flat_map(|&wire| planner.rows.of_wire(wire)).map(|index| planner.rows.uses[index].0).collect();
    let mut found = BTreeSet::new();
    for row in rows {
        let Some(wire) = planner.rows.defines(row).filter(|&wire| unknown(wire)) else { continue };
        let terms = planner.rows.terms(row, Side::C).iter().filter(|term| term.0 != wire && unknown(term.0));
        let value: Fr = terms.map(|&(other, value)| joint.random(other) * value).sum();
        if value.is_zero() {
            found.insert(wire);
        }
    }
    found
}
