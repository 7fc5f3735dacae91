//! A and B times the witness, over the domain: from a system, or from the coefficients of a key.

use std::iter::zip;
use std::marker::PhantomData;
use std::sync::Arc;

use ark_bn254::Fr;
use ark_ff::{BigInt, Field, One, PrimeField, Zero};
use rayon::prelude::*;

use crate::groth16_error::{Error, Result};
use crate::lane_rows::{lane_matrices, Products, Rows};
use crate::simd::Backend;
use crate::simd::LANES;
use crate::system::{Matrix, Piece, System};
use crate::zkey::{Zkey, COEFFICIENT_BYTES};

/// Rows that one task evaluates.
const ROWS: usize = 4096;
/// Coefficients that one task reads.
const COEFFICIENTS: usize = 1 << 15;
/// Coefficients whose products are held at a time.
const PRODUCTS: usize = 1 << 10;

/// A and B times the witness.
pub type Sides = [Vec<Fr>; 2];

/// One row times the witness. Most wires are bits and most coefficients ±1, so products are avoided where they are free.
pub fn dot(piece: &Piece, matrix: &Matrix, row: usize, witness: &[Fr]) -> Fr {
    let mut sum = Fr::zero();
    for (wire, coefficient) in matrix.row(row) {
        let value = &witness[piece.wires[*wire as usize] as usize];
        if value.is_zero() {
            continue;
        }
        if value.is_one() {
            sum += coefficient;
        } else if coefficient.is_one() {
            sum += value;
        } else {
            sum += *value * coefficient;
        }
    }
    sum
}

/// `system` has been checked: its rows fit the domain.
pub fn evaluate(backend: Backend, system: &System, domain_size: usize, witness: &[Fr]) -> Sides {
    let mut sides = [vec![Fr::zero(); domain_size], vec![Fr::zero(); domain_size]];
    sides[0][system.n_constraints()..][..=system.n_public].copy_from_slice(&witness[..=system.n_public]);
    for (side, values) in sides.iter_mut().enumerate() {
        let mut left = &mut values[..];
        for pieces in system.pieces.chunk_by(|a, b| Arc::ptr_eq(&a.r1cs, &b.r1cs)) {
            let (part, rest) = left.split_at_mut(pieces.len() * pieces[0].r1cs.n_constraints());
            if backend.is_vector() {
                evaluate_by_lanes(backend, pieces, side, witness, part);
            } else {
                evaluate_by_scalars(pieces, side, witness, part);
            }
            left = rest;
        }
    }
    sides
}

fn evaluate_by_scalars(pieces: &[Piece], side: usize, witness: &[Fr], out: &mut [Fr]) {
    let rows = pieces[0].r1cs.n_constraints();
    out.par_iter_mut().enumerate().with_min_len(ROWS).for_each(|(at, value)| {
        let piece = &pieces[at / rows];
        *value = dot(piece, [&piece.r1cs.a, &piece.r1cs.b][side], at % rows, witness);
    });
}

fn evaluate_by_lanes(backend: Backend, pieces: &[Piece], side: usize, witness: &[Fr], out: &mut [Fr]) {
    let rows = pieces[0].r1cs.n_constraints();
    if rows == 0 {
        return;
    }
    let matrix = &lane_matrices(&pieces[0].r1cs)[side];
    zip(pieces.chunks(LANES), out.chunks_mut(LANES * rows)).for_each(|(pieces, out)| {
        let pieces: Vec<&Piece> = pieces.iter().collect();
        let mut parts: Vec<Vec<&mut [Fr]>> = (0..rows.div_ceil(ROWS)).map(|_| Vec::new()).collect();
        for piece in out.chunks_mut(rows) {
            for (part, out) in parts.iter_mut().zip(piece.chunks_mut(ROWS)) {
                part.push(out);
            }
        }
        parts.into_par_iter().enumerate().for_each(|(part, out)| {
            backend.run(Rows { matrix, pieces: &pieces, witness, first: part * ROWS, out });
        });
    });
}

/// Entries of section 4 that follow each other.
#[derive(Default)]
struct Entries {
    /// Matrix and row.
    places: Vec<(u32, u32)>,
    coefficients: Vec<Fr>,
    wires: Vec<u32>,
    products: Vec<Fr>,
}

impl Entries {
    fn read(&mut self, first: usize, bytes: &[u8], zkey: &Zkey) -> Result<()> {
        self.places.clear();
        self.coefficients.clear();
        self.wires.clear();
        for (index, entry) in bytes.chunks_exact(COEFFICIENT_BYTES).enumerate() {
            let index = first + index;
            let number = |at: usize| u32::from_le_bytes([entry[at], entry[at + 1], entry[at + 2], entry[at + 3]]);
            let (of, row, wire) = (number(0), number(4), number(8));
            if of > 1 || row as usize >= zkey.header.domain_size || wire as usize >= zkey.header.n_wires {
                return Err(Error::Key(format!("coefficient {index} (matrix {of}, row {row}, wire {wire})")));
            }
            let mut limbs = [0u64; 4];
            for (limb, bytes) in limbs.iter_mut().zip(entry[12..].as_chunks().0) {
                *limb = u64::from_le_bytes(*bytes);
            }
            let value = BigInt(limbs);
            if value >= Fr::MODULUS {
                return Err(Error::Key(format!("the value of coefficient {index} is not below r")));
            }
            self.places.push((of, row));
            self.coefficients.push(ark_ff::Fp(value, PhantomData));
            self.wires.push(wire);
        }
        Ok(())
    }

    fn multiply(&mut self, backend: Backend, witness: &[Fr]) {
        let Self { coefficients, wires, products, .. } = self;
        if backend.is_vector() {
            return backend.run(Products { coefficients, wires, witness, out: products });
        }
        products.clear();
        products.extend(zip(coefficients, wires).map(|(coefficient, wire)| *coefficient * witness[*wire as usize]));
    }
}

/// The same from section 4 of a key. Entries may come in any order, but those of a row mostly follow each other.
pub fn evaluate_coefficients(backend: Backend, zkey: &Zkey, witness: &[Fr]) -> Result<Sides> {
    let count = zkey.coefficients().ok_or_else(|| {
        Error::Key("this key has no coefficients (section 4): it proves only together with its system".into())
    })?;
    let firsts: Vec<usize> = (0..count).step_by(COEFFICIENTS).collect();
    let part = |first: &usize| -> Result<Vec<((u32, u32), Fr)>> {
        let mut bytes = vec![0; COEFFICIENTS.min(count - first) * COEFFICIENT_BYTES];
        zkey.read_coefficients(*first, &mut bytes)?;
        let (mut entries, mut sums) = (Entries::default(), Vec::<((u32, u32), Fr)>::new());
        for (at, bytes) in bytes.chunks(PRODUCTS * COEFFICIENT_BYTES).enumerate() {
            entries.read(first + at * PRODUCTS, bytes, zkey)?;
            entries.multiply(backend, witness);
            for (place, product) in zip(&entries.places, &entries.products) {
                match sums.last_mut() {
                    Some((of, sum)) if of == place => *sum += product,
                    _ => sums.push((*place, *product)),
                }
            }
        }
        Ok(sums)
    };
    let parts: Vec<_> = firsts.par_iter().map(part).collect::<Result<_>>()?;
    let mut sides = [vec![Fr::zero(); zkey.header.domain_size], vec![Fr::zero(); zkey.header.domain_size]];
    for ((of, row), sum) in parts.into_iter().flatten() {
        sides[of as usize][row as usize] += sum;
    }
    // The file has v * R^2 where memory has v * R: one factor R too many. A product of the lanes lacks a factor 2^4.
    let lacking = Fr::from(if backend.is_vector() { 16u64 } else { 1 });
    let factor = Fr::from(2u64).pow([256u64]).inverse().unwrap_or_default() * lacking;
    sides.par_iter_mut().for_each(|side| side.par_iter_mut().for_each(|value| *value *= factor));
    Ok(sides)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::system::R1cs;
    use ark_ff::UniformRand;
    use rand::{rngs::StdRng, Rng, SeedableRng};

    /// 0, 1, -1, or anything.
    fn edge(rng: &mut StdRng) -> Fr {
        match rng.gen_range(0..4) {
            0 => Fr::zero(),
            1 => Fr::one(),
            2 => -Fr::one(),
            _ => Fr::rand(rng),
        }
    }

    /// Rows of no term up to more than one reduction takes.
    fn matrix(rows: usize, wires: u32, rng: &mut StdRng) -> Matrix {
        let mut matrix = Matrix { starts: vec![0], terms: Vec::new() };
        for _ in 0..rows {
            let terms = rng.gen_range(0..40);
            matrix.terms.extend((0..terms).map(|_| (rng.gen_range(0..wires), edge(rng))));
            matrix.starts.push(matrix.terms.len());
        }
        matrix
    }

    #[test]
    fn evaluation_of_shared_pieces_by_every_backend_equals_that_row_by_row() {
        let mut rng = StdRng::seed_from_u64(7);
        let (rows, local, n_wires) = (50, 30, 100);
        let mut circuit = || {
            let [a, b, c] = [(); 3].map(|()| matrix(rows, local, &mut rng));
            Arc::new(R1cs { a, b, c, n_wires: local as usize, ..R1cs::default() })
        };
        let circuits = [circuit(), circuit(), circuit()];
        let witness: Vec<Fr> = (0..n_wires).map(|_| edge(&mut rng)).collect();
        let mut pieces = Vec::new();
        for (r1cs, count) in circuits.iter().zip([1, 19, 8]) {
            for _ in 0..count {
                let wires = Arc::new((0..local).map(|_| rng.gen_range(0..n_wires)).collect());
                pieces.push(Piece { r1cs: r1cs.clone(), wires });
            }
        }
        let system = System { pieces, n_wires: n_wires as usize, n_public: 2 };
        let domain_size = 2048;
        let by_row = |side: fn(&R1cs) -> &Matrix| -> Vec<Fr> {
            let rows = |piece| (0..rows).map(move |row| (piece, row));
            let rows = system.pieces.iter().flat_map(rows);
            let mut values: Vec<Fr> = rows.map(|(piece, row)| dot(piece, side(&piece.r1cs), row, &witness)).collect();
            values.resize(domain_size, Fr::zero());
            values
        };
        let mut expected = [by_row(|r1cs| &r1cs.a), by_row(|r1cs| &r1cs.b)];
        expected[0][system.n_constraints()..][..3].copy_from_slice(&witness[..3]);
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
            let sides = evaluate(backend, &system, domain_size, &witness);
            assert!(sides == expected, "{}", backend.name());
        }
    }

    #[test]
    fn products_of_entries_by_every_backend_are_those_of_arkworks() {
        let mut rng = StdRng::seed_from_u64(8);
        let witness: Vec<Fr> = (0..50).map(|_| edge(&mut rng)).collect();
        for count in [0, 1, 8, 13, 1000] {
            let coefficients: Vec<Fr> = (0..count).map(|_| edge(&mut rng)).collect();
            let wires: Vec<u32> = (0..count).map(|_| rng.gen_range(0..50)).collect();
            for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
                let lacking = Fr::from(if backend.is_vector() { 16u64 } else { 1 });
                let (coefficients, wires) = (coefficients.clone(), wires.clone());
                let mut entries = Entries { coefficients, wires, ..Entries::default() };
                entries.multiply(backend, &witness);
                assert_eq!(entries.products.len(), count);
                for (at, product) in entries.products.iter().enumerate() {
                    let expected = entries.coefficients[at] * witness[entries.wires[at] as usize];
                    assert_eq!(*product * lacking, expected, "{}", backend.name());
                }
            }
        }
    }
}
