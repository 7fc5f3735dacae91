//! Points and random draws in snarkjs's forms: what its hashes read and what its generators give.

use std::marker::PhantomData;

use ark_bn254::{Fq, Fq2, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, Fp, PrimeField};
use rand::RngCore;
use rand_chacha::rand_core::SeedableRng;
use rand_chacha::ChaCha20Rng;
use rayon::prelude::*;

use super::blake2b::Blake2b;
use crate::batch_affine::{Curve, Point};
use crate::msm::Points;

/// Points that one task encodes.
const CHUNK: usize = 1 << 12;

/// A coordinate big-endian; of two coefficients the second comes first.
pub trait Uncompressed {
    fn put(&self, out: &mut Vec<u8>);
}

impl Uncompressed for Fq {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.into_bigint().to_bytes_be());
    }
}

impl Uncompressed for Fq2 {
    fn put(&self, out: &mut Vec<u8>) {
        self.c1.put(out);
        self.c0.put(out);
    }
}

/// x and y of a point; all zeros for infinity.
pub fn uncompressed<C: Curve>(point: &Affine<C>) -> Vec<u8>
where
    C::BaseField: Uncompressed,
{
    let mut out = Vec::with_capacity(C::POINT_BYTES);
    match point.xy() {
        Some((x, y)) => {
            x.put(&mut out);
            y.put(&mut out);
        }
        None => out.resize(C::POINT_BYTES, 0),
    }
    out
}

/// Hashes points of a key or powers file, in order.
pub fn hash_points<C: Curve>(hasher: &mut Blake2b, points: Points<'_, C>)
where
    C::BaseField: Uncompressed,
{
    let step = CHUNK * rayon::current_num_threads();
    for start in (0..points.len()).step_by(step) {
        let starts: Vec<usize> = (start..points.len().min(start + step)).step_by(CHUNK).collect();
        let parts: Vec<Vec<u8>> = starts
            .into_par_iter()
            .map(|at| {
                let range = at..points.len().min(at + CHUNK);
                range.flat_map(|index| uncompressed(&points.get(index).to_affine())).collect()
            })
            .collect();
        for part in parts {
            hasher.update(&part);
        }
    }
}

/// ChaCha20 keyed by the first 32 bytes of a hash, as snarkjs draws from it.
pub struct Draw(ChaCha20Rng);

impl Draw {
    /// Only the first 32 of at least as many bytes count.
    pub fn new(hash: &[u8]) -> Self {
        let mut seed = [0; 32];
        seed.copy_from_slice(&hash[..32]);
        // snarkjs reads the words big-endian.
        for word in seed.chunks_exact_mut(4) {
            word.reverse();
        }
        Self(ChaCha20Rng::from_seed(seed))
    }

    fn limbs(&mut self) -> [u64; 4] {
        let mut limbs = [0; 4];
        for limb in &mut limbs {
            let high = u64::from(self.0.next_u32());
            *limb = high << 32 | u64::from(self.0.next_u32());
        }
        // Both moduli have 254 bits.
        limbs[3] &= u64::MAX >> 2;
        limbs
    }

    pub fn fr(&mut self) -> Fr {
        loop {
            let value = BigInt(self.limbs());
            if value < Fr::MODULUS {
                // What is drawn is the Montgomery form.
                return Fp(value, PhantomData);
            }
        }
    }

    fn fq(&mut self) -> Fq {
        loop {
            let value = BigInt(self.limbs());
            if value < Fq::MODULUS {
                return Fp(value, PhantomData);
            }
        }
    }

    fn point<C: SWCurveConfig>(
        &mut self,
        draw: impl Fn(&mut Self) -> C::BaseField,
        is_negative: impl Fn(&C::BaseField) -> bool,
    ) -> Affine<C> {
        loop {
            let x = draw(self);
            let greatest = self.0.next_u32() & 1 == 1;
            if let Some(y) = (x.square() * x + C::COEFF_B).sqrt() {
                let y = if is_negative(&y) == greatest { y } else { -y };
                return Affine::new_unchecked(x, y);
            }
        }
    }

    pub fn g1(&mut self) -> G1Affine {
        self.point(Self::fq, is_upper_half)
    }

    pub fn g2(&mut self) -> G2Affine {
        let drawn: G2Affine = self.point(
            |draw| {
                let first = draw.fq();
                Fq2::new(first, draw.fq())
            },
            |y: &Fq2| if y.c1 == Fq::ZERO { is_upper_half(&y.c0) } else { is_upper_half(&y.c1) },
        );
        drawn.mul_by_cofactor()
    }
}

fn is_upper_half(value: &Fq) -> bool {
    value.into_bigint() > Fq::MODULUS_MINUS_ONE_DIV_TWO
}

/// A point of G2 of which nobody knows the logarithm.
pub fn hash_to_g2(hash: &[u8; 64]) -> G2Affine {
    Draw::new(hash).g2()
}

/// A secret known by two pairs of points: that of G1 proves knowledge for the base that a hash gives in G2.
pub fn known_secret(secret: &Fr, draw: &mut Draw) -> (G1Affine, G1Affine) {
    let base = draw.g1();
    (base, (G1Projective::from(base) * secret).into_affine())
}

/// Whether `after / before` is the same in both groups, and no point is infinity.
pub fn same_ratio(before: &G1Affine, after: &G1Affine, before2: &G2Affine, after2: &G2Affine) -> bool {
    if before.is_zero() || after.is_zero() || before2.is_zero() || after2.is_zero() {
        return false;
    }
    ark_bn254::Bn254::multi_pairing([*before, -*after], [*after2, *before2]).0 == ark_bn254::Fq12::ONE
}

/// The bytes of a point as keys hold it.
pub fn stored<C: Curve>(point: &Affine<C>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(C::POINT_BYTES);
    Point::from_affine(point).write(&mut bytes);
    bytes
}
