//! The secret of a contribution: from the operating system, and from text that a user adds; wiped after use.

use ark_bn254::Fr;
use ark_ff::PrimeField;
use rand::rngs::OsRng;
use rand::RngCore;
use zeroize::{Zeroize, Zeroizing};

use super::blake2b::hash;
use super::encoding::Draw;
use crate::groth16_error::{Error, Result};

const SECRET: &[u8] = b"sluice/phase2/secret";
const BASE: &[u8] = b"sluice/phase2/base";

/// A secret factor and the generator of the public base that shows its knowledge. Not printable, wiped when dropped.
pub struct Secret {
    pub factor: Fr,
    pub draw: Draw,
}

impl Drop for Secret {
    fn drop(&mut self) {
        self.factor.zeroize();
    }
}

/// 64 bytes of the system and the text, hashed: the text can only add to what the system gives.
///
/// Our buffers are wiped; copies that arithmetic leaves on the stack are beyond this program's reach.
pub fn gather(text: &[u8]) -> Result<Secret> {
    let mut system = Zeroizing::new([0u8; 64]);
    let random = |error: rand::Error| Error::Io("the system's random numbers".into(), std::io::Error::other(error));
    OsRng.try_fill_bytes(system.as_mut()).map_err(random)?;
    let secret = Zeroizing::new(hash(&[SECRET, system.as_ref(), text]));
    let base = hash(&[BASE, system.as_ref(), text]);
    let factor = Fr::from_le_bytes_mod_order(secret.as_ref());
    Ok(Secret { factor, draw: Draw::new(&base) })
}
