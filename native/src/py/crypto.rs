//! `poseidon*`, `eddsa_*`, `is_*`, `MerkleTree`, `verify_path`. Documented in `rollup/_native.pyi`.

use ark_bn254::Fr;
use ark_ff::{BigInteger256, PrimeField};
use num_bigint::{BigInt, BigUint};
use pyo3::prelude::*;
use rayon::prelude::*;

use super::field::{field, fields, int, int_pair, ints, point, value_error, words, IntPair};
use crate::babyjub::{self, Scalar, BASE8};
use crate::eddsa::{self, Claim, Signature, PRIVATE_KEY_BYTES};
use crate::poseidon as hash;
use crate::tree::{self, TreeError, Update};

type SignatureInts = (BigInt, BigInt, BigInt);

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("FIELD_MODULUS", BigUint::from(Fr::MODULUS))?;
    module.add("SUBGROUP_ORDER", BigUint::from(Scalar::MODULUS))?;
    module.add("BASE8", int_pair(&BASE8))?;
    module.add("SIGNATURE_S_BOUND", BigUint::from(eddsa::S_BOUND))?;
    module.add("SIGNATURE_CHALLENGE_BOUND", BigUint::from(eddsa::CHALLENGE_BOUND))?;
    module.add_class::<MerkleTree>()?;
    module.add_function(wrap_pyfunction!(poseidon, module)?)?;
    module.add_function(wrap_pyfunction!(poseidon_many, module)?)?;
    module.add_function(wrap_pyfunction!(eddsa_public_key, module)?)?;
    module.add_function(wrap_pyfunction!(eddsa_sign, module)?)?;
    module.add_function(wrap_pyfunction!(eddsa_verify, module)?)?;
    module.add_function(wrap_pyfunction!(eddsa_verify_many, module)?)?;
    module.add_function(wrap_pyfunction!(is_on_curve, module)?)?;
    module.add_function(wrap_pyfunction!(is_in_subgroup, module)?)?;
    module.add_function(wrap_pyfunction!(compress_point, module)?)?;
    module.add_function(wrap_pyfunction!(decompress_point, module)?)?;
    module.add_function(wrap_pyfunction!(verify_path, module)?)?;
    Ok(())
}

#[pyfunction]
fn poseidon(inputs: Vec<BigInt>) -> PyResult<BigUint> {
    hash::hash(&fields("inputs", &inputs)?).map(int).map_err(value_error)
}

#[pyfunction]
fn poseidon_many(py: Python<'_>, rows: Vec<Vec<BigInt>>) -> PyResult<Vec<BigUint>> {
    let row = |(i, row): (usize, &Vec<BigInt>)| fields(&format!("rows[{i}]"), row);
    let rows = rows.iter().enumerate().map(row).collect::<PyResult<Vec<_>>>()?;
    let each = rows.first().map_or(0, Vec::len);
    let hashes = py.detach(|| match rows.iter().all(|row| row.len() == each) && each > 0 {
        true => hash::hash_many(each, &rows.concat()),
        false => rows.par_iter().map(|row| hash::hash(row)).collect::<Result<Vec<_>, _>>(),
    });
    hashes.map(|hashes| ints(&hashes)).map_err(value_error)
}

fn private_key_bytes(bytes: &[u8]) -> PyResult<&[u8; PRIVATE_KEY_BYTES]> {
    // The key itself stays out of the message.
    let wrong = |_| value_error(format!("private_key must be {PRIVATE_KEY_BYTES} bytes, got {}", bytes.len()));
    bytes.try_into().map_err(wrong)
}

#[pyfunction]
fn eddsa_public_key(private_key: &[u8]) -> PyResult<(BigUint, BigUint)> {
    Ok(int_pair(&eddsa::public_key(private_key_bytes(private_key)?)))
}

#[pyfunction]
fn eddsa_sign(private_key: &[u8], message: BigInt) -> PyResult<(BigUint, BigUint, BigUint)> {
    let signature = eddsa::sign(private_key_bytes(private_key)?, field("message", &message)?);
    let (x, y) = int_pair(&signature.r);
    Ok((x, y, signature.s.into()))
}

/// An S that is negative or too long for 256 bits is as bad as any S that is not below the order: the verdict is false.
fn claim(public_key: &IntPair, message: &BigInt, (x, y, s): SignatureInts) -> PyResult<Claim> {
    let never_valid = BigInteger256::new([u64::MAX; 4]);
    Ok(Claim {
        public_key: point("public_key", public_key)?,
        message: field("message", message)?,
        signature: Signature { r: point("signature", &(x, y))?, s: words(&s).unwrap_or(never_valid) },
    })
}

#[pyfunction]
fn eddsa_verify(public_key: IntPair, message: BigInt, signature: SignatureInts) -> PyResult<bool> {
    Ok(eddsa::verify(&claim(&public_key, &message, signature)?))
}

#[pyfunction]
fn eddsa_verify_many(py: Python<'_>, claims: Vec<(IntPair, BigInt, SignatureInts)>) -> PyResult<Vec<bool>> {
    let parse = |(i, (key, message, signature))| {
        claim(&key, &message, signature).map_err(|error| value_error(format!("claims[{i}]: {}", error.value(py))))
    };
    let claims = claims.into_iter().enumerate().map(parse).collect::<PyResult<Vec<_>>>()?;
    Ok(py.detach(|| eddsa::verify_many(&claims)))
}

#[pyfunction]
fn is_on_curve(point: IntPair) -> PyResult<bool> {
    Ok(self::point("point", &point)?.is_on_curve())
}

#[pyfunction]
fn is_in_subgroup(point: IntPair) -> PyResult<bool> {
    Ok(babyjub::is_in_subgroup(&self::point("point", &point)?))
}

#[pyfunction]
fn compress_point(point: IntPair) -> PyResult<[u8; 32]> {
    let point = self::point("point", &point)?;
    if !point.is_on_curve() {
        return Err(value_error(format!("point must be on the curve, got ({}, {})", point.x, point.y)));
    }
    Ok(babyjub::compress(&point))
}

#[pyfunction]
fn decompress_point(data: &[u8]) -> PyResult<(BigUint, BigUint)> {
    let point = <&[u8; 32]>::try_from(data).ok().and_then(babyjub::decompress);
    let hex: String = data.iter().map(|byte| format!("{byte:02x}")).collect();
    let point =
        point.ok_or_else(|| value_error(format!("data must be 32 bytes of a compressed point, got 0x{hex}")))?;
    Ok(int_pair(&point))
}

/// `index` as the tree counts: an int that no u64 holds is out of any tree's range.
fn leaf_index(levels: usize, index: &BigInt) -> PyResult<u64> {
    u64::try_from(index).map_err(|_| {
        let bound = BigInt::from(tree::ARITY).pow(levels as u32);
        value_error(format!("index must be 0 <= index < {bound}, got {index}"))
    })
}

fn level_count(levels: &BigInt) -> PyResult<usize> {
    let wrong = || value_error(format!("levels must be 1 to {}, got {levels}", tree::MAX_LEVELS));
    usize::try_from(levels).ok().filter(|levels| (1..=tree::MAX_LEVELS).contains(levels)).ok_or_else(wrong)
}

#[pyclass(module = "rollup._native")]
struct MerkleTree(tree::MerkleTree);

#[pymethods]
impl MerkleTree {
    #[new]
    #[pyo3(signature = (levels, empty_leaf = BigInt::ZERO), text_signature = "(levels, empty_leaf=0)")]
    fn new(levels: BigInt, empty_leaf: BigInt) -> PyResult<Self> {
        let tree = tree::MerkleTree::new(level_count(&levels)?, field("empty_leaf", &empty_leaf)?);
        tree.map(Self).map_err(value_error)
    }

    #[getter]
    fn root(&self) -> BigUint {
        int(self.0.root())
    }

    #[getter]
    fn levels(&self) -> usize {
        self.0.levels()
    }

    fn get(&self, index: BigInt) -> PyResult<BigUint> {
        self.0.get(leaf_index(self.0.levels(), &index)?).map(int).map_err(value_error)
    }

    fn set(&mut self, index: BigInt, value: BigInt) -> PyResult<()> {
        let index = leaf_index(self.0.levels(), &index)?;
        self.0.set(index, field("value", &value)?).map_err(value_error)
    }

    fn set_many(&mut self, py: Python<'_>, updates: Vec<IntPair>) -> PyResult<()> {
        let levels = self.0.levels();
        let parse = |(i, (index, value)): (usize, &IntPair)| -> PyResult<Update> {
            Ok((leaf_index(levels, index)?, field(&format!("updates[{i}][1]"), value)?))
        };
        let updates = updates.iter().enumerate().map(parse).collect::<PyResult<Vec<_>>>()?;
        py.detach(|| self.0.set_many(&updates)).map_err(value_error)
    }

    fn path(&self, index: BigInt) -> PyResult<Vec<Vec<BigUint>>> {
        let path = self.0.path(leaf_index(self.0.levels(), &index)?).map_err(value_error)?;
        Ok(path.iter().map(|children| ints(children)).collect())
    }

    fn copy(&self) -> Self {
        Self(self.0.clone())
    }

    fn __copy__(&self) -> Self {
        self.copy()
    }

    fn __repr__(&self) -> String {
        format!("MerkleTree(levels={}, root={})", self.0.levels(), self.0.root())
    }
}

#[pyfunction]
fn verify_path(root: BigInt, levels: BigInt, index: BigInt, leaf: BigInt, path: Vec<Vec<BigInt>>) -> PyResult<bool> {
    let levels = level_count(&levels)?;
    if path.len() != levels {
        return Err(value_error(TreeError::PathLength { expected: levels, got: path.len() }));
    }
    let row = |(i, row): (usize, &Vec<BigInt>)| fields(&format!("path[{i}]"), row);
    let path = path.iter().enumerate().map(row).collect::<PyResult<Vec<_>>>()?;
    let (root, leaf) = (field("root", &root)?, field("leaf", &leaf)?);
    tree::verify_path(root, levels, leaf_index(levels, &index)?, leaf, &path).map_err(value_error)
}
