//! From values on a domain to values at its odd points (those between, on the domain twice as large), over the lanes.
//!
//! The N = R C values are a matrix of R rows, row after row. With n = i C + j and k = k1 + R k2,
//! w^(n k) = (w^C)^(i k1) w^(j k1) (w^R)^(j k2): transforms of the columns, factors, transforms of the rows. Lanes hold
//! eight columns, or eight rows, side by side, so that no transform crosses lanes; one fits the cache of a core.
//!
//! Back to coefficients, transforms take their input in order and leave it in bit-reversed order; on to the odd points
//! they take it so and leave it in order. So nothing is ever reordered, and rows go back and on again in one pass.
//! A butterfly is (a + w b, a - w b) both ways: a bound grows by 2 p a level, and stays far below 84 p.

use ark_bn254::Fr;
use ark_ff::{FftField, Field, Zero};
use rayon::prelude::*;

use crate::groth16_error::{Control, Result};
use crate::lanes::{constant, from_row, to_row, Lane, Scalar};
use crate::simd::{for_lanes, Backend, Kernel, Row, Vector, LANES};

/// The least log2 of a domain that has eight rows and eight columns.
pub const MIN_LOG: u32 = 6;
/// The most vectors of a transform that fit the first cache: larger ones are halved first.
const CACHED: usize = 64;

type Element = [u64; 5];
type Vectors = [Column];
/// Levels of a transform, one after the other: (first, len, half) as in [`Level`].
type Order = [(usize, usize, usize)];

/// Eight elements in scratch memory.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
struct Column([[u64; LANES]; 5]);

const EMPTY: Column = Column([[0; LANES]; 5]);

fn powers(base: Fr, count: usize) -> Vec<Fr> {
    std::iter::successors(Some(Fr::from(1u64)), |power| Some(*power * base)).take(count).collect()
}

fn reversed(index: usize, bits: u32) -> usize {
    index.reverse_bits() >> (usize::BITS - bits)
}

/// What transforms of one length need.
struct Twiddles {
    bits: u32,
    /// Of the inverse root, in bit-reversed order: one for each block.
    back: Vec<Element>,
    /// Of the root, in order.
    on: Vec<Element>,
}

impl Twiddles {
    fn new(root: Fr, bits: u32) -> Self {
        let half = 1 << (bits - 1);
        let back = powers(root.inverse().unwrap_or_default(), half);
        let back = (0..half).map(|index| constant::<Scalar>(&back[reversed(index, bits - 1)])).collect();
        Self { bits, back, on: powers(root, half).iter().map(constant::<Scalar>).collect() }
    }

    fn len(&self) -> usize {
        1 << self.bits
    }
}

/// The shape of a domain, and its tables.
pub struct Ntt {
    backend: Backend,
    /// Transforms along a column (R) and along a row (C).
    columns: Twiddles,
    rows: Twiddles,
    root: Fr,
    /// The first odd point: a root of the domain twice as large.
    shift: Fr,
}

#[inline(always)]
fn get<V: Vector>(vectors: &Vectors, at: usize) -> Lane<Scalar, V> {
    Lane::from_scratch(&vectors[at].0)
}

#[inline(always)]
fn put<V: Vector>(vectors: &mut Vectors, at: usize, value: Lane<Scalar, V>) {
    value.to_scratch(&mut vectors[at].0);
}

/// (a + w b, a - w b) at `at` and `at + half`; no factor is a factor of one, and b then below 2 p.
#[inline(always)]
fn butterfly<V: Vector>(vectors: &mut Vectors, at: usize, half: usize, factor: Option<&Element>) {
    let a: Lane<Scalar, V> = get(vectors, at);
    let mut b: Lane<Scalar, V> = get(vectors, at + half);
    if let Some(factor) = factor {
        b = b.mul(Lane::splat(factor));
    }
    put(vectors, at, a.add(b));
    put(vectors, at + half, a.sub::<2>(b));
}

/// One level of a transform: `len` vectors from `first`, `half` the distance of those that meet.
struct Level<'a> {
    vectors: &'a mut Vectors,
    first: usize,
    len: usize,
    half: usize,
    twiddles: &'a Twiddles,
}

impl Level<'_> {
    /// In order to bit-reversed.
    #[inline(always)]
    fn back<V: Vector>(&mut self) {
        for start in (self.first..self.first + self.len).step_by(2 * self.half) {
            let factor = &self.twiddles.back[start / (2 * self.half)];
            let factor = (2 * self.half < self.twiddles.len()).then_some(factor);
            for at in start..start + self.half {
                butterfly::<V>(self.vectors, at, self.half, factor);
            }
        }
    }

    /// Bit-reversed to in order.
    #[inline(always)]
    fn on<V: Vector>(&mut self) {
        let stride = self.twiddles.len() / (2 * self.half);
        for start in (self.first..self.first + self.len).step_by(2 * self.half) {
            for offset in 0..self.half {
                let factor = (self.half > 1).then(|| &self.twiddles.on[offset * stride]);
                butterfly::<V>(self.vectors, start + offset, self.half, factor);
            }
        }
    }
}

/// The levels in an order that works on what is cached: (first, len, half).
fn levels_back(len: usize) -> Vec<(usize, usize, usize)> {
    let mut order = Vec::new();
    let mut ranges = vec![(0, len)];
    while let Some((start, end)) = ranges.pop() {
        let len = end - start;
        if len > CACHED {
            order.push((start, len, len / 2));
            ranges.extend([(start + len / 2, end), (start, start + len / 2)]);
        } else {
            let halves = std::iter::successors(Some(len / 2), |half| Some(half / 2));
            order.extend(halves.take_while(|half| *half > 0).map(|half| (start, len, half)));
        }
    }
    order
}

#[inline(always)]
fn transform_back<V: Vector>(vectors: &mut Vectors, twiddles: &Twiddles, order: &Order) {
    for &(first, len, half) in order {
        Level { vectors, first, len, half, twiddles }.back::<V>();
    }
}

#[inline(always)]
fn transform_on<V: Vector>(vectors: &mut Vectors, twiddles: &Twiddles, order: &Order) {
    for &(first, len, half) in order.iter().rev() {
        Level { vectors, first, len, half, twiddles }.on::<V>();
    }
}

/// Multiplies the value whose index in order is k by base^k, lane by lane; bit-reversed order.
#[inline(always)]
fn times_powers<V: Vector>(vectors: &mut Vectors, bits: u32, bases: [Row; LANES]) {
    let base = Lane::<Scalar, V>::load_shifted(bases.each_ref()).reduce();
    let mut power = Lane::one();
    for index in 0..vectors.len() {
        let at = reversed(index, bits);
        let value = get::<V>(vectors, at).mul(power);
        put(vectors, at, value);
        power = power.mul(base);
    }
}

/// One group of eight columns or rows: takes them from `from`, leaves them in `to`, vector after vector.
struct Group<'a> {
    ntt: &'a Ntt,
    from: &'a [Row],
    group: usize,
    to: &'a mut [Row],
    vectors: &'a mut Vectors,
    order: &'a Order,
}

impl Group<'_> {
    #[inline(always)]
    fn load<V: Vector>(&mut self, index: impl Fn(usize, usize) -> usize) {
        for at in 0..self.vectors.len() {
            let rows = for_lanes!(|lane| &self.from[index(at, lane)]);
            put(self.vectors, at, Lane::<Scalar, V>::load(rows));
        }
    }

    #[inline(always)]
    fn store<V: Vector>(&mut self) {
        for at in 0..self.vectors.len() {
            let rows = get::<V>(self.vectors, at).reduce().store();
            self.to[at * LANES..(at + 1) * LANES].copy_from_slice(&rows);
        }
    }

    fn bases(&self, of: Fr, first: Fr) -> [Row; LANES] {
        let start = first * of.pow([(self.group * LANES) as u64]);
        std::array::from_fn(|lane| to_row::<Scalar>(&(start * of.pow([lane as u64]))))
    }
}

/// Columns back: from the matrix, row after row.
struct ColumnsBack<'a>(Group<'a>);

impl Kernel for ColumnsBack<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let (ntt, group) = (self.0.ntt, self.0.group);
        let row = ntt.rows.len();
        self.0.load::<V>(|at, lane| at * row + group * LANES + lane);
        transform_back::<V>(self.0.vectors, &ntt.columns, self.0.order);
        // Coefficient k is to be multiplied by shift^k: here its part shift^k1.
        let bases = self.0.bases(ntt.root.inverse().unwrap_or_default(), ntt.shift);
        times_powers::<V>(self.0.vectors, ntt.columns.bits, bases);
        self.0.store::<V>();
    }
}

/// Rows back and on: from groups of eight columns.
struct Rows<'a>(Group<'a>, &'a [Element]);

impl Kernel for Rows<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let (ntt, group) = (self.0.ntt, self.0.group);
        let column = ntt.columns.len();
        self.0.load::<V>(|at, lane| at / LANES * column * LANES + (group * LANES + lane) * LANES + at % LANES);
        transform_back::<V>(self.0.vectors, &ntt.rows, self.0.order);
        for (at, factor) in self.1.iter().enumerate() {
            let value = get::<V>(self.0.vectors, at).mul(Lane::splat(factor));
            put(self.0.vectors, at, value);
        }
        transform_on::<V>(self.0.vectors, &ntt.rows, self.0.order);
        self.0.store::<V>();
    }
}

/// Columns on: from groups of eight rows.
struct ColumnsOn<'a>(Group<'a>);

impl Kernel for ColumnsOn<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(mut self) {
        let (ntt, group) = (self.0.ntt, self.0.group);
        let row = ntt.rows.len();
        self.0.load::<V>(|at, lane| at / LANES * row * LANES + (group * LANES + lane) * LANES + at % LANES);
        let bases = self.0.bases(ntt.root, Fr::from(1u64));
        times_powers::<V>(self.0.vectors, ntt.columns.bits, bases);
        transform_on::<V>(self.0.vectors, &ntt.columns, self.0.order);
        self.0.store::<V>();
    }
}

/// `a * b - c`, eight at a time, with a factor 2^4 already in the product.
struct Combine<'a>([&'a [Row]; 3], &'a mut [Row]);

impl Kernel for Combine<'_> {
    type Output = ();
    #[inline(always)]
    fn run<V: Vector>(self) {
        let Self([a, b, c], out) = self;
        for at in (0..out.len()).step_by(LANES) {
            let load = |rows: &[Row]| Lane::<Scalar, V>::load(for_lanes!(|lane| &rows[at + lane]));
            let value = load(a).mul(load(b)).sub::<2>(load(c)).reduce().canonical();
            out[at..at + LANES].copy_from_slice(&value.store());
        }
    }
}

impl Ntt {
    /// None if the domain is too small, or larger than the field has.
    pub fn new(backend: Backend, log: u32) -> Option<Self> {
        if log < MIN_LOG {
            return None;
        }
        let root = Fr::get_root_of_unity(1 << log)?;
        let shift = Fr::get_root_of_unity(1 << (log + 1))?;
        let bits = log / 2;
        let columns = Twiddles::new(root.pow([1u64 << (log - bits)]), bits);
        let rows = Twiddles::new(root.pow([1u64 << bits]), log - bits);
        Some(Self { backend, columns, rows, root, shift })
    }

    fn size(&self) -> usize {
        self.columns.len() * self.rows.len()
    }

    fn pass(&self, len: usize, to: &mut [Row], work: impl Fn(usize, &mut [Row], &mut Vectors, &Order) + Sync) {
        let order = levels_back(len);
        to.par_chunks_mut(len * LANES)
            .enumerate()
            .for_each_init(|| vec![EMPTY; len], |vectors, (group, to)| work(group, to, vectors, &order));
    }

    /// Values on the domain become values at the odd points times `factor`, in groups of eight columns: value i C + j is
    /// at (j / 8) 8 R + 8 i + j % 8. `spare` is as long as `values`; what is left in it is worth nothing.
    fn shift(&self, values: &mut Vec<Row>, spare: &mut Vec<Row>, factor: Fr) {
        let (columns, rows) = (self.columns.len(), self.rows.len());
        let backend = self.backend;
        self.pass(columns, spare, |group, to, vectors, order| {
            backend.run(ColumnsBack(Group { ntt: self, from: values, group, to, vectors, order }));
        });
        // The part shift^(R k2), with 1 / N.
        let scale = factor * Fr::from(self.size() as u64).inverse().unwrap_or_default();
        let parts = powers(self.shift.pow([columns as u64]), rows);
        let part = |at| constant::<Scalar>(&(parts[reversed(at, self.rows.bits)] * scale));
        let factors: Vec<Element> = (0..rows).map(part).collect();
        self.pass(rows, values, |group, to, vectors, order| {
            backend.run(Rows(Group { ntt: self, from: spare, group, to, vectors, order }, &factors));
        });
        self.pass(columns, spare, |group, to, vectors, order| {
            backend.run(ColumnsOn(Group { ntt: self, from: values, group, to, vectors, order }));
        });
        std::mem::swap(values, spare);
    }

    /// A * B - C at the odd points, where A, B and C = A * B on the domain are polynomials below its size.
    pub fn quotient(&self, a: Vec<Fr>, b: Vec<Fr>, control: &Control) -> Result<Vec<Fr>> {
        let to_rows = |values: Vec<Fr>| -> Vec<Row> { values.par_iter().map(to_row::<Scalar>).collect() };
        let mut c: Vec<Row> = a.par_iter().zip(&b).map(|(a, b)| to_row::<Scalar>(&(*a * b))).collect();
        let mut a = to_rows(a);
        let mut spare = vec![[0; 32]; self.size()];
        // A product of two values in memory lacks a factor 2^4 in the lanes.
        self.shift(&mut a, &mut spare, Fr::from(4u64));
        control.report("ntt", 0.33)?;
        let mut b = to_rows(b);
        self.shift(&mut b, &mut spare, Fr::from(4u64));
        control.report("ntt", 0.67)?;
        self.shift(&mut c, &mut spare, Fr::from(1u64));
        let part = self.columns.len() * LANES;
        spare.par_chunks_mut(part).enumerate().for_each(|(group, out)| {
            let part = group * part..(group + 1) * part;
            self.backend.run(Combine([&a[part.clone()], &b[part.clone()], &c[part]], out));
        });
        drop((a, b, c));
        let (columns, rows) = (self.columns.len(), self.rows.len());
        let mut ordered = vec![Fr::zero(); self.size()];
        ordered.par_chunks_mut(rows).enumerate().for_each(|(i, row)| {
            for (j, value) in row.iter_mut().enumerate() {
                *value = from_row::<Scalar>(&spare[(j / LANES * columns + i) * LANES + j % LANES]);
            }
        });
        Ok(ordered)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_ff::UniformRand;
    use ark_poly::{EvaluationDomain, Radix2EvaluationDomain};

    fn by_arkworks(a: &[Fr], b: &[Fr]) -> Vec<Fr> {
        let domain = Radix2EvaluationDomain::<Fr>::new(a.len()).expect("a domain");
        let double = Radix2EvaluationDomain::<Fr>::new(2 * a.len()).expect("a domain");
        let odd = domain.get_coset(double.group_gen).expect("a coset");
        let shift = |values: &[Fr]| odd.fft(&domain.ifft(values));
        let c: Vec<Fr> = a.iter().zip(b).map(|(a, b)| *a * b).collect();
        shift(a).iter().zip(shift(b)).zip(shift(&c)).map(|((a, b), c)| *a * b - c).collect()
    }

    #[test]
    fn quotient_by_lanes_equals_that_of_arkworks() {
        let mut rng = ark_std::test_rng();
        for backend in [Backend::Ifma, Backend::Emulated] {
            if !backend.is_available() {
                eprintln!("SKIPPED: this machine has no {} kernels", backend.name());
                continue;
            }
            for log in MIN_LOG..=14 {
                let values = |largest: bool, rng: &mut _| -> Vec<Fr> {
                    (0..1 << log).map(|_| if largest { -Fr::from(1u64) } else { Fr::rand(rng) }).collect()
                };
                let (a, b) = (values(false, &mut rng), values(log % 3 == 0, &mut rng));
                let ntt = Ntt::new(backend, log).expect("large enough");
                let quotient = ntt.quotient(a.clone(), b.clone(), &Control::default()).expect("not cancelled");
                assert_eq!(quotient, by_arkworks(&a, &b), "2^{log} {}", backend.name());
            }
        }
    }

    #[test]
    fn domain_below_the_least_is_left_to_scalar_code() {
        assert!(Ntt::new(Backend::Scalar, MIN_LOG - 1).is_none());
    }
}
