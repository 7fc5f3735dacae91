//! Proofs, public inputs and verification keys as snarkjs writes them in JSON, and as the EVM takes them.
//!
//! Numbers are decimal strings; every coordinate must be below q and every input below r, in the only form each has.

use ark_bn254::{Bn254, Fq, Fq2, Fq6, G1Affine, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::AffineRepr;
use ark_ff::{BigInteger, PrimeField};
use num_bigint::BigUint;
use serde_json::{json, Value};

use crate::groth16_error::{Error, Result};
use crate::prover::Proof;
use crate::verifier::VerificationKey;

fn number<F: PrimeField>(value: &F) -> Value {
    Value::String(decimal(value))
}

pub fn decimal<F: PrimeField>(value: &F) -> String {
    let value: BigUint = (*value).into();
    value.to_string()
}

fn pair(value: &Fq2) -> Value {
    json!([number(&value.c0), number(&value.c1)])
}

fn g1(point: &G1Affine) -> Value {
    match point.xy() {
        Some((x, y)) => json!([number(&x), number(&y), "1"]),
        None => json!(["0", "1", "0"]),
    }
}

fn g2(point: &G2Affine) -> Value {
    match point.xy() {
        Some((x, y)) => json!([pair(&x), pair(&y), ["1", "0"]]),
        None => json!([["0", "0"], ["1", "0"], ["0", "0"]]),
    }
}

pub fn proof_to_json(proof: &Proof) -> Value {
    json!({
        "pi_a": g1(&proof.a),
        "pi_b": g2(&proof.b),
        "pi_c": g1(&proof.c),
        "protocol": "groth16",
        "curve": "bn128",
    })
}

pub fn key_to_json(key: &VerificationKey) -> Value {
    let product = Bn254::pairing(key.alpha1, key.beta2).0;
    let six = |value: &Fq6| json!([pair(&value.c0), pair(&value.c1), pair(&value.c2)]);
    json!({
        "protocol": "groth16",
        "curve": "bn128",
        "nPublic": key.ic.len() - 1,
        "vk_alpha_1": g1(&key.alpha1),
        "vk_beta_2": g2(&key.beta2),
        "vk_gamma_2": g2(&key.gamma2),
        "vk_delta_2": g2(&key.delta2),
        "vk_alphabeta_12": [six(&product.c0), six(&product.c1)],
        "IC": key.ic.iter().map(g1).collect::<Vec<_>>(),
    })
}

/// The eight words of `verifyProof`: a, b with the imaginary part of each coordinate first, c.
pub fn proof_to_evm(proof: &Proof) -> [Fq; 8] {
    let (a, b, c) = (&proof.a, &proof.b, &proof.c);
    [a.x, a.y, b.x.c1, b.x.c0, b.y.c1, b.y.c0, c.x, c.y]
}

/// A field element from an integer; values that are not below the modulus are refused, not reduced.
pub fn field<F: PrimeField>(name: &str, value: &BigUint) -> Result<F> {
    let modulus = BigUint::from_bytes_le(&F::MODULUS.to_bytes_le());
    if *value >= modulus {
        return Err(Error::Proof(format!("{name} = {value} is not below the modulus {modulus}")));
    }
    Ok(F::from_le_bytes_mod_order(&value.to_bytes_le()))
}

/// Reads parts of a JSON document, with their place for the error.
struct Part<'a> {
    value: &'a Value,
    name: String,
}

impl<'a> Part<'a> {
    fn wrong(&self, expected: &str) -> Error {
        Error::Proof(format!("{} is not {expected}", self.name))
    }

    fn member(&self, key: &str) -> Result<Part<'a>> {
        let value = self.value.get(key);
        let name = key.to_string();
        value.map(|value| Part { value, name }).ok_or_else(|| Error::Proof(format!("{key} is missing")))
    }

    fn items(&self, count: Option<usize>) -> Result<Vec<Part<'a>>> {
        let items = self.value.as_array().ok_or_else(|| self.wrong("a list"))?;
        if count.is_some_and(|count| items.len() != count) {
            return Err(self.wrong(&format!("a list of {}", count.unwrap_or_default())));
        }
        let part = |(index, value)| Part { value, name: format!("{}[{index}]", self.name) };
        Ok(items.iter().enumerate().map(part).collect())
    }

    fn field<F: PrimeField>(&self) -> Result<F> {
        let text = match self.value {
            Value::String(text) => text.clone(),
            Value::Number(value) if value.is_u64() => value.to_string(),
            _ => return Err(self.wrong("a decimal string")),
        };
        if text.is_empty() || text.len() > 80 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(self.wrong("a decimal number of at most 80 digits"));
        }
        let value = BigUint::parse_bytes(text.as_bytes(), 10).ok_or_else(|| self.wrong("a number"))?;
        field(&self.name, &value)
    }

    fn pair(&self) -> Result<Fq2> {
        let items = self.items(Some(2))?;
        Ok(Fq2::new(items[0].field()?, items[1].field()?))
    }

    fn g1(&self) -> Result<G1Affine> {
        let items = self.items(Some(3))?;
        if items[2].field::<Fq>()? != Fq::from(1u64) {
            return Err(self.wrong("a finite point with z = 1"));
        }
        let point = G1Affine::new_unchecked(items[0].field()?, items[1].field()?);
        if !point.is_on_curve() {
            return Err(self.wrong("on the curve"));
        }
        Ok(point)
    }

    fn g2(&self) -> Result<G2Affine> {
        let items = self.items(Some(3))?;
        if items[2].pair()? != Fq2::new(Fq::from(1u64), Fq::from(0u64)) {
            return Err(self.wrong("a finite point with z = 1"));
        }
        let point = G2Affine::new_unchecked(items[0].pair()?, items[1].pair()?);
        if !point.is_on_curve() {
            return Err(self.wrong("on the curve"));
        }
        if !point.is_in_correct_subgroup_assuming_on_curve() {
            return Err(self.wrong("in the subgroup of order r"));
        }
        Ok(point)
    }

    fn expect_format(&self) -> Result<()> {
        for (key, expected) in [("protocol", "groth16"), ("curve", "bn128")] {
            if self.value.get(key).is_some_and(|value| value.as_str() != Some(expected)) {
                return Err(Error::Proof(format!("{key} is not {expected}")));
            }
        }
        Ok(())
    }
}

pub fn proof_from_json(value: &Value) -> Result<Proof> {
    let proof = Part { value, name: "proof".into() };
    proof.expect_format()?;
    Ok(Proof { a: proof.member("pi_a")?.g1()?, b: proof.member("pi_b")?.g2()?, c: proof.member("pi_c")?.g1()? })
}

pub fn key_from_json(value: &Value) -> Result<VerificationKey> {
    let key = Part { value, name: "verification key".into() };
    let read = || {
        key.expect_format()?;
        let ic = key.member("IC")?.items(None)?.iter().map(Part::g1).collect::<Result<Vec<_>>>()?;
        if ic.is_empty() || value.get("nPublic").is_some_and(|count| count.as_u64() != Some(ic.len() as u64 - 1)) {
            return Err(Error::Proof("IC does not have nPublic + 1 points".into()));
        }
        Ok(VerificationKey {
            alpha1: key.member("vk_alpha_1")?.g1()?,
            beta2: key.member("vk_beta_2")?.g2()?,
            gamma2: key.member("vk_gamma_2")?.g2()?,
            delta2: key.member("vk_delta_2")?.g2()?,
            ic,
        })
    };
    read().map_err(|error| match error {
        Error::Proof(text) => Error::Key(text),
        error => error,
    })
}
