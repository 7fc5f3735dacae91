//! Whether a key is a circuit's, from a powers-of-tau file and contributions, and nothing else.

use std::path::Path;

use ark_bn254::{g1, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

use super::contribution::{Contribution, History};
use super::encoding::same_ratio;
use super::lockstep::add_pairs;
use super::new_key::new_key;
use super::powers_check::random_factors;
use super::ptau::{section as powers, Ptau};
use crate::groth16_error::{Control, Error, Result};
use crate::msm::{msm, Points};
use crate::scalars::Scalars;
use crate::system::System;
use crate::zkey::{check_key, first_bad, section, Zkey};

/// What a sound key is made of.
#[derive(Clone, Debug)]
pub struct Ceremony {
    pub circuit: [u8; 64],
    pub contributions: Vec<Contribution>,
}

fn wrong<T>(text: impl Into<String>) -> Result<T> {
    Err(Error::Key(text.into()))
}

/// Checks a key against its circuit and powers that have passed `check_powers`. `scratch` is a file name for the first
/// key, which is made again to compare.
pub fn verify(system: &System, ptau: &Ptau, path: &Path, scratch: &Path, control: &Control) -> Result<Ceremony> {
    let key = Zkey::open(path)?;
    check_key(&key, &[])?;
    if key.development.is_some() {
        return wrong("section 100: it is a development key, with which anyone can forge proofs");
    }
    let history = History::read(key.bytes(section::CONTRIBUTIONS))?;
    check_delta(&key, &history, control)?;
    new_key(system, ptau, scratch, control)?;
    let first = Zkey::open(scratch);
    // The map keeps the content; what is left of the name matters to nobody.
    let _ = std::fs::remove_file(scratch);
    let first = first?;
    check_unchanged(&key, &first, &history)?;
    check_groups(&key, control)?;
    check_private(&key, &first, control)?;
    check_quotient(&key, ptau, control)?;
    Ok(Ceremony { circuit: history.circuit, contributions: history.contributions })
}

/// The contributions lead from one to the key's delta, which is the same in both groups.
fn check_delta(key: &Zkey, history: &History, control: &Control) -> Result<()> {
    if history.contributions.is_empty() {
        return wrong("section 10: no contributions: phase 2 was skipped, anyone can forge proofs");
    }
    let delta = history.check(control)?;
    if key.header.delta1 != delta {
        return wrong("section 2: delta in G1 is not that of the last contribution");
    }
    if !same_ratio(&G1Affine::generator(), &delta, &G2Affine::generator(), &key.header.delta2) {
        return wrong("section 2: delta in G2 is not that in G1");
    }
    Ok(())
}

/// All that no contribution may change.
fn check_unchanged(key: &Zkey, first: &Zkey, history: &History) -> Result<()> {
    let (ours, given) = (&first.header, &key.header);
    let counts = |key: &Zkey| (key.header.n_wires, key.header.n_public, key.header.domain_size);
    if counts(key) != counts(first) {
        let text = format!("section 2: (wires, public, rows) are {:?}, the circuit's {:?}", counts(key), counts(first));
        return wrong(text);
    }
    let points = [
        ("alpha in G1", given.alpha1 == ours.alpha1),
        ("beta in G1", given.beta1 == ours.beta1),
        ("beta in G2", given.beta2 == ours.beta2),
        ("gamma in G2", given.gamma2 == ours.gamma2),
    ];
    if let Some((name, _)) = points.iter().find(|(_, is_same)| !is_same) {
        return wrong(format!("section 2: {name} is not that of the powers of tau"));
    }
    let sections = [
        (section::IC, "public wires"),
        (section::COEFFICIENTS, "coefficients"),
        (section::A, "A"),
        (section::B1, "B in G1"),
        (section::B2, "B in G2"),
    ];
    if let Some((id, name)) = sections.iter().find(|(id, _)| key.bytes(*id) != first.bytes(*id)) {
        return wrong(format!("section {id} ({name}) is not that of the circuit and the powers of tau"));
    }
    let circuit = History::read(first.bytes(section::CONTRIBUTIONS))?.circuit;
    if history.circuit != circuit {
        return wrong("section 10: the circuit hash is not that of the circuit and the powers of tau");
    }
    Ok(())
}

fn check_groups(key: &Zkey, control: &Control) -> Result<()> {
    for id in [section::C, section::H] {
        if let Some(index) = first_bad(key.g1(id), false, control)? {
            return wrong(format!("section {id}: point {index} is not in the group"));
        }
    }
    Ok(())
}

/// The private wires' points are the first key's, divided by delta.
fn check_private(key: &Zkey, first: &Zkey, control: &Control) -> Result<()> {
    control.report("private wires", 0.0)?;
    let points: Points<'_, g1::Config> = key.g1(section::C);
    let factors = Scalars::new(&random_factors(points.len()));
    let divided = msm(points, &factors, 0, control)?;
    let whole = msm(first.g1(section::C), &factors, 0, control)?;
    if !is_divided(&divided, &whole, &key.header.delta2) {
        return wrong("section 8 (private wires) is not the first key's divided by delta");
    }
    Ok(())
}

/// H serves all quotients of the degree that proofs have: for a random one, h(tau) * (tau^rows - 1) by the powers must be
/// what the points give, divided by delta. What proofs never use is not compared: it differs between powers files.
fn check_quotient(key: &Zkey, ptau: &Ptau, control: &Control) -> Result<()> {
    control.report("H", 0.0)?;
    let rows = key.header.domain_size;
    let no_domain = || Error::Key(format!("there is no domain of {rows}"));
    let mut factors = random_factors(rows - 1);
    let tau: Points<'_, g1::Config> = ptau.points(powers::TAU_G1);
    let pairs: Vec<_> = (0..rows - 1).map(|index| (tau.get(rows + index), tau.get(index).negated_if(true))).collect();
    let mut bytes = Vec::with_capacity(64 * rows);
    add_pairs(&pairs).iter().for_each(|point| point.write(&mut bytes));
    let whole = msm(Points::<g1::Config>::new(&bytes), &Scalars::new(&factors), 0, control)?;

    factors.push(Fr::ZERO);
    let domain = Radix2EvaluationDomain::<Fr>::new(rows).ok_or_else(no_domain)?;
    let double = Radix2EvaluationDomain::<Fr>::new(2 * rows).ok_or_else(no_domain)?;
    let odd = domain.get_coset(double.group_gen).ok_or_else(no_domain)?;
    odd.fft_in_place(&mut factors);
    // At the odd points tau^rows is -1, so the vanishing polynomial is -2.
    factors.iter_mut().for_each(|value| *value *= -Fr::from(2u64));
    let divided = msm(key.g1(section::H), &Scalars::new(&factors), 0, control)?;
    if (rows > 1 && whole.is_zero()) || !is_divided(&divided, &whole, &key.header.delta2) {
        return wrong("section 9 (H) is not that of the powers of tau, divided by delta");
    }
    Ok(())
}

fn is_divided(divided: &G1Projective, whole: &G1Projective, delta2: &G2Affine) -> bool {
    if whole.is_zero() {
        return divided.is_zero();
    }
    same_ratio(&divided.into_affine(), &whole.into_affine(), &G2Affine::generator(), delta2)
}
