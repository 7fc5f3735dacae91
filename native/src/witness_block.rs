//! The witness of a block: Open, then the Steps, in parallel if all give their `_in` values, beside them Close if it does too.

use std::collections::{HashMap, HashSet};

use ark_bn254::Fr;
use rayon::prelude::*;

use crate::circuit::{bare, Assignment, Circuit};
use crate::linker::{with_suffix, Block, Port, Role};
use crate::r1cs::{refuse, CircuitError, Result};
use crate::witness::{check, render, solve_many, Job};

type Values = HashMap<String, Fr>;

/// Values carried from piece to piece.
struct Carried {
    finals: Vec<Fr>,
    globals: Values,
}

/// Solves one circuit for several assignments; those that give the same wires share a plan and go in lanes.
pub fn solve_assignments(circuit: &Circuit, assignments: &[Vec<Assignment>]) -> Result<Vec<Vec<Fr>>> {
    let jobs = assignments
        .iter()
        .map(|values| Ok(Job { given: circuit.assign(values)?, forced: Vec::new() }))
        .collect::<Result<Vec<Job>>>()?;
    let Some(first) = jobs.first() else { return Ok(Vec::new()) };
    let wires = |job: &Job| job.given.iter().map(|pair| pair.0).collect::<Vec<u32>>();
    let key = wires(first);
    if jobs.iter().all(|job| wires(job) == key) {
        return solve_many(&*circuit.plan(&first.given)?, &jobs);
    }
    let one = |job: &Job| -> Result<Vec<Fr>> {
        let mut solved = solve_many(&*circuit.plan(&job.given)?, std::slice::from_ref(job))?;
        Ok(solved.pop().unwrap_or_default())
    };
    jobs.par_iter().map(one).collect()
}

fn in_piece(name: &str) -> impl FnOnce(CircuitError) -> CircuitError + '_ {
    move |error| CircuitError(format!("{name}: {error}"))
}

fn disagrees(name: &str, given: Fr, source: &str, value: Fr) -> CircuitError {
    CircuitError(format!("{name} is given as {given}, but {source} gives {value}"))
}

/// Adds a value that follows from elsewhere; when the caller gave it too, both must agree.
fn fill(values: &mut Vec<Assignment>, name: &str, value: Fr, source: &str) -> Result<()> {
    match values.iter().find(|pair| bare(&pair.0) == name) {
        Some((_, given)) if *given != value => Err(disagrees(name, *given, source, value)),
        Some(_) => Ok(()),
        None => {
            values.push((name.to_owned(), value));
            Ok(())
        }
    }
}

impl Carried {
    /// Public inputs and globals of a piece, for those that it declares.
    fn fill(&self, ports: &[Port], values: &mut Vec<Assignment>) -> Result<()> {
        for port in ports {
            match port.role {
                Role::Final(position) => fill(values, &port.name, self.finals[position], "the block")?,
                Role::Global => match self.globals.get(&port.name) {
                    Some(&value) => fill(values, &port.name, value, "open")?,
                    None => continue, // Open itself
                },
                _ => {}
            }
        }
        Ok(())
    }
}

fn output_wires(ports: &[Port]) -> HashMap<&str, u32> {
    let mut wires = HashMap::new();
    for Port { role, wire, .. } in ports {
        if let Role::Out(key) = role {
            wires.insert(key.as_str(), *wire);
        }
    }
    wires
}

fn outputs(ports: &[Port], witness: &[Fr]) -> Values {
    output_wires(ports).into_iter().map(|(key, wire)| (key.to_owned(), witness[wire as usize])).collect()
}

fn fill_state(ports: &[Port], state: &Values, source: &str, values: &mut Vec<Assignment>) -> Result<()> {
    for port in ports {
        if let Role::In(key) = &port.role {
            if let Some(&value) = state.get(key) {
                fill(values, &port.name, value, &format!("{} of {source}", with_suffix(key, "_out")))?;
            }
        }
    }
    Ok(())
}

impl Block {
    fn finals_given(&self, assignments: &[&[Assignment]]) -> Result<Vec<Fr>> {
        let mut found: Vec<Option<Fr>> = vec![None; self.finals.len()];
        for (name, value) in assignments.iter().copied().flatten() {
            if let Some(position) = self.finals.iter().position(|public| public == bare(name)) {
                match found[position].replace(*value) {
                    Some(before) if before != *value => {
                        return refuse!("public input {name} is given as {before} and {value}")
                    }
                    _ => {}
                }
            }
        }
        let missing = |(position, value): (usize, Option<Fr>)| match value {
            Some(value) => Ok(value),
            None => refuse!("missing public input {} of the block", self.finals[position]),
        };
        found.into_iter().enumerate().map(missing).collect()
    }

    /// The full witness. `steps[i]` and `close` may leave out `_in` values, globals and public inputs, which follow from elsewhere.
    pub fn witness(&self, open: &[Assignment], steps: &[Vec<Assignment>], close: &[Assignment]) -> Result<Vec<Fr>> {
        if steps.len() != self.n_steps {
            return refuse!("inputs of {} steps for a block of {}", steps.len(), self.n_steps);
        }
        let mut every: Vec<&[Assignment]> = vec![open, close];
        every.extend(steps.iter().map(Vec::as_slice));
        let mut carried = Carried { finals: self.finals_given(&every)?, globals: HashMap::new() };
        let mut solved: Vec<Vec<Fr>> = Vec::with_capacity(self.n_steps + 2);
        // Planning takes longer than solving, and the three plans do not depend on each other.
        let (of_open, ()) = rayon::join(
            || self.solve_piece(0, open, &carried, None),
            || {
                rayon::join(|| self.plan_ahead(1, &steps[0]), || self.plan_ahead(self.n_steps + 1, close));
            },
        );
        solved.push(of_open?);
        for port in self.ports[0].iter().filter(|port| port.role == Role::Global) {
            carried.globals.insert(port.name.clone(), solved[0][port.wire as usize]);
        }
        self.solve_after_open(steps, close, &carried, &mut solved)?;
        let mut whole = vec![Fr::from(0u64); self.system.n_wires];
        for (piece, values) in self.system.pieces.iter().zip(&solved) {
            for (&wire, &value) in piece.wires.iter().zip(values) {
                whole[wire as usize] = value;
            }
        }
        Ok(whole)
    }

    fn solve_after_open(
        &self,
        steps: &[Vec<Assignment>],
        close: &[Assignment],
        carried: &Carried,
        solved: &mut Vec<Vec<Fr>>,
    ) -> Result<()> {
        let last = self.n_steps + 1;
        let mut of_close = None;
        if (1..last).zip(steps).all(|(index, values)| self.gives_state(index, values)) {
            let of_steps;
            (of_steps, of_close) = rayon::join(
                || self.solve_steps(steps, carried),
                || self.gives_state(last, close).then(|| self.solve_piece(last, close, carried, None)),
            );
            solved.extend(of_steps?);
            (1..last).try_for_each(|index| self.check_state(index, solved))?;
        } else {
            for (index, values) in (1..last).zip(steps) {
                let state = outputs(self.piece(index - 1).1, &solved[index - 1]);
                solved.push(self.solve_piece(index, values, carried, Some(&state))?);
            }
        }
        match of_close {
            Some(of_close) => solved.push(of_close?),
            None => {
                let state = outputs(&self.ports[1], &solved[self.n_steps]);
                solved.push(self.solve_piece(last, close, carried, Some(&state))?);
            }
        }
        self.check_state(last, solved)
    }

    /// Refuses a piece whose `_in` values are not what the piece before gives.
    fn check_state(&self, index: usize, solved: &[Vec<Fr>]) -> Result<()> {
        let sources = output_wires(self.piece(index - 1).1);
        for port in self.piece(index).1 {
            let Role::In(key) = &port.role else { continue };
            let Some(&source) = sources.get(key.as_str()) else { continue };
            let (given, value) = (solved[index][port.wire as usize], solved[index - 1][source as usize]);
            if given != value {
                let output = format!("{} of {}", with_suffix(key, "_out"), self.piece_name(index - 1));
                let refusal = disagrees(&port.name, given, &output, value);
                return Err(refusal).map_err(in_piece(&self.piece_name(index)));
            }
        }
        Ok(())
    }

    /// Has the plan of a piece made, with zero for what follows from elsewhere: a plan depends on which wires are given
    /// only. What is wrong with the values is for the solver to say.
    fn plan_ahead(&self, index: usize, values: &[Assignment]) {
        let (circuit, ports) = self.piece(index);
        let given: HashSet<&str> = values.iter().map(|pair| bare(&pair.0)).collect();
        let missing = ports
            .iter()
            .filter(|port| !matches!(port.role, Role::Out(_) | Role::Local) && !given.contains(port.name.as_str()));
        let mut all = values.to_vec();
        all.extend(missing.map(|port| (port.name.clone(), Fr::from(0u64))));
        if let Ok(given) = circuit.assign(&all) {
            let _ = circuit.plan(&given);
        }
    }

    fn gives_state(&self, index: usize, values: &[Assignment]) -> bool {
        let given: HashSet<&str> = values.iter().map(|pair| bare(&pair.0)).collect();
        self.piece(index).1.iter().all(|port| !matches!(port.role, Role::In(_)) || given.contains(port.name.as_str()))
    }

    fn solve_piece(
        &self,
        index: usize,
        values: &[Assignment],
        carried: &Carried,
        state: Option<&Values>,
    ) -> Result<Vec<Fr>> {
        let (circuit, ports) = self.piece(index);
        let name = self.piece_name(index);
        let solve = || {
            let mut values = values.to_vec();
            carried.fill(ports, &mut values)?;
            if let Some(state) = state {
                fill_state(ports, state, &self.piece_name(index - 1), &mut values)?;
            }
            Ok(solve_assignments(circuit, &[values])?.pop().unwrap_or_default())
        };
        solve().map_err(in_piece(&name))
    }

    fn solve_steps(&self, steps: &[Vec<Assignment>], carried: &Carried) -> Result<Vec<Vec<Fr>>> {
        let mut filled = Vec::with_capacity(steps.len());
        for (index, values) in steps.iter().enumerate() {
            let mut values = values.clone();
            let named = carried.fill(&self.ports[1], &mut values).and_then(|()| self.step.assign(&values).map(drop));
            named.map_err(in_piece(&self.piece_name(index + 1)))?;
            filled.push(values);
        }
        solve_assignments(&self.step, &filled)
    }

    /// None when all constraints hold; else the first violated row, with its piece and signal names.
    pub fn violation(&self, values: &[Fr]) -> Option<String> {
        let violation = check(&self.system, values).err()?;
        let (circuit, name) = (self.piece(violation.piece).0, self.piece_name(violation.piece));
        Some(format!("piece {} ({name}) {}", violation.piece, render(circuit, &violation)))
    }
}
