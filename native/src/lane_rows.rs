//! Rows of sparse matrices times a witness, over the lanes.
//!
//! The pieces of a system that share their constraints, such as the Steps of a block, go eight at a time: one coefficient
//! for all lanes, and a row's products share one reduction. Other entries are multiplied eight at a time.

use std::collections::HashMap;

use ark_bn254::Fr;
use ark_ff::Zero;

use crate::dot::MAX_TERMS;
use crate::lanes::{constant, from_row, Element, Lane, Scalar};
use crate::simd::{for_lanes, Kernel, Vector, LANES};
use crate::system::{Matrix, Piece, R1cs};

/// A matrix with its coefficients as the lanes want them; few of them are different.
pub struct LaneMatrix<'a> {
    matrix: &'a Matrix,
    /// For each term its coefficient in `constants`.
    coefficients: Vec<u32>,
    constants: Vec<Element>,
}

impl<'a> LaneMatrix<'a> {
    pub fn new(matrix: &'a Matrix) -> Self {
        let (mut numbers, mut constants) = (HashMap::new(), Vec::new());
        let mut number = |coefficient: &Fr| {
            *numbers.entry(*coefficient).or_insert_with(|| {
                constants.push(constant::<Scalar>(coefficient));
                constants.len() as u32 - 1
            })
        };
        let coefficients = matrix.terms.iter().map(|(_, coefficient)| number(coefficient)).collect();
        Self { matrix, coefficients, constants }
    }
}

/// A and B of one circuit.
pub fn lane_matrices(r1cs: &R1cs) -> [LaneMatrix<'_>; 2] {
    [LaneMatrix::new(&r1cs.a), LaneMatrix::new(&r1cs.b)]
}

/// Rows from `first` of one to eight pieces that have this matrix; `out` is for the rows of each.
pub struct Rows<'a, 'b> {
    pub matrix: &'a LaneMatrix<'a>,
    pub pieces: &'a [&'a Piece],
    pub witness: &'a [Fr],
    pub first: usize,
    pub out: Vec<&'b mut [Fr]>,
}

impl Kernel for Rows<'_, '_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let count = self.pieces.len();
        let wires = for_lanes!(|lane| &self.pieces[lane.min(count - 1)].wires[..]);
        let LaneMatrix { matrix, coefficients, constants } = self.matrix;
        let (mut factors, mut values) = ([[0; 5]; MAX_TERMS], [Lane::zero(); MAX_TERMS]);
        for at in 0..self.out[0].len() {
            let (start, end) = (matrix.starts[self.first + at], matrix.starts[self.first + at + 1]);
            let mut sum = Lane::<Scalar, V>::zero();
            for start in (start..end).step_by(MAX_TERMS) {
                let part = start..end.min(start + MAX_TERMS);
                let terms = matrix.terms[part.clone()].iter().zip(&coefficients[part.clone()]);
                for (((wire, _), coefficient), (factor, value)) in terms.zip(factors.iter_mut().zip(&mut values)) {
                    *factor = constants[*coefficient as usize];
                    *value =
                        Lane::load_elements(for_lanes!(|lane| &self.witness[wires[lane][*wire as usize] as usize]));
                }
                let part = Lane::dot(&factors[..part.len()], &values[..part.len()]);
                sum = sum.add(part).reduce();
            }
            let rows = sum.canonical().store();
            for (out, row) in self.out.iter_mut().zip(&rows) {
                out[at] = from_row::<Scalar>(row);
            }
        }
    }
}

/// Products of pairs, times 2^-4 as arkworks reads them; the values are taken from `witness`.
pub struct Products<'a> {
    pub coefficients: &'a [Fr],
    pub wires: &'a [u32],
    pub witness: &'a [Fr],
    pub out: &'a mut Vec<Fr>,
}

impl Kernel for Products<'_> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        self.out.clear();
        let last = self.wires.len().saturating_sub(1);
        for at in (0..self.wires.len()).step_by(LANES) {
            let index = for_lanes!(|lane| last.min(at + lane));
            let factors = Lane::<Scalar, V>::load_elements(for_lanes!(|lane| &self.coefficients[index[lane]]));
            let values = for_lanes!(|lane| &self.witness[self.wires[index[lane]] as usize]);
            let products = factors.mul(Lane::load_elements(values)).canonical().store();
            self.out.extend(products.iter().map(from_row::<Scalar>));
        }
        self.out.resize(self.wires.len(), Fr::zero());
    }
}
