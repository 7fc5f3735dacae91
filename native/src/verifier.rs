//! The pairing check, and what is refused before it.

use ark_bn254::{Bn254, Fr, G1Affine, G1Projective, G2Affine};
use ark_ec::pairing::Pairing;
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::One;

use crate::groth16_error::{Error, Result};
use crate::prover::Proof;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerificationKey {
    pub alpha1: G1Affine,
    pub beta2: G2Affine,
    pub gamma2: G2Affine,
    pub delta2: G2Affine,
    /// One point for the constant, then one per public input.
    pub ic: Vec<G1Affine>,
}

impl VerificationKey {
    /// Refuses keys whose proofs mean nothing.
    pub fn check(&self) -> Result<()> {
        let refuse = |text: &str| Err(Error::Key(text.into()));
        if self.gamma2 == self.delta2 {
            return refuse("gamma equals delta: phase 2 was skipped, anyone can forge proofs");
        }
        if self.delta2 == G2Affine::generator() {
            return refuse("delta is the generator: phase 2 was skipped, anyone can forge proofs");
        }
        if self.alpha1.is_zero() || [self.beta2, self.gamma2, self.delta2].iter().any(G2Affine::is_zero) {
            return refuse("a point of the key is infinity");
        }
        Ok(())
    }

    /// Whether the proof holds for these public inputs, under a key that passes [`Self::check`].
    pub fn verify(&self, proof: &Proof, public: &[Fr]) -> Result<bool> {
        self.check()?;
        self.verify_unchecked_key(proof, public)
    }

    /// The same for any key, for a prover that looks at its own work. The proof's points must be in their groups.
    pub fn verify_unchecked_key(&self, proof: &Proof, public: &[Fr]) -> Result<bool> {
        if public.len() + 1 != self.ic.len() {
            return Err(Error::Proof(format!("{} public inputs, the key has {}", public.len(), self.ic.len() - 1)));
        }
        if proof.a.is_zero() || proof.b.is_zero() || proof.c.is_zero() {
            return Err(Error::Proof("a point is infinity".into()));
        }
        let mut inputs = G1Projective::from(self.ic[0]);
        for (point, input) in self.ic[1..].iter().zip(public) {
            inputs += *point * input;
        }
        let left = [-proof.a, self.alpha1, inputs.into_affine(), proof.c];
        let right = [proof.b, self.beta2, self.gamma2, self.delta2];
        Ok(Bn254::multi_pairing(left, right).0.is_one())
    }
}
