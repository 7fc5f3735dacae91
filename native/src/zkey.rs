//! Proving keys in snarkjs's `.zkey` format, mapped into memory and read in place.
//!
//! All numbers are little-endian, all points affine in Montgomery form, infinity is all zeros. Sections: 1 protocol,
//! 2 header, 3 public wires (IC), 4 coefficients of A and B, 5 A, 6 B in G1, 7 B in G2, 8 private wires (C),
//! 9 H in odd-coset Lagrange form, 10 contributions. Section 100 is ours: it says that a key is for development.

use std::collections::BTreeMap;
use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use ark_bn254::{g1, g2, Fq, Fr, G1Affine, G2Affine};
use ark_ec::AffineRepr;
use ark_ff::{BigInt, BigInteger, PrimeField};
use memmap2::Mmap;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::batch_affine::{Curve, Point};
use crate::coordinate::Coordinate;
use crate::groth16_error::{Control, Error, Result};
use crate::msm::Points;
use crate::verifier::VerificationKey;

pub const MAGIC: &[u8; 4] = b"zkey";
pub const VERSION: u32 = 1;
pub const PROTOCOL_GROTH16: u32 = 1;
pub const COEFFICIENT_BYTES: usize = 12 + 32;
pub const MAX_DOMAIN_LOG: u32 = 27;
const MAX_SECTIONS: u32 = 256;

pub mod section {
    pub const PROTOCOL: u32 = 1;
    pub const HEADER: u32 = 2;
    pub const IC: u32 = 3;
    pub const COEFFICIENTS: u32 = 4;
    pub const A: u32 = 5;
    pub const B1: u32 = 6;
    pub const B2: u32 = 7;
    pub const C: u32 = 8;
    pub const H: u32 = 9;
    pub const CONTRIBUTIONS: u32 = 10;
    pub const DEVELOPMENT: u32 = 100;
}

/// Section 2, without the moduli.
#[derive(Clone, Debug)]
pub struct Header {
    pub n_wires: usize,
    pub n_public: usize,
    pub domain_size: usize,
    pub alpha1: G1Affine,
    pub beta1: G1Affine,
    pub beta2: G2Affine,
    pub gamma2: G2Affine,
    pub delta1: G1Affine,
    pub delta2: G2Affine,
}

/// Section 100: whoever reads this knows the seed, and can prove anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Development {
    pub warning: String,
    pub seed: String,
    /// Hex; delta derives from it and the seed.
    pub circuit: String,
}

#[derive(Debug)]
pub struct Zkey {
    file: File,
    map: Mmap,
    sections: BTreeMap<u32, Range<usize>>,
    pub header: Header,
    pub ic: Vec<G1Affine>,
    pub development: Option<Development>,
}

fn malformed(text: impl Into<String>) -> Error {
    Error::Key(text.into())
}

/// Maps a file for reading.
#[allow(unsafe_code, reason = "a memory map cannot be had otherwise; the argument is below")]
pub(crate) fn map(file: &File) -> std::io::Result<Mmap> {
    // SAFETY: the map is read-only and only ever seen as bytes, of which every pattern is valid. What `Mmap::map` cannot
    // rule out is that someone changes the file meanwhile. Keys are written under another name and renamed when
    // complete, never in place, so our own programs do not; a stranger who can write the operator's key files can at worst
    // stop the prover (SIGBUS on truncation) or make proofs that fail the check after proving.
    unsafe { Mmap::map(file) }
}

/// Takes numbers off the front of a slice; its errors say what is missing.
struct Reader<'a>(&'a [u8], &'static str);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        if self.0.len() < count {
            return Err(malformed(format!("{} is cut off: {} bytes left of {count}", self.1, self.0.len())));
        }
        let (head, tail) = self.0.split_at(count);
        self.0 = tail;
        Ok(head)
    }

    fn u32(&mut self) -> Result<u32> {
        let mut bytes = [0; 4];
        bytes.copy_from_slice(self.take(4)?);
        Ok(u32::from_le_bytes(bytes))
    }

    fn u64(&mut self) -> Result<u64> {
        let mut bytes = [0; 8];
        bytes.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(bytes))
    }

    fn modulus(&mut self, name: &str, expected: BigInt<4>) -> Result<()> {
        let bytes = self.u32()?;
        if bytes != 32 || self.take(32)? != expected.to_bytes_le() {
            return Err(malformed(format!("{name} is not that of BN254: only this curve is supported")));
        }
        Ok(())
    }

    fn point<C: Curve>(&mut self, name: &str) -> Result<ark_ec::short_weierstrass::Affine<C>> {
        let point = Point::<C>::read(self.take(C::POINT_BYTES)?);
        checked(point, true).ok_or_else(|| malformed(format!("{name} is not a point of the group")))
    }
}

/// A point with canonical coordinates, on the curve and in the prime-order subgroup. Infinity passes if `finite` is not set.
pub(crate) fn checked<C: Curve>(point: Point<C>, finite: bool) -> Option<ark_ec::short_weierstrass::Affine<C>> {
    if point.is_infinity() {
        return (!finite).then(|| point.to_affine());
    }
    let affine = point.to_affine();
    let valid = point.x.is_canonical()
        && point.y.is_canonical()
        && affine.is_on_curve()
        && affine.is_in_correct_subgroup_assuming_on_curve();
    valid.then_some(affine)
}

impl Zkey {
    /// Opens any Groth16 key over BN254; checks its structure and the points of the verification key, but not the
    /// millions of others (see [`Self::check_points`]).
    pub fn open(path: &Path) -> Result<Self> {
        let io = |error| Error::Io(path.display().to_string(), error);
        let file = File::open(path).map_err(io)?;
        let map = map(&file).map_err(io)?;
        let sections = sections(&map)?;
        let part = |id: u32, name: &'static str| -> Result<Reader<'_>> {
            let range = sections.get(&id).ok_or_else(|| malformed(format!("section {id} ({name}) is missing")))?;
            Ok(Reader(&map[range.clone()], name))
        };

        let protocol = part(section::PROTOCOL, "protocol")?.u32()?;
        if protocol != PROTOCOL_GROTH16 {
            return Err(malformed(format!("protocol {protocol} is not Groth16 ({PROTOCOL_GROTH16})")));
        }
        let header = read_header(part(section::HEADER, "header")?)?;
        let expect = |id: u32, name: &'static str, count: usize, size: usize| -> Result<()> {
            let found = part(id, name)?.0.len();
            if count.checked_mul(size) != Some(found) {
                return Err(malformed(format!(
                    "section {id} ({name}) has {found} bytes, not {count} points of {size}"
                )));
            }
            Ok(())
        };
        expect(section::IC, "public wires", header.n_public + 1, 64)?;
        expect(section::A, "A", header.n_wires, 64)?;
        expect(section::B1, "B in G1", header.n_wires, 64)?;
        expect(section::B2, "B in G2", header.n_wires, 128)?;
        expect(section::C, "private wires", header.n_wires - header.n_public - 1, 64)?;
        expect(section::H, "H", header.domain_size, 64)?;
        if sections.contains_key(&section::COEFFICIENTS) {
            let mut reader = part(section::COEFFICIENTS, "coefficients")?;
            let count = reader.u32()? as usize;
            if count.checked_mul(COEFFICIENT_BYTES) != Some(reader.0.len()) {
                return Err(malformed(format!("section 4 has {} bytes, not {count} coefficients", reader.0.len())));
            }
        }
        let mut reader = part(section::IC, "public wires")?;
        let ic = (0..=header.n_public)
            .map(|index| {
                let point = Point::<g1::Config>::read(reader.take(64)?);
                checked(point, false).ok_or_else(|| malformed(format!("IC point {index} is not on the curve")))
            })
            .collect::<Result<_>>()?;
        let development = match sections.get(&section::DEVELOPMENT) {
            None => None,
            Some(range) => Some(
                serde_json::from_slice(&map[range.clone()])
                    .map_err(|error| malformed(format!("section 100 (development): {error}")))?,
            ),
        };
        Ok(Self { sections, header, ic, development, file, map })
    }

    /// A section's bytes; none if it is not there.
    pub fn bytes(&self, id: u32) -> &[u8] {
        self.sections.get(&id).map_or(&[], |range| &self.map[range.clone()])
    }

    pub fn g1(&self, id: u32) -> Points<'_, g1::Config> {
        Points::new(self.bytes(id))
    }

    pub fn g2(&self, id: u32) -> Points<'_, g2::Config> {
        Points::new(self.bytes(id))
    }

    /// How many entries section 4 has, if the key has it.
    pub fn coefficients(&self) -> Option<usize> {
        let range = self.sections.get(&section::COEFFICIENTS)?;
        Some((range.len() - 4) / COEFFICIENT_BYTES)
    }

    /// Entries of section 4 from `first` on, `COEFFICIENT_BYTES` each. Not from the map: they are read once, and would be
    /// most of the memory that proving takes.
    pub fn read_coefficients(&self, first: usize, out: &mut [u8]) -> Result<()> {
        let start = self.sections.get(&section::COEFFICIENTS).map_or(0, |range| range.start + 4);
        let io = |error| Error::Io("the key's coefficients".into(), error);
        self.file.read_exact_at(out, (start + first * COEFFICIENT_BYTES) as u64).map_err(io)
    }

    pub fn verification_key(&self) -> VerificationKey {
        VerificationKey {
            alpha1: self.header.alpha1,
            beta2: self.header.beta2,
            gamma2: self.header.gamma2,
            delta2: self.header.delta2,
            ic: self.ic.clone(),
        }
    }

    /// SHA-256 of the whole file.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.map).into()
    }

    /// Checks every point of the key: coordinates below q, on the curve, in the subgroup. Minutes for large keys.
    pub fn check_points(&self, control: &Control) -> Result<()> {
        for id in [section::A, section::B1, section::C, section::H] {
            check_all(self.g1(id), id, control)?;
        }
        check_all(self.g2(section::B2), section::B2, control)
    }
}

fn check_all<C: Curve>(points: Points<'_, C>, id: u32, control: &Control) -> Result<()> {
    match first_bad(points, false, control)? {
        None => Ok(()),
        Some(index) => Err(malformed(format!("point {index} of section {id} is not in the group"))),
    }
}

/// A point that is not in its group; with `finite` set, infinity is none either.
pub fn first_bad<C: Curve>(points: Points<'_, C>, finite: bool, control: &Control) -> Result<Option<usize>> {
    let bad = (0..points.len()).into_par_iter().with_min_len(256).try_for_each(|index| {
        control.check().map_err(|error| (Some(error), index))?;
        checked(points.get(index), finite).map(|_| ()).ok_or((None, index))
    });
    match bad {
        Ok(()) => Ok(None),
        Err((None, index)) => Ok(Some(index)),
        Err((Some(error), _)) => Err(error),
    }
}

fn sections(bytes: &[u8]) -> Result<BTreeMap<u32, Range<usize>>> {
    let mut reader = Reader(bytes, "the key file");
    if reader.take(4)? != MAGIC {
        return Err(malformed("not a zkey file"));
    }
    let version = reader.u32()?;
    if version != VERSION {
        return Err(malformed(format!("zkey version {version} is unknown (known: {VERSION})")));
    }
    let count = reader.u32()?;
    if count > MAX_SECTIONS {
        return Err(malformed(format!("{count} sections")));
    }
    let mut sections = BTreeMap::new();
    for _ in 0..count {
        let id = reader.u32()?;
        let length = reader.u64()?;
        let start = bytes.len() - reader.0.len();
        let length = usize::try_from(length).map_err(|_| malformed(format!("section {id} has {length} bytes")))?;
        reader.take(length)?;
        if sections.insert(id, start..start + length).is_some() {
            return Err(malformed(format!("section {id} comes twice")));
        }
    }
    Ok(sections)
}

fn read_header(mut reader: Reader<'_>) -> Result<Header> {
    reader.modulus("the base field", Fq::MODULUS)?;
    reader.modulus("the scalar field", Fr::MODULUS)?;
    let n_wires = reader.u32()? as usize;
    let n_public = reader.u32()? as usize;
    let domain_size = reader.u32()? as usize;
    if n_public >= n_wires || n_wires >= 1 << 31 {
        return Err(malformed(format!("{n_public} public of {n_wires} wires")));
    }
    if !domain_size.is_power_of_two() || !(2..=1 << MAX_DOMAIN_LOG).contains(&domain_size) {
        return Err(malformed(format!("domain size {domain_size} is not a power of two up to 2^{MAX_DOMAIN_LOG}")));
    }
    if n_public + 1 > domain_size {
        return Err(malformed(format!("{n_public} public wires do not fit a domain of {domain_size}")));
    }
    let header = Header {
        n_wires,
        n_public,
        domain_size,
        alpha1: reader.point::<g1::Config>("alpha in G1")?,
        beta1: reader.point::<g1::Config>("beta in G1")?,
        beta2: reader.point::<g2::Config>("beta in G2")?,
        gamma2: reader.point::<g2::Config>("gamma in G2")?,
        delta1: reader.point::<g1::Config>("delta in G1")?,
        delta2: reader.point::<g2::Config>("delta in G2")?,
    };
    if !reader.0.is_empty() {
        return Err(malformed(format!("the header has {} bytes too many", reader.0.len())));
    }
    Ok(header)
}

/// What [`check_key`] found out about a key that may be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyReport {
    /// Anyone can forge proofs for it.
    pub development: bool,
    /// The seed it comes from, if it is a development key.
    pub seed: Option<String>,
}

/// Refuses a key whose phase 2 was skipped; tells a development key by its mark, or by its alpha if `seeds` holds its seed.
pub fn check_key(zkey: &Zkey, seeds: &[String]) -> Result<KeyReport> {
    zkey.verification_key().check()?;
    if zkey.header.delta1 == G1Affine::generator() {
        return Err(malformed("delta is the generator: phase 2 was skipped, anyone can forge proofs"));
    }
    let marked = zkey.development.iter().map(|mark| &mark.seed);
    let seed = marked.chain(seeds).find(|seed| crate::setup::alpha(seed) == zkey.header.alpha1);
    Ok(KeyReport { development: zkey.development.is_some() || seed.is_some(), seed: seed.cloned() })
}
