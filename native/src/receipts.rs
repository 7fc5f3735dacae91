//! What a validator signs of a receipt (protocol 13), and the chain of a block's commitment (protocol 7), many at once.

use ark_bn254::Fr;
use sha3::{Digest, Keccak256};

use crate::ecdsa::SIGNATURE_BYTES;
use crate::poseidon::hash_many;
use crate::transfers::{checksummed, hex, ADDRESS_BYTES};

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
    pub recipient: &'a [u8; ADDRESS_BYTES],
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

    /// The JSON of `core/receipt.py`'s `receipt_to_wire`; `rollup` are its first fields, chain and address.
    pub fn to_json(&self, rollup: &str, signature: &[u8; SIGNATURE_BYTES]) -> String {
        format!(
            concat!(
                r#"{{{},"block_number":{},"chunk_position":{},"chunks":"0x{}","word_position":{},"record":"0x{}","#,
                r#""operation_hash":"0x{}","recipient":"{}","issued_at":{},"commit_by":{},"validator_set":"0x{}","#,
                r#""signature":"0x{}"}}"#
            ),
            rollup,
            self.block_number,
            self.chunk_position,
            hex(self.chunks),
            self.word_position,
            hex(self.record),
            hex(self.operation_hash),
            checksummed(self.recipient),
            self.issued_at,
            self.commit_by,
            hex(self.validator_set),
            hex(signature)
        )
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
