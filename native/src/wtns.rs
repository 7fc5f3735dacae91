//! snarkjs' `.wtns`: the full witness, wire by wire.

use std::io::{self, Write};

use ark_bn254::Fr;
use ark_ff::{BigInteger, PrimeField};

use crate::r1cs::{expect_bn254, fr_to_le, refuse, section, section_head, sections, Result};

pub fn write(values: &[Fr], out: &mut impl Write) -> io::Result<()> {
    out.write_all(b"wtns")?;
    out.write_all(&2u32.to_le_bytes())?;
    out.write_all(&2u32.to_le_bytes())?;
    section_head(out, 1, 40)?;
    out.write_all(&32u32.to_le_bytes())?;
    out.write_all(&Fr::MODULUS.to_bytes_le())?;
    out.write_all(&u32::try_from(values.len()).map_err(io::Error::other)?.to_le_bytes())?;
    section_head(out, 2, 32 * values.len() as u64)?;
    for value in values {
        out.write_all(&fr_to_le(value))?;
    }
    Ok(())
}

pub fn read(bytes: &[u8]) -> Result<Vec<Fr>> {
    let found = sections(bytes, b"wtns", &[2])?;
    let mut header = section(&found, 1, "header")?;
    expect_bn254(&mut header)?;
    let count = header.u32()? as usize;
    header.end()?;
    let mut body = section(&found, 2, "values")?;
    if body.left() != 32 * count {
        return refuse!("values: {} bytes for {count} wires", body.left());
    }
    (0..count).map(|_| body.field()).collect()
}
