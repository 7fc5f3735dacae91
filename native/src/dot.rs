//! Inner products in Fr with one Montgomery reduction for all terms.
//!
//! A product of two field elements takes 16 word multiplications and its reduction 20 more; a row of Poseidon's matrix
//! needs only the reduced sum. Bounds, with q = 2^256 / r > 5.29: at most 17 terms give a sum < 17 r^2 < 2^512 (q^2 > 28),
//! and the reduction leaves a value < 17 r / q + r < 4.3 r < 2^256, so nothing is carried out of the eight words.

use ark_bn254::{Fr, FrConfig};
use ark_ff::{BigInteger256, MontConfig, PrimeField};

/// The most terms for which the bounds above hold.
pub const MAX_TERMS: usize = 17;

const R: [u64; 4] = Fr::MODULUS.0;

/// `a[0] * b[0] + a[1] * b[1] + ...` over the shorter of both, at most [`MAX_TERMS`].
#[inline]
pub fn dot(a: &[Fr], b: &[Fr]) -> Fr {
    debug_assert!(a.len().min(b.len()) <= MAX_TERMS);
    let mut sum = [0; 8];
    for (a, b) in a.iter().zip(b) {
        add_product(&mut sum, &a.0 .0, &b.0 .0);
    }
    Fr::new_unchecked(BigInteger256::new(subtract_modulus(montgomery_reduce(sum))))
}

/// `word + a * b + carry`, which fits two words.
#[inline(always)]
fn multiply_add(word: u64, a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide = u128::from(a) * u128::from(b) + u128::from(word) + u128::from(carry);
    (wide as u64, (wide >> 64) as u64)
}

#[inline(always)]
fn add_carry(a: u64, b: u64, carry: u64) -> (u64, u64) {
    let wide = u128::from(a) + u128::from(b) + u128::from(carry);
    (wide as u64, (wide >> 64) as u64)
}

#[inline(always)]
fn add_product(sum: &mut [u64; 8], a: &[u64; 4], b: &[u64; 4]) {
    let mut product = [0; 8];
    for i in 0..4 {
        let mut carry = 0;
        for j in 0..4 {
            (product[i + j], carry) = multiply_add(product[i + j], a[i], b[j], carry);
        }
        product[i + 4] = carry;
    }
    let mut carry = 0;
    for i in 0..8 {
        (sum[i], carry) = add_carry(sum[i], product[i], carry);
    }
}

/// `sum / 2^256` modulo r, not yet below r.
#[inline(always)]
fn montgomery_reduce(mut sum: [u64; 8]) -> [u64; 4] {
    let mut above = 0;
    for i in 0..4 {
        let factor = sum[i].wrapping_mul(<FrConfig as MontConfig<4>>::INV);
        let mut carry = 0;
        for j in 0..4 {
            (sum[i + j], carry) = multiply_add(sum[i + j], factor, R[j], carry);
        }
        (sum[i + 4], above) = add_carry(sum[i + 4], carry, above);
    }
    [sum[4], sum[5], sum[6], sum[7]]
}

#[inline(always)]
fn subtract_modulus(mut value: [u64; 4]) -> [u64; 4] {
    loop {
        let mut borrow = false;
        let mut less = [0; 4];
        for i in 0..4 {
            let (word, first) = value[i].overflowing_sub(R[i]);
            let (word, second) = word.overflowing_sub(u64::from(borrow));
            less[i] = word;
            borrow = first | second;
        }
        if borrow {
            return value;
        }
        value = less;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;

    #[test]
    fn dot_random_and_largest_terms_equals_the_sum_of_products() {
        let mut rng = ark_std::test_rng();
        for terms in 0..=MAX_TERMS {
            let largest = Fr::new_unchecked(BigInteger256::new([R[0] - 1, R[1], R[2], R[3]]));
            let largest = vec![largest; terms];
            let a: Vec<Fr> = (0..terms).map(|_| Fr::rand(&mut rng)).collect();
            let b: Vec<Fr> = (0..terms).map(|_| Fr::rand(&mut rng)).collect();
            for (a, b) in [(&a, &b), (&a, &largest), (&largest, &largest)] {
                let expected: Fr = a.iter().zip(b).map(|(a, b)| *a * b).sum();
                assert_eq!(dot(a, b), expected);
            }
        }
    }
}
