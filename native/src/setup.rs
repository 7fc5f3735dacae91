//! Development keys: all secrets derive from a seed that anyone may know. Never for a deployment with value.
//!
//! The result is what `snarkjs groth16 setup` and one contribution would give for these secrets: gamma is the generator,
//! public wires are also rows of A, H is in odd-coset Lagrange form. tau, alpha and beta depend on the seed alone, so that
//! keys of all block sizes share them; delta depends on the circuit too.

use std::path::Path;

use ark_bn254::{g1, g2, Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::{AffineRepr, CurveGroup, PrimeGroup};
use ark_ff::{batch_inversion, Field, One, PrimeField, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rand::RngCore;
use rand_chacha::{rand_core::SeedableRng, ChaCha20Rng};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::fixed_base::FixedBase;
use crate::groth16_error::{Control, Error, Result, Timings};
use crate::system::{Matrix, System};
use crate::zkey::{section, Development, Header, MAX_DOMAIN_LOG};
use crate::zkey_write::{header_bytes, write_coefficients, ZkeyWriter};

const DOMAIN: &str = "sluice/groth16/development-setup/v1";
const WARNING: &str = "UNSAFE development key: its secrets derive from the seed below, anyone can forge proofs";
/// Bits per window of the tables: one window's part of a table fits the second-level cache.
const G1_WIDTH: usize = 13;
const G2_WIDTH: usize = 12;

#[derive(Clone, Debug)]
pub struct SetupReport {
    pub timings: Timings,
    pub hash: [u8; 32],
    pub circuit: String,
    pub domain_size: usize,
}

/// A secret, the same on every machine: 512 bits of ChaCha20 keyed by a hash, modulo r.
fn derive(label: &str, seed: &str, context: &[u8]) -> Fr {
    let mut hash = Sha256::new();
    for part in [DOMAIN.as_bytes(), label.as_bytes(), seed.as_bytes(), context] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    let mut bytes = [0; 64];
    ChaCha20Rng::from_seed(hash.finalize().into()).fill_bytes(&mut bytes);
    Fr::from_le_bytes_mod_order(&bytes)
}

/// alpha of development keys from this seed.
pub fn alpha(seed: &str) -> G1Affine {
    (G1Projective::generator() * derive("alpha", seed, &[])).into_affine()
}

/// Refuses a system that contradicts itself, so that no index is out of range later; returns the domain size.
pub fn check_system(system: &System) -> Result<usize> {
    let wrong = |text: String| Err(Error::System(text));
    if system.n_public >= system.n_wires || system.n_wires >= 1 << 31 {
        return wrong(format!("{} public of {} wires", system.n_public, system.n_wires));
    }
    let mut seen: Vec<*const crate::system::R1cs> = Vec::new();
    for (index, piece) in system.pieces.iter().enumerate() {
        let r1cs = &piece.r1cs;
        if piece.wires.len() != r1cs.n_wires || piece.wires.iter().any(|wire| *wire as usize >= system.n_wires) {
            return wrong(format!("the wire map of piece {index} does not fit {} wires", r1cs.n_wires));
        }
        if seen.contains(&std::sync::Arc::as_ptr(r1cs)) {
            continue;
        }
        seen.push(std::sync::Arc::as_ptr(r1cs));
        for matrix in [&r1cs.a, &r1cs.b, &r1cs.c] {
            let ordered = matrix.starts.windows(2).all(|pair| pair[0] <= pair[1]);
            let ends = matrix.starts.last() == Some(&matrix.terms.len()) || matrix.rows() == 0;
            if matrix.rows() != r1cs.n_constraints()
                || !ordered
                || !ends
                || matrix.terms.iter().any(|(wire, _)| *wire as usize >= r1cs.n_wires)
            {
                return wrong(format!("a matrix of piece {index} is malformed"));
            }
        }
    }
    let rows = system.n_constraints() + system.n_public + 1;
    let domain_size = rows.next_power_of_two().max(2);
    if domain_size > 1 << MAX_DOMAIN_LOG {
        return wrong(format!("{rows} rows need a domain above 2^{MAX_DOMAIN_LOG}"));
    }
    Ok(domain_size)
}

/// Lagrange polynomials at tau: `element * scale / (tau - element)` for elements first * step^i, i in start..end.
struct Lagrange {
    tau: Fr,
    first: Fr,
    step: Fr,
    scale: Fr,
}

impl Lagrange {
    /// Every `stride`-th element of the domain of that size, from the `first`-th on.
    fn new(tau: Fr, size: usize, first: u64, stride: u64) -> Result<Self> {
        let domain = Radix2EvaluationDomain::<Fr>::new(size)
            .ok_or_else(|| Error::System(format!("there is no domain of {size}")))?;
        let root = domain.group_gen;
        let scale = (tau.pow([size as u64]) - Fr::one()) * domain.size_inv;
        Ok(Self { tau, first: root.pow([first]), step: root.pow([stride]), scale })
    }

    fn range(&self, start: usize, end: usize, factor: Fr) -> Vec<Fr> {
        let mut element = self.first * self.step.pow([start as u64]);
        let mut elements = Vec::with_capacity(end - start);
        for _ in start..end {
            elements.push(element);
            element *= self.step;
        }
        let mut values: Vec<Fr> = elements.iter().map(|element| self.tau - element).collect();
        batch_inversion(&mut values);
        let scale = self.scale * factor;
        for (value, element) in values.iter_mut().zip(&elements) {
            *value *= scale * element;
        }
        values
    }

    fn all(&self, size: usize) -> Vec<Fr> {
        let starts: Vec<usize> = (0..size).step_by(1 << 14).collect();
        starts.into_par_iter().flat_map_iter(|at| self.range(at, size.min(at + (1 << 14)), Fr::one())).collect()
    }
}

/// The polynomials of all wires at tau, for one of the three matrices.
fn wire_values(system: &System, lagrange: &[Fr], matrix: impl Fn(&crate::system::R1cs) -> &Matrix) -> Vec<Fr> {
    let mut values = vec![Fr::zero(); system.n_wires];
    let mut first_row = 0;
    for piece in &system.pieces {
        let matrix = matrix(&piece.r1cs);
        for row in 0..matrix.rows() {
            let at = lagrange[first_row + row];
            for (wire, coefficient) in matrix.row(row) {
                let value = &mut values[piece.wires[*wire as usize] as usize];
                *value += if coefficient.is_one() { at } else { at * coefficient };
            }
        }
        first_row += matrix.rows();
    }
    values
}

/// Identifies a circuit for the derivation of delta: its polynomials at tau, whatever pieces it is made of.
fn fingerprint(system: &System, domain_size: usize, values: [&[Fr]; 3]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for number in [system.n_wires, system.n_public, domain_size] {
        hash.update((number as u64).to_le_bytes());
    }
    for value in values.into_iter().flatten() {
        let mut bytes = [0u8; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(value.0 .0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        hash.update(bytes);
    }
    hash.finalize().into()
}

/// Makes a development key for `system`; with `coefficients` it is usable by any snarkjs-compatible prover, without
/// only together with the system.
pub fn setup_development(
    system: &System,
    path: &Path,
    seed: &str,
    coefficients: bool,
    control: &Control,
) -> Result<SetupReport> {
    let domain_size = check_system(system)?;
    let mut timings = Timings::default();
    let [tau, alpha, beta] = ["tau", "alpha", "beta"].map(|label| derive(label, seed, &[]));

    control.report("polynomials", 0.0)?;
    let (a, b, c) = timings.measure("polynomials", || -> Result<_> {
        let lagrange = Lagrange::new(tau, domain_size, 0, 1)?.all(domain_size);
        control.report("polynomials", 0.3)?;
        let (mut a, (b, c)) = rayon::join(
            || wire_values(system, &lagrange, |r1cs| &r1cs.a),
            || {
                rayon::join(
                    || wire_values(system, &lagrange, |r1cs| &r1cs.b),
                    || wire_values(system, &lagrange, |r1cs| &r1cs.c),
                )
            },
        );
        for (wire, value) in a.iter_mut().enumerate().take(system.n_public + 1) {
            *value += lagrange[system.n_constraints() + wire];
        }
        Ok((a, b, c))
    })?;
    let circuit = timings.measure("fingerprint", || fingerprint(system, domain_size, [&a, &b, &c]));
    let delta = derive("delta", seed, &circuit);
    let delta_inverse = delta.inverse().ok_or_else(|| Error::System("delta is zero".into()))?;

    control.report("tables", 0.0)?;
    let (g1, g2) = timings.measure("tables", || {
        rayon::join(
            || FixedBase::<g1::Config>::new(G1Projective::generator(), G1_WIDTH),
            || FixedBase::<g2::Config>::new(G2Projective::generator(), G2_WIDTH),
        )
    });

    let header = Header {
        n_wires: system.n_wires,
        n_public: system.n_public,
        domain_size,
        alpha1: (G1Projective::generator() * alpha).into_affine(),
        beta1: (G1Projective::generator() * beta).into_affine(),
        beta2: (G2Projective::generator() * beta).into_affine(),
        gamma2: G2Affine::generator(),
        delta1: (G1Projective::generator() * delta).into_affine(),
        delta2: (G2Projective::generator() * delta).into_affine(),
    };
    let hex = hex(&circuit);
    let mark = Development { warning: WARNING.into(), seed: seed.into(), circuit: hex.clone() };
    let mark = serde_json::to_vec(&mark).map_err(|error| Error::Key(error.to_string()))?;

    let mut writer = ZkeyWriter::create(path, if coefficients { 11 } else { 10 })?;
    writer.section(section::PROTOCOL, &1u32.to_le_bytes())?;
    writer.section(section::HEADER, &header_bytes(&header))?;
    writer.section(section::DEVELOPMENT, &mark)?;

    let first_private = system.n_public + 1;
    let combined = |from: usize, to: usize, factor: Fr| -> Vec<Fr> {
        (from..to).map(|wire| (beta * a[wire] + alpha * b[wire] + c[wire]) * factor).collect()
    };
    timings.measure("IC", || {
        writer.points(section::IC, "IC", &g1, first_private, |from, to| combined(from, to, Fr::one()), control)
    })?;
    timings.measure("C", || {
        let scalars = |from: usize, to: usize| combined(from + first_private, to + first_private, delta_inverse);
        writer.points(section::C, "C", &g1, system.n_wires - first_private, scalars, control)
    })?;
    drop(c);
    timings.measure("A", || {
        writer.points(section::A, "A", &g1, system.n_wires, |from, to| a[from..to].to_vec(), control)
    })?;
    drop(a);
    timings.measure("B1", || {
        writer.points(section::B1, "B1", &g1, system.n_wires, |from, to| b[from..to].to_vec(), control)
    })?;
    timings.measure("B2", || {
        writer.points(section::B2, "B2", &g2, system.n_wires, |from, to| b[from..to].to_vec(), control)
    })?;
    drop(b);
    timings.measure("H", || {
        let odd = Lagrange::new(tau, 2 * domain_size, 1, 2)?;
        let scalars = |from, to| odd.range(from, to, delta_inverse);
        writer.points(section::H, "H", &g1, domain_size, scalars, control)
    })?;
    if coefficients {
        timings.measure("coefficients", || write_coefficients(&mut writer, section::COEFFICIENTS, system, control))?;
    }
    // snarkjs's hash of the circuit, which only `zkey verify` and `contribute` read, then the number of contributions.
    let mut contributions = [0u8; 68];
    contributions[..32].copy_from_slice(&circuit);
    writer.section(section::CONTRIBUTIONS, &contributions)?;
    let hash = timings.measure("finish", || writer.finish())?;
    Ok(SetupReport { timings, hash, circuit: hex, domain_size })
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
