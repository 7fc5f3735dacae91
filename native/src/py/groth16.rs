//! Groth16 for Python. Long work runs in a thread of its own, while the calling one, without the GIL but for moments,
//! reports progress and listens for Ctrl-C.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use num_bigint::BigUint;
use pyo3::exceptions::{PyOSError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use serde_json::Value;

use super::circuit::{PySystem, PyWitness};
use crate::groth16_error::{Control, Error, Result, Timings};
use crate::keys_json::{field, key_from_json, key_to_json, proof_from_json, proof_to_evm, proof_to_json};
use crate::prover::{self, Proved};
use crate::setup::{self, hex};
use crate::system::System;
use crate::zkey::{self, Zkey};

/// How often Ctrl-C is looked for and progress reported.
const POLL: Duration = Duration::from_millis(50);

impl From<Error> for PyErr {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(..) => PyOSError::new_err(error.to_string()),
            Error::Cancelled => PyRuntimeError::new_err(error.to_string()),
            error => PyValueError::new_err(error.to_string()),
        }
    }
}

/// Says that the work is over, also when it panics.
struct Done<'a>(&'a Mutex<bool>, &'a Condvar);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.1.notify_all();
    }
}

/// Runs `work` beside this thread; an error of `progress` or a signal stops it and is what the caller sees.
pub(super) fn supervise<T: Send>(
    py: Python<'_>,
    progress: Option<&Bound<'_, PyAny>>,
    work: impl FnOnce(&Control) -> Result<T> + Send,
) -> PyResult<T> {
    let control = Control::default();
    let (done, changed) = (Mutex::new(false), Condvar::new());
    let mut interrupt = None;
    let mut told = ("", -1.0);
    let mut tell = |control: &Control| -> PyResult<()> {
        let now = control.progress();
        if let Some(progress) = progress.filter(|_| now != told && !now.0.is_empty()) {
            told = now;
            progress.call1(now)?;
        }
        py.check_signals()
    };
    let result = std::thread::scope(|scope| {
        let worker = scope.spawn(|| {
            let _done = Done(&done, &changed);
            work(&control)
        });
        loop {
            let finished = py.detach(|| {
                let done = done.lock().unwrap_or_else(PoisonError::into_inner);
                *changed.wait_timeout_while(done, POLL, |done| !*done).unwrap_or_else(PoisonError::into_inner).0
            });
            if finished {
                return py.detach(|| worker.join());
            }
            if interrupt.is_none() {
                interrupt = tell(&control).err();
                if interrupt.is_some() {
                    control.cancel();
                }
            }
        }
    });
    let result = result.map_err(|_| PyRuntimeError::new_err("internal error: the worker panicked (see stderr)"))?;
    match (interrupt, result) {
        (Some(interrupt), Err(Error::Cancelled)) => Err(interrupt),
        (_, Err(error)) => Err(error.into()),
        // Too late to stop: the work is done, but what was asked for is still an interrupt.
        (Some(interrupt), Ok(_)) => Err(interrupt),
        (None, Ok(value)) => tell(&control).map(|()| value),
    }
}

pub(super) fn system_of(circuit: &Bound<'_, PyAny>) -> PyResult<Arc<System>> {
    let wrong = |_| PyTypeError::new_err("circuit: a Circuit, Block or System is wanted");
    if let Ok(system) = circuit.cast::<PySystem>() {
        return Ok(system.get().inner.clone());
    }
    let system = circuit.call_method0("system").map_err(wrong)?;
    Ok(system
        .cast::<PySystem>()
        .map_err(|_| PyTypeError::new_err("circuit: system() is no System"))?
        .get()
        .inner
        .clone())
}

fn to_python<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    py.import("json")?.call_method1("loads", (value.to_string(),))
}

fn from_python(name: &str, value: &Bound<'_, PyAny>) -> PyResult<Value> {
    let text: String = value.py().import("json")?.call_method1("dumps", (value,))?.extract()?;
    serde_json::from_str(&text).map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
}

fn timings_of<'py>(py: Python<'py>, timings: &Timings) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    for (phase, seconds) in &timings.0 {
        dict.set_item(phase, seconds)?;
    }
    Ok(dict)
}

/// A key file, mapped into memory.
#[pyclass(name = "ProvingKey", frozen)]
pub struct PyProvingKey {
    inner: Arc<Zkey>,
    hash: OnceLock<String>,
}

#[pymethods]
impl PyProvingKey {
    #[new]
    fn new(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        Ok(Self { inner: Arc::new(py.detach(|| Zkey::open(&path))?), hash: OnceLock::new() })
    }

    #[getter]
    fn domain_size(&self) -> usize {
        self.inner.header.domain_size
    }

    #[getter]
    fn n_public(&self) -> usize {
        self.inner.header.n_public
    }

    #[getter]
    fn n_wires(&self) -> usize {
        self.inner.header.n_wires
    }

    #[getter]
    fn has_coefficients(&self) -> bool {
        self.inner.coefficients().is_some()
    }

    #[getter]
    fn hash(&self, py: Python<'_>) -> String {
        py.detach(|| self.hash.get_or_init(|| hex(&self.inner.hash())).clone())
    }

    fn verification_key<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &key_to_json(&self.inner.verification_key()))
    }

    fn check_points(&self, py: Python<'_>) -> PyResult<()> {
        supervise(py, None, |control| self.inner.check_points(control))
    }
}

#[pyclass(name = "Proof", frozen)]
pub struct PyProof {
    inner: Proved,
}

#[pymethods]
impl PyProof {
    #[getter]
    fn a(&self) -> (BigUint, BigUint) {
        let [x, y, ..] = self.solidity();
        (x, y)
    }

    /// ((x0, x1), (y0, y1)), the real part first.
    #[getter]
    fn b(&self) -> ((BigUint, BigUint), (BigUint, BigUint)) {
        let [_, _, x1, x0, y1, y0, ..] = self.solidity();
        ((x0, x1), (y0, y1))
    }

    #[getter]
    fn c(&self) -> (BigUint, BigUint) {
        let [.., x, y] = self.solidity();
        (x, y)
    }

    #[getter]
    fn public(&self) -> Vec<BigUint> {
        self.inner.public.iter().map(|value| (*value).into()).collect()
    }

    #[getter]
    fn timings<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        timings_of(py, &self.inner.timings)
    }

    fn solidity(&self) -> [BigUint; 8] {
        proof_to_evm(&self.inner.proof).map(Into::into)
    }

    fn to_json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        to_python(py, &proof_to_json(&self.inner.proof))
    }
}

#[pyfunction]
#[pyo3(signature = (circuit, zkey_path, seed, coefficients = false, progress = None))]
fn setup_development<'py>(
    py: Python<'py>,
    circuit: &Bound<'py, PyAny>,
    zkey_path: PathBuf,
    seed: String,
    coefficients: bool,
    progress: Option<&Bound<'py, PyAny>>,
) -> PyResult<Bound<'py, PyDict>> {
    let system = system_of(circuit)?;
    let report =
        supervise(py, progress, |control| setup::setup_development(&system, &zkey_path, &seed, coefficients, control))?;
    let dict = PyDict::new(py);
    dict.set_item("unsafe", true)?;
    dict.set_item("seed", seed)?;
    dict.set_item("hash", hex(&report.hash))?;
    dict.set_item("circuit", report.circuit)?;
    dict.set_item("domain_size", report.domain_size)?;
    dict.set_item("timings", timings_of(py, &report.timings)?)?;
    Ok(dict)
}

#[pyfunction]
#[pyo3(signature = (circuit, key, witness, progress = None))]
fn prove(
    py: Python<'_>,
    circuit: &Bound<'_, PyAny>,
    key: &PyProvingKey,
    witness: &PyWitness,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyProof> {
    let system = system_of(circuit)?;
    let values = witness.fr_values();
    let inner = supervise(py, progress, |control| prover::prove(&system, &key.inner, values, control))?;
    Ok(PyProof { inner })
}

#[pyfunction]
#[pyo3(signature = (zkey_path, wtns_path, progress = None))]
fn prove_zkey(
    py: Python<'_>,
    zkey_path: PathBuf,
    wtns_path: PathBuf,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<PyProof> {
    let inner = supervise(py, progress, |control| {
        let io = |error| Error::Io(wtns_path.display().to_string(), error);
        let bytes = std::fs::read(&wtns_path).map_err(io)?;
        let values = crate::wtns::read(&bytes).map_err(|error| Error::Witness(error.0))?;
        drop(bytes);
        prover::prove_zkey(&Zkey::open(&zkey_path)?, &values, control)
    })?;
    Ok(PyProof { inner })
}

#[pyfunction]
fn verify(
    py: Python<'_>,
    verification_key: &Bound<'_, PyAny>,
    proof: &Bound<'_, PyAny>,
    public: Vec<BigUint>,
) -> PyResult<bool> {
    let key = from_python("verification_key", verification_key)?;
    let proof = from_python("proof", proof)?;
    let check = || {
        let input = |(index, value)| field(&format!("public[{index}]"), value);
        let public = public.iter().enumerate().map(input).collect::<Result<Vec<_>>>()?;
        key_from_json(&key)?.verify(&proof_from_json(&proof)?, &public)
    };
    Ok(py.detach(check)?)
}

#[pyfunction]
#[pyo3(signature = (zkey_path, known_seeds = Vec::new()))]
fn check_key(py: Python<'_>, zkey_path: PathBuf, known_seeds: Vec<String>) -> PyResult<Bound<'_, PyDict>> {
    let report = py.detach(|| zkey::check_key(&Zkey::open(&zkey_path)?, &known_seeds))?;
    let dict = PyDict::new(py);
    dict.set_item("development", report.development)?;
    dict.set_item("seed", report.seed)?;
    Ok(dict)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyProvingKey>()?;
    module.add_class::<PyProof>()?;
    module.add_function(wrap_pyfunction!(setup_development, module)?)?;
    module.add_function(wrap_pyfunction!(prove, module)?)?;
    module.add_function(wrap_pyfunction!(prove_zkey, module)?)?;
    module.add_function(wrap_pyfunction!(verify, module)?)?;
    module.add_function(wrap_pyfunction!(check_key, module)?)
}
