//! Binds the crate to Python as `rollup._native`. Logic lives in the modules below, which import no pyo3.

pub mod babyjub;
pub mod batch_affine;
pub mod ceremony;
pub mod circuit;
pub mod coordinate;
pub mod dot;
pub mod ecdsa;
pub mod eddsa;
pub mod evaluation;
pub mod fixed_base;
pub mod grain;
pub mod groth16_error;
pub mod inverse;
pub mod keys_json;
mod lane_combination;
pub mod lane_coordinates;
pub mod lane_lists;
pub mod lane_points;
pub mod lane_rows;
pub mod lane_slots;
pub mod lane_sums;
pub mod lanes;
#[cfg(test)]
mod lanes_tests;
pub mod linker;
pub mod matrix;
pub mod msm;
pub mod mulx;
pub mod ntt;
pub mod ntt_scalar;
pub mod poseidon;
pub mod poseidon_lanes;
pub mod prover;
pub mod r1cs;
pub mod receipts;
pub mod scalars;
pub mod setup;
pub mod simd;
#[cfg(test)]
mod simd_emulated;
pub mod state_tree;
pub mod sym;
pub mod system;
pub mod transfers;
pub mod tree;
pub mod verifier;
pub mod witness;
mod witness_bits;
mod witness_block;
mod witness_emit;
mod witness_exec;
mod witness_lanes;
mod witness_linear;
mod witness_plan;
mod witness_rows;
mod witness_scalar;
#[cfg(test)]
mod witness_tests;
pub mod wtns;
pub mod zkey;
pub mod zkey_write;

mod py;

use pyo3::prelude::*;

#[pymodule]
fn _native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    py::crypto::register(module)?;
    py::circuit::register(module)?;
    py::groth16::register(module)?;
    py::ceremony::register(module)?;
    py::node::register(module)?;
    Ok(())
}
