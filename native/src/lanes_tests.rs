//! The lanes against arkworks, on values at the edges of what each function takes.
//!
//! `LANE_CASES` sets how many cases a field gets (1,000,000 if it is not set; 10,000,000 in the long run); the emulated
//! lanes, which are slow, get a tenth of them.

use ark_ff::{AdditiveGroup, BigInt, BigInteger, Field, PrimeField, Zero};
use rand::{rngs::StdRng, Rng, SeedableRng};

use crate::lanes::{constant, from_row, to_row, Base, Lane, LaneField, Scalar};
use crate::simd::{Backend, Kernel, Row, Vector, LANES};

pub fn cases() -> usize {
    std::env::var("LANE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1_000_000)
}

/// Any 256 bits: edges of the words, the modulus and its neighbours, canonical and not.
fn edge<F: LaneField>(rng: &mut StdRng) -> [u64; 4] {
    let modulus = <F::Element as PrimeField>::MODULUS.0;
    let word = |rng: &mut StdRng| match rng.gen_range(0..4) {
        0 => 0,
        1 => u64::MAX,
        2 => 1 << rng.gen_range(0..64),
        _ => rng.gen(),
    };
    match rng.gen_range(0..8) {
        0 => [rng.gen_range(0..3), 0, 0, 0],
        1 => [modulus[0] - rng.gen_range(0..3), modulus[1], modulus[2], modulus[3]],
        2 => [modulus[0] + rng.gen_range(0..3), modulus[1], modulus[2], modulus[3]],
        3 => [word(rng), word(rng), word(rng), word(rng)],
        4 => [word(rng), word(rng), word(rng), modulus[3]],
        _ => [rng.gen(), rng.gen(), rng.gen(), rng.gen::<u64>() >> 2],
    }
}

fn row(words: [u64; 4]) -> Row {
    std::array::from_fn(|byte| words[byte / 8].to_le_bytes()[byte % 8])
}

/// The element whose words in memory are these, modulo p.
fn element<F: LaneField>(words: [u64; 4]) -> F::Element {
    let mut value = BigInt(words);
    while value >= F::Element::MODULUS {
        value.sub_with_borrow(&F::Element::MODULUS);
    }
    F::from_words(value.0)
}

struct Check<F: LaneField> {
    cases: usize,
    seed: u64,
    field: std::marker::PhantomData<F>,
}

impl<F: LaneField> Kernel for Check<F> {
    type Output = ();

    #[inline(always)]
    fn run<V: Vector>(self) {
        let mut rng = StdRng::seed_from_u64(self.seed);
        // A product in the lanes has a factor 2^-260, and both sides below are read as if they had radix 2^256.
        let radix = F::Element::from(2u64).pow([4]).inverse().expect("not zero");
        for _ in 0..self.cases.div_ceil(LANES) {
            let words: [[[u64; 4]; LANES]; 3] = std::array::from_fn(|_| std::array::from_fn(|_| edge::<F>(&mut rng)));
            let rows = words.map(|words| words.map(row));
            let [x, y, z] = [0, 1, 2].map(|at: usize| Lane::<F, V>::load(rows[at].each_ref()));
            let canonical = |lane: Lane<F, V>| lane.reduce().canonical().store();
            let results = [
                canonical(x.mul(y)),
                canonical(x.square()),
                canonical(Lane::sum_of_products([(x, y), (y, z), (z, x), (x, x)])),
                canonical(x.add(y).add(z)),
                canonical(x.sub::<6>(y)),
                canonical(x.sub_both::<12>(y, z)),
                canonical(Lane::<F, V>::load_shifted(rows[0].each_ref())),
                canonical(x.double().double().double().opposite::<50>()),
                canonical(Lane::select(0b1010_0101, x, y)),
            ];
            for lane in 0..LANES {
                let [a, b, c] = [0, 1, 2].map(|at: usize| element::<F>(words[at][lane]));
                let expected = [
                    a * b * radix,
                    a.square() * radix,
                    (a * b + b * c + c * a + a * a) * radix,
                    a + b + c,
                    a - b,
                    a - b - c,
                    a * F::Element::from(16u64),
                    -(a.double().double().double()),
                    if 0b1010_0101 >> lane & 1 == 1 { a } else { b },
                ];
                for (which, (result, expected)) in results.iter().zip(expected).enumerate() {
                    assert_eq!(result[lane], to_row::<F>(&expected), "result {which} of {:x?}", words.map(|w| w[lane]));
                }
            }
            let product = x.mul(y).canonical();
            let zero = (0..LANES).fold(0, |mask, lane| {
                let product = element::<F>(words[0][lane]) * element::<F>(words[1][lane]);
                mask | u8::from(product.is_zero()) << lane
            });
            assert_eq!(product.zeros(), zero);
        }
    }
}

fn check<F: LaneField>(backend: Backend, cases: usize) {
    if !backend.is_available() {
        eprintln!("SKIPPED: this machine has no {} kernels", backend.name());
        return;
    }
    let field = std::marker::PhantomData;
    std::thread::scope(|scope| {
        for seed in 0..2 {
            scope.spawn(move || backend.run(Check::<F> { cases: cases / 2, seed, field }));
        }
    });
}

#[test]
fn ifma_lanes_at_the_edges_equal_arkworks() {
    check::<Base>(Backend::Ifma, cases());
    check::<Scalar>(Backend::Ifma, cases());
}

#[test]
fn emulated_lanes_at_the_edges_equal_arkworks() {
    check::<Base>(Backend::Emulated, cases() / 10);
    check::<Scalar>(Backend::Emulated, cases() / 10);
}

#[test]
fn constants_in_lanes_multiply_as_in_arkworks() {
    struct Times<F: LaneField>([Row; LANES], F::Element);
    impl<F: LaneField> Kernel for Times<F> {
        type Output = [Row; LANES];
        #[inline(always)]
        fn run<V: Vector>(self) -> [Row; LANES] {
            let factor = Lane::<F, V>::splat(&constant::<F>(&self.1));
            let one = Lane::<F, V>::one();
            Lane::<F, V>::load(self.0.each_ref()).mul(factor).mul(one).canonical().store()
        }
    }
    fn check<F: LaneField>() {
        let mut rng = StdRng::seed_from_u64(3);
        let elements: [F::Element; LANES] = std::array::from_fn(|_| F::Element::from(rng.gen::<u128>()));
        let factor = F::Element::from(rng.gen::<u128>()).square();
        for backend in Backend::ALL.into_iter().filter(|backend| backend.is_vector() && backend.is_available()) {
            let products = backend.run(Times::<F>(elements.map(|element| to_row::<F>(&element)), factor));
            assert_eq!(products.map(|row| from_row::<F>(&row)), elements.map(|element| element * factor));
        }
    }
    check::<Base>();
    check::<Scalar>();
}

/// `cargo test --release measure_lanes -- --ignored --nocapture`
#[test]
#[ignore = "a measurement"]
fn measure_lanes_and_arkworks() {
    struct Many(usize);
    impl Kernel for Many {
        type Output = [Row; LANES];
        #[inline(always)]
        fn run<V: Vector>(self) -> [Row; LANES] {
            let mut values = [Lane::<Base, V>::one(); 4];
            for _ in 0..self.0 / 4 {
                for value in &mut values {
                    *value = value.mul(*value);
                }
            }
            values[1].mul(values[2]).mul(values[3]).mul(values[0]).canonical().store()
        }
    }
    let count = 1 << 20;
    for backend in [Backend::Ifma, Backend::Emulated] {
        let best = (0..10).map(|_| {
            let start = std::time::Instant::now();
            std::hint::black_box(backend.run(Many(count)));
            start.elapsed().as_secs_f64() / (count * LANES) as f64 * 1e9
        });
        println!("{}: {:.2} ns a product", backend.name(), best.fold(f64::MAX, f64::min));
    }
    let mut values = [ark_bn254::Fq::from(5u64), ark_bn254::Fq::from(6u64)];
    let best = (0..10).map(|_| {
        let start = std::time::Instant::now();
        for _ in 0..count {
            let [a, b] = values;
            values = [a * b, b * b];
        }
        std::hint::black_box(&values);
        start.elapsed().as_secs_f64() / (2 * count) as f64 * 1e9
    });
    println!("arkworks: {:.2} ns a product", best.fold(f64::MAX, f64::min));
    let start = std::time::Instant::now();
    for _ in 0..1000 {
        values[0] = (values[0] + values[1]).inverse().expect("not zero");
    }
    println!("arkworks: {:.0} ns an inverse", start.elapsed().as_secs_f64() / 1000. * 1e9);
}
