//! Poseidon over the scalar field of BN254 with circomlib's parameters, 1 to 16 inputs.
//!
//! The definition: state (0, inputs); in each round add constants, raise to the fifth power (all elements in a full
//! round, the first in a partial one), multiply by the MDS matrix; the hash is the first element. Source: Grassi et al.,
//! <https://eprint.iacr.org/2019/458>. [`Schedule`] computes the same with sparse matrices in the partial rounds.

use std::fmt;
use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ff::{Field, Zero};
use rayon::prelude::*;

use crate::dot::dot;
use crate::grain::{Definition, FULL_ROUNDS};
use crate::matrix::Square;
use crate::poseidon_lanes::LaneSchedule;
use crate::simd::Backend;

pub const MAX_INPUTS: usize = 16;
pub(crate) const MAX_WIDTH: usize = MAX_INPUTS + 1;
const HALF: usize = FULL_ROUNDS / 2;

/// A number of inputs that Poseidon is not defined for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArityError(pub usize);

impl fmt::Display for ArityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "poseidon takes 1 to {MAX_INPUTS} inputs, got {}", self.0)
    }
}

impl std::error::Error for ArityError {}

/// Poseidon of 1 to 16 field elements, as circomlib's `Poseidon(n)` and circomlibjs' `poseidon`.
pub fn hash(inputs: &[Fr]) -> Result<Fr, ArityError> {
    hash_many(inputs.len(), inputs).map(|hashes| hashes[0])
}

/// [`hash`] where the number of inputs is known when compiling.
pub fn hash_array<const N: usize>(inputs: &[Fr; N]) -> Fr {
    const { assert!(N >= 1 && N <= MAX_INPUTS) };
    let mut out = [Fr::zero()];
    hash_into(Backend::current(), N, inputs, &mut out);
    out[0]
}

/// The hashes of groups of `each` inputs, one after the other; eight at once where the machine can.
pub fn hash_many(each: usize, inputs: &[Fr]) -> Result<Vec<Fr>, ArityError> {
    if !(1..=MAX_INPUTS).contains(&each) {
        return Err(ArityError(each));
    }
    let mut out = vec![Fr::zero(); inputs.len() / each];
    hash_into(Backend::current(), each, inputs, &mut out);
    Ok(out)
}

/// [`PARALLEL`] or more are hashed in parallel.
fn hash_into(backend: Backend, each: usize, inputs: &[Fr], out: &mut [Fr]) {
    const PARALLEL: usize = 2048;
    const PART: usize = 512;
    if out.len() >= PARALLEL {
        let parts = inputs.par_chunks(PART * each).zip(out.par_chunks_mut(PART));
        return parts.for_each(|(inputs, out)| hash_into(backend, each, inputs, out));
    }
    if backend.is_vector() {
        lane_schedule(each).hash(backend, inputs, each, out);
    } else {
        let schedule = schedule(each);
        inputs.chunks(each).zip(out).for_each(|(inputs, out)| *out = schedule.hash(inputs));
    }
}

macro_rules! for_widths {
    ($make:path) => {
        for_widths!($make, 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17)
    };
    ($make:path, $($width:literal)*) => { [$(LazyLock::new(|| $make($width))),*] };
}

fn lane_schedule(inputs: usize) -> &'static LaneSchedule {
    fn make(width: usize) -> LaneSchedule {
        LaneSchedule::new(schedule(width - 1))
    }
    static SCHEDULES: [LazyLock<LaneSchedule>; MAX_INPUTS] = for_widths!(make);
    &SCHEDULES[inputs - 1]
}

fn schedule(inputs: usize) -> &'static Schedule {
    fn make(width: usize) -> Schedule {
        Schedule::new(&Definition::generate(width))
    }
    static SCHEDULES: [LazyLock<Schedule>; MAX_INPUTS] = for_widths!(make);
    &SCHEDULES[inputs - 1]
}

/// A full round: constants before the S-boxes, matrix after them.
pub(crate) struct FullRound {
    pub(crate) constants: Vec<Fr>,
    pub(crate) matrix: Square,
}

/// A partial round: the matrix is the identity but for its first row and column.
pub(crate) struct PartialRound {
    pub(crate) constant: Fr,
    pub(crate) row: Vec<Fr>,
    /// The first column below the corner.
    pub(crate) column: Vec<Fr>,
}

/// Of a sparse matrix: its first row, and its first column below the corner.
type RowAndColumn = (Vec<Fr>, Vec<Fr>);

/// The rounds in an equivalent form that costs 2t - 1 products in a partial round instead of t^2.
pub(crate) struct Schedule {
    pub(crate) first: Vec<FullRound>,
    pub(crate) partial: Vec<PartialRound>,
    pub(crate) last: Vec<FullRound>,
}

impl Schedule {
    fn new(definition: &Definition) -> Self {
        let mds = Square::new(definition.mds.clone());
        let (first, rest) = definition.round_constants.split_at(HALF);
        let (partial, last) = rest.split_at(rest.len() - HALF);
        let (scalars, carried) = move_constants_forward(partial, &mds);
        let (before, sparse) = move_matrices_back(partial.len(), &mds);

        let full = |constants: &Vec<Fr>| FullRound { constants: constants.clone(), matrix: mds.clone() };
        let mut schedule = Self {
            first: first.iter().map(full).collect(),
            partial: scalars
                .into_iter()
                .zip(sparse)
                .map(|(constant, (row, column))| PartialRound { constant, row, column })
                .collect(),
            last: last.iter().map(full).collect(),
        };
        schedule.first[HALF - 1].matrix = before;
        add_to(&mut schedule.last[0].constants, &carried);
        schedule
    }

    fn hash(&self, inputs: &[Fr]) -> Fr {
        let mut buffer = [Fr::zero(); MAX_WIDTH];
        let state = &mut buffer[..=inputs.len()];
        state[1..].copy_from_slice(inputs);
        self.first.iter().for_each(|round| round.apply(state));
        self.partial.iter().for_each(|round| round.apply(state));
        let (end, before) = self.last.split_last().expect("four rounds");
        before.iter().for_each(|round| round.apply(state));
        end.s_boxes(state);
        dot(end.matrix.row(0), state)
    }
}

impl FullRound {
    fn s_boxes(&self, state: &mut [Fr]) {
        for (element, constant) in state.iter_mut().zip(&self.constants) {
            *element = fifth_power(*element + constant);
        }
    }

    fn apply(&self, state: &mut [Fr]) {
        self.s_boxes(state);
        let mut before = [Fr::zero(); MAX_WIDTH];
        let before = &mut before[..state.len()];
        before.copy_from_slice(state);
        for (i, element) in state.iter_mut().enumerate() {
            *element = dot(self.matrix.row(i), before);
        }
    }
}

impl PartialRound {
    fn apply(&self, state: &mut [Fr]) {
        state[0] = fifth_power(state[0] + self.constant);
        let corner = dot(&self.row, state);
        let (head, rest) = (state[0], &mut state[1..]);
        for (element, factor) in rest.iter_mut().zip(&self.column) {
            *element += head * factor;
        }
        state[0] = corner;
    }
}

#[inline]
fn fifth_power(x: Fr) -> Fr {
    x.square().square() * x
}

fn add_to(target: &mut [Fr], addend: &[Fr]) {
    target.iter_mut().zip(addend).for_each(|(target, addend)| *target += addend);
}

/// All constants but the first of a partial round pass its S-box untouched, so they may as well be added, multiplied by
/// the matrix, in the next round. Returns each round's one constant, and what is left for the full round behind.
fn move_constants_forward(rounds: &[Vec<Fr>], mds: &Square) -> (Vec<Fr>, Vec<Fr>) {
    let mut carried = vec![Fr::zero(); mds.size()];
    let mut scalars = Vec::with_capacity(rounds.len());
    for constants in rounds {
        add_to(&mut carried, constants);
        scalars.push(std::mem::take(&mut carried[0]));
        carried = mds.apply(&carried);
    }
    (scalars, carried)
}

/// A matrix L = [[c, v], [w, N]] is [[c, v N^-1], [w, 1]] times D = [[1, 0], [0, N]], and D commutes with the S-box of a
/// partial round. From the last round to the first: keep the sparse factor, multiply the matrix of the round before by
/// D. Returns the matrix of the full round in front, and (row, column) of each sparse factor.
fn move_matrices_back(rounds: usize, mds: &Square) -> (Square, Vec<RowAndColumn>) {
    let mut matrix = mds.clone();
    let mut sparse = Vec::with_capacity(rounds);
    for _ in 0..rounds {
        let minor = matrix.minor();
        let mut row = vec![matrix.row(0)[0]];
        row.extend(minor.inverse().apply_left(&matrix.row(0)[1..]));
        let column = (1..matrix.size()).map(|i| matrix.row(i)[0]).collect();
        sparse.push((row, column));
        matrix = minor.bordered().times(mds);
    }
    sparse.reverse();
    (matrix, sparse)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;

    fn by_definition(inputs: &[Fr]) -> Fr {
        let definition = Definition::generate(inputs.len() + 1);
        let mds = Square::new(definition.mds.clone());
        let rounds = definition.round_constants.len();
        let mut state = [&[Fr::zero()], inputs].concat();
        for (i, constants) in definition.round_constants.iter().enumerate() {
            add_to(&mut state, constants);
            let boxes = if (HALF..rounds - HALF).contains(&i) { 1 } else { state.len() };
            state[..boxes].iter_mut().for_each(|x| *x = x.pow([5]));
            state = mds.apply(&state);
        }
        state[0]
    }

    #[test]
    fn hash_every_arity_equals_the_definition() {
        let mut rng = ark_std::test_rng();
        for n in 1..=MAX_INPUTS {
            let inputs: Vec<Fr> = (0..n).map(|_| Fr::rand(&mut rng)).collect();
            assert_eq!(hash(&inputs), Ok(by_definition(&inputs)), "{n} inputs");
        }
    }

    #[test]
    fn hash_many_every_kernel_every_arity_and_count_equals_the_scalar_hash() {
        let mut rng = ark_std::test_rng();
        let edges = [Fr::zero(), Fr::from(1), -Fr::from(1), Fr::from(u64::MAX)];
        for backend in [Backend::Ifma, Backend::Emulated] {
            if !backend.is_available() {
                eprintln!("SKIPPED: this machine has no {} kernels", backend.name());
                continue;
            }
            for each in 1..=MAX_INPUTS {
                for count in [0, 1, 7, 8, 9, 17] {
                    let random = |at: usize, rng: &mut _| match at % 3 {
                        0 => edges[at / 3 % edges.len()],
                        _ => Fr::rand(rng),
                    };
                    let mut inputs: Vec<Fr> = (0..each * count).map(|at| random(at, &mut rng)).collect();
                    if count == 7 {
                        inputs = (0..each * count).map(|at| edges[(at / each) % edges.len()]).collect();
                    }
                    let mut out = vec![Fr::zero(); count];
                    hash_into(backend, each, &inputs, &mut out);
                    for (inputs, hash) in inputs.chunks(each).zip(out) {
                        assert_eq!(hash, schedule(each).hash(inputs), "{each} inputs, {}", backend.name());
                    }
                }
            }
        }
    }

    #[test]
    fn hash_one_two_equals_circomlib() {
        let expected = "7853200120776062878684798364095072458815029376092732009249414926327459813530";
        assert_eq!(hash_array(&[Fr::from(1), Fr::from(2)]).to_string(), expected);
    }

    #[test]
    fn hash_zero_or_seventeen_inputs_is_refused() {
        assert_eq!(hash(&[]), Err(ArityError(0)));
        assert_eq!(hash(&[Fr::zero(); 17]), Err(ArityError(17)));
    }

    /// The fastest of ten batches, on a shared machine.
    /// `cargo test --release measure_poseidon -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn measure_poseidon() {
        for n in [2, 5, 8, 16] {
            let mut inputs = vec![Fr::from(7); n];
            let mut run = || {
                let start = std::time::Instant::now();
                for _ in 0..500 {
                    inputs[0] = hash(&inputs).expect("arity");
                }
                start.elapsed() / 500
            };
            println!("poseidon({n}): {:?}", (0..10).map(|_| run()).min());
            let inputs = vec![Fr::from(7); n * 512];
            let run = |backend| {
                let mut out = vec![Fr::zero(); 512];
                let start = std::time::Instant::now();
                hash_into(backend, n, &inputs, &mut out);
                start.elapsed() / 512
            };
            for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
                println!("512 at once, {}: {:?} each", backend.name(), (0..10).map(|_| run(backend)).min());
            }
        }
    }
}
