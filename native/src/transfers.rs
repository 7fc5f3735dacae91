//! The short way of the plain Transfer through a validator's intake: its JSON, its message, its chunk.
//!
//! The rules are `rollup/core`'s (`wire.py`, `operations/payments.py`); what is taken here is what they take, with the same
//! result, and a test holds it to them. Everything else is for them to judge: [`Transfer::parse`] gives None.

use std::borrow::Cow;

use ark_bn254::Fr;
use ark_ff::{BigInteger, BigInteger256, PrimeField};
use serde::Deserialize;
use sha3::{Digest, Keccak256};

use crate::babyjub::Point;
use crate::eddsa::{verify_many_by_checked_keys, CheckedKey, Claim, Signature};
use crate::poseidon::hash_many;

pub const ADDRESS_BYTES: usize = 20;
pub const CHUNK_BYTES: usize = 15;
const OP: u64 = 3;
const OP_BITS: u32 = 4;
const ID_BITS: u32 = 24;
const SLOT_BITS: u32 = 12;
const NONCE_BITS: u32 = 32;
const TIME_BITS: u32 = 40;
const EXPONENT_BITS: u32 = 5;
const AMOUNT_MANTISSA_BITS: u32 = 35;
const FEE_MANTISSA_BITS: u32 = 11;
const MESSAGE_WORDS: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    from_id: u64,
    to_id: u64,
    #[serde(borrow)]
    to_address: Cow<'a, str>,
    token: u64,
    #[serde(borrow)]
    amount: Cow<'a, str>,
    #[serde(borrow)]
    fee: Cow<'a, str>,
    nonce: u64,
    #[serde(default)]
    valid_from: u64,
    #[serde(default = "forever")]
    valid_until: u64,
    #[serde(borrow, default = "no_link")]
    link: Cow<'a, str>,
    #[serde(borrow)]
    signature: SignatureText<'a>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SignatureText<'a> {
    #[serde(borrow)]
    r8x: Cow<'a, str>,
    #[serde(borrow)]
    r8y: Cow<'a, str>,
    #[serde(borrow)]
    s: Cow<'a, str>,
}

fn forever() -> u64 {
    (1 << TIME_BITS) - 1
}

const NO_LINK: &str = "0x0000000000000000000000000000000000000000000000000000000000000000";

fn no_link() -> Cow<'static, str> {
    Cow::Borrowed(NO_LINK)
}

/// A signed Transfer that stands alone, every field in its range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    pub from_id: u64,
    pub to_id: u64,
    pub to_address: [u8; ADDRESS_BYTES],
    pub token: u64,
    pub amount: u128,
    pub fee: u128,
    pub nonce: u64,
    pub valid_from: u64,
    pub valid_until: u64,
    /// r8x, r8y, s.
    pub signature: [Fr; 3],
    amount_packed: u64,
    fee_packed: u64,
}

impl Transfer {
    /// None: it is no such Transfer, or not for this way.
    pub fn parse(json: &[u8]) -> Option<Self> {
        let text: Text = serde_json::from_slice(json).ok()?;
        let fits = |value: u64, bits: u32| value >> bits == 0;
        let is_in_range = text.kind == "transfer"
            && fits(text.from_id, ID_BITS)
            && fits(text.to_id, ID_BITS)
            && fits(text.token, SLOT_BITS)
            && fits(text.nonce, NONCE_BITS)
            && fits(text.valid_from, TIME_BITS)
            && fits(text.valid_until, TIME_BITS)
            && text.link == NO_LINK;
        if !is_in_range {
            return None;
        }
        let (amount, fee) = (decimal(&text.amount)?, decimal(&text.fee)?);
        let SignatureText { r8x, r8y, s } = &text.signature;
        Some(Self {
            from_id: text.from_id,
            to_id: text.to_id,
            to_address: address(&text.to_address)?,
            token: text.token,
            amount,
            fee,
            nonce: text.nonce,
            valid_from: text.valid_from,
            valid_until: text.valid_until,
            signature: [word(r8x)?, word(r8y)?, word(s)?],
            amount_packed: pack(amount, AMOUNT_MANTISSA_BITS)?,
            fee_packed: pack(fee, FEE_MANTISSA_BITS)?,
        })
    }

    /// M0 to M4.
    fn message_words(&self, domain: Fr) -> [Fr; MESSAGE_WORDS] {
        let mut m1 = Packer::default();
        m1.push(OP, OP_BITS);
        m1.push(self.from_id, ID_BITS);
        m1.push(self.nonce, NONCE_BITS);
        m1.push(self.token, SLOT_BITS);
        m1.push(self.token, SLOT_BITS);
        m1.push(self.fee_packed, FEE_MANTISSA_BITS + EXPONENT_BITS);
        m1.push(self.to_id, ID_BITS);
        m1.push(self.valid_from, TIME_BITS);
        m1.push(self.valid_until, TIME_BITS);
        let address = Fr::from_be_bytes_mod_order(&self.to_address);
        [domain, m1.word(), address, Fr::from(self.amount_packed), Fr::from(0u64)]
    }

    /// What is published.
    pub fn chunk(&self) -> [u8; CHUNK_BYTES] {
        let fields = [
            (OP, OP_BITS),
            (self.token, SLOT_BITS),
            (self.from_id, ID_BITS),
            (self.to_id, ID_BITS),
            (self.amount_packed, AMOUNT_MANTISSA_BITS + EXPONENT_BITS),
            (self.fee_packed, FEE_MANTISSA_BITS + EXPONENT_BITS),
        ];
        let chunk = fields.iter().fold(0u128, |chunk, (value, bits)| chunk << bits | u128::from(*value));
        std::array::from_fn(|at| (chunk >> (8 * (CHUNK_BYTES - 1 - at))) as u8)
    }

    /// The one line of JSON that `wire.to_wire` gives.
    pub fn to_json(&self) -> String {
        let [r8x, r8y, s] = self.signature.map(hex_word);
        format!(
            concat!(
                r#"{{"type":"transfer","from_id":{},"to_id":{},"to_address":"{}","token":{},"amount":"{}","fee":"{}","#,
                r#""nonce":{},"valid_from":{},"valid_until":{},"link":"{}","#,
                r#""signature":{{"r8x":"{}","r8y":"{}","s":"{}"}}}}"#
            ),
            self.from_id,
            self.to_id,
            checksummed(&self.to_address),
            self.token,
            self.amount,
            self.fee,
            self.nonce,
            self.valid_from,
            self.valid_until,
            NO_LINK,
            r8x,
            r8y,
            s
        )
    }
}

/// What is signed, of each.
pub fn messages(transfers: &[&Transfer], domain: Fr) -> Vec<Fr> {
    let words: Vec<Fr> = transfers.iter().flat_map(|transfer| transfer.message_words(domain)).collect();
    hash_many(MESSAGE_WORDS, &words).expect("five words")
}

/// Whether each is signed by its key; without a key it is not.
pub fn verify(transfers: &[&Transfer], messages: &[Fr], keys: &[Option<CheckedKey>]) -> Vec<bool> {
    let mut verdicts = vec![false; transfers.len()];
    let mut places = Vec::with_capacity(transfers.len());
    let mut claims = Vec::with_capacity(transfers.len());
    for (at, ((transfer, message), key)) in transfers.iter().zip(messages).zip(keys).enumerate() {
        if let Some(key) = key {
            let [x, y, s] = transfer.signature;
            let signature = Signature { r: Point::new_unchecked(x, y), s: s.into_bigint() };
            claims.push(Claim { public_key: key.point(), message: *message, signature });
            places.push(at);
        }
    }
    places.into_iter().zip(verify_many_by_checked_keys(&claims)).for_each(|(at, verdict)| verdicts[at] = verdict);
    verdicts
}

/// Fields one after the other, the first in the most significant bits.
#[derive(Default)]
struct Packer([u64; 4]);

impl Packer {
    fn push(&mut self, value: u64, bits: u32) {
        let [a, b, c, d] = self.0;
        let carry = |word: u64| word >> (u64::BITS - bits);
        self.0 = [a << bits | value, b << bits | carry(a), c << bits | carry(b), d << bits | carry(c)];
    }

    /// At most 253 bits were pushed.
    fn word(self) -> Fr {
        Fr::from_bigint(BigInteger256::new(self.0)).unwrap_or_default()
    }
}

fn decimal(text: &str) -> Option<u128> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| is_plain)
}

/// `mantissa | exponent 5`, the smallest exponent; None if it has too many digits.
fn pack(value: u128, mantissa_bits: u32) -> Option<u64> {
    let (mut mantissa, mut exponent) = (value, 0u64);
    while mantissa >> mantissa_bits != 0 {
        exponent += 1;
        if mantissa % 10 != 0 || exponent >> EXPONENT_BITS != 0 {
            return None;
        }
        mantissa /= 10;
    }
    Some((mantissa as u64) << EXPONENT_BITS | exponent)
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    let text = text.strip_prefix("0x")?.as_bytes();
    let digit = |byte: u8| (byte as char).to_digit(16).map(|digit| digit as u8);
    if text.len() != 2 * N {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

fn word(text: &str) -> Option<Fr> {
    let bytes: [u8; 32] = digits(text)?;
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.rchunks_exact(8)) {
        *word = chunk.iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    Fr::from_bigint(BigInteger256::new(words))
}

fn hex_word(value: Fr) -> String {
    let bytes = value.into_bigint().to_bytes_be();
    format!("0x{}", hex(&bytes))
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(|digit| DIGITS[usize::from(digit)] as char).collect()
}

/// In one case, or with EIP-55's checksum, which then must be right.
fn address(text: &str) -> Option<[u8; ADDRESS_BYTES]> {
    let bytes = digits(text)?;
    let has = |is: fn(&u8) -> bool| text.as_bytes()[2..].iter().any(is);
    let is_mixed = has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase);
    (!is_mixed || checksummed(&bytes) == text).then_some(bytes)
}

/// With EIP-55's checksum.
pub fn checksummed(address: &[u8; ADDRESS_BYTES]) -> String {
    let plain = hex(address);
    let hash = Keccak256::digest(plain.as_bytes());
    let letters = plain.chars().enumerate().map(|(at, letter)| {
        let digit = hash[at / 2] >> (if at % 2 == 0 { 4 } else { 0 }) & 15;
        if digit >= 8 {
            letter.to_ascii_uppercase()
        } else {
            letter
        }
    });
    ["0", "x"].iter().flat_map(|text| text.chars()).chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksummed_address_of_eip_55_has_its_capitals() {
        let address = digits("0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed").expect("an address");
        assert_eq!(checksummed(&address), "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed");
    }

    #[test]
    fn pack_largest_and_unrepresentable_values() {
        assert_eq!(pack(0, FEE_MANTISSA_BITS), Some(0));
        assert_eq!(pack(2047, FEE_MANTISSA_BITS), Some(2047 << 5));
        assert_eq!(pack(2048, FEE_MANTISSA_BITS), None);
        assert_eq!(pack(2050, FEE_MANTISSA_BITS), Some(205 << 5 | 1));
        assert_eq!(pack(u128::MAX, AMOUNT_MANTISSA_BITS), None);
    }
}
