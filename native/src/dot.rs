//! Inner products in Fr with one Montgomery reduction for all terms.
//!
//! A product of two field elements takes 16 word multiplications and its reduction 20 more; a row of Poseidon's matrix
//! needs only the reduced sum. Bounds, with q = 2^256 / r > 5.28: at most 17 terms times one word, the multiple of r and
//! what is carried over are < 2^64 18 r + 19 r, six words; at the end the sum, < 17 r^2, is < 17 r / q + r < 4.3 r < 2^256.

use ark_bn254::{Fr, FrConfig};
use ark_ff::{BigInteger256, MontConfig, PrimeField};

/// The most terms for which the bounds above hold.
pub const MAX_TERMS: usize = 17;

const R: [u64; 4] = Fr::MODULUS.0;

/// `a[0] * b[0] + a[1] * b[1] + ...` over the shorter of both, at most [`MAX_TERMS`].
///
/// Word by word of `a`: all terms times that word, then the lowest word of the sum is reduced away.
#[inline]
pub fn dot(a: &[Fr], b: &[Fr]) -> Fr {
    debug_assert!(a.len().min(b.len()) <= MAX_TERMS);
    let mut sum = [0; 6];
    for word in 0..4 {
        for (a, b) in a.iter().zip(b) {
            add_product(&mut sum, a.0 .0[word], &b.0 .0);
        }
        sum = reduce_word(sum);
    }
    Fr::new_unchecked(BigInteger256::new(subtract_modulus([sum[0], sum[1], sum[2], sum[3]])))
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
fn add_product(sum: &mut [u64; 6], a: u64, b: &[u64; 4]) {
    let mut carry = 0;
    for j in 0..4 {
        (sum[j], carry) = multiply_add(sum[j], a, b[j], carry);
    }
    (sum[4], carry) = add_carry(sum[4], carry, 0);
    sum[5] += carry;
}

/// `sum / 2^64` modulo r: a multiple of r makes the lowest word zero.
#[inline(always)]
fn reduce_word(sum: [u64; 6]) -> [u64; 6] {
    let factor = sum[0].wrapping_mul(<FrConfig as MontConfig<4>>::INV);
    let mut less = [0; 6];
    let (_, mut carry) = multiply_add(sum[0], factor, R[0], 0);
    for j in 1..4 {
        (less[j - 1], carry) = multiply_add(sum[j], factor, R[j], carry);
    }
    (less[3], carry) = add_carry(sum[4], carry, 0);
    less[4] = sum[5] + carry;
    less
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
