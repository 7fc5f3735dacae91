//! circom's `.sym`: one line `label,wire,component,name` per signal; wire -1 means that the optimiser dropped it.

use std::collections::HashMap;

use crate::r1cs::{refuse, Result};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    pub label: u64,
    /// None when the optimiser dropped the signal.
    pub wire: Option<u32>,
    pub component: u64,
    /// Full name, such as `main.hash.inputs[3]`.
    pub name: String,
}

#[derive(Clone, Debug, Default)]
pub struct Sym {
    pub signals: Vec<Signal>,
    by_name: HashMap<String, u32>,
    by_label: HashMap<u64, u32>,
}

impl Sym {
    pub fn read(text: &str) -> Result<Self> {
        let mut sym = Self::default();
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_end();
            if line.is_empty() {
                continue;
            }
            sym.push(parse(line, number + 1)?)?;
        }
        Ok(sym)
    }

    fn push(&mut self, signal: Signal) -> Result<()> {
        let index = self.signals.len() as u32;
        if self.by_name.insert(signal.name.clone(), index).is_some() {
            return refuse!(".sym: signal {} appears twice", signal.name);
        }
        if self.by_label.insert(signal.label, index).is_some() {
            return refuse!(".sym: label {} appears twice ({})", signal.label, signal.name);
        }
        self.signals.push(signal);
        Ok(())
    }

    /// Finds a signal by its full name, or without the leading `main.`.
    pub fn find(&self, name: &str) -> Option<&Signal> {
        let index = self.by_name.get(name).or_else(|| self.by_name.get(&format!("main.{name}")))?;
        self.signals.get(*index as usize)
    }

    pub fn by_label(&self, label: u64) -> Option<&Signal> {
        self.signals.get(*self.by_label.get(&label)? as usize)
    }
}

fn parse(line: &str, number: usize) -> Result<Signal> {
    let fields: Vec<&str> = line.splitn(4, ',').collect();
    let [label, wire, component, name] = fields[..] else {
        return refuse!(".sym line {number}: label,wire,component,name expected, got {line:?}");
    };
    let (Ok(label), Ok(wire), Ok(component)) = (label.parse(), wire.parse::<i64>(), component.parse()) else {
        return refuse!(".sym line {number}: not a number in {line:?}");
    };
    let wire = match wire {
        -1 => None,
        _ => match u32::try_from(wire) {
            Ok(wire) => Some(wire),
            Err(_) => return refuse!(".sym line {number}: wire {wire}"),
        },
    };
    if name.is_empty() {
        return refuse!(".sym line {number}: no name");
    }
    Ok(Signal { label, wire, component, name: name.to_owned() })
}
