//! Python ints to field elements, points and scalars, and back. Out of range is a ValueError that names the value.

use ark_bn254::Fr;
use ark_ff::{BigInteger256, PrimeField};
use num_bigint::{BigInt, BigUint};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::babyjub::Point;

pub type IntPair = (BigInt, BigInt);

pub fn value_error(error: impl std::fmt::Display) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// An int in 0 <= value < 2^256.
pub fn words(value: &BigInt) -> Option<BigInteger256> {
    BigInteger256::try_from(value.to_biguint()?).ok()
}

/// An int in 0 <= value < r; `what` names it in the error.
pub fn field(what: &str, value: &BigInt) -> PyResult<Fr> {
    words(value)
        .and_then(Fr::from_bigint)
        .ok_or_else(|| value_error(format!("{what} must be 0 <= value < {}, got {value}", Fr::MODULUS)))
}

pub fn fields(what: &str, values: &[BigInt]) -> PyResult<Vec<Fr>> {
    values.iter().enumerate().map(|(i, value)| field(&format!("{what}[{i}]"), value)).collect()
}

/// Any two field elements: whether they are on the curve is for the caller to ask.
pub fn point(what: &str, (x, y): &IntPair) -> PyResult<Point> {
    Ok(Point::new_unchecked(field(&format!("{what}[0]"), x)?, field(&format!("{what}[1]"), y)?))
}

pub fn int(value: Fr) -> BigUint {
    value.into_bigint().into()
}

pub fn ints(values: &[Fr]) -> Vec<BigUint> {
    values.iter().copied().map(int).collect()
}

pub fn int_pair(point: &Point) -> (BigUint, BigUint) {
    (int(point.x), int(point.y))
}
