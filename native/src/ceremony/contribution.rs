//! Section 10 of a key: the hash of the circuit's first key, and who contributed what since.
//!
//! A contribution: delta after it, a base and its multiple by the secret in G1, that of a hashed base in G2, the
//! transcript that was hashed, a kind, and parameters. Records are kept as the bytes they came as.

use ark_bn254::{g1, g2, Fr, G1Affine, G2Affine};
use ark_ec::CurveGroup;
use sha2::{Digest, Sha256};

use super::blake2b::{hash, Blake2b};
use super::encoding::{hash_to_g2, known_secret, same_ratio, stored, uncompressed, Draw};
use crate::batch_affine::{Curve, Point};
use crate::groth16_error::{Control, Error, Result};
use crate::r1cs::{CircuitError, Reader};
use crate::zkey::checked;

/// Bounds of snarkjs for how often a beacon's value is hashed: 2^10 to 2^63. Above 40, nobody could check it.
pub const BEACON_LOGS: std::ops::RangeInclusive<u8> = 10..=40;
pub const MAX_BEACON_BYTES: usize = 255;
pub const MAX_NAME_BYTES: usize = 64;
const MAX_CONTRIBUTIONS: u32 = 1 << 16;

mod parameter {
    pub const NAME: u8 = 1;
    pub const LOG: u8 = 2;
    pub const BEACON: u8 = 3;
}

/// A public value from after all contributions, hashed 2^log times.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beacon {
    pub value: Vec<u8>,
    pub log: u8,
}

impl Beacon {
    /// Refuses what snarkjs would not take, and more hashing than anybody can check.
    pub fn check(&self) -> Result<()> {
        if self.value.is_empty() || self.value.len() > MAX_BEACON_BYTES {
            let text = format!("a beacon of {} bytes: 1 to {MAX_BEACON_BYTES} are possible", self.value.len());
            return Err(Error::Key(text));
        }
        if !BEACON_LOGS.contains(&self.log) {
            let text = format!("2^{} hashes of the beacon: 2^{} to 2^{} are possible", self.log, 10, 40);
            return Err(Error::Key(text));
        }
        Ok(())
    }

    /// The generator of its secret and base.
    pub fn draw(&self, control: &Control) -> Result<Draw> {
        self.check()?;
        let mut value = Sha256::digest(&self.value);
        let count = 1u64 << self.log;
        for step in 1..count {
            if step % (1 << 20) == 0 {
                control.report("beacon", step as f64 / count as f64)?;
            }
            value = Sha256::digest(value);
        }
        Ok(Draw::new(&value))
    }
}

#[derive(Clone, Debug)]
pub struct Contribution {
    pub delta: G1Affine,
    pub base: G1Affine,
    pub multiple: G1Affine,
    pub multiple2: G2Affine,
    pub transcript: [u8; 64],
    pub name: String,
    pub beacon: Option<Beacon>,
}

impl Contribution {
    /// The step from `delta` that `secret` makes, its base out of `draw`.
    pub fn make(history: &History, delta: &G1Affine, secret: &Fr, draw: &mut Draw) -> Self {
        let (base, multiple) = known_secret(secret, draw);
        let transcript = history.transcript(&base, &multiple);
        let multiple2 = (hash_to_g2(&transcript) * secret).into_affine();
        let delta = (*delta * secret).into_affine();
        Self { delta, base, multiple, multiple2, transcript, name: String::new(), beacon: None }
    }

    /// What others hash of it.
    fn public(&self) -> Vec<u8> {
        let g1 = [&self.delta, &self.base, &self.multiple].map(uncompressed::<g1::Config>);
        [&g1.concat()[..], &uncompressed::<g2::Config>(&self.multiple2), &self.transcript].concat()
    }

    /// What a contributor publishes, to find it again in the final key.
    pub fn hash(&self) -> [u8; 64] {
        hash(&[&self.public()])
    }

    fn bytes(&self) -> Vec<u8> {
        let mut parameters = Vec::new();
        if !self.name.is_empty() {
            parameters.extend([parameter::NAME, self.name.len() as u8]);
            parameters.extend(self.name.as_bytes());
        }
        if let Some(beacon) = &self.beacon {
            parameters.extend([parameter::LOG, beacon.log, parameter::BEACON, beacon.value.len() as u8]);
            parameters.extend(&beacon.value);
        }
        let mut bytes = [&self.delta, &self.base, &self.multiple].map(stored::<g1::Config>).concat();
        bytes.extend(stored::<g2::Config>(&self.multiple2));
        bytes.extend(self.transcript);
        bytes.extend(u32::from(self.beacon.is_some()).to_le_bytes());
        bytes.extend((parameters.len() as u32).to_le_bytes());
        bytes.extend(parameters);
        bytes
    }

    /// Whether it follows `delta` with a secret that its maker knew, and a beacon's secret is the beacon's.
    fn check(&self, history: &History, delta: &G1Affine, control: &Control) -> std::result::Result<(), Fault> {
        if history.transcript(&self.base, &self.multiple) != self.transcript {
            return Err("its transcript is not that of the contributions before it".into());
        }
        let base2 = hash_to_g2(&self.transcript);
        if !same_ratio(&self.base, &self.multiple, &base2, &self.multiple2) {
            return Err("its secret is not the same in G1 and G2".into());
        }
        if !same_ratio(delta, &self.delta, &base2, &self.multiple2) {
            return Err("delta after it is not delta before it times its secret".into());
        }
        if let Some(beacon) = &self.beacon {
            let mut draw = beacon.draw(control)?;
            let secret = draw.fr();
            if known_secret(&secret, &mut draw) != (self.base, self.multiple) {
                return Err("its secret is not that of its beacon".into());
            }
        }
        Ok(())
    }
}

/// Why a contribution is refused, or why its check was given up.
enum Fault {
    Text(String),
    Error(Error),
}

impl From<&str> for Fault {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// Section 10.
#[derive(Clone, Debug)]
pub struct History {
    /// Of the circuit's first key: snarkjs's "circuit hash".
    pub circuit: [u8; 64],
    pub contributions: Vec<Contribution>,
    records: Vec<u8>,
}

impl History {
    pub fn new(circuit: [u8; 64]) -> Self {
        Self { circuit, contributions: Vec::new(), records: Vec::new() }
    }

    pub fn read(bytes: &[u8]) -> Result<Self> {
        let malformed = |error: CircuitError| Error::Key(format!("section 10 ({})", error.0));
        let mut reader = Reader::new(bytes, "contributions");
        let mut circuit = [0; 64];
        circuit.copy_from_slice(reader.take(64).map_err(malformed)?);
        let count = reader.u32().map_err(malformed)?;
        if count > MAX_CONTRIBUTIONS {
            return Err(Error::Key(format!("section 10: {count} contributions, more than {MAX_CONTRIBUTIONS}")));
        }
        let records = bytes[bytes.len() - reader.left()..].to_vec();
        let mut contributions = Vec::new();
        for index in 1..=count {
            let wrong = |error: CircuitError| Error::Key(format!("section 10, contribution {index}: {}", error.0));
            contributions.push(read_contribution(&mut reader).map_err(wrong)?);
        }
        reader.end().map_err(malformed)?;
        Ok(Self { circuit, contributions, records })
    }

    pub fn push(&mut self, contribution: Contribution) {
        self.records.extend(contribution.bytes());
        self.contributions.push(contribution);
    }

    pub fn bytes(&self) -> Vec<u8> {
        [&self.circuit[..], &(self.contributions.len() as u32).to_le_bytes(), &self.records].concat()
    }

    /// What the next contribution hashes into G2: everything before it, and its own pair in G1.
    fn transcript(&self, base: &G1Affine, multiple: &G1Affine) -> [u8; 64] {
        let mut hasher = Blake2b::default();
        hasher.update(&self.circuit);
        for contribution in &self.contributions {
            hasher.update(&contribution.public());
        }
        hasher.update(&uncompressed(base));
        hasher.update(&uncompressed(multiple));
        hasher.finish()
    }

    /// Checks all contributions from delta = the generator on; returns the last delta.
    pub fn check(&self, control: &Control) -> Result<G1Affine> {
        let mut before = Self::new(self.circuit);
        let mut delta = ark_ec::AffineRepr::generator();
        for (index, contribution) in self.contributions.iter().enumerate() {
            control.report("contributions", index as f64 / self.contributions.len() as f64)?;
            contribution.check(&before, &delta, control).map_err(|fault| match fault {
                Fault::Text(text) => Error::Key(format!("section 10, contribution {}: {text}", index + 1)),
                Fault::Error(error) => error,
            })?;
            delta = contribution.delta;
            before.contributions.push(contribution.clone());
        }
        Ok(delta)
    }
}

pub type Parsed<T> = std::result::Result<T, CircuitError>;

fn refuse<T>(text: String) -> Parsed<T> {
    Err(CircuitError(text))
}

fn read_contribution(reader: &mut Reader<'_>) -> Parsed<Contribution> {
    let delta = read_point::<g1::Config>(reader, "delta")?;
    let base = read_point::<g1::Config>(reader, "the base in G1")?;
    let multiple = read_point::<g1::Config>(reader, "its multiple")?;
    let multiple2 = read_point::<g2::Config>(reader, "the multiple in G2")?;
    let mut transcript = [0; 64];
    transcript.copy_from_slice(reader.take(64)?);
    let (name, beacon) = read_parameters(reader)?;
    Ok(Contribution { delta, base, multiple, multiple2, transcript, name, beacon })
}

/// A contribution's kind and parameters, which `.ptau` files have in the same form: its name, and its beacon if it is one.
pub fn read_parameters(reader: &mut Reader<'_>) -> Parsed<(String, Option<Beacon>)> {
    let kind = reader.u32()?;
    let length = reader.u32()? as usize;
    let mut parameters = Reader::new(reader.take(length)?, "parameters");
    let (mut name, mut log, mut value) = (String::new(), None, None);
    let mut last = 0;
    while parameters.left() > 0 {
        let id = parameters.take(1)?[0];
        if id <= last {
            return refuse(format!("parameter {id} comes after {last}"));
        }
        last = id;
        let first = parameters.take(1)?[0];
        match id {
            parameter::NAME => name = String::from_utf8_lossy(parameters.take(usize::from(first))?).into_owned(),
            parameter::LOG => log = Some(first),
            parameter::BEACON => value = Some(parameters.take(usize::from(first))?.to_vec()),
            _ => return refuse(format!("parameter {id} is unknown")),
        }
    }
    let beacon = match (kind, log, value) {
        (0, None, None) => None,
        (1, Some(log), Some(value)) => Some(Beacon { value, log }),
        _ => return refuse(format!("kind {kind} does not fit its parameters")),
    };
    Ok((name, beacon))
}

pub fn read_point<C: Curve>(reader: &mut Reader<'_>, name: &str) -> Parsed<ark_ec::short_weierstrass::Affine<C>> {
    match checked(Point::<C>::read(reader.take(C::POINT_BYTES)?), true) {
        Some(point) => Ok(point),
        None => refuse(format!("{name} is not in the group, or infinity")),
    }
}
