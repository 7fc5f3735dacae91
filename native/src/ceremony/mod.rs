//! Keys without a trusted maker: powers of tau, a circuit's first key from them, contributions, and the check of it all.
//!
//! Every byte and every hash is snarkjs's, so that either program goes on where the other stopped. Phase 1 (`.ptau`) is
//! only read; phase 2 is done here: [`new_key`], then [`phase2`] any number of times, then [`verify`].

pub mod blake2b;
pub mod combine;
pub mod contribution;
pub mod encoding;
pub mod entropy;
pub mod history;
pub mod lockstep;
pub mod new_key;
pub mod overrun;
pub mod phase2;
pub mod powers_check;
pub mod ptau;
pub mod verify;
