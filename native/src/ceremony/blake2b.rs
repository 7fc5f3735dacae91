//! BLAKE2b with 64 bytes of output, whose state can be taken up in the middle: powers-of-tau files hold such states.

use zeroize::Zeroize;

const BLOCK: usize = 128;
/// Bytes of a state as `.ptau` files hold it: the buffer, the chaining value, bytes hashed, bytes in the buffer, unused.
pub const STATE_BYTES: usize = BLOCK + 64 + 24;

const IV: [u64; 8] = [
    0x6a09e667f3bcc908,
    0xbb67ae8584caa73b,
    0x3c6ef372fe94f82b,
    0xa54ff53a5f1d36f1,
    0x510e527fade682d1,
    0x9b05688c2b3e6c1f,
    0x1f83d9abfb41bd6b,
    0x5be0cd19137e2179,
];

const SIGMA: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// A hash in progress; wiped when dropped, as secrets go through it.
#[derive(Clone)]
pub struct Blake2b {
    chain: [u64; 8],
    hashed: u64,
    buffer: [u8; BLOCK],
    filled: usize,
}

impl Drop for Blake2b {
    fn drop(&mut self) {
        self.chain.zeroize();
        self.buffer.zeroize();
    }
}

impl Default for Blake2b {
    fn default() -> Self {
        let mut chain = IV;
        // Parameters: 64 bytes of output, no key, one leaf.
        chain[0] ^= 0x0101_0040;
        Self { chain, hashed: 0, buffer: [0; BLOCK], filled: 0 }
    }
}

fn word(bytes: &[u8]) -> u64 {
    bytes.iter().take(8).rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

impl Blake2b {
    /// The state that a `.ptau` file holds; None if it is none.
    pub fn resume(state: &[u8; STATE_BYTES]) -> Option<Self> {
        let mut resumed = Self::default();
        resumed.buffer.copy_from_slice(&state[..BLOCK]);
        for (value, bytes) in resumed.chain.iter_mut().zip(state[BLOCK..BLOCK + 64].chunks_exact(8)) {
            *value = word(bytes);
        }
        resumed.hashed = word(&state[BLOCK + 64..]);
        resumed.filled = usize::try_from(word(&state[BLOCK + 72..])).ok()?;
        (resumed.filled <= BLOCK).then_some(resumed)
    }

    pub fn update(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            // The last block is only known for such at the end, so a full buffer waits for the next byte.
            if self.filled == BLOCK {
                self.hashed = self.hashed.wrapping_add(BLOCK as u64);
                self.compress(false);
                self.filled = 0;
            }
            let count = bytes.len().min(BLOCK - self.filled);
            self.buffer[self.filled..self.filled + count].copy_from_slice(&bytes[..count]);
            self.filled += count;
            bytes = &bytes[count..];
        }
    }

    pub fn finish(mut self) -> [u8; 64] {
        self.hashed = self.hashed.wrapping_add(self.filled as u64);
        self.buffer[self.filled..].fill(0);
        self.compress(true);
        let mut digest = [0; 64];
        for (bytes, value) in digest.chunks_exact_mut(8).zip(self.chain) {
            bytes.copy_from_slice(&value.to_le_bytes());
        }
        digest
    }

    fn compress(&mut self, last: bool) {
        let mut message = [0; 16];
        for (value, bytes) in message.iter_mut().zip(self.buffer.chunks_exact(8)) {
            *value = word(bytes);
        }
        let mut v = [0; 16];
        v[..8].copy_from_slice(&self.chain);
        v[8..].copy_from_slice(&IV);
        v[12] ^= self.hashed;
        if last {
            v[14] = !v[14];
        }
        for round in 0..12 {
            let s = &SIGMA[round % 10];
            for (index, [a, b, c, d]) in MIXED.iter().enumerate() {
                mix(&mut v, [*a, *b, *c, *d], message[s[2 * index]], message[s[2 * index + 1]]);
            }
        }
        for index in 0..8 {
            self.chain[index] ^= v[index] ^ v[index + 8];
        }
        message.zeroize();
        v.zeroize();
    }
}

/// Columns, then diagonals.
const MIXED: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

#[inline]
fn mix(v: &mut [u64; 16], [a, b, c, d]: [usize; 4], x: u64, y: u64) {
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(x);
    v[d] = (v[d] ^ v[a]).rotate_right(32);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(24);
    v[a] = v[a].wrapping_add(v[b]).wrapping_add(y);
    v[d] = (v[d] ^ v[a]).rotate_right(16);
    v[c] = v[c].wrapping_add(v[d]);
    v[b] = (v[b] ^ v[c]).rotate_right(63);
}

/// The hash of the parts one after the other.
pub fn hash(parts: &[&[u8]]) -> [u8; 64] {
    let mut hasher = Blake2b::default();
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::setup::hex;

    #[test]
    fn hashes_equal_those_of_rfc_7693_and_do_not_depend_on_the_cuts() {
        assert_eq!(hex(&hash(&[b"abc"])[..16]), "ba80a53f981c4d0d6a2797b69f12f6e9");
        assert_eq!(hex(&hash(&[])[..16]), "786a02f742015903c6c6fd852552d272");
        let bytes: Vec<u8> = (0..1000u32).map(|value| value as u8).collect();
        for cut in [0, 1, 127, 128, 129, 256, 999] {
            assert_eq!(hash(&[&bytes[..cut], &bytes[cut..]]), hash(&[&bytes]));
        }
    }

    #[test]
    fn resumed_state_goes_on_where_it_stopped() {
        let bytes = [7u8; 300];
        for cut in [0, 100, 128, 200, 256] {
            let mut hasher = Blake2b::default();
            hasher.update(&bytes[..cut]);
            let mut state = [0u8; STATE_BYTES];
            state[..BLOCK].copy_from_slice(&hasher.buffer);
            for (bytes, value) in state[BLOCK..].chunks_exact_mut(8).zip(hasher.chain) {
                bytes.copy_from_slice(&value.to_le_bytes());
            }
            state[BLOCK + 64..BLOCK + 72].copy_from_slice(&hasher.hashed.to_le_bytes());
            state[BLOCK + 72..BLOCK + 80].copy_from_slice(&(hasher.filled as u64).to_le_bytes());
            let mut resumed = Blake2b::resume(&state).expect("a state");
            resumed.update(&bytes[cut..]);
            assert_eq!(resumed.finish(), hash(&[&bytes]));
            state[BLOCK + 72] = 129;
            assert!(Blake2b::resume(&state).is_none());
        }
    }
}
