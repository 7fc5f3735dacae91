//! Python bindings, one module per concern.

pub mod ceremony;
pub mod circuit;
pub mod crypto;
pub mod field;
pub mod groth16;
pub mod node;
