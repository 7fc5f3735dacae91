//! Constraint systems: what the linker makes and the prover consumes.
//!
//! A [`System`] is a list of [`Piece`]s, each an R1CS with a map from its own wires to the wires of the whole.
//! A single circom circuit is one piece with the identity map; a linked block is Open, N times Step, Close, where
//! all Steps share one [`R1cs`]. So one Step's matrices serve all N copies and are never written out N times.

use std::sync::Arc;

use ark_bn254::Fr;

/// One sparse matrix in compressed-row form: row `i` is `terms[starts[i]..starts[i + 1]]`, each (wire, coefficient).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    pub starts: Vec<usize>,
    pub terms: Vec<(u32, Fr)>,
}

impl Matrix {
    pub fn rows(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    pub fn row(&self, index: usize) -> &[(u32, Fr)] {
        &self.terms[self.starts[index]..self.starts[index + 1]]
    }
}

/// A·w ∘ B·w = C·w. Wire 0 is the constant one; then public outputs, public inputs, private wires, as circom orders them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct R1cs {
    pub a: Matrix,
    pub b: Matrix,
    pub c: Matrix,
    pub n_wires: usize,
    pub n_public_outputs: usize,
    pub n_public_inputs: usize,
    pub n_private_inputs: usize,
    pub n_labels: u64,
    /// Label of each wire in circom's numbering; the `.sym` file names labels.
    pub labels: Vec<u64>,
}

impl R1cs {
    pub fn n_constraints(&self) -> usize {
        self.a.rows()
    }

    pub fn n_public(&self) -> usize {
        self.n_public_outputs + self.n_public_inputs
    }
}

/// One copy of an R1CS inside a system.
#[derive(Clone, Debug)]
pub struct Piece {
    pub r1cs: Arc<R1cs>,
    /// `wires[local]` is the global wire; `wires[0] == 0`.
    pub wires: Arc<Vec<u32>>,
}

/// The rows of all pieces in order, over `n_wires` global wires of which 1..=n_public are public.
#[derive(Clone, Debug)]
pub struct System {
    pub pieces: Vec<Piece>,
    pub n_wires: usize,
    pub n_public: usize,
}

impl System {
    pub fn single(r1cs: R1cs) -> Self {
        let wires = Arc::new((0..r1cs.n_wires as u32).collect());
        Self { n_wires: r1cs.n_wires, n_public: r1cs.n_public(), pieces: vec![Piece { r1cs: Arc::new(r1cs), wires }] }
    }

    pub fn n_constraints(&self) -> usize {
        self.pieces.iter().map(|piece| piece.r1cs.n_constraints()).sum()
    }
}
