//! `Circuit`, `Block`, `Witness` and `System` for Python. Logic lives in `circuit`, `linker` and `witness`.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::PrimeField;
use num_bigint::{BigInt, BigUint, Sign};
use pyo3::exceptions::{PyKeyError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyInt, PyList, PyString, PyTuple};

use crate::circuit::{bare, Assignment, Circuit};
use crate::linker::Block;
use crate::r1cs::CircuitError;
use crate::sym::{Signal, Sym};
use crate::system::{R1cs, System};
use crate::witness::{check, render, Job};
use crate::witness_block::solve_assignments;
use crate::wtns;

impl From<CircuitError> for PyErr {
    fn from(error: CircuitError) -> Self {
        PyValueError::new_err(error.to_string())
    }
}

/// What a prover needs of a circuit or block.
#[pyclass(name = "System", frozen)]
pub struct PySystem {
    pub(crate) inner: Arc<System>,
}

#[pymethods]
impl PySystem {
    #[getter]
    fn n_constraints(&self) -> usize {
        self.inner.n_constraints()
    }

    #[getter]
    fn n_wires(&self) -> usize {
        self.inner.n_wires
    }

    #[getter]
    fn n_public(&self) -> usize {
        self.inner.n_public
    }
}

#[derive(Clone)]
enum Source {
    Circuit(Arc<Circuit>),
    Block(Arc<Block>),
}

/// A full witness, wire by wire.
#[pyclass(name = "Witness", frozen)]
pub struct PyWitness {
    pub(crate) values: Arc<Vec<Fr>>,
    source: Source,
}

impl PyWitness {
    fn new(values: Vec<Fr>, source: Source) -> Self {
        Self { values: Arc::new(values), source }
    }

    /// Wire values; wire 0 is one, wires 1..=n_public are public.
    pub(crate) fn fr_values(&self) -> &[Fr] {
        &self.values
    }

    fn n_public(&self) -> usize {
        match &self.source {
            Source::Circuit(circuit) => circuit.r1cs.n_public(),
            Source::Block(block) => block.system.n_public,
        }
    }
}

fn to_int(value: &Fr) -> BigUint {
    value.into_bigint().into()
}

#[pymethods]
impl PyWitness {
    fn __len__(&self) -> usize {
        self.values.len()
    }

    fn values(&self) -> Vec<BigUint> {
        self.values.iter().map(to_int).collect()
    }

    fn get(&self, name: &str) -> PyResult<BigUint> {
        let wire = match &self.source {
            Source::Circuit(circuit) => circuit.sym.find(name).and_then(|signal| signal.wire),
            Source::Block(block) => block.wire(name),
        };
        let Some(wire) = wire else {
            return Err(PyKeyError::new_err(format!("{name}: no such signal, or dropped by the optimiser")));
        };
        Ok(to_int(&self.fr_values()[wire as usize]))
    }

    fn public(&self) -> Vec<BigUint> {
        self.values[1..=self.n_public()].iter().map(to_int).collect()
    }

    fn outputs(&self) -> BTreeMap<String, BigUint> {
        let Source::Circuit(circuit) = &self.source else { return BTreeMap::new() };
        let outputs = circuit.public_outputs().zip(&self.values[1..]);
        outputs.map(|(signal, value)| (bare(&signal.name).to_owned(), to_int(value))).collect()
    }

    fn write_wtns(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let values = self.values.clone();
        py.detach(|| {
            let mut out = BufWriter::new(File::create(path)?);
            wtns::write(&values, &mut out)?;
            out.flush()
        })?;
        Ok(())
    }
}

/// Collects `name: int | nested lists` into values of single signals.
fn flatten(name: &str, value: &Bound<'_, PyAny>, out: &mut Vec<Assignment>) -> PyResult<()> {
    if value.is_instance_of::<PyInt>() {
        out.push((name.to_owned(), to_fr(name, value)?));
        return Ok(());
    }
    if value.is_instance_of::<PyList>() || value.is_instance_of::<PyTuple>() {
        for (index, element) in value.try_iter()?.enumerate() {
            flatten(&format!("{name}[{index}]"), &element?, out)?;
        }
        return Ok(());
    }
    Err(PyTypeError::new_err(format!("{name}: int or nested lists of int expected, got {}", value.get_type().name()?)))
}

fn to_fr(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Fr> {
    let number: BigInt = value.extract()?;
    if number.sign() == Sign::Minus {
        return Err(PyValueError::new_err(format!("{name}: negative value {number}")));
    }
    let magnitude = number.magnitude();
    if *magnitude >= Fr::MODULUS.into() {
        return Err(PyValueError::new_err(format!("{name}: value {number} is not below the field's order r")));
    }
    Ok(Fr::from(magnitude.clone()))
}

fn assignments(inputs: &Bound<'_, PyDict>) -> PyResult<Vec<Assignment>> {
    let mut out = Vec::new();
    for (name, value) in inputs {
        let Ok(name) = name.cast::<PyString>() else {
            return Err(PyTypeError::new_err(format!("input names are strings, got {name}")));
        };
        flatten(&name.to_cow()?, &value, &mut out)?;
    }
    Ok(out)
}

#[pyclass(name = "Circuit", frozen)]
pub struct PyCircuit {
    inner: Arc<Circuit>,
}

fn names<'a>(signals: impl Iterator<Item = &'a Signal>) -> Vec<String> {
    signals.map(|signal| bare(&signal.name).to_owned()).collect()
}

#[pymethods]
impl PyCircuit {
    #[new]
    fn new(py: Python<'_>, r1cs_path: PathBuf, sym_path: PathBuf) -> PyResult<Self> {
        let name = r1cs_path.file_stem().map_or_else(|| "circuit".into(), |stem| stem.to_string_lossy().into_owned());
        let (bytes, text) = (std::fs::read(&r1cs_path)?, std::fs::read_to_string(&sym_path)?);
        let read = || {
            let in_file = |path: &PathBuf, error: CircuitError| CircuitError(format!("{}: {error}", path.display()));
            let r1cs = R1cs::read(&bytes).map_err(|error| in_file(&r1cs_path, error))?;
            let sym = Sym::read(&text).map_err(|error| in_file(&sym_path, error))?;
            Circuit::new(&name, r1cs, sym)
        };
        Ok(Self { inner: Arc::new(py.detach(read)?) })
    }

    #[getter]
    fn n_constraints(&self) -> usize {
        self.inner.r1cs.n_constraints()
    }

    #[getter]
    fn n_wires(&self) -> usize {
        self.inner.r1cs.n_wires
    }

    #[getter]
    fn public_outputs(&self) -> Vec<String> {
        names(self.inner.public_outputs())
    }

    #[getter]
    fn public_inputs(&self) -> Vec<String> {
        names(self.inner.public_inputs())
    }

    #[getter]
    fn inputs(&self) -> Vec<String> {
        names(self.inner.inputs())
    }

    #[pyo3(signature = (inputs, forced = None))]
    fn witness(
        &self,
        py: Python<'_>,
        inputs: &Bound<'_, PyDict>,
        forced: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyWitness> {
        let values = assignments(inputs)?;
        let forced = forced.map(assignments).transpose()?.unwrap_or_default();
        let circuit = self.inner.clone();
        let solved = py.detach(|| {
            let mut job = Job { given: circuit.assign(&values)?, forced: Vec::new() };
            for (name, value) in forced {
                match circuit.sym.find(&name).and_then(|signal| signal.wire) {
                    Some(wire) => job.forced.push((wire, value)),
                    None => return Err(CircuitError(format!("{name}: no such signal, or dropped by the optimiser"))),
                }
            }
            crate::witness::solve(&*circuit.plan(&job.given)?, &job)
        })?;
        Ok(PyWitness::new(solved, Source::Circuit(circuit)))
    }

    fn witness_many(&self, py: Python<'_>, inputs: Vec<Bound<'_, PyDict>>) -> PyResult<Vec<PyWitness>> {
        let values = inputs.iter().map(assignments).collect::<PyResult<Vec<_>>>()?;
        let circuit = self.inner.clone();
        let solved = py.detach(|| solve_assignments(&circuit, &values))?;
        Ok(solved.into_iter().map(|values| PyWitness::new(values, Source::Circuit(circuit.clone()))).collect())
    }

    /// Signals that the constraints alone do not fix by a constant coefficient, with the reason for each.
    fn hinted_kinds(&self, py: Python<'_>) -> PyResult<BTreeMap<String, String>> {
        let circuit = self.inner.clone();
        let hinted = py.detach(|| -> Result<_, CircuitError> {
            let given: Vec<(u32, Fr)> =
                circuit.inputs().filter_map(|signal| signal.wire).map(|wire| (wire, Fr::from(0u64))).collect();
            Ok(circuit.plan(&given)?.hinted.clone())
        })?;
        Ok(hinted.into_iter().map(|(wire, hint)| (self.inner.wire_name(wire), hint.to_string())).collect())
    }

    fn hinted_signals(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        Ok(self.hinted_kinds(py)?.into_keys().collect())
    }

    fn check(&self, py: Python<'_>, witness: &PyWitness) -> PyResult<Option<String>> {
        let (circuit, values) = (self.inner.clone(), witness.values.clone());
        if values.len() != circuit.r1cs.n_wires {
            return Err(PyValueError::new_err(format!(
                "a witness of {} wires, expected {}",
                values.len(),
                circuit.r1cs.n_wires
            )));
        }
        Ok(py.detach(|| check(&circuit.system(), &values).err().map(|violation| render(&circuit, &violation))))
    }

    fn system(&self) -> PySystem {
        PySystem { inner: Arc::new(self.inner.system()) }
    }
}

#[pyclass(name = "Block", frozen)]
pub struct PyBlock {
    inner: Arc<Block>,
}

#[pymethods]
impl PyBlock {
    #[new]
    #[pyo3(signature = (open, step, close, steps, public = None))]
    fn new(
        py: Python<'_>,
        open: &PyCircuit,
        step: &PyCircuit,
        close: &PyCircuit,
        steps: usize,
        public: Option<Vec<String>>,
    ) -> PyResult<Self> {
        let public = public.unwrap_or_else(|| ["C", "X", "Y"].map(str::to_owned).to_vec());
        let (open, step, close) = (open.inner.clone(), step.inner.clone(), close.inner.clone());
        let block = py.detach(|| Block::link(open, step, close, steps, &public))?;
        Ok(Self { inner: Arc::new(block) })
    }

    #[getter]
    fn n_constraints(&self) -> usize {
        self.inner.system.n_constraints()
    }

    #[getter]
    fn n_wires(&self) -> usize {
        self.inner.system.n_wires
    }

    #[getter]
    fn steps(&self) -> usize {
        self.inner.n_steps
    }

    fn write_r1cs(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| {
            let mut out = BufWriter::new(File::create(path)?);
            self.inner.write_r1cs(&mut out)?;
            out.flush()
        })?;
        Ok(())
    }

    fn write_sym(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        py.detach(|| {
            let mut out = BufWriter::new(File::create(path)?);
            self.inner.write_sym(&mut out)?;
            out.flush()
        })?;
        Ok(())
    }

    fn witness(
        &self,
        py: Python<'_>,
        open_inputs: &Bound<'_, PyDict>,
        steps_inputs: Vec<Bound<'_, PyDict>>,
        close_inputs: &Bound<'_, PyDict>,
    ) -> PyResult<PyWitness> {
        let (open, close) = (assignments(open_inputs)?, assignments(close_inputs)?);
        let steps = steps_inputs.iter().map(assignments).collect::<PyResult<Vec<_>>>()?;
        let values = py.detach(|| self.inner.witness(&open, &steps, &close))?;
        Ok(PyWitness::new(values, Source::Block(self.inner.clone())))
    }

    fn check(&self, py: Python<'_>, witness: &PyWitness) -> PyResult<Option<String>> {
        let values = witness.values.clone();
        if values.len() != self.inner.system.n_wires {
            let (got, expected) = (values.len(), self.inner.system.n_wires);
            return Err(PyValueError::new_err(format!("a witness of {got} wires, expected {expected}")));
        }
        Ok(py.detach(|| self.inner.violation(&values)))
    }

    fn system(&self) -> PySystem {
        PySystem { inner: self.inner.system.clone() }
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PySystem>()?;
    module.add_class::<PyWitness>()?;
    module.add_class::<PyCircuit>()?;
    module.add_class::<PyBlock>()
}
