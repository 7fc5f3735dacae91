//! Binds the crate to Python as `rollup._native`. Logic lives in the modules below, which import no pyo3.

pub mod babyjub;
pub mod batch_affine;
pub mod dot;
pub mod eddsa;
pub mod fixed_base;
pub mod grain;
pub mod groth16_error;
pub mod keys_json;
pub mod matrix;
pub mod msm;
pub mod poseidon;
pub mod prover;
pub mod setup;
pub mod system;
pub mod tree;
pub mod verifier;
pub mod zkey;
pub mod zkey_write;

mod py;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    py::crypto::register(module)?;
    py::circuit::register(module)?;
    py::groth16::register(module)?;
    Ok(())
}
