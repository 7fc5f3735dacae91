//! A peculiarity of snarkjs's circuit hash, which must be kept for its hashes to agree.
//!
//! For 2^15 rows and more snarkjs hashes one difference of powers too many: the point 2 * rows - 1 less the point
//! rows - 1. Where the powers end before that, it takes for the point what follows in the file, mostly the next
//! section's head, and computes with it though its coordinates are above the modulus. Here is the same arithmetic,
//! overflows included. The extra point is in the hash only, never in a key.

use std::marker::PhantomData;

use ark_bn254::{Fq, G1Affine};
use ark_ff::{AdditiveGroup, BigInt, Field, PrimeField};
use num_bigint::BigUint;

use super::encoding::Uncompressed;

/// Rows that snarkjs hashes at a time; with more it makes the mistake.
pub const CHUNK: usize = 1 << 14;

/// Numbers of 256 bits as snarkjs's WebAssembly has them: Montgomery form, not always reduced.
struct Machine {
    modulus: BigUint,
    radix: BigUint,
    /// -1 / modulus, modulo the radix.
    factor: BigUint,
}

impl Machine {
    fn new() -> Self {
        let modulus: BigUint = Fq::MODULUS.into();
        let radix = BigUint::from(1u8) << 256;
        let factor = &radix - modulus.modinv(&radix).unwrap_or_default();
        Self { modulus, radix, factor }
    }

    fn add(&self, x: &BigUint, y: &BigUint) -> BigUint {
        let sum = x + y;
        let sum = if sum >= self.modulus { sum - &self.modulus } else { sum };
        sum % &self.radix
    }

    fn sub(&self, x: &BigUint, y: &BigUint) -> BigUint {
        if x >= y {
            return x - y;
        }
        // Below zero by more than the modulus it wraps around.
        (&self.radix + x - y + &self.modulus) % &self.radix
    }

    fn mul(&self, x: &BigUint, y: &BigUint) -> BigUint {
        let product = x * y;
        let quotient = (&product * &self.factor) % &self.radix;
        let reduced = (product + quotient * &self.modulus) >> 256;
        let reduced = if reduced >= self.modulus { reduced - &self.modulus } else { reduced };
        reduced % &self.radix
    }

    fn field(&self, value: &BigUint) -> Fq {
        BigInt::<4>::try_from(value % &self.modulus).map_or(Fq::ZERO, |limbs| ark_ff::Fp(limbs, PhantomData))
    }
}

/// What snarkjs hashes for `bytes`, taken for a point as keys hold it, less `point`.
pub fn difference(bytes: &[u8], point: &G1Affine) -> Vec<u8> {
    let machine = Machine::new();
    let (x1, y1) = (BigUint::from_bytes_le(&bytes[..32]), BigUint::from_bytes_le(&bytes[32..64]));
    let raw = |value: &Fq| BigUint::from(value.0);
    let (x2, y2) = (raw(&point.x), raw(&-point.y));
    let (x, y, z) = if bytes.iter().all(|byte| *byte == 0) {
        (x2, y2, raw(&Fq::ONE))
    } else {
        sum(&machine, [&x1, &y1], [&x2, &y2])
    };
    let mut out = Vec::with_capacity(64);
    let inverse = machine.field(&z).inverse().unwrap_or(Fq::ZERO);
    let square = inverse.square();
    (machine.field(&x) * square).put(&mut out);
    (machine.field(&y) * square * inverse).put(&mut out);
    out
}

/// The sum of two affine points in Jacobian coordinates, step by step as snarkjs has it.
fn sum(machine: &Machine, [x1, y1]: [&BigUint; 2], [x2, y2]: [&BigUint; 2]) -> (BigUint, BigUint, BigUint) {
    let twice = |value: &BigUint| machine.add(value, value);
    let width = machine.sub(x2, x1);
    let height = machine.sub(y2, y1);
    let i = twice(&twice(&machine.mul(&width, &width)));
    let j = machine.mul(&width, &i);
    let r = twice(&height);
    let v = machine.mul(x1, &i);
    let x3 = machine.sub(&machine.sub(&machine.mul(&r, &r), &j), &twice(&v));
    let y1_j = twice(&machine.mul(y1, &j));
    let y3 = machine.sub(&machine.mul(&machine.sub(&v, &x3), &r), &y1_j);
    (x3, y3, twice(&width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ceremony::encoding::{stored, uncompressed};
    use ark_bn254::{Fr, G1Projective};
    use ark_ec::{CurveGroup, PrimeGroup};

    #[test]
    fn difference_of_two_points_is_that_of_the_group() {
        let generator = G1Projective::generator();
        let (left, right) = ((generator * Fr::from(7u64)).into_affine(), (generator * Fr::from(3u64)).into_affine());
        let expected = uncompressed(&(generator * Fr::from(4u64)).into_affine());
        assert_eq!(difference(&stored(&left), &right), expected);
        assert_eq!(difference(&[0; 64], &right), uncompressed(&-right));
    }

    /// What snarkjs 0.7.6 made of the head of section 3 (2^15 rows) and 12 bytes less than a generator, minus a point.
    #[test]
    fn difference_of_a_section_head_is_that_of_snarkjs() {
        let bytes = |text: &str| -> Vec<u8> {
            let digits = |at: usize| u8::from_str_radix(&text[at..at + 2], 16).unwrap_or_default();
            (0..text.len()).step_by(2).map(digits).collect()
        };
        let head = "\
             0300000000004000000000002620bc02d1b5838e72017b493519ebdcdf1a81974726b8fb3b5096af41385719\
             40614ca87d73b4afc4d802585add4360862fa052";
        let point = "\
             5a5cbae04b00e4c621f6f11e175dfb22f9608581e4a8ff5a70cecbbb856eed2158a239f2f670e7023834d994\
             430ec4d16e5d46b7785b55c9e2108b3904567611";
        let expected = "\
             194853653446095cf64a84cacb86986ea21518829d0b1f5d14efdffb0093025712a3b20689f91411cbcce4a9\
             cd2eb4c560a8da69b05c91d26dc489595bda18f6";
        let point = crate::batch_affine::Point::<ark_bn254::g1::Config>::read(&bytes(point)).to_affine();
        assert_eq!(difference(&bytes(head), &point), bytes(expected));
    }
}
