//! Who contributed to a powers-of-tau file: each step must follow the one before by a secret that its maker knew.
//!
//! The points of the steps between are gone, so their hashes are taken as they are; the last step's are those of the file.

use ark_bn254::{g1, g2, G1Affine, G2Affine};
use ark_ec::AffineRepr;

use super::blake2b::{hash, Blake2b, STATE_BYTES};
use super::contribution::{read_parameters, read_point, Beacon, Parsed};
use super::encoding::{hash_points, hash_to_g2, known_secret, same_ratio, uncompressed};
use super::ptau::{malformed, name, section, Ptau};
use crate::groth16_error::{Control, Result};
use crate::r1cs::{CircuitError, Reader};

/// One secret of a contribution, known by its multiples.
#[derive(Clone, Debug)]
struct Known {
    base: G1Affine,
    multiple: G1Affine,
    multiple2: G2Affine,
}

/// What a step leaves: the points that the next one multiplies, and the challenge that it answers.
#[derive(Clone, Debug)]
struct State {
    tau1: G1Affine,
    tau2: G2Affine,
    alpha1: G1Affine,
    beta1: G1Affine,
    beta2: G2Affine,
    challenge: [u8; 64],
}

#[derive(Clone, Debug)]
struct Step {
    after: State,
    /// Of tau, alpha, beta.
    secrets: [Known; 3],
    response: [u8; 64],
    name: String,
    beacon: Option<Beacon>,
}

/// A contribution to the powers, for people to compare: its name and the hash that its maker published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contributor {
    pub name: String,
    pub response: [u8; 64],
    pub beacon: bool,
}

/// Checks the contributions of a file whose powers have passed `check_powers`.
pub fn check_history(ptau: &Ptau, control: &Control) -> Result<Vec<Contributor>> {
    let wrong = |text: String| malformed(format!("{}: {text}", name(section::CONTRIBUTIONS)));
    let steps = read(ptau.bytes(section::CONTRIBUTIONS)).map_err(|error| wrong(error.0))?;
    let Some(last) = steps.last() else {
        return Err(wrong("there is none, so tau is one: take a file of a ceremony".into()));
    };
    let mut before = first_state(ptau.ceremony_power, control)?;
    for (index, step) in steps.iter().enumerate() {
        control.report("contributions", index as f64 / steps.len() as f64)?;
        let refused = |text: &str| wrong(format!("contribution {} ({}): {text}", index + 1, step.name));
        check_secrets(step, &before.challenge).map_err(refused)?;
        check_step(step, &before).map_err(refused)?;
        if let Some(beacon) = &step.beacon {
            let mut draw = beacon.draw(control)?;
            let secrets = [draw.fr(), draw.fr(), draw.fr()];
            for (secret, known) in secrets.iter().zip(&step.secrets) {
                if known_secret(secret, &mut draw) != (known.base, known.multiple) {
                    return Err(refused("its secrets are not those of its beacon"));
                }
            }
        }
        before = step.after.clone();
    }
    let file = (ptau.tau1(), ptau.tau2(), ptau.alpha1(), ptau.beta1(), ptau.beta2());
    if file != (last.after.tau1, last.after.tau2, last.after.alpha1, last.after.beta1, last.after.beta2) {
        return Err(wrong("the last one's points are not those of the file".into()));
    }
    // Of the beginning of a ceremony's file not all points are there to hash.
    if ptau.power == ptau.ceremony_power && challenge(ptau, &last.response, control)? != last.after.challenge {
        return Err(wrong("the last one's hash is not that of the file's points".into()));
    }
    let contributor =
        |step: Step| Contributor { name: step.name, response: step.response, beacon: step.beacon.is_some() };
    Ok(steps.into_iter().map(contributor).collect())
}

/// The bases in G2 are hashed from the challenge, so that nobody knows their logarithms.
fn base2(index: u8, known: &Known, challenge: &[u8; 64]) -> G2Affine {
    hash_to_g2(&hash(&[&[index], challenge, &uncompressed(&known.base), &uncompressed(&known.multiple)]))
}

type Check = std::result::Result<(), &'static str>;

fn check_secrets(step: &Step, challenge: &[u8; 64]) -> Check {
    for (index, known) in step.secrets.iter().enumerate() {
        let base2 = base2(index as u8, known, challenge);
        if !same_ratio(&known.base, &known.multiple, &base2, &known.multiple2) {
            return Err("one of its secrets is not the same in G1 and G2");
        }
    }
    Ok(())
}

fn check_step(step: &Step, before: &State) -> Check {
    let after = &step.after;
    let [tau, alpha, beta] = &step.secrets;
    let follows1 = |index: u8, known: &Known, old: &G1Affine, new: &G1Affine| {
        same_ratio(old, new, &base2(index, known, &before.challenge), &known.multiple2)
    };
    let follows2 = |known: &Known, old: &G2Affine, new: &G2Affine| same_ratio(&known.base, &known.multiple, old, new);
    let follows = follows1(0, tau, &before.tau1, &after.tau1)
        && follows1(1, alpha, &before.alpha1, &after.alpha1)
        && follows1(2, beta, &before.beta1, &after.beta1)
        && follows2(tau, &before.tau2, &after.tau2)
        && follows2(beta, &before.beta2, &after.beta2);
    if follows {
        Ok(())
    } else {
        Err("its points are not those before it times its secrets")
    }
}

/// All ones, and the hash of a file full of generators.
fn first_state(power: u32, control: &Control) -> Result<State> {
    let (g1, g2) = (G1Affine::generator(), G2Affine::generator());
    let (bytes1, bytes2) = (uncompressed::<g1::Config>(&g1), uncompressed::<g2::Config>(&g2));
    let rows = 1usize << power;
    let mut hasher = Blake2b::default();
    hasher.update(&hash(&[]));
    for (bytes, count) in [(&bytes1, 2 * rows - 1), (&bytes2, rows), (&bytes1, rows), (&bytes1, rows)] {
        let block = bytes.repeat(1 << 10);
        for _ in 0..count >> 10 {
            control.check()?;
            hasher.update(&block);
        }
        hasher.update(&bytes.repeat(count & ((1 << 10) - 1)));
    }
    hasher.update(&bytes2);
    Ok(State { tau1: g1, tau2: g2, alpha1: g1, beta1: g1, beta2: g2, challenge: hasher.finish() })
}

/// What the file's points and the last response give for the next challenge.
fn challenge(ptau: &Ptau, response: &[u8; 64], control: &Control) -> Result<[u8; 64]> {
    control.report("hash", 0.0)?;
    let mut hasher = Blake2b::default();
    hasher.update(response);
    hash_points(&mut hasher, ptau.points::<g1::Config>(section::TAU_G1));
    hash_points(&mut hasher, ptau.points::<g2::Config>(section::TAU_G2));
    hash_points(&mut hasher, ptau.points::<g1::Config>(section::ALPHA_TAU_G1));
    hash_points(&mut hasher, ptau.points::<g1::Config>(section::BETA_TAU_G1));
    hash_points(&mut hasher, ptau.points::<g2::Config>(section::BETA_G2));
    Ok(hasher.finish())
}

fn read(bytes: &[u8]) -> Parsed<Vec<Step>> {
    let mut reader = Reader::new(bytes, "contributions");
    let count = reader.u32()?;
    let step =
        |index| read_step(&mut reader).map_err(|error| CircuitError(format!("contribution {index}: {}", error.0)));
    let steps = (1..=count).map(step).collect::<Parsed<_>>()?;
    reader.end()?;
    Ok(steps)
}

fn read_step(reader: &mut Reader<'_>) -> Parsed<Step> {
    let tau1 = read_point::<g1::Config>(reader, "tau in G1")?;
    let tau2 = read_point::<g2::Config>(reader, "tau in G2")?;
    let alpha1 = read_point::<g1::Config>(reader, "alpha in G1")?;
    let beta1 = read_point::<g1::Config>(reader, "beta in G1")?;
    let beta2 = read_point::<g2::Config>(reader, "beta in G2")?;
    let mut pairs = Vec::new();
    for _ in 0..6 {
        pairs.push(read_point::<g1::Config>(reader, "a secret's base or multiple in G1")?);
    }
    let mut seconds = Vec::new();
    for _ in 0..3 {
        seconds.push(read_point::<g2::Config>(reader, "a secret's multiple in G2")?);
    }
    let known =
        |index: usize| Known { base: pairs[2 * index], multiple: pairs[2 * index + 1], multiple2: seconds[index] };
    let secrets = [known(0), known(1), known(2)];
    let mut state = [0; STATE_BYTES];
    state.copy_from_slice(reader.take(STATE_BYTES)?);
    let mut challenge = [0; 64];
    challenge.copy_from_slice(reader.take(64)?);
    let (name, beacon) = read_parameters(reader)?;
    let Some(mut hasher) = Blake2b::resume(&state) else {
        return Err(CircuitError("its hash state is none".into()));
    };
    pairs.iter().for_each(|point| hasher.update(&uncompressed(point)));
    seconds.iter().for_each(|point| hasher.update(&uncompressed(point)));
    let after = State { tau1, tau2, alpha1, beta1, beta2, challenge };
    Ok(Step { after, secrets, response: hasher.finish(), name, beacon })
}
