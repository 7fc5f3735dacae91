//! Bit decompositions: V = sum of coefficient * two-valued wire, with coefficients c * (1, 2, 4, ...) in any order.
//!
//! With at most 253 bits the solution, if any, is unique, so reading bits is right whatever else constrains the wires.
//! With 254 bits V and V + r both fit; the canonical bits are taken, as circom does.

use std::collections::HashMap;
use std::sync::OnceLock;

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};

use crate::inverse::invert;
use crate::witness::Hint;
use crate::witness_plan::Planner;
use crate::witness_rows::Side;

const MAX_BITS: i32 = 254;

/// sign * 2^k -> (k, sign is minus), for |k| < 254.
fn powers() -> &'static HashMap<Fr, (i32, bool)> {
    static TABLE: OnceLock<HashMap<Fr, (i32, bool)>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let half = invert(&Fr::from(2u64)).unwrap_or_default();
        let mut table = HashMap::new();
        for (step, sign) in [(Fr::from(2u64), 1), (half, -1)] {
            let mut power = Fr::one();
            for k in 0..MAX_BITS {
                table.insert(power, (sign * k, false));
                table.insert(-power, (sign * k, true));
                power *= step;
            }
        }
        table
    })
}

struct Bit {
    wire: u32,
    values: (Fr, Fr),
    weight: i32,
    negative: bool,
}

/// Solves all unknowns of a row with known A and B when they are such bits.
pub fn decompose(planner: &mut Planner<'_>, row: u32) -> bool {
    if planner.unknown_in(row) as i32 > MAX_BITS + 1 {
        return false;
    }
    let mut constant = Fr::zero();
    let mut bits: Vec<Bit> = Vec::new();
    let mut first: Option<(Fr, Fr)> = None; // the first weight and its inverse
    for &(wire, coefficient) in planner.rows.terms(row, Side::C) {
        if planner.known[wire as usize] {
            continue;
        }
        let Some(values) = planner.rows.two_valued[wire as usize] else { return false };
        constant += coefficient * values.0;
        let weight = coefficient * (values.1 - values.0);
        let inverse = match first {
            Some((_, inverse)) => inverse,
            None => {
                let Some(inverse) = invert(&weight) else { return false };
                first = Some((weight, inverse));
                inverse
            }
        };
        let Some(&(power, negative)) = powers().get(&(weight * inverse)) else { return false };
        bits.push(Bit { wire, values, weight: power, negative });
    }
    let Some((unit, unit_inverse)) = first else { return false };
    bits.sort_unstable_by_key(|bit| bit.weight);
    let (low, high) = (bits[0].weight, bits[bits.len() - 1].weight);
    if high - low >= MAX_BITS || bits.windows(2).any(|pair| pair[0].weight == pair[1].weight) {
        return false;
    }
    // Most bits are to count upwards: with 254 of them the complement would be another, non-canonical solution.
    let flip = bits.iter().filter(|bit| bit.negative).count() * 2 > bits.len();
    let two = Fr::from(2u64);
    let shift = |by: i32| {
        if by >= 0 {
            two.pow([by as u64])
        } else {
            invert(&two.pow([by.unsigned_abs() as u64])).unwrap_or_default()
        }
    };
    debug_assert!(!unit.is_zero());
    let mut scale = unit_inverse * shift(-low);
    if flip {
        scale = -scale;
    }
    // U = (V - constant) * scale = sum of +- 2^k bit; a negative one is taken as 2^k (1 - bit) - 2^k.
    let mut offset = -constant * scale;
    let mut outs = Vec::with_capacity(bits.len());
    for bit in &bits {
        let weight = bit.weight - low;
        let (zero, one) = bit.values;
        let negative = bit.negative != flip;
        if negative {
            offset += shift(weight);
        }
        // Made-up wires too: they are known from here on, so they must have their value.
        let (zero, one) = if negative { (one, zero) } else { (zero, one) };
        outs.push((weight as u32, bit.wire, zero, one));
    }
    let hint = if high - low == MAX_BITS - 1 { Hint::AliasedBit } else { Hint::Bit };
    let skip: Vec<u32> = bits.iter().map(|bit| bit.wire).collect();
    let value = planner.emit.temporary();
    planner.emit_relation(row, value, scale, offset, &skip);
    planner.emit.bits(value, &outs);
    for bit in &bits {
        if planner.rows.is_real(bit.wire) {
            planner.emit.hint(bit.wire, hint);
        }
        planner.learn(bit.wire);
    }
    true
}
