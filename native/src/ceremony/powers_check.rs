//! Whether a powers file holds what it must: points of the groups, powers of one tau, and their Lagrange forms.
//!
//! Powers are checked by one random combination of all equations, with 128-bit factors: a wrong file passes with
//! probability 2^-128.

use ark_bn254::{g1, g2, Fr, G1Affine, G2Affine};
use ark_ec::short_weierstrass::{Affine, Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, Zero};
use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};
use rand::{rngs::OsRng, RngCore};

use super::encoding::same_ratio;
use super::ptau::{malformed, name, section, Ptau, POWERS_G1};
use crate::batch_affine::Curve;
use crate::groth16_error::{Control, Result};
use crate::msm::{msm, Points};
use crate::scalars::Scalars;
use crate::zkey::first_bad;

/// Equations that one combination takes: bounds the memory for their factors.
const CHUNK: usize = 1 << 20;

/// 128 random bits.
pub fn random_factors(count: usize) -> Vec<Fr> {
    let mut bytes = vec![0; 16 * count];
    OsRng.fill_bytes(&mut bytes);
    bytes
        .chunks_exact(16)
        .map(|bytes| {
            let mut word = [0; 16];
            word.copy_from_slice(bytes);
            Fr::from(u128::from_le_bytes(word))
        })
        .collect()
}

/// Checks all points and all powers. The Lagrange forms are checked where they are used, by [`check_lagrange`].
pub fn check_powers(ptau: &Ptau, control: &Control) -> Result<()> {
    check_groups(ptau, control)?;
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    let first1 = |id: u32| ptau.points::<g1::Config>(id).get(0).to_affine();
    let wrong = |id: u32, text: &str| Err(malformed(format!("{}: {text}", name(id))));
    if first1(section::TAU_G1) != g1 {
        return wrong(section::TAU_G1, "the first point is not the generator");
    }
    if ptau.points::<g2::Config>(section::TAU_G2).get(0).to_affine() != g2 {
        return wrong(section::TAU_G2, "the first point is not the generator");
    }
    let rows = 1usize << ptau.power;
    if ptau.points::<g1::Config>(section::TAU_G1).get(rows).to_affine() == g1 {
        return wrong(section::TAU_G1, "tau is a root of unity: this file has no contribution, or a bad one");
    }
    let (tau1, tau2) = (ptau.tau1(), ptau.tau2());
    for id in POWERS_G1 {
        let (low, high) = neighbours::<g1::Config>(ptau.bytes(id), control)?;
        if !same_ratio(&low, &high, &g2, &tau2) {
            return wrong(id, "these are no powers of the tau of section 3");
        }
    }
    let (low, high) = neighbours::<g2::Config>(ptau.bytes(section::TAU_G2), control)?;
    if !same_ratio(&g1, &tau1, &low, &high) {
        return wrong(section::TAU_G2, "these are no powers of the tau of section 2");
    }
    if !same_ratio(&g1, &ptau.beta1(), &g2, &ptau.beta2()) {
        return wrong(section::BETA_G2, "beta is not that of section 5");
    }
    Ok(())
}

/// Every point in its group, none infinity.
fn check_groups(ptau: &Ptau, control: &Control) -> Result<()> {
    control.report("points", 0.0)?;
    for id in POWERS_G1 {
        expect_points(ptau.points::<g1::Config>(id), name(id), control)?;
    }
    control.report("points", 0.5)?;
    for id in [section::TAU_G2, section::BETA_G2] {
        expect_points(ptau.points::<g2::Config>(id), name(id), control)?;
    }
    Ok(())
}

fn expect_points<C: Curve>(points: Points<'_, C>, name: &str, control: &Control) -> Result<()> {
    match first_bad(points, true, control)? {
        None => Ok(()),
        Some(index) => Err(malformed(format!("{name}: point {index} is not in the group, or infinity"))),
    }
}

/// The same random combination of all points but the last, and of all but the first.
fn neighbours<C: Curve>(bytes: &[u8], control: &Control) -> Result<(Affine<C>, Affine<C>)> {
    let pairs = bytes.len() / C::POINT_BYTES - 1;
    let (mut low, mut high) = (Projective::<C>::default(), Projective::<C>::default());
    for start in (0..pairs).step_by(CHUNK) {
        control.report("powers", start as f64 / pairs as f64)?;
        let count = CHUNK.min(pairs - start);
        let part = |first: usize| Points::new(&bytes[first * C::POINT_BYTES..(first + count) * C::POINT_BYTES]);
        let factors = Scalars::new(&random_factors(count));
        low += msm(part(start), &factors, 0, control)?;
        high += msm(part(start + 1), &factors, 0, control)?;
    }
    Ok((low.into_affine(), high.into_affine()))
}

/// Checks a Lagrange form for 2^log rows against its powers. `id` is the powers' section.
pub fn check_lagrange<C: Curve>(ptau: &Ptau, id: u32, log: u32, control: &Control) -> Result<()> {
    control.report("Lagrange form", 0.0)?;
    let rows = 1usize << log;
    let name = format!("{}, 2^{log} rows", name(id + section::LAGRANGE));
    let domain = Radix2EvaluationDomain::<Fr>::new(rows).ok_or_else(|| malformed(format!("{name}: no domain")))?;
    expect_points(ptau.lagrange::<C>(id, log), &name, control)?;
    // A random polynomial at tau, from its coefficients and from its values. For the topmost form of section 12 the
    // last power is not in the file: what that adds is not compared, and used by no proof.
    let powers = ptau.points::<C>(id);
    let mut factors = random_factors(rows.min(powers.len()));
    let by_powers = msm(powers, &Scalars::new(&factors), 0, control)?;
    factors.resize(rows, Fr::ZERO);
    domain.fft_in_place(&mut factors);
    let by_values = msm(ptau.lagrange::<C>(id, log), &Scalars::new(&factors), 0, control)?;
    // Random multiples of points of which none is infinity: that they are nothing is an error of ours, not a file's.
    if by_powers.is_zero() || by_powers != by_values {
        return Err(malformed(format!("{name}: it is not that of the powers")));
    }
    Ok(())
}

/// Checks all Lagrange forms of a prepared file, as `snarkjs powersoftau verify` does.
pub fn check_all_lagrange(ptau: &Ptau, control: &Control) -> Result<()> {
    if !ptau.is_prepared() {
        return Ok(());
    }
    for log in 0..=ptau.power {
        for id in POWERS_G1 {
            check_lagrange::<g1::Config>(ptau, id, log, control)?;
        }
        check_lagrange::<g2::Config>(ptau, section::TAU_G2, log, control)?;
    }
    check_lagrange::<g1::Config>(ptau, section::TAU_G1, ptau.power + 1, control)
}
