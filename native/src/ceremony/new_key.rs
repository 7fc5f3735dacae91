//! A circuit's first Groth16 key, from its constraints and powers of tau: delta is still one. Byte for byte snarkjs's.

use std::borrow::Cow;
use std::path::Path;

use ark_bn254::{g1, g2, Fr, G1Affine, G2Affine};
use ark_ec::short_weierstrass::Projective;
use ark_ec::{AffineRepr, CurveGroup};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

use super::blake2b::Blake2b;
use super::combine::{columns, Term};
use super::contribution::History;
use super::encoding::{hash_points, stored, uncompressed, Uncompressed};
use super::lockstep::add_pairs;
use super::overrun;
use super::powers_check::check_lagrange;
use super::ptau::{malformed, section as powers, Ptau};
use crate::batch_affine::{Curve, Point};
use crate::groth16_error::{Control, Result};
use crate::msm::Points;
use crate::setup::check_system;
use crate::system::System;
use crate::zkey::{section, Header};
use crate::zkey_write::{header_bytes, write_coefficients, ZkeyWriter};

/// The Lagrange form of the powers for the circuit's rows, and of tau for twice as many.
struct Bases<'a> {
    tau1: Cow<'a, [u8]>,
    tau2: Cow<'a, [u8]>,
    alpha1: Cow<'a, [u8]>,
    beta1: Cow<'a, [u8]>,
    double1: Cow<'a, [u8]>,
}

/// The points of the key's sections, as the key has them.
struct Columns {
    /// Of public, then of private wires.
    combined: Vec<u8>,
    a: Vec<u8>,
    b1: Vec<u8>,
    b2: Vec<u8>,
}

/// Writes the first key of `system` and returns its circuit hash. The powers must have passed `check_powers`; their
/// Lagrange form is checked here, and computed if the file has none (minutes for 2^20 rows).
pub fn new_key(system: &System, ptau: &Ptau, path: &Path, control: &Control) -> Result<[u8; 64]> {
    let rows = check_system(system)?;
    let log = rows.trailing_zeros();
    if log > ptau.power {
        let text = format!("2^{} rows, the circuit needs 2^{log}: take a larger file of the same ceremony", ptau.power);
        return Err(malformed(text));
    }
    let bases = bases(ptau, log, control)?;
    let columns = all_columns(system, &bases, control)?;
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    let header = Header {
        n_wires: system.n_wires,
        n_public: system.n_public,
        domain_size: rows,
        alpha1: ptau.alpha1(),
        beta1: ptau.beta1(),
        beta2: ptau.beta2(),
        gamma2: g2,
        delta1: g1,
        delta2: g2,
    };
    let circuit = circuit_hash(&header, ptau, &columns, control)?;
    let h: Vec<u8> = bases.double1.chunks_exact(64).skip(1).step_by(2).flatten().copied().collect();
    let (ic, c) = columns.combined.split_at(64 * (system.n_public + 1));
    let mut writer = ZkeyWriter::create(path, 10)?;
    writer.section(section::PROTOCOL, &1u32.to_le_bytes())?;
    writer.section(section::HEADER, &header_bytes(&header))?;
    write_coefficients(&mut writer, section::COEFFICIENTS, system, control)?;
    writer.section(section::IC, ic)?;
    writer.section(section::H, &h)?;
    writer.section(section::C, c)?;
    writer.section(section::A, &columns.a)?;
    writer.section(section::B1, &columns.b1)?;
    writer.section(section::B2, &columns.b2)?;
    writer.section(section::CONTRIBUTIONS, &History::new(circuit).bytes())?;
    writer.finish()?;
    Ok(circuit)
}

fn bases<'a>(ptau: &'a Ptau, log: u32, control: &Control) -> Result<Bases<'a>> {
    Ok(Bases {
        tau1: lagrange::<g1::Config>(ptau, powers::TAU_G1, log, control)?,
        tau2: lagrange::<g2::Config>(ptau, powers::TAU_G2, log, control)?,
        alpha1: lagrange::<g1::Config>(ptau, powers::ALPHA_TAU_G1, log, control)?,
        beta1: lagrange::<g1::Config>(ptau, powers::BETA_TAU_G1, log, control)?,
        double1: lagrange::<g1::Config>(ptau, powers::TAU_G1, log + 1, control)?,
    })
}

/// A section's Lagrange form: from the file, checked, or computed from the powers.
fn lagrange<'a, C: Curve>(ptau: &'a Ptau, id: u32, log: u32, control: &Control) -> Result<Cow<'a, [u8]>> {
    let rows = 1usize << log;
    if ptau.is_prepared() {
        check_lagrange::<C>(ptau, id, log, control)?;
        let bytes = ptau.bytes(id + powers::LAGRANGE);
        return Ok(Cow::Borrowed(&bytes[(rows - 1) * C::POINT_BYTES..(2 * rows - 1) * C::POINT_BYTES]));
    }
    control.report("Lagrange form", 0.0)?;
    let domain = Radix2EvaluationDomain::<Fr>::new(rows).ok_or_else(|| malformed(format!("no domain of 2^{log}")))?;
    let points = ptau.points::<C>(id);
    let mut values: Vec<Projective<C>> =
        (0..rows.min(points.len())).map(|index| points.get(index).to_affine().into()).collect();
    // snarkjs, too, takes the power that the topmost form lacks for zero.
    values.resize(rows, Projective::default());
    domain.ifft_in_place(&mut values);
    control.check()?;
    let affine = Projective::normalize_batch(&values);
    Ok(Cow::Owned(affine.iter().flat_map(stored).collect()))
}

fn all_columns(system: &System, bases: &Bases<'_>, control: &Control) -> Result<Columns> {
    let (tau1, tau2, alpha1, beta1) = (&bases.tau1, &bases.tau2, &bases.alpha1, &bases.beta1);
    let mut a = columns::<g1::Config>(system, &[Term { matrix: |r1cs| &r1cs.a, points: tau1 }], "A", control)?;
    add_public_rows(&mut a, system, tau1);
    let b1 = columns::<g1::Config>(system, &[Term { matrix: |r1cs| &r1cs.b, points: tau1 }], "B1", control)?;
    let b2 = columns::<g2::Config>(system, &[Term { matrix: |r1cs| &r1cs.b, points: tau2 }], "B2", control)?;
    let terms = [
        Term { matrix: |r1cs| &r1cs.a, points: beta1 },
        Term { matrix: |r1cs| &r1cs.b, points: alpha1 },
        Term { matrix: |r1cs| &r1cs.c, points: tau1 },
    ];
    let mut combined = columns::<g1::Config>(system, &terms, "C", control)?;
    add_public_rows(&mut combined, system, beta1);
    Ok(Columns { combined: bytes(&combined), a: bytes(&a), b1: bytes(&b1), b2: bytes(&b2) })
}

/// Public wires have a row of their own in A, so that none is left out of the proof.
fn add_public_rows(sums: &mut [Point<g1::Config>], system: &System, points: &[u8]) {
    let rows = system.n_constraints();
    let points = Points::new(points);
    let pairs: Vec<_> = (0..=system.n_public).map(|wire| (sums[wire], points.get(rows + wire))).collect();
    for (sum, total) in sums.iter_mut().zip(add_pairs(&pairs)) {
        *sum = total;
    }
}

fn bytes<C: Curve>(points: &[Point<C>]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(points.len() * C::POINT_BYTES);
    points.iter().for_each(|point| point.write(&mut bytes));
    bytes
}

/// snarkjs's hash of a first key, by which all contributions are tied to the circuit.
fn circuit_hash(header: &Header, ptau: &Ptau, columns: &Columns, control: &Control) -> Result<[u8; 64]> {
    control.report("hash", 0.0)?;
    let mut hasher = Blake2b::default();
    hasher.update(&uncompressed(&header.alpha1));
    hasher.update(&uncompressed(&header.beta1));
    hasher.update(&uncompressed(&header.beta2));
    hasher.update(&uncompressed(&header.gamma2));
    hasher.update(&uncompressed(&header.delta1));
    hasher.update(&uncompressed(&header.delta2));
    let (ic, c) = columns.combined.split_at(64 * (header.n_public + 1));
    hash_section::<g1::Config>(&mut hasher, ic);
    hash_differences(&mut hasher, ptau, header.domain_size);
    hash_section::<g1::Config>(&mut hasher, c);
    hash_section::<g1::Config>(&mut hasher, &columns.a);
    hash_section::<g1::Config>(&mut hasher, &columns.b1);
    hash_section::<g2::Config>(&mut hasher, &columns.b2);
    control.report("hash", 1.0)?;
    Ok(hasher.finish())
}

fn hash_section<C: Curve>(hasher: &mut Blake2b, bytes: &[u8])
where
    C::BaseField: Uncompressed,
{
    let points = Points::<C>::new(bytes);
    hasher.update(&(points.len() as u32).to_be_bytes());
    hash_points(hasher, points);
}

/// tau^(rows + i) - tau^i for all i but the last, which stand for H; snarkjs's mistake included (see `overrun`).
fn hash_differences(hasher: &mut Blake2b, ptau: &Ptau, rows: usize) {
    let tau = ptau.points::<g1::Config>(powers::TAU_G1);
    hasher.update(&(rows as u32 - 1).to_be_bytes());
    let known = if rows > overrun::CHUNK { rows.min(tau.len() - rows) } else { rows - 1 };
    let pairs: Vec<_> = (0..known).map(|index| (tau.get(rows + index), tau.get(index).negated_if(true))).collect();
    hash_points(hasher, Points::<g1::Config>::new(&bytes(&add_pairs(&pairs))));
    if rows > overrun::CHUNK && known < rows {
        let stray = ptau.raw(powers::TAU_G1, 64 * (2 * rows - 1), 64);
        hasher.update(&overrun::difference(&stray, &tau.get(rows - 1).to_affine()));
    }
}
