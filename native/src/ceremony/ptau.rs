//! Powers of tau in snarkjs's `.ptau` format, mapped into memory and read in place.
//!
//! Sections: 1 header, 2 tau^i in G1 (one less than two for each row), 3 tau^i in G2, 4 alpha tau^i in G1, 5 beta tau^i in
//! G1, 6 beta in G2, 7 contributions; prepared for phase 2 also 12 to 15: the same as 2 to 5 in Lagrange form, for every
//! domain from one row up, 12 to twice as many rows. Points are as in keys.

use std::collections::HashMap;
use std::fs::File;
use std::ops::Range;
use std::path::Path;

use ark_bn254::{g1, g2, Fq, Fr, G1Affine, G2Affine};
use ark_ff::{BigInteger, FftField, PrimeField};
use memmap2::Mmap;

use crate::batch_affine::Curve;
use crate::groth16_error::{Error, Result};
use crate::msm::Points;
use crate::r1cs;
use crate::zkey;

pub mod section {
    pub const HEADER: u32 = 1;
    pub const TAU_G1: u32 = 2;
    pub const TAU_G2: u32 = 3;
    pub const ALPHA_TAU_G1: u32 = 4;
    pub const BETA_TAU_G1: u32 = 5;
    pub const BETA_G2: u32 = 6;
    pub const CONTRIBUTIONS: u32 = 7;
    /// What a section of powers and its Lagrange form differ by.
    pub const LAGRANGE: u32 = 10;
}

/// Sections of powers in G1; that of G2 is the only other.
pub const POWERS_G1: [u32; 3] = [section::TAU_G1, section::ALPHA_TAU_G1, section::BETA_TAU_G1];

pub fn name(id: u32) -> &'static str {
    match id {
        section::TAU_G1 => "section 2 (tau in G1)",
        section::TAU_G2 => "section 3 (tau in G2)",
        section::ALPHA_TAU_G1 => "section 4 (alpha tau in G1)",
        section::BETA_TAU_G1 => "section 5 (beta tau in G1)",
        section::BETA_G2 => "section 6 (beta in G2)",
        section::CONTRIBUTIONS => "section 7 (contributions)",
        12 => "section 12 (tau in G1, Lagrange form)",
        13 => "section 13 (tau in G2, Lagrange form)",
        14 => "section 14 (alpha tau in G1, Lagrange form)",
        15 => "section 15 (beta tau in G1, Lagrange form)",
        _ => "section 1 (header)",
    }
}

#[derive(Debug)]
pub struct Ptau {
    map: Mmap,
    sections: HashMap<u32, Range<usize>>,
    /// For 2^power rows.
    pub power: u32,
    /// Of the ceremony, of which this may be the beginning.
    pub ceremony_power: u32,
}

pub fn malformed(text: impl Into<String>) -> Error {
    Error::Powers(text.into())
}

impl Ptau {
    /// Opens a file and checks its structure; what the points are is [`super::powers_check`]'s to say.
    pub fn open(path: &Path) -> Result<Self> {
        let io = |error| Error::Io(path.display().to_string(), error);
        let map = zkey::map(&File::open(path).map_err(io)?).map_err(io)?;
        let refused = |error: r1cs::CircuitError| malformed(error.0);
        let found = r1cs::sections(&map, b"ptau", &[1]).map_err(refused)?;
        let (power, ceremony_power) = read_header(&found)?;
        let start = map.as_ptr() as usize;
        let range = |bytes: &&[u8]| {
            let at = bytes.as_ptr() as usize - start;
            at..at + bytes.len()
        };
        let sections = found.iter().map(|(id, bytes)| (*id, range(bytes))).collect();
        let ptau = Self { map, sections, power, ceremony_power };
        ptau.check_sizes()?;
        Ok(ptau)
    }

    fn check_sizes(&self) -> Result<()> {
        let rows = 1usize << self.power;
        let lagrange = section::LAGRANGE;
        let mut expected = vec![
            (section::TAU_G1, 2 * rows - 1, 64),
            (section::TAU_G2, rows, 128),
            (section::ALPHA_TAU_G1, rows, 64),
            (section::BETA_TAU_G1, rows, 64),
            (section::BETA_G2, 1, 128),
        ];
        if self.is_prepared() {
            expected.push((section::TAU_G1 + lagrange, 4 * rows - 1, 64));
            expected.push((section::TAU_G2 + lagrange, 2 * rows - 1, 128));
            expected.push((section::ALPHA_TAU_G1 + lagrange, 2 * rows - 1, 64));
            expected.push((section::BETA_TAU_G1 + lagrange, 2 * rows - 1, 64));
        }
        for (id, count, size) in expected {
            match self.sections.get(&id).map(Range::len) {
                None => return Err(malformed(format!("{} is missing", name(id)))),
                Some(found) if found != count * size => {
                    return Err(malformed(format!("{} has {found} bytes, not {count} points of {size}", name(id))));
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Whether the Lagrange forms are there, as `snarkjs powersoftau prepare phase2` leaves them.
    pub fn is_prepared(&self) -> bool {
        self.sections.contains_key(&(section::TAU_G1 + section::LAGRANGE))
    }

    pub fn bytes(&self, id: u32) -> &[u8] {
        self.sections.get(&id).map_or(&[], |range| &self.map[range.clone()])
    }

    pub fn points<C: Curve>(&self, id: u32) -> Points<'_, C> {
        Points::new(self.bytes(id))
    }

    /// The Lagrange form of a section for 2^log rows.
    pub fn lagrange<C: Curve>(&self, id: u32, log: u32) -> Points<'_, C> {
        let rows = 1usize << log;
        Points::new(&self.bytes(id + section::LAGRANGE)[(rows - 1) * C::POINT_BYTES..(2 * rows - 1) * C::POINT_BYTES])
    }

    /// `count` bytes of the file from `offset` past the start of a section, whatever is there; zeros past the file's end.
    pub fn raw(&self, id: u32, offset: usize, count: usize) -> Vec<u8> {
        let start = self.sections.get(&id).map_or(0, |range| range.start) + offset;
        let mut bytes = self.map.get(start..self.map.len().min(start + count)).unwrap_or_default().to_vec();
        bytes.resize(count, 0);
        bytes
    }

    pub fn tau1(&self) -> G1Affine {
        self.points::<g1::Config>(section::TAU_G1).get(1).to_affine()
    }

    pub fn tau2(&self) -> G2Affine {
        self.points::<g2::Config>(section::TAU_G2).get(1).to_affine()
    }

    pub fn alpha1(&self) -> G1Affine {
        self.points::<g1::Config>(section::ALPHA_TAU_G1).get(0).to_affine()
    }

    pub fn beta1(&self) -> G1Affine {
        self.points::<g1::Config>(section::BETA_TAU_G1).get(0).to_affine()
    }

    pub fn beta2(&self) -> G2Affine {
        self.points::<g2::Config>(section::BETA_G2).get(0).to_affine()
    }
}

fn read_header(found: &HashMap<u32, &[u8]>) -> Result<(u32, u32)> {
    let refused = |error: r1cs::CircuitError| malformed(error.0);
    let mut header = r1cs::section(found, section::HEADER, "section 1 (header)").map_err(refused)?;
    let bytes = header.u32().map_err(refused)?;
    if bytes != 32 || header.take(32).map_err(refused)? != Fq::MODULUS.to_bytes_le() {
        return Err(malformed("section 1 (header): the base field is not BN254's: only this curve is supported"));
    }
    let power = header.u32().map_err(refused)?;
    let ceremony_power = header.u32().map_err(refused)?;
    header.end().map_err(refused)?;
    // The top Lagrange form is for twice as many rows.
    if !(1..Fr::TWO_ADICITY).contains(&power) {
        let last = Fr::TWO_ADICITY - 1;
        return Err(malformed(format!("section 1 (header): power {power} is not in 1..={last}")));
    }
    if ceremony_power < power {
        return Err(malformed(format!("section 1 (header): power {power} of a ceremony of only {ceremony_power}")));
    }
    Ok((power, ceremony_power))
}
