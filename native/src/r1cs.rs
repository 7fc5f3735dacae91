//! The iden3 `.r1cs` format, as circom writes it and snarkjs reads it.
//!
//! Layout: magic "r1cs", version 1, number of sections, then sections (type u32, size u64, bytes) in any order:
//! 1 header, 2 constraints, 3 wire to label, 4 and 5 custom gates (refused unless empty). All integers little endian.

use std::collections::HashMap;
use std::fmt;
use std::io::{self, Write};

use ark_bn254::Fr;
use ark_ff::{BigInt, BigInteger, PrimeField};

use crate::system::{Matrix, Piece, R1cs, System};

/// What was refused and why, naming the signal, file section or row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CircuitError(pub String);

impl fmt::Display for CircuitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for CircuitError {}

pub type Result<T> = std::result::Result<T, CircuitError>;

/// Shorthand for an `Err(CircuitError)` with a formatted message.
macro_rules! refuse {
    ($($arg:tt)*) => { Err($crate::r1cs::CircuitError(format!($($arg)*))) };
}
pub(crate) use refuse;

const FIELD_BYTES: usize = 32;
const HEADER: u32 = 1;
const CONSTRAINTS: u32 = 2;
const LABELS: u32 = 3;

/// A cursor over bytes that a stranger wrote: every read is checked and names what it was reading.
pub struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    what: &'a str,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], what: &'a str) -> Self {
        Self { bytes, at: 0, what }
    }

    pub fn left(&self) -> usize {
        self.bytes.len() - self.at
    }

    pub fn take(&mut self, size: usize) -> Result<&'a [u8]> {
        if size > self.left() {
            return refuse!("{}: truncated: {size} bytes wanted at {}, {} left", self.what, self.at, self.left());
        }
        let slice = &self.bytes[self.at..self.at + size];
        self.at += size;
        Ok(slice)
    }

    pub fn u32(&mut self) -> Result<u32> {
        let mut word = [0; 4];
        word.copy_from_slice(self.take(4)?);
        Ok(u32::from_le_bytes(word))
    }

    pub fn u64(&mut self) -> Result<u64> {
        let mut word = [0; 8];
        word.copy_from_slice(self.take(8)?);
        Ok(u64::from_le_bytes(word))
    }

    pub fn field(&mut self) -> Result<Fr> {
        let bytes = self.take(FIELD_BYTES)?;
        fr_from_le(bytes).ok_or_else(|| CircuitError(format!("{}: value >= r at byte {}", self.what, self.at - 32)))
    }

    pub fn end(&self) -> Result<()> {
        match self.left() {
            0 => Ok(()),
            left => refuse!("{}: {left} bytes too many", self.what),
        }
    }
}

/// 32 little-endian bytes of a canonical value, or None when it is not below r.
pub fn fr_from_le(bytes: &[u8]) -> Option<Fr> {
    let mut limbs = [0u64; 4];
    for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        *limb = u64::from_le_bytes(word);
    }
    Fr::from_bigint(BigInt::new(limbs))
}

pub fn fr_to_le(value: &Fr) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(&value.into_bigint().to_bytes_le());
    out
}

/// Splits an iden3 binary file into its sections by type; refuses repeated ones.
pub fn sections<'a>(bytes: &'a [u8], magic: &[u8; 4], versions: &[u32]) -> Result<HashMap<u32, &'a [u8]>> {
    let mut reader = Reader::new(bytes, "file");
    let got = reader.take(4)?;
    if got != magic {
        return refuse!("not a .{} file: it starts with {got:02x?}", String::from_utf8_lossy(magic));
    }
    let version = reader.u32()?;
    if !versions.contains(&version) {
        return refuse!("version {version} is not supported, only {versions:?}");
    }
    let count = reader.u32()?;
    let mut found = HashMap::new();
    for index in 0..count {
        let kind = reader.u32()?;
        let size = reader.u64()?;
        let Ok(size) = usize::try_from(size) else {
            return refuse!("section {kind}: size {size}");
        };
        if size > reader.left() {
            return refuse!(
                "section {kind} (number {index}): truncated: {size} bytes declared, {} left",
                reader.left()
            );
        }
        if found.insert(kind, reader.take(size)?).is_some() {
            return refuse!("section {kind} appears twice");
        }
    }
    reader.end()?;
    Ok(found)
}

pub fn section<'a>(found: &HashMap<u32, &'a [u8]>, kind: u32, name: &'a str) -> Result<Reader<'a>> {
    match found.get(&kind) {
        Some(bytes) => Ok(Reader::new(bytes, name)),
        None => refuse!("section {kind} ({name}) is missing"),
    }
}

/// Reads the field size and the modulus, which must be BN254's r.
pub fn expect_bn254(reader: &mut Reader<'_>) -> Result<()> {
    let size = reader.u32()?;
    if size as usize != FIELD_BYTES {
        return refuse!("header: field elements of {size} bytes, 32 expected");
    }
    if reader.take(FIELD_BYTES)? != Fr::MODULUS.to_bytes_le() {
        return refuse!("header: the prime is not the BN254 scalar field's");
    }
    Ok(())
}

impl R1cs {
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let found = sections(bytes, b"r1cs", &[1])?;
        let mut header = section(&found, HEADER, "header")?;
        expect_bn254(&mut header)?;
        let n_wires = header.u32()? as usize;
        let n_public_outputs = header.u32()? as usize;
        let n_public_inputs = header.u32()? as usize;
        let n_private_inputs = header.u32()? as usize;
        let n_labels = header.u64()?;
        let n_constraints = header.u32()? as usize;
        header.end()?;
        if n_wires < 1 + n_public_outputs + n_public_inputs {
            return refuse!("header: {n_wires} wires for {} public signals", n_public_outputs + n_public_inputs);
        }
        for kind in [4, 5] {
            // An empty section still carries its count of zero.
            if found.get(&kind).is_some_and(|bytes| bytes.iter().any(|&byte| byte != 0)) {
                return refuse!("section {kind}: custom gates are not supported");
            }
        }
        let mut body = section(&found, CONSTRAINTS, "constraints")?;
        if n_constraints > body.left() / 12 {
            return refuse!("constraints: {n_constraints} declared, {} bytes", body.left());
        }
        let mut matrices = [Matrix::default(), Matrix::default(), Matrix::default()];
        for matrix in &mut matrices {
            matrix.starts.reserve(n_constraints + 1);
            matrix.starts.push(0);
        }
        for row in 0..n_constraints {
            for matrix in &mut matrices {
                let count = body.u32()?;
                for _ in 0..count {
                    let wire = body.u32()?;
                    if wire as usize >= n_wires {
                        return refuse!("constraint {row}: wire {wire} of {n_wires}");
                    }
                    let value = body.field()?;
                    matrix.terms.push((wire, value));
                }
                matrix.starts.push(matrix.terms.len());
            }
        }
        body.end()?;
        let mut reader = section(&found, LABELS, "wire labels")?;
        if reader.left() != 8 * n_wires {
            return refuse!("wire labels: {} bytes for {n_wires} wires", reader.left());
        }
        let labels = (0..n_wires).map(|_| reader.u64()).collect::<Result<Vec<_>>>()?;
        if let Some(label) = labels.iter().find(|&&label| label >= n_labels) {
            return refuse!("wire labels: label {label} of {n_labels}");
        }
        let [a, b, c] = matrices;
        Ok(Self { a, b, c, n_wires, n_public_outputs, n_public_inputs, n_private_inputs, n_labels, labels })
    }
}

/// Writes a whole system as one `.r1cs`; `labels[wire]` is each global wire's label below `n_labels`.
pub fn write_system(
    system: &System,
    labels: &[u64],
    n_labels: u64,
    outputs: usize,
    out: &mut impl Write,
) -> io::Result<()> {
    let n_constraints = u32::try_from(system.n_constraints()).map_err(io::Error::other)?;
    let terms = |r1cs: &R1cs| r1cs.a.terms.len() + r1cs.b.terms.len() + r1cs.c.terms.len();
    let body: usize = system.pieces.iter().map(|piece| 12 * piece.r1cs.n_constraints() + 36 * terms(&piece.r1cs)).sum();
    out.write_all(b"r1cs")?;
    out.write_all(&1u32.to_le_bytes())?;
    out.write_all(&3u32.to_le_bytes())?;
    section_head(out, HEADER, 64)?;
    out.write_all(&(FIELD_BYTES as u32).to_le_bytes())?;
    out.write_all(&Fr::MODULUS.to_bytes_le())?;
    for count in [system.n_wires, outputs, system.n_public - outputs, 0] {
        out.write_all(&u32::try_from(count).map_err(io::Error::other)?.to_le_bytes())?;
    }
    out.write_all(&n_labels.to_le_bytes())?;
    out.write_all(&n_constraints.to_le_bytes())?;
    section_head(out, CONSTRAINTS, body as u64)?;
    for piece in &system.pieces {
        write_rows(piece, out)?;
    }
    section_head(out, LABELS, 8 * labels.len() as u64)?;
    for label in labels {
        out.write_all(&label.to_le_bytes())?;
    }
    Ok(())
}

pub fn section_head(out: &mut impl Write, kind: u32, size: u64) -> io::Result<()> {
    out.write_all(&kind.to_le_bytes())?;
    out.write_all(&size.to_le_bytes())
}

fn write_rows(piece: &Piece, out: &mut impl Write) -> io::Result<()> {
    let mut row: Vec<(u32, Fr)> = Vec::new();
    for index in 0..piece.r1cs.n_constraints() {
        for matrix in [&piece.r1cs.a, &piece.r1cs.b, &piece.r1cs.c] {
            row.clear();
            row.extend(matrix.row(index).iter().map(|&(wire, value)| (piece.wires[wire as usize], value)));
            row.sort_unstable_by_key(|term| term.0);
            out.write_all(&(row.len() as u32).to_le_bytes())?;
            for (wire, value) in &row {
                out.write_all(&wire.to_le_bytes())?;
                out.write_all(&fr_to_le(value))?;
            }
        }
    }
    Ok(())
}
