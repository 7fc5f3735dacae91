//! EdDSA over Baby Jubjub with Poseidon, bit-compatible with circomlibjs 0.1.7 `signPoseidon` / `verifyPoseidon`.
//!
//! Valid is: S * BASE8 = R + 8 h A with h = Poseidon(R.x, R.y, A.x, A.y, message), without a cofactor, as circomlib's
//! `EdDSAPoseidonVerifier` constrains it. In addition R and A are on the curve, S < [`S_BOUND`], h < [`CHALLENGE_BOUND`], and
//! A is a point of the prime-order subgroup other than the identity; of such keys the circuit accepts what [`verify`] does, but
//! for 72 values of h that meet an addition (protocol 15). Not constant time: sign on machines of your own.

use ark_bn254::Fr;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, BigInteger256, PrimeField, Zero};
use blake_hash::{Blake512, Digest};
use rand::Rng;
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::sync::LazyLock;

use crate::babyjub::{self, ExtendedPoint, Point, Scalar};
use crate::poseidon::{hash_array, hash_many};

pub const PRIVATE_KEY_BYTES: usize = 32;

/// S and h are below these. The circuit compares them with l and r by their upper 120 bits alone and wants less: what is
/// refused of those below l and r is a share of 2^-120 each, of hashes.
pub const S_BOUND: BigInteger256 = without_low_bits(Scalar::MODULUS, 131);
pub const CHALLENGE_BOUND: BigInteger256 = without_low_bits(Fr::MODULUS, 134);

/// With the lowest `bits`, 128 to 191, set to zero.
const fn without_low_bits(value: BigInteger256, bits: u32) -> BigInteger256 {
    BigInt([0, 0, value.0[2] >> (bits - 128) << (bits - 128), value.0[3]])
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    pub r: Point,
    /// Not reduced: a value of l or above is a bad signature, not another spelling.
    pub s: BigInteger256,
}

/// A signature with what it is claimed to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim {
    pub public_key: Point,
    pub message: Fr,
    pub signature: Signature,
}

/// The two halves of blake512(private key): the secret scalar, a multiple of 8, and the seed of nonces.
struct Secret {
    scalar: BigInteger256,
    nonce_seed: [u8; 32],
}

impl Secret {
    fn derive(private_key: &[u8; PRIVATE_KEY_BYTES]) -> Self {
        let digest = Blake512::digest(private_key);
        let (mut low, mut nonce_seed) = ([0; 32], [0; 32]);
        low.copy_from_slice(&digest[..32]);
        nonce_seed.copy_from_slice(&digest[32..]);
        low[0] &= 0xf8;
        low[31] = low[31] & 0x7f | 0x40;
        Self { scalar: integer(&low), nonce_seed }
    }

    /// (scalar / 8) * BASE8, so that scalar * BASE8 = 8 A.
    fn public_key(&self) -> Point {
        let mut eighth = self.scalar;
        (0..3).for_each(|_| eighth.div2());
        babyjub::multiply_base(&reduce(eighth)).into_affine()
    }

    /// blake512(seed, message) modulo l, the message in 32 bytes, little endian.
    fn nonce(&self, message: Fr) -> Scalar {
        let hasher = Blake512::new().chain(self.nonce_seed).chain(message.into_bigint().to_bytes_le());
        Scalar::from_le_bytes_mod_order(&hasher.finalize())
    }
}

/// As circomlibjs' `prv2pub`.
pub fn public_key(private_key: &[u8; PRIVATE_KEY_BYTES]) -> Point {
    Secret::derive(private_key).public_key()
}

/// As circomlibjs' `signPoseidon`: the same key and message give the same signature.
pub fn sign(private_key: &[u8; PRIVATE_KEY_BYTES], message: Fr) -> Signature {
    let secret = Secret::derive(private_key);
    let nonce = secret.nonce(message);
    let r = babyjub::multiply_base(&nonce).into_affine();
    let s = nonce + reduce(hash(&r, &secret.public_key(), message).into_bigint()) * reduce(secret.scalar);
    Signature { r, s: s.into_bigint() }
}

/// A key under which something can be valid: on the curve, of the prime-order subgroup, not the identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckedKey(Point);

impl CheckedKey {
    pub fn new(key: Point) -> Option<Self> {
        (babyjub::is_in_subgroup(&key) && !key.is_zero()).then_some(Self(key))
    }

    pub fn point(&self) -> Point {
        self.0
    }
}

fn is_key(key: &Point) -> bool {
    CheckedKey::new(*key).is_some()
}

/// Whether the claim holds, by the rule on top of this module.
pub fn verify(claim: &Claim) -> bool {
    let Some(s) = well_formed(claim).filter(|_| is_key(&claim.public_key)) else {
        return false;
    };
    let Some(challenge) = challenge(hash(&claim.signature.r, &claim.public_key, claim.message)) else {
        return false;
    };
    babyjub::multiply_base(&s) == multiple_of_key(&claim.public_key, &challenge) + claim.signature.r
}

/// [`verify`] for each claim, in parallel, and cheaper where most are valid.
///
/// Of a batch, one equation is checked: the sum of all, each times a random number of 128 bits. All its points are in the
/// group of prime order l, so a wrong equation passes with probability 2^-128. A batch that fails is halved.
///
/// In threads of its own: a proof, which has all others, would keep receipts waiting.
pub fn verify_many(claims: &[Claim]) -> Vec<bool> {
    verify_batches(claims, is_key)
}

/// The same where every key is a [`CheckedKey`]'s: looking at it again would be a tenth of the work.
pub fn verify_many_by_checked_keys(claims: &[Claim]) -> Vec<bool> {
    verify_batches(claims, |_| true)
}

fn verify_batches(claims: &[Claim], is_key: fn(&Point) -> bool) -> Vec<bool> {
    const BATCH: usize = 256;
    const THREADS: usize = 2;
    static POOL: LazyLock<ThreadPool> =
        LazyLock::new(|| ThreadPoolBuilder::new().num_threads(THREADS).build().expect("threads can be started"));
    POOL.install(|| claims.par_chunks(BATCH).flat_map_iter(|batch| verify_batch(batch, is_key)).collect())
}

/// S if everything but the key, h and the equation is as it must be.
fn well_formed(claim: &Claim) -> Option<Scalar> {
    let Signature { r, s } = claim.signature;
    Scalar::from_bigint(s).filter(|_| s < S_BOUND && r.is_on_curve())
}

/// h as a word.
fn hash(r: &Point, key: &Point, message: Fr) -> Fr {
    hash_array(&[r.x, r.y, key.x, key.y, message])
}

/// h modulo l, as the equation uses it as a multiple of points of order l; None where it is not below its bound.
fn challenge(hash: Fr) -> Option<Scalar> {
    let hash = hash.into_bigint();
    (hash < CHALLENGE_BOUND).then(|| reduce(hash))
}

/// 8 h A.
fn multiple_of_key(key: &Point, challenge: &Scalar) -> ExtendedPoint {
    babyjub::multiply(key, &challenge.double().double().double())
}

/// The equation S * BASE8 = R + 8 h A of a claim with all points in the subgroup.
struct Equation {
    claim: Claim,
    s: Scalar,
    challenge: Scalar,
}

impl Equation {
    /// None if the claim is bad whatever the rest: an R outside the subgroup cannot satisfy it. `hash` is h's.
    fn new(claim: &Claim, hash: Fr, is_key: fn(&Point) -> bool) -> Option<Self> {
        let s = well_formed(claim).filter(|_| is_key(&claim.public_key))?;
        let challenge = challenge(hash)?;
        babyjub::is_in_subgroup(&claim.signature.r).then_some(Self { claim: *claim, s, challenge })
    }
}

fn verify_batch(claims: &[Claim], is_key: fn(&Point) -> bool) -> Vec<bool> {
    let inputs: Vec<Fr> = claims
        .iter()
        .flat_map(|Claim { public_key, message, signature }| {
            [signature.r.x, signature.r.y, public_key.x, public_key.y, *message]
        })
        .collect();
    let hashes = hash_many(5, &inputs).expect("five inputs");
    let equations: Vec<Option<Equation>> =
        claims.iter().zip(hashes).map(|(claim, hash)| Equation::new(claim, hash, is_key)).collect();
    let mut verdicts: Vec<bool> = equations.iter().map(Option::is_some).collect();
    let candidates: Vec<(usize, &Equation)> =
        equations.iter().enumerate().filter_map(|(i, equation)| Some((i, equation.as_ref()?))).collect();
    reject_failing(&candidates, &mut verdicts);
    verdicts
}

/// Sets the verdict of each failing equation to false, halving what fails.
fn reject_failing(equations: &[(usize, &Equation)], verdicts: &mut [bool]) {
    match equations {
        [] => {}
        [(index, equation)] => verdicts[*index] = verify(&equation.claim),
        _ if combination_holds(equations) => {}
        _ => {
            let (left, right) = equations.split_at(equations.len() / 2);
            reject_failing(left, verdicts);
            reject_failing(right, verdicts);
        }
    }
}

fn combination_holds(equations: &[(usize, &Equation)]) -> bool {
    let mut rng = rand::thread_rng();
    let mut base_factor = Scalar::zero();
    let (mut points, mut factors) = (Vec::new(), Vec::new());
    for (_, Equation { claim, s, challenge }) in equations {
        let weight = Scalar::from(rng.gen::<u128>());
        base_factor += weight * s;
        points.extend([claim.signature.r, claim.public_key]);
        factors.extend([weight, weight * challenge.double().double().double()]);
    }
    babyjub::combine(&points, &factors) == babyjub::multiply_base(&base_factor)
}

fn integer(bytes: &[u8; 32]) -> BigInteger256 {
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    BigInteger256::new(words)
}

fn reduce(integer: BigInteger256) -> Scalar {
    Scalar::from_le_bytes_mod_order(&integer.to_bytes_le())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::babyjub::tests::torsion_points;

    fn claim(key: u8, message: u64) -> Claim {
        let private_key = [key; 32];
        let message = Fr::from(message);
        Claim { public_key: public_key(&private_key), message, signature: sign(&private_key, message) }
    }

    fn forgeries() -> Vec<Claim> {
        let good = claim(1, 7);
        let with_s = |s| Claim { signature: Signature { s, ..good.signature }, ..good };
        let with_r = |r| Claim { signature: Signature { r, ..good.signature }, ..good };
        let mut shifted = good.signature.s;
        shifted.add_with_carry(&Scalar::MODULUS);
        let off_curve = Point::new_unchecked(Fr::from(1), Fr::from(1));
        let mut claims = vec![
            with_s(shifted),
            with_s(Scalar::MODULUS),
            with_s(BigInteger256::zero()),
            with_r(off_curve),
            Claim { public_key: off_curve, ..good },
            Claim { public_key: Point::new_unchecked(Fr::zero(), Fr::zero()), ..good },
            Claim { message: Fr::from(8), ..good },
            Claim { public_key: claim(2, 7).public_key, ..good },
        ];
        for torsion in torsion_points() {
            claims.push(with_r(torsion));
            claims.push(Claim { public_key: torsion, ..good });
            if !torsion.is_zero() {
                claims.push(with_r((good.signature.r + torsion).into_affine()));
                claims.push(Claim { public_key: (good.public_key + torsion).into_affine(), ..good });
            }
        }
        claims
    }

    #[test]
    fn verify_own_signatures_accepts() {
        (0..20).for_each(|i| assert!(verify(&claim(i, u64::from(i) * 77))));
    }

    #[test]
    fn verify_every_forgery_refuses() {
        for forgery in forgeries() {
            assert!(!verify(&forgery), "{forgery:?}");
        }
    }

    /// S * BASE8 = R + 8 h A holds for A a torsion point and any R = S * BASE8, h whatever it is.
    #[test]
    fn verify_torsion_key_that_satisfies_the_equation_refuses() {
        for public_key in torsion_points() {
            let s = Scalar::from(5);
            let signature = Signature { r: babyjub::multiply_base(&s).into_affine(), s: s.into_bigint() };
            let claim = Claim { public_key, message: Fr::from(1), signature };
            assert!(!verify(&claim));
            assert_eq!(verify_many(&[claim, claim]), [false, false]);
        }
    }

    /// The signer may choose a nonce of 0: R is then the identity, which is in the subgroup.
    #[test]
    fn verify_identity_as_r_with_matching_s_accepts() {
        let key = [9; 32];
        let secret = Secret::derive(&key);
        let (r, message) = (Point::zero(), Fr::from(3));
        let s = reduce(hash(&r, &secret.public_key(), message).into_bigint()) * reduce(secret.scalar);
        let signature = Signature { r, s: s.into_bigint() };
        assert!(verify(&Claim { public_key: secret.public_key(), message, signature }));
    }

    #[test]
    fn verify_many_mixed_claims_gives_the_single_verdicts() {
        let mut claims: Vec<Claim> = (0..300).map(|i| claim(i as u8, i)).collect();
        claims.splice(100..101, forgeries());
        let single: Vec<bool> = claims.iter().map(verify).collect();
        assert_eq!(single.iter().filter(|verdict| **verdict).count(), 299);
        assert_eq!(verify_many(&claims), single);
        assert_eq!(verify_many(&[]), Vec::<bool>::new());
    }

    /// Nobody can make a valid signature with such an S or h, so the checks are asked, as the equation is not reached.
    #[test]
    fn equation_s_or_hash_at_its_bound_refuses_and_one_less_is_taken() {
        let less = |mut bound: BigInteger256| {
            bound.sub_with_borrow(&BigInteger256::from(1u64));
            bound
        };
        let equation = |s, hash: BigInteger256| {
            let good = claim(1, 7);
            let claim = Claim { signature: Signature { s, ..good.signature }, ..good };
            Equation::new(&claim, Fr::from_bigint(hash).expect("below r"), is_key)
        };
        let equation_of_greatest = equation(less(S_BOUND), less(CHALLENGE_BOUND)).expect("both are in range");
        assert_eq!(equation_of_greatest.s.into_bigint(), less(S_BOUND));
        assert_eq!(equation_of_greatest.challenge, reduce(less(CHALLENGE_BOUND)));
        assert!(equation(S_BOUND, less(CHALLENGE_BOUND)).is_none());
        assert!(equation(less(Scalar::MODULUS), less(CHALLENGE_BOUND)).is_none());
        assert!(equation(less(S_BOUND), CHALLENGE_BOUND).is_none());
        assert!(equation(less(S_BOUND), less(Fr::MODULUS)).is_none());
    }

    /// Two errors of order 2 cancel under even weights, were R not held to the subgroup.
    #[test]
    fn verify_many_torsion_in_two_rs_refuses_both() {
        let twist = |mut claim: Claim| {
            claim.signature.r = (claim.signature.r + torsion_points()[4]).into_affine();
            claim
        };
        assert_eq!(verify_many(&[twist(claim(1, 1)), twist(claim(2, 2))]), [false, false]);
    }

    /// `cargo test --release measure_eddsa -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn measure_eddsa() {
        let claims: Vec<Claim> = (0..1024).map(|i| claim(i as u8, i)).collect();
        let time = |name: &str, work: &dyn Fn()| {
            let run = || {
                let start = std::time::Instant::now();
                work();
                start.elapsed() / claims.len() as u32
            };
            println!("{name}: {:?} each", (0..10).map(|_| run()).min());
        };
        time("sign", &|| claims.iter().for_each(|c| assert!(sign(&[1; 32], c.message).r.is_on_curve())));
        time("subgroup", &|| claims.iter().for_each(|c| assert!(babyjub::is_in_subgroup(&c.public_key))));
        time("verify", &|| claims.iter().for_each(|c| assert!(verify(c))));
        time("verify_many", &|| assert!(verify_many(&claims).into_iter().all(|verdict| verdict)));
    }
}
