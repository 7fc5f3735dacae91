//! Times setup and proof on a made-up block: copies of one dense piece with a satisfying witness.
//!
//! `cargo run --release --example groth16_scale -- LOG_DOMAIN KEY_PATH [BIT_PERCENT]`

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use _native::groth16_error::{Control, Timings};
use _native::prover::{prove, unsatisfied};
use _native::setup::setup_development;
use _native::system::{Matrix, Piece, R1cs, System};
use _native::zkey::Zkey;
use ark_bn254::Fr;
use ark_ff::{One, UniformRand, Zero};
use rand::{rngs::StdRng, Rng, SeedableRng};

const ROWS: usize = 27_000;
const TERMS: usize = 9;

/// Wire 1 is public; wire 2 + row is defined by its row: the product of two sums of earlier wires, or a bit.
fn piece(bits: usize, rng: &mut StdRng) -> (R1cs, Vec<bool>) {
    let mut matrices = [Matrix::default(), Matrix::default(), Matrix::default()];
    let mut is_bit = Vec::new();
    matrices.iter_mut().for_each(|matrix| matrix.starts.push(0));
    for row in 0..ROWS {
        let own = 2 + row as u32;
        let bit = rng.gen_range(0..100) < bits;
        is_bit.push(bit);
        let [a, b, c] = &mut matrices;
        if bit {
            a.terms.push((own, Fr::one()));
            b.terms.extend([(0, -Fr::one()), (own, Fr::one())]);
        } else {
            for matrix in [&mut *a, &mut *b] {
                for _ in 0..TERMS {
                    matrix.terms.push((rng.gen_range(0..own), Fr::rand(rng)));
                }
            }
            c.terms.push((own, Fr::one()));
        }
        matrices.iter_mut().for_each(|matrix| matrix.starts.push(matrix.terms.len()));
    }
    let [a, b, c] = matrices;
    (R1cs { a, b, c, n_wires: ROWS + 2, n_public_inputs: 1, ..R1cs::default() }, is_bit)
}

fn block(log_domain: u32, bits: usize) -> (System, Vec<Fr>) {
    let mut rng = StdRng::seed_from_u64(1);
    let (r1cs, is_bit) = piece(bits, &mut rng);
    let r1cs = Arc::new(r1cs);
    let copies = ((1usize << log_domain) - 2) / ROWS;
    let mut witness = vec![Fr::one(), Fr::rand(&mut rng)];
    let mut pieces = Vec::new();
    for _ in 0..copies {
        let first = witness.len() as u32;
        let wires: Vec<u32> = [0, 1].into_iter().chain(first..first + ROWS as u32).collect();
        for (row, bit) in is_bit.iter().enumerate() {
            let dot = |matrix: &Matrix| {
                let add = |sum: Fr, (wire, value): &(u32, Fr)| sum + witness[wires[*wire as usize] as usize] * value;
                matrix.row(row).iter().fold(Fr::zero(), add)
            };
            let value = if *bit { Fr::from(rng.gen::<bool>()) } else { dot(&r1cs.a) * dot(&r1cs.b) };
            witness.push(value);
        }
        pieces.push(Piece { r1cs: r1cs.clone(), wires: Arc::new(wires) });
    }
    (System { pieces, n_wires: witness.len(), n_public: 1 }, witness)
}

fn show(title: &str, seconds: f64, timings: &Timings) {
    let peak = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = peak.lines().filter(|line| line.starts_with("VmHWM") || line.starts_with("RssAnon"));
    println!("{title}: {seconds:.1} s; {}", peak.collect::<Vec<_>>().join(", "));
    for (phase, seconds) in &timings.0 {
        println!("  {phase:12} {seconds:8.2}");
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let log_domain = arguments.next().unwrap_or("18".into()).parse()?;
    let path = arguments.next().unwrap_or("/tmp/scale.zkey".into());
    let bits = arguments.next().unwrap_or("50".into()).parse()?;
    let path = Path::new(&path);
    let (system, witness) = block(log_domain, bits);
    assert_eq!(unsatisfied(&system, &witness), None);
    println!("{} constraints, {} wires", system.n_constraints(), system.n_wires);
    let control = Control::default();
    if !path.exists() {
        let start = Instant::now();
        let report = setup_development(&system, path, "scale", false, &control)?;
        show("setup", start.elapsed().as_secs_f64(), &report.timings);
    }
    let start = Instant::now();
    let zkey = Zkey::open(path)?;
    let proved = prove(&system, &zkey, &witness, &control)?;
    show("prove", start.elapsed().as_secs_f64(), &proved.timings);
    println!("verified: {}", zkey.verification_key().verify(&proved.proof, &proved.public)?);
    Ok(())
}
