//! Binds the crate to Python as `rollup._native`. Logic lives in the modules below, which import no pyo3.

pub mod system;

mod py;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    py::crypto::register(module)?;
    py::circuit::register(module)?;
    py::groth16::register(module)?;
    Ok(())
}
