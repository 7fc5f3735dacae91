//! Writes a proving key section by section, hashing what it writes.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use ark_bn254::{Fq, Fr};
use ark_ff::{BigInteger, Field, PrimeField};
use rayon::prelude::*;
use sha2::{Digest, Sha256};

use crate::batch_affine::{Curve, Point};
use crate::fixed_base::{FixedBase, CHUNK};
use crate::groth16_error::{Control, Error, Result};
use crate::system::{Matrix, System};
use crate::zkey::{Header, COEFFICIENT_BYTES, MAGIC, VERSION};

/// A key that is being written under a temporary name; dropped without `finish`, it is removed.
pub struct ZkeyWriter {
    path: PathBuf,
    partial: PathBuf,
    file: Option<BufWriter<File>>,
    hash: Sha256,
    left: u64,
}

impl ZkeyWriter {
    pub fn create(path: &Path, n_sections: u32) -> Result<Self> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".partial-{}", std::process::id()));
        let partial = path.with_file_name(name);
        let file = File::create(&partial).map_err(|error| Error::Io(partial.display().to_string(), error))?;
        let file = Some(BufWriter::with_capacity(1 << 20, file));
        let mut writer = Self { path: path.to_path_buf(), partial, file, hash: Sha256::new(), left: 12 };
        writer.write(MAGIC)?;
        writer.write(&VERSION.to_le_bytes())?;
        writer.write(&n_sections.to_le_bytes())?;
        Ok(writer)
    }

    fn io(&self, error: std::io::Error) -> Error {
        Error::Io(self.partial.display().to_string(), error)
    }

    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let left = self.left.checked_sub(bytes.len() as u64);
        self.left = left.ok_or_else(|| Error::Key("a section is longer than announced".into()))?;
        self.hash.update(bytes);
        if let Some(file) = &mut self.file {
            file.write_all(bytes).map_err(|error| Error::Io(self.partial.display().to_string(), error))?;
        }
        Ok(())
    }

    pub fn start_section(&mut self, id: u32, length: u64) -> Result<()> {
        if self.left != 0 {
            return Err(Error::Key(format!("the section before {id} is {} bytes short", self.left)));
        }
        self.left = 12;
        self.write(&id.to_le_bytes())?;
        self.write(&length.to_le_bytes())?;
        self.left = length;
        Ok(())
    }

    pub fn section(&mut self, id: u32, bytes: &[u8]) -> Result<()> {
        self.start_section(id, bytes.len() as u64)?;
        self.write(bytes)
    }

    /// Multiples of a base, one for each scalar that `scalars` gives for a range of indices.
    pub fn points<C: Curve>(
        &mut self,
        id: u32,
        phase: &'static str,
        base: &FixedBase<C>,
        count: usize,
        scalars: impl Fn(usize, usize) -> Vec<Fr> + Sync,
        control: &Control,
    ) -> Result<()> {
        self.start_section(id, (count * C::POINT_BYTES) as u64)?;
        let step = CHUNK * 4 * rayon::current_num_threads();
        for start in (0..count).step_by(step) {
            control.report(phase, start as f64 / count as f64)?;
            let starts: Vec<usize> = (start..count.min(start + step)).step_by(CHUNK).collect();
            let parts: Vec<Vec<u8>> =
                starts.into_par_iter().map(|at| base.multiply(&scalars(at, count.min(at + CHUNK)))).collect();
            for part in parts {
                self.write(&part)?;
            }
        }
        control.report(phase, 1.0)
    }

    /// Writes what is buffered to disk, gives the file its name, and returns the SHA-256 of its content.
    pub fn finish(mut self) -> Result<[u8; 32]> {
        if self.left != 0 {
            return Err(Error::Key(format!("the last section is {} bytes short", self.left)));
        }
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(|error| self.io(error.into_error()))?;
            file.sync_all().map_err(|error| self.io(error))?;
        }
        fs::rename(&self.partial, &self.path).map_err(|error| self.io(error))?;
        Ok(self.hash.clone().finalize().into())
    }
}

impl Drop for ZkeyWriter {
    fn drop(&mut self) {
        // After `finish` there is nothing of that name; otherwise nothing can be done about a failure here.
        let _ = fs::remove_file(&self.partial);
    }
}

pub fn header_bytes(header: &Header) -> Vec<u8> {
    let mut bytes = Vec::new();
    for modulus in [Fq::MODULUS, Fr::MODULUS] {
        bytes.extend_from_slice(&32u32.to_le_bytes());
        bytes.extend_from_slice(&modulus.to_bytes_le());
    }
    for count in [header.n_wires, header.n_public, header.domain_size] {
        bytes.extend_from_slice(&(count as u32).to_le_bytes());
    }
    Point::from_affine(&header.alpha1).write(&mut bytes);
    Point::from_affine(&header.beta1).write(&mut bytes);
    Point::from_affine(&header.beta2).write(&mut bytes);
    Point::from_affine(&header.gamma2).write(&mut bytes);
    Point::from_affine(&header.delta1).write(&mut bytes);
    Point::from_affine(&header.delta2).write(&mut bytes);
    bytes
}

/// Section 4: A and B of every row in order, then the rows that hold the public wires. Values are v * R^2.
pub fn write_coefficients(writer: &mut ZkeyWriter, id: u32, system: &System, control: &Control) -> Result<()> {
    let terms = |matrix: &Matrix| matrix.terms.len();
    let count: usize = system.pieces.iter().map(|piece| terms(&piece.r1cs.a) + terms(&piece.r1cs.b)).sum();
    let count = count + system.n_public + 1;
    let announced =
        u32::try_from(count).map_err(|_| Error::System(format!("{count} coefficients do not fit a zkey")))?;
    writer.start_section(id, (4 + count * COEFFICIENT_BYTES) as u64)?;
    writer.write(&announced.to_le_bytes())?;
    // A value as the key has it, v * R^2, is the Montgomery form (times R) of v * R.
    let radix = Fr::from(2u64).pow([256u64]);
    let mut buffer = Vec::new();
    let push = |buffer: &mut Vec<u8>, matrix: u32, row: usize, wire: u32, value: Fr| {
        for number in [matrix, row as u32, wire] {
            buffer.extend_from_slice(&number.to_le_bytes());
        }
        for limb in (value * radix).0 .0 {
            buffer.extend_from_slice(&limb.to_le_bytes());
        }
    };
    let total = system.n_constraints().max(1);
    let mut row = 0;
    let mut row_terms: Vec<(u32, Fr)> = Vec::new();
    for piece in &system.pieces {
        for local in 0..piece.r1cs.n_constraints() {
            for (matrix, terms) in [(0, piece.r1cs.a.row(local)), (1, piece.r1cs.b.row(local))] {
                let wires = terms.iter().map(|(wire, value)| (piece.wires[*wire as usize], *value));
                if system.pieces.len() == 1 {
                    wires.for_each(|(wire, value)| push(&mut buffer, matrix, row, wire, value));
                    continue;
                }
                // As a linked system's `.r1cs` has them, so that both give the same key.
                row_terms.clear();
                row_terms.extend(wires);
                row_terms.sort_unstable_by_key(|term| term.0);
                row_terms.iter().for_each(|(wire, value)| push(&mut buffer, matrix, row, *wire, *value));
            }
            row += 1;
            if buffer.len() > 1 << 20 {
                writer.write(&buffer)?;
                buffer.clear();
                control.report("coefficients", row as f64 / total as f64)?;
            }
        }
    }
    for wire in 0..=system.n_public {
        push(&mut buffer, 0, row + wire, wire as u32, Fr::ONE);
    }
    writer.write(&buffer)
}
