//! `PlainTransfer`, `parse_transfer*`, `EddsaKey`, `prepare_transfers`, `receipt_digests`, `receipt_texts`, `EcdsaKey`,
//! `commit_chains`, `StateTree`. Documented in `rollup/_native.pyi`.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use num_bigint::{BigInt, BigUint};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::field::{field, fields, int, ints, point, value_error, IntPair};
use crate::ecdsa::{Signer, DIGEST_BYTES, SIGNATURE_BYTES};
use crate::eddsa::CheckedKey;
use crate::receipts::{self, Receipt, HASH_BYTES, STEP_WORDS};
use crate::state_tree::{self, AccountChange};
use crate::transfers::{self, Transfer};
use crate::tree::{Path, Update};

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<PlainTransfer>()?;
    module.add_class::<EddsaKey>()?;
    module.add_class::<EcdsaKey>()?;
    module.add_class::<StateTree>()?;
    module.add_function(wrap_pyfunction!(parse_transfer, module)?)?;
    module.add_function(wrap_pyfunction!(parse_transfers, module)?)?;
    module.add_function(wrap_pyfunction!(prepare_transfers, module)?)?;
    module.add_function(wrap_pyfunction!(receipt_digests, module)?)?;
    module.add_function(wrap_pyfunction!(receipt_texts, module)?)?;
    module.add_function(wrap_pyfunction!(commit_chains, module)?)?;
    Ok(())
}

#[pyclass(module = "rollup._native", frozen)]
struct PlainTransfer(Transfer);

#[pymethods]
impl PlainTransfer {
    #[getter]
    #[allow(clippy::wrong_self_convention, reason = "the field's name")]
    fn from_id(&self) -> u64 {
        self.0.from_id
    }

    #[getter]
    fn fields(&self) -> (u64, u64, BigUint, u64, u128, u128, u64, u64, u64) {
        let Transfer { from_id, to_id, token, amount, fee, nonce, valid_from, valid_until, .. } = self.0;
        let to_address = BigUint::from_bytes_be(&self.0.to_address);
        (from_id, to_id, to_address, token, amount, fee, nonce, valid_from, valid_until)
    }

    #[getter]
    fn signature(&self) -> (BigUint, BigUint, BigUint) {
        let [x, y, s] = self.0.signature;
        (int(x), int(y), int(s))
    }
}

#[pyfunction]
fn parse_transfer(json: &[u8]) -> Option<PlainTransfer> {
    Transfer::parse(json).map(PlainTransfer)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Operations<'a> {
    #[serde(borrow)]
    operations: Vec<&'a RawValue>,
}

#[pyfunction]
fn parse_transfers(py: Python<'_>, json: &[u8]) -> Option<Vec<PlainTransfer>> {
    py.detach(|| {
        let list: Operations = serde_json::from_slice(json).ok()?;
        list.operations.iter().map(|text| Transfer::parse(text.get().as_bytes()).map(PlainTransfer)).collect()
    })
}

#[pyclass(module = "rollup._native", frozen)]
struct EddsaKey(Option<CheckedKey>);

#[pymethods]
impl EddsaKey {
    #[new]
    fn new(key: IntPair) -> PyResult<Self> {
        Ok(Self(CheckedKey::new(point("point", &key)?)))
    }
}

/// from_id, to_id, token, amount, fee, nonce, valid_from, valid_until, recipient, hash, chunk, JSON; None if its signature
/// is not valid.
type Prepared<'py> =
    (u64, u64, u64, u128, u128, u64, u64, u64, Bound<'py, PyBytes>, Bound<'py, PyBytes>, Bound<'py, PyBytes>, String);

#[pyfunction]
fn prepare_transfers<'py>(
    py: Python<'py>,
    transfers: Vec<Bound<'py, PlainTransfer>>,
    keys: Vec<Bound<'py, EddsaKey>>,
    domain: BigInt,
) -> PyResult<Vec<Option<Prepared<'py>>>> {
    let domain = field("domain", &domain)?;
    let keys: Vec<Option<CheckedKey>> = keys.iter().map(|key| key.get().0).collect();
    if keys.len() != transfers.len() {
        return Err(value_error(format!("keys must be as many as transfers, {}, got {}", transfers.len(), keys.len())));
    }
    let inner: Vec<&Transfer> = transfers.iter().map(|transfer| &transfer.get().0).collect();
    let (messages, verdicts, texts) = py.detach(|| {
        let messages = transfers::messages(&inner, domain);
        let verdicts = transfers::verify(&inner, &messages, &keys);
        let texts: Vec<String> = inner.iter().map(|transfer| transfer.to_json()).collect();
        (messages, verdicts, texts)
    });
    let row = |(((transfer, message), is_valid), text): (((&&Transfer, &Fr), bool), String)| {
        is_valid.then(|| {
            let Transfer { from_id, to_id, token, amount, fee, nonce, valid_from, valid_until, .. } = **transfer;
            let recipient = PyBytes::new(py, &transfer.to_address);
            let (name, chunk) = (PyBytes::new(py, &word_bytes(message)), PyBytes::new(py, &transfer.chunk()));
            (from_id, to_id, token, amount, fee, nonce, valid_from, valid_until, recipient, name, chunk, text)
        })
    };
    Ok(inner.iter().zip(&messages).zip(verdicts).zip(texts).map(row).collect())
}

fn word_bytes(value: &Fr) -> [u8; HASH_BYTES] {
    let words = value.into_bigint().0;
    std::array::from_fn(|at| (words[3 - at / 8] >> (8 * (7 - at % 8))) as u8)
}

type Bytes = PyBackedBytes;
type ReceiptFields = (u64, u64, Bytes, u64, Bytes, Bytes, Bytes, u64, u64, Bytes);

fn receipt(fields: &ReceiptFields) -> PyResult<Receipt<'_>> {
    let (block_number, chunk_position, chunks, word_position, record, hash, recipient, issued_at, commit_by, set) =
        fields;
    if [hash, set].iter().any(|bytes| bytes.len() > HASH_BYTES) {
        return Err(value_error(format!("a hash has at most {HASH_BYTES} bytes")));
    }
    Ok(Receipt {
        block_number: *block_number,
        chunk_position: *chunk_position,
        chunks,
        word_position: *word_position,
        record,
        operation_hash: hash,
        recipient: bytes("recipient", recipient)?,
        issued_at: *issued_at,
        commit_by: *commit_by,
        validator_set: set,
    })
}

#[pyfunction]
fn receipt_digests<'py>(
    py: Python<'py>,
    separator: &[u8],
    type_hash: &[u8],
    receipts: Vec<ReceiptFields>,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let receipts = receipts.iter().map(receipt).collect::<PyResult<Vec<_>>>()?;
    let digests: Vec<_> = py.detach(|| receipts.iter().map(|receipt| receipt.digest(separator, type_hash)).collect());
    Ok(digests.iter().map(|digest| PyBytes::new(py, digest)).collect())
}

#[pyfunction]
fn receipt_texts<'py>(
    py: Python<'py>,
    rollup: &str,
    receipts: Vec<ReceiptFields>,
    signatures: Vec<Bytes>,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    if receipts.len() != signatures.len() {
        let (expected, got) = (receipts.len(), signatures.len());
        return Err(value_error(format!("signatures must be as many as receipts, {expected}, got {got}")));
    }
    let receipts = receipts.iter().map(receipt).collect::<PyResult<Vec<_>>>()?;
    let signatures = signatures.iter().map(|each| bytes("signature", each)).collect::<PyResult<Vec<_>>>()?;
    let text = |(receipt, signature): (&Receipt<'_>, &[u8; SIGNATURE_BYTES])| receipt.to_json(rollup, signature);
    let texts: Vec<String> = py.detach(|| receipts.iter().zip(signatures).map(text).collect());
    Ok(texts.iter().map(|text| PyBytes::new(py, text.as_bytes())).collect())
}

fn bytes<'a, const N: usize>(what: &str, value: &'a [u8]) -> PyResult<&'a [u8; N]> {
    value.try_into().map_err(|_| value_error(format!("{what} must be {N} bytes, got {}", value.len())))
}

#[pyclass(module = "rollup._native", frozen)]
struct EcdsaKey(Signer);

#[pymethods]
impl EcdsaKey {
    #[new]
    fn new(private_key: &[u8]) -> PyResult<Self> {
        let key = Signer::new(*bytes("private_key", private_key)?);
        key.map(Self).ok_or_else(|| value_error("private_key must be from 1 to below the order of secp256k1"))
    }

    #[getter]
    fn public_key<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.0.public_key())
    }

    fn sign_many<'py>(&self, py: Python<'py>, digests: Vec<Bytes>) -> PyResult<Vec<Bound<'py, PyBytes>>> {
        let digests: Vec<&[u8; DIGEST_BYTES]> =
            digests.iter().map(|digest| bytes("digest", digest)).collect::<PyResult<_>>()?;
        let signatures: Vec<_> = py.detach(|| digests.iter().map(|digest| self.0.sign(**digest)).collect());
        Ok(signatures.iter().map(|signature| PyBytes::new(py, signature)).collect())
    }
}

#[pyfunction]
fn commit_chains(py: Python<'_>, starts: Vec<BigInt>, steps: Vec<Vec<u8>>) -> PyResult<Vec<BigUint>> {
    if starts.len() != steps.len() {
        return Err(value_error(format!("steps must be as many as starts, {}, got {}", starts.len(), steps.len())));
    }
    let starts = fields("starts", &starts)?;
    let chains = steps.iter().map(|chain| chain_words(chain)).collect::<Option<Vec<_>>>();
    let chains = chains.ok_or_else(|| value_error("steps must be words below the field's modulus, seven a step"))?;
    Ok(ints(&py.detach(|| receipts::commit_chains(&starts, &chains))))
}

fn chain_words(bytes: &[u8]) -> Option<Vec<[Fr; STEP_WORDS]>> {
    let steps = bytes.chunks_exact(STEP_WORDS * HASH_BYTES);
    if !steps.remainder().is_empty() {
        return None;
    }
    steps
        .map(|step| {
            let mut words = [Fr::from(0u64); STEP_WORDS];
            for (word, bytes) in words.iter_mut().zip(step.chunks_exact(HASH_BYTES)) {
                *word = Fr::from_bigint(BigUint::from_bytes_be(bytes).try_into().ok()?)?;
            }
            Some(words)
        })
        .collect()
}

#[pyclass(module = "rollup._native")]
struct StateTree(state_tree::StateTree);

/// Id, key, address, nonce, and what changed of its slots.
type Change = (u64, IntPair, BigInt, BigInt, Vec<(u64, BigInt)>);

fn change((account_id, key, address, nonce, slots): &Change) -> PyResult<AccountChange> {
    let slot = |(slot, leaf): &(u64, BigInt)| -> PyResult<Update> { Ok((*slot, field("leaf", leaf)?)) };
    Ok(AccountChange {
        account_id: *account_id,
        fields: [field("key", &key.0)?, field("key", &key.1)?, field("address", address)?, field("nonce", nonce)?],
        slots: slots.iter().map(slot).collect::<PyResult<Vec<_>>>()?,
    })
}

#[pymethods]
impl StateTree {
    #[new]
    fn new(account_levels: usize, balance_levels: usize) -> PyResult<Self> {
        state_tree::StateTree::new(account_levels, balance_levels).map(Self).map_err(value_error)
    }

    #[getter]
    fn root(&self) -> BigUint {
        int(self.0.root())
    }

    fn update(&mut self, py: Python<'_>, changes: Vec<Change>) -> PyResult<()> {
        let changes = changes.iter().map(change).collect::<PyResult<Vec<_>>>()?;
        py.detach(|| self.0.update(changes)).map_err(value_error)
    }

    fn account_path(&self, account_id: u64) -> PyResult<Vec<Vec<BigUint>>> {
        self.0.account_path(account_id).map(|path| groups(&path)).map_err(value_error)
    }

    fn account_node(&self, depth: usize, index: u64) -> PyResult<BigUint> {
        self.0.account_node(depth, index).map(int).map_err(value_error)
    }

    fn balance_path(&self, account_id: u64, slot: u64) -> PyResult<Vec<Vec<BigUint>>> {
        self.0.balance_path(account_id, slot).map(|path| groups(&path)).map_err(value_error)
    }

    fn copy(&self) -> Self {
        Self(self.0.clone())
    }
}

fn groups(path: &Path) -> Vec<Vec<BigUint>> {
    path.iter().map(|children| ints(children)).collect()
}
