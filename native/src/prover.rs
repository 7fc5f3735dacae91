//! Groth16 proofs, from a constraint system and a key, or from any snarkjs key and a witness.

use ark_bn254::{Fr, G1Affine, G1Projective, G2Affine, G2Projective};
use ark_ec::CurveGroup;
use ark_ff::{One, PrimeField};
use rand::{rngs::OsRng, RngCore};
use rayon::prelude::*;
use std::time::Instant;

use crate::evaluation::{dot, evaluate, evaluate_coefficients};
use crate::groth16_error::{Control, Error, Result, Timings};
use crate::msm::msm;
use crate::ntt::Ntt;
use crate::ntt_scalar::Shift;
use crate::scalars::Scalars;
use crate::setup::check_system;
use crate::simd::Backend;
use crate::system::{Matrix, System};
use crate::zkey::{section, Zkey};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    pub a: G1Affine,
    pub b: G2Affine,
    pub c: G1Affine,
}

/// A proof with its public inputs and the seconds that each phase took.
#[derive(Clone, Debug)]
pub struct Proved {
    pub proof: Proof,
    pub public: Vec<Fr>,
    pub timings: Timings,
}

/// Proves that `witness` satisfies `system`; `zkey` needs no coefficients. The proof is checked before it is returned.
pub fn prove(system: &System, zkey: &Zkey, witness: &[Fr], control: &Control) -> Result<Proved> {
    let domain_size = check_system(system)?;
    let header = &zkey.header;
    let ours = (system.n_wires, system.n_public, domain_size);
    let key = (header.n_wires, header.n_public, header.domain_size);
    if ours != key {
        return Err(Error::System(format!("(wires, public, domain) are {ours:?}, those of the key {key:?}")));
    }
    check_witness_shape(zkey, witness)?;
    let mut timings = Timings::default();
    control.report("eval", 0.0)?;
    let [a, b] = timings.measure("eval", || evaluate(Backend::current(), system, domain_size, witness));
    finish(zkey, witness, a, b, timings, control).map_err(|error| match (error, unsatisfied(system, witness)) {
        (Error::Witness(_), Some(row)) => Error::Witness(format!("constraint {row} is not satisfied")),
        (error, _) => error,
    })
}

/// Proves with the key's own coefficients, for any circuit.
pub fn prove_zkey(zkey: &Zkey, witness: &[Fr], control: &Control) -> Result<Proved> {
    check_witness_shape(zkey, witness)?;
    let mut timings = Timings::default();
    control.report("eval", 0.0)?;
    let [a, b] = timings.measure("eval", || evaluate_coefficients(Backend::current(), zkey, witness))?;
    finish(zkey, witness, a, b, timings, control)
}

fn check_witness_shape(zkey: &Zkey, witness: &[Fr]) -> Result<()> {
    if witness.len() != zkey.header.n_wires {
        return Err(Error::Witness(format!("{} values for {} wires", witness.len(), zkey.header.n_wires)));
    }
    if !witness[0].is_one() {
        return Err(Error::Witness(format!("wire 0 is {}, not one", witness[0])));
    }
    Ok(())
}

/// The first constraint that `witness` does not satisfy.
pub fn unsatisfied(system: &System, witness: &[Fr]) -> Option<usize> {
    let mut first = 0;
    for piece in &system.pieces {
        let dot = |matrix: &Matrix, row: usize| dot(piece, matrix, row, witness);
        let r1cs = &piece.r1cs;
        let rows = r1cs.n_constraints();
        let bad =
            (0..rows).into_par_iter().find_first(|row| dot(&r1cs.a, *row) * dot(&r1cs.b, *row) != dot(&r1cs.c, *row));
        if let Some(row) = bad {
            return Some(first + row);
        }
        first += rows;
    }
    None
}

/// (A * B - C) at the odd points of the domain twice as large, where the key has H; C is A * B on the domain itself.
fn quotient(mut a: Vec<Fr>, mut b: Vec<Fr>, control: &Control, timings: &mut Timings) -> Result<Vec<Fr>> {
    let backend = Backend::current();
    if let Some(ntt) = Ntt::new(backend, a.len().ilog2()).filter(|_| backend.is_vector()) {
        return timings.measure("ntt", || ntt.quotient(a, b, control));
    }
    let size = a.len();
    let no_domain = || Error::Key(format!("there is no domain of {size}"));
    timings.measure("ntt", || {
        let odd = Shift::new(size).ok_or_else(no_domain)?;
        let shift = |values: &mut Vec<Fr>| -> Result<()> {
            control.check()?;
            odd.apply(values);
            Ok(())
        };
        let mut c: Vec<Fr> = a.par_iter().zip(&b).map(|(a, b)| *a * b).collect();
        shift(&mut a)?;
        control.report("ntt", 0.33)?;
        shift(&mut b)?;
        control.report("ntt", 0.67)?;
        a.par_iter_mut().zip(&b).for_each(|(a, b)| *a *= b);
        drop(b);
        shift(&mut c)?;
        a.par_iter_mut().zip(&c).for_each(|(a, c)| *a -= c);
        Ok(a)
    })
}

fn random_scalar() -> Fr {
    let mut bytes = [0; 64];
    OsRng.fill_bytes(&mut bytes);
    Fr::from_le_bytes_mod_order(&bytes)
}

/// What `work` gave, its name and its seconds.
type Timed<T> = (Result<T>, &'static str, f64);

fn timed<T>(phase: &'static str, work: impl FnOnce() -> Result<T>) -> Timed<T> {
    let start = Instant::now();
    (work(), phase, start.elapsed().as_secs_f64())
}

/// Everything after A and B times the witness.
fn finish(
    zkey: &Zkey,
    witness: &[Fr],
    a: Vec<Fr>,
    b: Vec<Fr>,
    mut timings: Timings,
    control: &Control,
) -> Result<Proved> {
    let header = &zkey.header;
    control.report("ntt", 0.0)?;
    let h = quotient(a, b, control, &mut timings)?;
    control.report("msm H", 0.0)?;
    let sum_h = timings.measure("msm H", || {
        let scalars = Scalars::new(&h);
        drop(h);
        msm(zkey.g1(section::H), &scalars, 0, control)
    })?;
    let scalars = timings.measure("sort", || Scalars::new(witness));
    control.report("msm A, B1, B2, C", 0.0)?;
    // Side by side, so that no core waits at the end of one for the others; the times of these phases overlap.
    let sum = |phase, section, first| timed(phase, || msm(zkey.g1(section), &scalars, first, control));
    let sums = || {
        let in_first = || (sum("msm A", section::A, 0), sum("msm B1", section::B1, 0));
        let others = || {
            (
                timed("msm B2", || msm(zkey.g2(section::B2), &scalars, 0, control)),
                sum("msm C", section::C, header.n_public + 1),
            )
        };
        rayon::join(others, in_first)
    };
    let ((sum_b2, sum_c), (sum_a, sum_b1)) = timings.measure("msm", sums);
    timings.0.extend([&sum_a, &sum_b1, &sum_c].map(|sum| (sum.1, sum.2)));
    timings.0.push((sum_b2.1, sum_b2.2));
    let (sum_a, sum_b1, sum_b2, sum_c) = (sum_a.0?, sum_b1.0?, sum_b2.0?, sum_c.0?);

    let (r, s) = (random_scalar(), random_scalar());
    let a: G1Projective = sum_a + header.alpha1 + header.delta1 * r;
    let b: G2Projective = sum_b2 + header.beta2 + header.delta2 * s;
    let b1: G1Projective = sum_b1 + header.beta1 + header.delta1 * s;
    let c: G1Projective = sum_c + sum_h + a * s + b1 * r - header.delta1 * (r * s);
    let proof = Proof { a: a.into_affine(), b: b.into_affine(), c: c.into_affine() };
    let public = witness[1..=header.n_public].to_vec();
    // A wrong witness, a damaged key or a fault in the machine must not leave as a proof.
    let valid = timings.measure("check", || zkey.verification_key().verify_unchecked_key(&proof, &public))?;
    if !valid {
        return Err(Error::Witness("it does not satisfy the circuit of this key (or the key is damaged)".into()));
    }
    Ok(Proved { proof, public, timings })
}
