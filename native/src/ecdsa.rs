//! Signatures of an Ethereum account over 32 bytes, many at once: libsecp256k1's own, as coincurve's and every wallet's
//! that is deterministic (RFC 6979).

use secp256k1::{All, Message, PublicKey, Secp256k1, SecretKey};

pub const DIGEST_BYTES: usize = 32;
/// `r 32 | s 32 | v 1`.
pub const SIGNATURE_BYTES: usize = 65;
const V: u8 = 27;

/// A private key with the tables to sign by.
pub struct Signer {
    context: Secp256k1<All>,
    key: SecretKey,
}

impl Signer {
    /// None: it is 0, or not below the group's order.
    pub fn new(private_key: [u8; 32]) -> Option<Self> {
        SecretKey::from_byte_array(private_key).ok().map(|key| Self { context: Secp256k1::new(), key })
    }

    /// x and y, 32 bytes each.
    pub fn public_key(&self) -> [u8; 64] {
        let whole = PublicKey::from_secret_key(&self.context, &self.key).serialize_uncompressed();
        std::array::from_fn(|at| whole[1 + at])
    }

    /// s in the lower half, v 27 or 28.
    pub fn sign(&self, digest: [u8; DIGEST_BYTES]) -> [u8; SIGNATURE_BYTES] {
        let signed = self.context.sign_ecdsa_recoverable(Message::from_digest(digest), &self.key);
        let (recovery, compact) = signed.serialize_compact();
        let mut signature = [V + i32::from(recovery) as u8; SIGNATURE_BYTES];
        signature[..SIGNATURE_BYTES - 1].copy_from_slice(&compact);
        signature
    }
}
