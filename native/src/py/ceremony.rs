//! Keys from powers of tau, for Python. Files are named in the errors by the callers.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use zeroize::Zeroizing;

use super::groth16::{supervise, system_of};
use crate::ceremony::contribution::{Beacon, Contribution, History};
use crate::ceremony::history::{check_history, Contributor};
use crate::ceremony::powers_check::{check_all_lagrange, check_powers};
use crate::ceremony::ptau::Ptau;
use crate::ceremony::{new_key, phase2, verify};
use crate::groth16_error::{Error, Result};
use crate::setup::hex;
use crate::system::{R1cs, System};

use crate::zkey::{section, Zkey};

/// A powers-of-tau file, mapped into memory, with the points that make it up checked.
#[pyclass(name = "PowersOfTau", frozen)]
pub struct PyPowers {
    inner: Ptau,
    contributors: Vec<Contributor>,
}

#[pymethods]
impl PyPowers {
    #[new]
    #[pyo3(signature = (path, progress = None))]
    fn new(py: Python<'_>, path: PathBuf, progress: Option<&Bound<'_, PyAny>>) -> PyResult<Self> {
        let (inner, contributors) = supervise(py, progress, |control| {
            let ptau = Ptau::open(&path)?;
            check_powers(&ptau, control)?;
            let contributors = check_history(&ptau, control)?;
            Ok((ptau, contributors))
        })?;
        Ok(Self { inner, contributors })
    }

    #[getter]
    fn power(&self) -> u32 {
        self.inner.power
    }

    #[getter]
    fn ceremony_power(&self) -> u32 {
        self.inner.ceremony_power
    }

    #[getter]
    fn prepared(&self) -> bool {
        self.inner.is_prepared()
    }

    #[getter]
    fn contributions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let list = PyList::empty(py);
        for contributor in &self.contributors {
            let dict = PyDict::new(py);
            dict.set_item("name", &contributor.name)?;
            dict.set_item("hash", hex(&contributor.response))?;
            dict.set_item("is_beacon", contributor.beacon)?;
            list.append(dict)?;
        }
        Ok(list)
    }

    #[pyo3(signature = (progress = None))]
    fn check_prepared(&self, py: Python<'_>, progress: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
        supervise(py, progress, |control| check_all_lagrange(&self.inner, control))
    }

    #[pyo3(signature = (circuit, zkey_path, progress = None))]
    fn new_key(
        &self,
        py: Python<'_>,
        circuit: &Bound<'_, PyAny>,
        zkey_path: PathBuf,
        progress: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<String> {
        let source = Source::of(circuit)?;
        let circuit = supervise(py, progress, |control| {
            let system = source.system()?;
            new_key::new_key(&system, &self.inner, &zkey_path, control)
        })?;
        Ok(hex(&circuit))
    }

    #[pyo3(signature = (circuit, zkey_path, scratch_path, progress = None))]
    fn verify_key<'py>(
        &self,
        py: Python<'py>,
        circuit: &Bound<'py, PyAny>,
        zkey_path: PathBuf,
        scratch_path: PathBuf,
        progress: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyDict>> {
        let source = Source::of(circuit)?;
        let ceremony = supervise(py, progress, |control| {
            let system = source.system()?;
            verify::verify(&system, &self.inner, &zkey_path, &scratch_path, control)
        })?;
        describe(py, &ceremony.circuit, &ceremony.contributions)
    }
}

/// Constraints: of a circuit or block in memory, or of a `.r1cs` that is read when the work begins.
enum Source {
    Ready(Arc<System>),
    File(PathBuf),
}

impl Source {
    fn of(circuit: &Bound<'_, PyAny>) -> PyResult<Self> {
        match circuit.extract::<PathBuf>() {
            Ok(path) => Ok(Self::File(path)),
            Err(_) => Ok(Self::Ready(system_of(circuit)?)),
        }
    }

    fn system(&self) -> Result<Arc<System>> {
        let path = match self {
            Self::Ready(system) => return Ok(system.clone()),
            Self::File(path) => path,
        };
        let bytes = std::fs::read(path).map_err(|error| Error::Io(path.display().to_string(), error))?;
        let r1cs = R1cs::read(&bytes).map_err(|error| Error::System(error.0))?;
        Ok(Arc::new(System::single(r1cs)))
    }
}

fn describe<'py>(py: Python<'py>, circuit: &[u8; 64], contributions: &[Contribution]) -> PyResult<Bound<'py, PyDict>> {
    let list = PyList::empty(py);
    for contribution in contributions {
        let dict = PyDict::new(py);
        dict.set_item("name", &contribution.name)?;
        dict.set_item("hash", hex(&contribution.hash()))?;
        let beacon = contribution.beacon.as_ref();
        dict.set_item("beacon", beacon.map(|beacon| hex(&beacon.value)))?;
        dict.set_item("beacon_log2_iterations", beacon.map(|beacon| beacon.log))?;
        list.append(dict)?;
    }
    let dict = PyDict::new(py);
    dict.set_item("circuit", hex(circuit))?;
    dict.set_item("contributions", list)?;
    Ok(dict)
}

#[pyfunction]
#[pyo3(signature = (old_path, new_path, name, entropy, progress = None))]
fn contribute(
    py: Python<'_>,
    old_path: PathBuf,
    new_path: PathBuf,
    name: String,
    entropy: Vec<u8>,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let entropy = Zeroizing::new(entropy);
    let hash = supervise(py, progress, |control| phase2::contribute(&old_path, &new_path, &name, &entropy, control))?;
    Ok(hex(&hash))
}

#[pyfunction]
#[pyo3(signature = (old_path, new_path, name, value, log2_iterations, progress = None))]
fn contribute_beacon(
    py: Python<'_>,
    old_path: PathBuf,
    new_path: PathBuf,
    name: String,
    value: Vec<u8>,
    log2_iterations: u8,
    progress: Option<&Bound<'_, PyAny>>,
) -> PyResult<String> {
    let beacon = Beacon { value, log: log2_iterations };
    let hash = supervise(py, progress, |control| phase2::beacon(&old_path, &new_path, &name, beacon, control))?;
    Ok(hex(&hash))
}

/// Section 10 and its own consistency; whether the key is what it says is for `verify_key`.
#[pyfunction]
fn read_contributions(py: Python<'_>, zkey_path: PathBuf) -> PyResult<Bound<'_, PyDict>> {
    let history = supervise(py, None, |control| {
        let key = Zkey::open(&zkey_path)?;
        let history = History::read(key.bytes(section::CONTRIBUTIONS))?;
        if history.contributions.is_empty() {
            return Err(Error::Key("section 10: no contributions: it is of no ceremony".into()));
        }
        if history.check(control)? != key.header.delta1 {
            return Err(Error::Key("section 2: delta in G1 is not that of the last contribution".into()));
        }
        Ok(history)
    })?;
    describe(py, &history.circuit, &history.contributions)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PyPowers>()?;
    module.add_function(wrap_pyfunction!(contribute, module)?)?;
    module.add_function(wrap_pyfunction!(contribute_beacon, module)?)?;
    module.add_function(wrap_pyfunction!(read_contributions, module)?)
}
