//! What a validator signs of a receipt (protocol 13), and the chain of a block's commitment (protocol 7), many at once.

use ark_bn254::Fr;
use sha3::{Digest, Keccak256};

use crate::poseidon::hash_many;

pub const HASH_BYTES: usize = 32;
/// Of a step in the chain: its chunks and the words of its record.
pub const STEP_WORDS: usize = 7;

type Word = [u8; HASH_BYTES];

/// The fields of `core/receipt.py`, in their order.
pub struct Receipt<'a> {
    pub block_number: u64,
    pub chunk_position: u64,
    pub chunks: &'a [u8],
    pub word_position: u64,
    pub record: &'a [u8],
    pub operation_hash: &'a [u8],
    pub recipient: &'a [u8],
    pub issued_at: u64,
    pub commit_by: u64,
    pub validator_set: &'a [u8],
}

impl Receipt<'_> {
    /// The EIP-712 digest.
    pub fn digest(&self, separator: &[u8], type_hash: &[u8]) -> Word {
        let mut fields = Keccak256::new();
        fields.update(type_hash);
        fields.update(number(self.block_number));
        fields.update(number(self.chunk_position));
        fields.update(Keccak256::digest(self.chunks));
        fields.update(number(self.word_position));
        fields.update(Keccak256::digest(self.record));
        fields.update(padded(self.operation_hash));
        fields.update(padded(self.recipient));
        fields.update(number(self.issued_at));
        fields.update(number(self.commit_by));
        fields.update(padded(self.validator_set));
        let mut whole = Keccak256::new();
        whole.update([0x19, 0x01]);
        whole.update(separator);
        whole.update(fields.finalize());
        whole.finalize().into()
    }
}

fn number(value: u64) -> Word {
    padded(&value.to_be_bytes())
}

/// At most 32 bytes, in the low end of a word.
fn padded(bytes: &[u8]) -> Word {
    let mut word = [0; HASH_BYTES];
    word[HASH_BYTES - bytes.len()..].copy_from_slice(bytes);
    word
}

/// Of each chain: C after its steps, `Poseidon(8)(C, step)` one after the other. The chains go on side by side.
pub fn commit_chains(starts: &[Fr], steps: &[Vec<[Fr; STEP_WORDS]>]) -> Vec<Fr> {
    let mut commitments = starts.to_vec();
    let longest = steps.iter().map(Vec::len).max().unwrap_or(0);
    for at in 0..longest {
        let going: Vec<usize> = (0..steps.len()).filter(|chain| at < steps[*chain].len()).collect();
        let inputs: Vec<Fr> =
            going.iter().flat_map(|chain| std::iter::once(commitments[*chain]).chain(steps[*chain][at])).collect();
        let hashes = hash_many(STEP_WORDS + 1, &inputs).expect("eight inputs");
        going.into_iter().zip(hashes).for_each(|(chain, hash)| commitments[chain] = hash);
    }
    commitments
}
