//! Poseidon's parameters from the Grain LFSR, as the reference script makes them.
//!
//! Source: `generate_parameters_grain.sage 1 0 254 t 8 R_P r` of <https://extgit.isec.tugraz.at/krypto/hadeshash>,
//! the script circomlib's tables were printed with. Here nothing is copied: the bits are drawn again.

use ark_bn254::Fr;
use ark_ff::{BigInteger, BigInteger256, Field, PrimeField, Zero};

/// Full rounds, half of them before the partial ones.
pub const FULL_ROUNDS: usize = 8;

/// Partial rounds for t = 2, 3, ..., 17. Source: circomlib 2.0.5, `poseidon.circom`, `N_ROUNDS_P`.
pub const PARTIAL_ROUNDS: [usize; 16] = [56, 57, 56, 60, 60, 63, 64, 63, 60, 66, 60, 65, 70, 60, 64, 68];

const STATE_BITS: usize = 80;
const WARM_UP_BITS: usize = 160;
const FIELD_BITS: usize = Fr::MODULUS_BIT_SIZE as usize;

/// The parameters of one width, in the form that defines the hash.
pub struct Definition {
    /// One vector of t constants for each round.
    pub round_constants: Vec<Vec<Fr>>,
    /// t rows of the Cauchy matrix.
    pub mds: Vec<Vec<Fr>>,
}

impl Definition {
    /// Draws the constants of width `t` (2..=17).
    pub fn generate(t: usize) -> Self {
        let partial_rounds = PARTIAL_ROUNDS[t - 2];
        let mut grain = Grain::new(t, FULL_ROUNDS, partial_rounds);
        let round_constants =
            (0..FULL_ROUNDS + partial_rounds).map(|_| (0..t).map(|_| grain.field_element()).collect()).collect();
        Self { round_constants, mds: cauchy_matrix(&mut grain, t) }
    }
}

/// Entry (i, j) is 1 / (x_i + y_j), all 2t points distinct.
fn cauchy_matrix(grain: &mut Grain, t: usize) -> Vec<Vec<Fr>> {
    loop {
        let points: Vec<Fr> = (0..2 * t).map(|_| grain.field_element_reduced()).collect();
        let distinct = (0..2 * t).all(|i| !points[..i].contains(&points[i]));
        let (xs, ys) = points.split_at(t);
        let row = |x: &Fr| ys.iter().map(|y| (*x + y).inverse()).collect::<Option<Vec<Fr>>>();
        let rows = xs.iter().map(row).collect::<Option<Vec<_>>>();
        if let (true, Some(rows)) = (distinct, rows) {
            return rows;
        }
    }
}

/// The 80-bit LFSR in self-shrinking mode.
struct Grain {
    state: [bool; STATE_BITS],
    /// Where the oldest bit is; the register is a ring.
    head: usize,
}

impl Grain {
    fn new(t: usize, full_rounds: usize, partial_rounds: usize) -> Self {
        const PRIME_FIELD: usize = 1;
        const POWER_S_BOX: usize = 0;
        let widths = [2, 4, 12, 12, 10, 10];
        let values = [PRIME_FIELD, POWER_S_BOX, FIELD_BITS, t, full_rounds, partial_rounds];
        let mut state = [true; STATE_BITS];
        let bits =
            values.iter().zip(widths).flat_map(|(value, width)| (0..width).rev().map(move |i| value >> i & 1 == 1));
        state.iter_mut().zip(bits).for_each(|(cell, bit)| *cell = bit);

        let mut grain = Self { state, head: 0 };
        for _ in 0..WARM_UP_BITS {
            grain.shift();
        }
        grain
    }

    fn shift(&mut self) -> bool {
        let tap = |i: usize| self.state[(self.head + i) % STATE_BITS];
        let bit = tap(62) ^ tap(51) ^ tap(38) ^ tap(23) ^ tap(13) ^ tap(0);
        self.state[self.head] = bit;
        self.head = (self.head + 1) % STATE_BITS;
        bit
    }

    /// Of each pair of bits the second counts if the first is set.
    fn bit(&mut self) -> bool {
        while !self.shift() {
            self.shift();
        }
        self.shift()
    }

    fn integer(&mut self) -> BigInteger256 {
        let bits: Vec<bool> = (0..FIELD_BITS).map(|_| self.bit()).collect();
        BigInteger256::from_bits_be(&bits)
    }

    /// Uniform: an integer that is not below the modulus is drawn again.
    fn field_element(&mut self) -> Fr {
        loop {
            if let Some(element) = Fr::from_bigint(self.integer()) {
                return element;
            }
        }
    }

    /// The matrix is drawn without rejection, modulo r.
    fn field_element_reduced(&mut self) -> Fr {
        let mut integer = self.integer();
        if integer >= Fr::MODULUS {
            integer.sub_with_borrow(&Fr::MODULUS);
        }
        Fr::from_bigint(integer).unwrap_or_else(Fr::zero)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generate_width_3_starts_like_the_published_tables() {
        let definition = Definition::generate(3);
        let first = "6745197990210204598374042828761989596302876299545964402857411729872131034734";
        let corner = "7511745149465107256748700652201246547602992235352608707588321460060273774987";
        assert_eq!(definition.round_constants[0][0].to_string(), first);
        assert_eq!(definition.mds[0][0].to_string(), corner);
        assert_eq!(definition.round_constants.len(), FULL_ROUNDS + 57);
    }
}
