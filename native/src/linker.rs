//! Links Open -> Step x N -> Close into one system by the names of their public signals.
//!
//! - A public input with the name of one of the block's public inputs (C, X, Y) gets wire 1, 2 or 3.
//! - A public output `foo_out[i]` of Open or of a Step is the public input `foo_in[i]` of the next piece.
//! - Any other public output of Open is a global: the public input of the same name of Step and Close.
//! - A public input `foo_local` is local: public in its small `main` only so that O2 keeps it. O2 drops a private input
//!   that is linear in public signals (`root_out <== root`), and then nothing can be solved from its value.
//! - Everything else is local to its copy. There is one constant-one wire.
//!
//! Names decide, so every name is accounted for: a state element must be declared by Open (out), Step (in and out) and
//! Close (in), whatever N is, and no private signal of a `main` may carry a name that belongs to the interface.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, Write};
use std::sync::Arc;

use crate::circuit::{bare, base_name, Circuit};
use crate::r1cs::{refuse, write_system, Result};
use crate::system::{Piece, System};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Role {
    /// Public input of the block, by its position.
    Final(usize),
    /// Element of the state vector, by its name without `_in` or `_out`.
    In(String),
    Out(String),
    Global,
    /// Not linked.
    Local,
}

/// One public signal of a template.
#[derive(Clone, Debug)]
pub struct Port {
    /// Without `main.`.
    pub name: String,
    pub wire: u32,
    pub role: Role,
}

pub struct Block {
    pub open: Arc<Circuit>,
    pub step: Arc<Circuit>,
    pub close: Arc<Circuit>,
    pub n_steps: usize,
    pub finals: Vec<String>,
    pub system: Arc<System>,
    /// Of Open, Step and Close.
    pub ports: [Vec<Port>; 3],
    labels: Vec<u64>,
    n_labels: u64,
}

/// `foo_out[3]`, `_out` -> `foo[3]`
fn without_suffix(name: &str, suffix: &str) -> Option<String> {
    let base = base_name(name);
    Some(format!("{}{}", base.strip_suffix(suffix)?, &name[base.len()..]))
}

/// `foo[3]`, `_in` -> `foo_in[3]`
pub fn with_suffix(key: &str, suffix: &str) -> String {
    let base = base_name(key);
    format!("{base}{suffix}{}", &key[base.len()..])
}

fn ports(circuit: &Circuit, finals: &[String], globals: Option<&HashSet<String>>) -> Result<Vec<Port>> {
    let (who, is_open, outputs) = (&circuit.name, globals.is_none(), circuit.r1cs.n_public_outputs);
    let mut ports = Vec::new();
    for (index, (signal, wire)) in circuit.public().zip(1u32..).enumerate() {
        let name = bare(&signal.name);
        let is_final = finals.iter().position(|public| public == name);
        let is_global = globals.is_some_and(|globals| globals.contains(name));
        let role = if index < outputs {
            match (without_suffix(name, "_out"), is_final) {
                (_, Some(_)) => {
                    return refuse!("{who}: {name} is a public input of the block and may not be an output")
                }
                (Some(key), _) => Role::Out(key),
                (None, _) if is_open => Role::Global,
                (None, _) => {
                    return refuse!("{who}: public output {name} leads nowhere: only names ending in _out are linked")
                }
            }
        } else {
            match (is_final, without_suffix(name, "_in")) {
                (Some(position), _) => Role::Final(position),
                (None, Some(key)) if !is_open => Role::In(key),
                (None, _) if is_global => Role::Global,
                (None, None) if base_name(name).ends_with("_local") => Role::Local,
                _ => {
                    return refuse!(
                        "{who}: public input {name} has no source: not in {finals:?}, no state, no global of Open"
                    )
                }
            }
        };
        ports.push(Port { name: name.to_owned(), wire, role });
    }
    let n_public = circuit.r1cs.n_public() as u64;
    for signal in circuit.sym.signals.iter().filter(|signal| signal.label > n_public) {
        let name = bare(&signal.name);
        let base = base_name(name);
        let taken = base.ends_with("_in") || base.ends_with("_out") || finals.iter().any(|public| public == base);
        let is_global = |globals: &HashSet<String>| globals.iter().any(|global| base_name(global) == base);
        if name.contains('.') || !(taken || globals.is_some_and(is_global)) {
            continue;
        }
        let state = if signal.wire.is_none() { "was dropped by the optimiser (wire -1)" } else { "is private" };
        return refuse!("{who}: {name} {state}; a name of the interface must be public and kept");
    }
    Ok(ports)
}

fn keys(ports: &[Port], out: bool) -> HashSet<String> {
    let key = |port: &Port| match &port.role {
        Role::In(key) if !out => Some(key.clone()),
        Role::Out(key) if out => Some(key.clone()),
        _ => None,
    };
    ports.iter().filter_map(key).collect()
}

/// Refuses unless the producer's `_out` names and the consumer's `_in` names are the same.
fn same_state(producer: (&str, &[Port]), consumer: (&str, &[Port])) -> Result<()> {
    let (made, used) = (keys(producer.1, true), keys(consumer.1, false));
    let first = |left: &HashSet<String>, right: &HashSet<String>| left.difference(right).min().cloned();
    if let Some(key) = first(&made, &used) {
        let (from, to) = (with_suffix(&key, "_out"), with_suffix(&key, "_in"));
        return refuse!("{}: {from} is not consumed: {} has no public input {to}", producer.0, consumer.0);
    }
    if let Some(key) = first(&used, &made) {
        let (from, to) = (with_suffix(&key, "_out"), with_suffix(&key, "_in"));
        return refuse!("{}: {to} is not produced: {} has no public output {from}", consumer.0, producer.0);
    }
    Ok(())
}

/// The wires of the whole, as pieces are laid one after the other.
struct Layout {
    next: u32,
    finals: u32,
    state: BTreeMap<String, u32>,
    globals: BTreeMap<String, u32>,
    pieces: Vec<Piece>,
    labels: Vec<u64>,
    label_base: u64,
}

impl Layout {
    fn add(&mut self, circuit: &Circuit, ports: &[Port]) -> Result<()> {
        let who = &circuit.name;
        let mut wires = vec![u32::MAX; circuit.r1cs.n_wires];
        wires[0] = 0;
        let mut seen = HashSet::new();
        for port in ports {
            let global = match &port.role {
                Role::Final(position) => Some(1 + *position as u32),
                Role::In(key) => self.state.get(key).copied(),
                Role::Global => self.globals.get(&port.name).copied(),
                Role::Out(_) | Role::Local => continue,
            };
            let is_new_global = global.is_none() && port.role == Role::Global && self.pieces.is_empty();
            let Some(global) = global else {
                if is_new_global {
                    continue;
                }
                return refuse!("{who}: {} has no source", port.name);
            };
            if !seen.insert(global) {
                return refuse!("{who}: {} would share a wire with another public signal", port.name);
            }
            wires[port.wire as usize] = global;
        }
        for (local, wire) in wires.iter_mut().enumerate() {
            if *wire == u32::MAX {
                *wire = self.next;
                let Some(next) = self.next.checked_add(1) else { return refuse!("{who}: more than 2^32 wires") };
                self.next = next;
                self.labels.push(self.label_base + circuit.r1cs.labels[local]);
            }
        }
        let mut state = BTreeMap::new();
        for port in ports {
            let wire = wires[port.wire as usize];
            match &port.role {
                Role::Out(key) => {
                    state.insert(key.clone(), wire);
                }
                Role::Global => {
                    self.globals.insert(port.name.clone(), wire);
                }
                Role::Final(_) if wire == 0 || wire > self.finals => {
                    return refuse!("{who}: {} is not public", port.name)
                }
                _ => {}
            }
        }
        self.state = state;
        self.label_base += circuit.r1cs.n_labels.saturating_sub(1);
        self.pieces.push(Piece { r1cs: circuit.r1cs.clone(), wires: Arc::new(wires) });
        Ok(())
    }
}

impl Block {
    pub fn link(
        open: Arc<Circuit>,
        step: Arc<Circuit>,
        close: Arc<Circuit>,
        n_steps: usize,
        finals: &[String],
    ) -> Result<Self> {
        if n_steps == 0 {
            return refuse!("a block has at least one step");
        }
        if finals.iter().collect::<HashSet<_>>().len() != finals.len() {
            return refuse!("a public input of the block is named twice: {finals:?}");
        }
        let of_open = ports(&open, finals, None)?;
        let globals: HashSet<String> =
            of_open.iter().filter(|port| port.role == Role::Global).map(|port| port.name.clone()).collect();
        let of_step = ports(&step, finals, Some(&globals))?;
        let of_close = ports(&close, finals, Some(&globals))?;
        let [a, b, c] = [
            (open.name.as_str(), &of_open[..]),
            (step.name.as_str(), &of_step[..]),
            (close.name.as_str(), &of_close[..]),
        ];
        for (producer, consumer) in [(a, b), (b, b), (b, c), (a, c)] {
            same_state(producer, consumer)?;
        }
        let all = || of_open.iter().chain(&of_step).chain(&of_close);
        let consumed: HashSet<&str> = of_step
            .iter()
            .chain(&of_close)
            .filter(|port| port.role == Role::Global)
            .map(|port| port.name.as_str())
            .collect();
        if let Some(name) = globals.iter().filter(|name| !consumed.contains(name.as_str())).min() {
            return refuse!("{}: global {name} is consumed by neither Step nor Close", open.name);
        }
        for (position, name) in finals.iter().enumerate() {
            if !all().any(|port| port.role == Role::Final(position)) {
                return refuse!("no template declares the block's public input {name}");
            }
        }
        let k = finals.len() as u32;
        let mut layout = Layout {
            next: k + 1,
            finals: k,
            state: BTreeMap::new(),
            globals: BTreeMap::new(),
            pieces: Vec::with_capacity(n_steps + 2),
            labels: (0..=u64::from(k)).collect(),
            label_base: u64::from(k),
        };
        layout.add(&open, &of_open)?;
        for _ in 0..n_steps {
            layout.add(&step, &of_step)?;
        }
        layout.add(&close, &of_close)?;
        let system = System { pieces: layout.pieces, n_wires: layout.next as usize, n_public: finals.len() };
        Ok(Self {
            open,
            step,
            close,
            n_steps,
            finals: finals.to_vec(),
            system: Arc::new(system),
            ports: [of_open, of_step, of_close],
            labels: layout.labels,
            n_labels: layout.label_base + 1,
        })
    }

    /// The circuit and the ports of a piece: 0 is Open, 1..=N the Steps, N + 1 Close.
    pub fn piece(&self, index: usize) -> (&Arc<Circuit>, &[Port]) {
        match index {
            0 => (&self.open, &self.ports[0]),
            _ if index <= self.n_steps => (&self.step, &self.ports[1]),
            _ => (&self.close, &self.ports[2]),
        }
    }

    pub fn piece_name(&self, index: usize) -> String {
        match index {
            0 => "open".to_owned(),
            _ if index <= self.n_steps => format!("steps[{}]", index - 1),
            _ => "close".to_owned(),
        }
    }

    /// The global wire of `open.foo`, `steps[3].foo`, `close.foo` or a public input, with or without `main.`.
    pub fn wire(&self, name: &str) -> Option<u32> {
        let name = bare(name);
        if let Some(position) = self.finals.iter().position(|public| public == name) {
            return Some(1 + position as u32);
        }
        let (piece, rest) = name.split_once('.')?;
        let index = match piece {
            "open" => 0,
            "close" => self.n_steps + 1,
            _ => {
                1 + piece
                    .strip_prefix("steps[")?
                    .strip_suffix(']')?
                    .parse::<usize>()
                    .ok()
                    .filter(|&step| step < self.n_steps)?
            }
        };
        let local = self.piece(index).0.sym.find(rest)?.wire?;
        self.system.pieces[index].wires.get(local as usize).copied()
    }

    pub fn write_r1cs(&self, out: &mut impl Write) -> io::Result<()> {
        write_system(&self.system, &self.labels, self.n_labels, 0, out)
    }

    /// Signals as a monolithic `main` with components `open`, `steps[i]` and `close` would have them.
    pub fn write_sym(&self, out: &mut impl Write) -> io::Result<()> {
        for (position, name) in self.finals.iter().enumerate() {
            writeln!(out, "{0},{0},0,main.{name}", position + 1)?;
        }
        let (mut label_base, mut component_base) = (self.finals.len() as u64, 1);
        for (index, piece) in self.system.pieces.iter().enumerate() {
            let (circuit, prefix) = (self.piece(index).0, self.piece_name(index));
            for signal in &circuit.sym.signals {
                let wire = signal.wire.map_or(-1, |local| i64::from(piece.wires[local as usize]));
                let (label, component) = (label_base + signal.label, component_base + signal.component);
                writeln!(out, "{label},{wire},{component},main.{prefix}.{}", bare(&signal.name))?;
            }
            label_base += circuit.r1cs.n_labels.saturating_sub(1);
            component_base +=
                circuit.sym.signals.iter().map(|signal| signal.component).max().map_or(0, |last| last + 1);
        }
        Ok(())
    }
}
