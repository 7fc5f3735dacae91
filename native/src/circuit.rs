//! One compiled circom `main`: its constraints, its signal names and its interface.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use ark_bn254::Fr;

use crate::r1cs::{refuse, Result};
use crate::sym::{Signal, Sym};
use crate::system::{R1cs, System};
use crate::witness::{self, Plan};

/// A value for a signal, named with or without `main.`.
pub type Assignment = (String, Fr);

pub struct Circuit {
    pub r1cs: Arc<R1cs>,
    pub sym: Sym,
    /// What errors call this circuit.
    pub name: String,
    wire_names: Vec<u32>,
    plans: Mutex<HashMap<Vec<u32>, Arc<Plan>>>,
}

impl Circuit {
    pub fn new(name: &str, r1cs: R1cs, sym: Sym) -> Result<Self> {
        let mut wire_names = vec![u32::MAX; r1cs.n_wires];
        for (index, signal) in sym.signals.iter().enumerate() {
            let Some(wire) = signal.wire else { continue };
            let Some(slot) = wire_names.get_mut(wire as usize) else {
                return refuse!("{name}: .sym: {} has wire {wire} of {}", signal.name, r1cs.n_wires);
            };
            if *slot == u32::MAX || r1cs.labels.get(wire as usize) == Some(&signal.label) {
                *slot = index as u32;
            }
        }
        let interface = (r1cs.n_public() + r1cs.n_private_inputs) as u64;
        if let Some(label) = (1..=interface).find(|&label| sym.by_label(label).is_none()) {
            return refuse!("{name}: .sym has no signal with label {label}, and {interface} are in the interface");
        }
        let circuit = Self { r1cs: Arc::new(r1cs), sym, name: name.to_owned(), wire_names, plans: Mutex::default() };
        for (signal, wire) in circuit.public().zip(1u32..) {
            if signal.wire != Some(wire) {
                let why = match signal.wire {
                    None => "was dropped by the optimiser (wire -1); it must be public and kept".to_owned(),
                    Some(other) => {
                        format!("has wire {other}, expected {wire}: two public signals were merged or moved")
                    }
                };
                return refuse!("{name}: public signal {} {why}", bare(&signal.name));
            }
        }
        Ok(circuit)
    }

    fn labelled(&self, first: usize, count: usize) -> impl Iterator<Item = &Signal> {
        // circom numbers labels as it numbers the interface: outputs, public inputs, private inputs.
        (first as u64 + 1..=(first + count) as u64).filter_map(|label| self.sym.by_label(label))
    }

    /// Public outputs, then public inputs, in wire order.
    pub fn public(&self) -> impl Iterator<Item = &Signal> {
        self.labelled(0, self.r1cs.n_public())
    }

    pub fn public_outputs(&self) -> impl Iterator<Item = &Signal> {
        self.labelled(0, self.r1cs.n_public_outputs)
    }

    pub fn public_inputs(&self) -> impl Iterator<Item = &Signal> {
        self.labelled(self.r1cs.n_public_outputs, self.r1cs.n_public_inputs)
    }

    /// Public, then private inputs. A private one may have been dropped by the optimiser.
    pub fn inputs(&self) -> impl Iterator<Item = &Signal> {
        self.labelled(self.r1cs.n_public_outputs, self.r1cs.n_public_inputs + self.r1cs.n_private_inputs)
    }

    pub fn system(&self) -> System {
        System {
            n_wires: self.r1cs.n_wires,
            n_public: self.r1cs.n_public(),
            pieces: vec![crate::system::Piece {
                r1cs: self.r1cs.clone(),
                wires: Arc::new((0..self.r1cs.n_wires as u32).collect()),
            }],
        }
    }

    /// The name of a wire without `main.`; a wire without a signal is called by its number.
    pub fn wire_name(&self, wire: u32) -> String {
        if wire == 0 {
            return "1".to_owned();
        }
        let index = self.wire_names.get(wire as usize).copied().unwrap_or(u32::MAX);
        match self.sym.signals.get(index as usize) {
            Some(signal) => bare(&signal.name).to_owned(),
            None => format!("wire {wire}"),
        }
    }

    /// Maps named values to wires. Every input must be there; values of internal signals are taken as hints.
    pub fn assign(&self, values: &[Assignment]) -> Result<Vec<(u32, Fr)>> {
        let mut given: HashMap<u64, &str> = HashMap::with_capacity(values.len());
        let mut wires = Vec::with_capacity(values.len());
        for (name, value) in values {
            let Some(signal) = self.sym.find(name) else {
                return refuse!("{}: {}", self.name, self.unknown(name));
            };
            if given.insert(signal.label, name).is_some() {
                return refuse!("{}: signal {} is given twice", self.name, bare(&signal.name));
            }
            let is_input = signal.label <= (self.r1cs.n_public() + self.r1cs.n_private_inputs) as u64;
            match signal.wire {
                Some(wire) => wires.push((wire, *value)),
                None if is_input => {}
                None => {
                    return refuse!(
                        "{}: {} was dropped by the optimiser and takes no value",
                        self.name,
                        bare(&signal.name)
                    )
                }
            }
        }
        let missing: Vec<&str> = self
            .inputs()
            .filter(|signal| !given.contains_key(&signal.label))
            .map(|signal| bare(&signal.name))
            .collect();
        if !missing.is_empty() {
            return refuse!("{}: missing input {}", self.name, shorten(&missing));
        }
        merge_same_wire(self, wires)
    }

    fn unknown(&self, name: &str) -> String {
        let base = base_name(bare(name));
        let elements = self.inputs().filter(|signal| base_name(bare(&signal.name)) == base);
        match elements.last() {
            Some(last) => {
                format!("wrong shape: there is no {name}; the last element of {base} is {}", bare(&last.name))
            }
            None => format!("unknown input {name}"),
        }
    }

    /// The plan that solves this circuit when the wires in `given` have values, computed once per set.
    pub fn plan(&self, given: &[(u32, Fr)]) -> Result<Arc<Plan>> {
        let mut key: Vec<u32> = given.iter().map(|pair| pair.0).collect();
        key.sort_unstable();
        key.dedup();
        let mut plans = self.plans.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(plan) = plans.get(&key) {
            return Ok(plan.clone());
        }
        let plan = Arc::new(witness::plan(self, &key)?);
        plans.insert(key, plan.clone());
        Ok(plan)
    }
}

fn merge_same_wire(circuit: &Circuit, mut wires: Vec<(u32, Fr)>) -> Result<Vec<(u32, Fr)>> {
    wires.sort_unstable_by_key(|pair| pair.0);
    for pair in wires.windows(2) {
        if pair[0].0 == pair[1].0 && pair[0].1 != pair[1].1 {
            return refuse!("{}: two values for {} (signals on one wire)", circuit.name, circuit.wire_name(pair[0].0));
        }
    }
    wires.dedup_by_key(|pair| pair.0);
    Ok(wires)
}

/// A signal's name without the leading `main.`.
pub fn bare(name: &str) -> &str {
    name.strip_prefix("main.").unwrap_or(name)
}

/// `foo[1][2]` without its trailing indices.
pub fn base_name(name: &str) -> &str {
    let mut base = name;
    while let Some(head) = base.strip_suffix(']').and_then(|rest| rest.rfind('[').map(|at| &rest[..at])) {
        base = head;
    }
    base
}

/// Joins names for an error, at most twelve of them.
pub fn shorten(names: &[impl AsRef<str>]) -> String {
    let shown: Vec<&str> = names.iter().take(12).map(AsRef::as_ref).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}
