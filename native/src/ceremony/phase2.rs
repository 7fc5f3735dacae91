//! A contribution to a key: delta times a secret that is forgotten, and what is divided by delta divided by it.

use std::path::Path;

use ark_bn254::{g1, Fr};
use ark_ec::CurveGroup;
use ark_ff::{Field, Zero};
use rayon::prelude::*;
use zeroize::Zeroizing;

use super::contribution::{Beacon, Contribution, History, MAX_NAME_BYTES};
use super::encoding::Draw;
use super::entropy::gather;
use super::lockstep::scale;
use crate::batch_affine::Point;
use crate::groth16_error::{Control, Error, Result};
use crate::zkey::{section, Zkey};
use crate::zkey_write::{header_bytes, ZkeyWriter};

/// Points that go in step: their tables fit the second-level cache.
const CHUNK: usize = 1024;

/// Writes `new`: `old` with a contribution of the system's randomness and the user's text, if any. Returns its hash.
pub fn contribute(old: &Path, new: &Path, name: &str, text: &[u8], control: &Control) -> Result<[u8; 64]> {
    let mut secret = gather(text)?;
    let factor = Zeroizing::new(secret.factor);
    apply(old, new, name, None, &factor, &mut secret.draw, control)
}

/// Writes `new`: `old` with a last contribution that anybody can make again, of a value nobody could foresee.
pub fn beacon(old: &Path, new: &Path, name: &str, beacon: Beacon, control: &Control) -> Result<[u8; 64]> {
    let mut draw = beacon.draw(control)?;
    let factor = draw.fr();
    apply(old, new, name, Some(beacon), &factor, &mut draw, control)
}

fn apply(
    old: &Path,
    new: &Path,
    name: &str,
    beacon: Option<Beacon>,
    factor: &Fr,
    draw: &mut Draw,
    control: &Control,
) -> Result<[u8; 64]> {
    if name.len() > MAX_NAME_BYTES {
        return Err(Error::Key(format!("the name has {} bytes, at most {MAX_NAME_BYTES} fit", name.len())));
    }
    let key = Zkey::open(old)?;
    if key.development.is_some() {
        return Err(Error::Key("a development key cannot become a ceremony's: its tau is known".into()));
    }
    let mut history = History::read(key.bytes(section::CONTRIBUTIONS))?;
    let mut contribution = Contribution::make(&history, &key.header.delta1, factor, draw);
    contribution.name = name.into();
    contribution.beacon = beacon;
    let hash = contribution.hash();
    let mut header = key.header.clone();
    header.delta1 = contribution.delta;
    header.delta2 = (header.delta2 * *factor).into_affine();
    history.push(contribution);

    let inverse = factor.inverse().filter(|inverse| !inverse.is_zero());
    let inverse =
        Zeroizing::new(inverse.ok_or_else(|| Error::Key("the secret came out as zero: run it again".into()))?);
    let mut writer = ZkeyWriter::create(new, 10)?;
    writer.section(section::PROTOCOL, key.bytes(section::PROTOCOL))?;
    writer.section(section::HEADER, &header_bytes(&header))?;
    for id in [section::IC, section::COEFFICIENTS, section::A, section::B1, section::B2] {
        control.report("copy", 0.0)?;
        writer.section(id, key.bytes(id))?;
    }
    for (id, phase) in [(section::C, "C"), (section::H, "H")] {
        scaled_section(&mut writer, &key, id, phase, &inverse, control)?;
    }
    writer.section(section::CONTRIBUTIONS, &history.bytes())?;
    writer.finish()?;
    Ok(hash)
}

/// A section with every point times `factor`.
fn scaled_section(
    writer: &mut ZkeyWriter,
    key: &Zkey,
    id: u32,
    phase: &'static str,
    factor: &Fr,
    control: &Control,
) -> Result<()> {
    let points = key.g1(id);
    writer.start_section(id, key.bytes(id).len() as u64)?;
    let step = 4 * CHUNK * rayon::current_num_threads();
    for start in (0..points.len()).step_by(step) {
        control.report(phase, start as f64 / points.len() as f64)?;
        let starts: Vec<usize> = (start..points.len().min(start + step)).step_by(CHUNK).collect();
        let parts: Vec<Vec<u8>> = starts
            .into_par_iter()
            .map(|at| {
                let chunk: Vec<Point<g1::Config>> =
                    (at..points.len().min(at + CHUNK)).map(|index| points.get(index)).collect();
                let mut bytes = Vec::with_capacity(64 * chunk.len());
                for point in scale(&chunk, factor) {
                    point.write(&mut bytes);
                }
                bytes
            })
            .collect();
        for part in parts {
            writer.write(&part)?;
        }
    }
    control.report(phase, 1.0)
}
