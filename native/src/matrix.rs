//! Small square matrices over Fr, as many as deriving Poseidon's sparse rounds needs.

use ark_bn254::Fr;
use ark_ff::{Field, One, Zero};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Square(Vec<Vec<Fr>>);

impl Square {
    pub fn new(rows: Vec<Vec<Fr>>) -> Self {
        debug_assert!(rows.iter().all(|row| row.len() == rows.len()));
        Self(rows)
    }

    pub fn identity(size: usize) -> Self {
        let entry = |i, j| if i == j { Fr::one() } else { Fr::zero() };
        Self((0..size).map(|i| (0..size).map(|j| entry(i, j)).collect()).collect())
    }

    pub fn size(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub fn row(&self, index: usize) -> &[Fr] {
        &self.0[index]
    }

    /// M v.
    pub fn apply(&self, vector: &[Fr]) -> Vec<Fr> {
        self.0.iter().map(|row| inner_product(row, vector)).collect()
    }

    /// v M.
    pub fn apply_left(&self, vector: &[Fr]) -> Vec<Fr> {
        let column = |j| self.0.iter().map(move |row| &row[j]);
        (0..self.size()).map(|j| inner_product(vector, column(j))).collect()
    }

    /// self * other.
    pub fn times(&self, other: &Self) -> Self {
        Self(self.0.iter().map(|row| other.apply_left(row)).collect())
    }

    /// Without the first row and column.
    pub fn minor(&self) -> Self {
        Self(self.0[1..].iter().map(|row| row[1..].to_vec()).collect())
    }

    /// [[1, 0], [0, self]].
    pub fn bordered(&self) -> Self {
        let mut rows = Self::identity(self.size() + 1).0;
        for (target, row) in rows[1..].iter_mut().zip(&self.0) {
            target[1..].copy_from_slice(row);
        }
        Self(rows)
    }

    /// By Gauss and Jordan.
    ///
    /// # Panics
    /// If the matrix is singular. Those made here are not: the minors of an MDS matrix, and what the tests have seen.
    pub fn inverse(&self) -> Self {
        let (mut left, mut right) = (self.0.clone(), Self::identity(self.size()).0);
        for i in 0..self.size() {
            let pivot = (i..self.size()).find(|row| !left[*row][i].is_zero()).expect("a regular matrix");
            left.swap(i, pivot);
            right.swap(i, pivot);
            let scale = left[i][i].inverse().expect("not zero");
            for matrix in [&mut left, &mut right] {
                matrix[i].iter_mut().for_each(|x| *x *= scale);
            }
            for row in (0..self.size()).filter(|row| *row != i) {
                let factor = left[row][i];
                for matrix in [&mut left, &mut right] {
                    let pivot_row = matrix[i].clone();
                    matrix[row].iter_mut().zip(pivot_row).for_each(|(x, p)| *x -= factor * p);
                }
            }
        }
        Self(right)
    }
}

fn inner_product<'a>(a: &[Fr], b: impl IntoIterator<Item = &'a Fr>) -> Fr {
    a.iter().zip(b).map(|(a, b)| *a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;

    #[test]
    fn inverse_random_matrix_gives_the_identity() {
        let mut rng = ark_std::test_rng();
        let mut rows: Vec<Vec<Fr>> = (0..6).map(|_| (0..6).map(|_| Fr::rand(&mut rng)).collect()).collect();
        rows[0][0] = Fr::zero();
        let matrix = Square::new(rows);
        assert_eq!(matrix.times(&matrix.inverse()), Square::identity(6));
    }
}
