//! Eight jobs in lanes, see [`witness_exec`](crate::witness_exec).
//!
//! Bounds, in multiples of p: slots hold values below 2, coefficients are below 1. A combination is below 2 + 4.1 + 2 * 14 < 35: what
//! was reduced or its constant, a sum of products, and [`UNIT_TERMS`] terms with +1 or -1 (each part of a longer list is reduced).
//! So a * b + c is below 35 * 35 / 84 + 1 + 35 < 51, and reduced when it is stored.

use ark_bn254::Fr;
use ark_ff::One;

use crate::inverse::invert;
use crate::lane_combination::{Products, Sum, MAX_PRODUCTS};
use crate::lanes::{constant, from_row, to_row, Element, Lane, Scalar};
use crate::simd::{for_lanes, Kernel, Row, Vector, LANES, LIMB};
use crate::witness::{Job, Lc, Op, Plan};
use crate::witness_exec::{run, Machine, Slots};

/// Terms with +1 or -1 between two reductions.
const UNIT_TERMS: usize = 14;

/// What a plan's coefficients are in the lanes, with the factor that takes a value out of their form.
pub(crate) struct Limbs {
    coefficients: Vec<Element>,
    leave: Element,
}

impl Limbs {
    pub fn new(plan: &Plan) -> Self {
        Self {
            coefficients: plan.coefficients.iter().map(constant::<Scalar>).collect(),
            leave: constant::<Scalar>(&invert(&Fr::from(16u64)).unwrap_or_default()),
        }
    }
}

/// A value of each lane, as limbs.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Slot([[u64; LANES]; 5]);

/// At most eight jobs; lanes too many compute what nobody reads.
pub(crate) struct Chunk<'a> {
    pub plan: &'a Plan,
    pub limbs: &'a Limbs,
    pub jobs: &'a [Job],
    pub slots: &'a mut Vec<Slot>,
}

impl Kernel for Chunk<'_> {
    type Output = Vec<Vec<Fr>>;

    #[inline(always)]
    fn run<V: Vector>(self) -> Self::Output {
        let machine = Lanes::<V> { plan: self.plan, limbs: self.limbs, divisors: Vec::new() };
        run(machine, self.plan, self.jobs, self.slots)
    }
}

struct Lanes<'a, V> {
    plan: &'a Plan,
    limbs: &'a Limbs,
    divisors: Vec<Divisor<V>>,
}

/// Of a group of divisions: one's divisor with 1 for 0, where it is 0, and the product of those before.
struct Divisor<V> {
    value: Lane<Scalar, V>,
    zeros: u8,
    before: Lane<Scalar, V>,
}

impl<V: Vector> Lanes<'_, V> {
    #[inline(always)]
    fn load(slots: &[Slot], slot: u32) -> Lane<Scalar, V> {
        Lane::from_scratch(&slots[slot as usize].0)
    }

    /// Takes values below 2 p.
    #[inline(always)]
    fn stored(value: Lane<Scalar, V>) -> Slot {
        let mut slot = Self::zero();
        value.to_scratch(&mut slot.0);
        slot
    }

    #[inline(always)]
    fn coefficient(&self, index: u32) -> Lane<Scalar, V> {
        Lane::splat(&self.limbs.coefficients[index as usize])
    }

    #[inline(always)]
    fn combination(&self, slots: &[Slot], lc: Lc) -> Lane<Scalar, V> {
        let (general, plus, minus) = lc.terms(self.plan);
        let mut total = self.coefficient(lc.constant);
        for (at, part) in general.chunks(MAX_PRODUCTS).enumerate() {
            if at > 0 {
                total = total.reduce();
            }
            let mut products = Products::zero();
            for &(slot, coefficient) in part {
                products.add(&self.limbs.coefficients[coefficient as usize], Self::load(slots, slot));
            }
            total = total.add(products.reduce());
        }
        let mut sum = Sum::new(total);
        for (at, &(slot, _)) in plus.iter().enumerate() {
            if at > 0 && at % UNIT_TERMS == 0 {
                sum = Sum::new(sum.carried().reduce());
            }
            sum.add(Self::load(slots, slot));
        }
        for (at, &(slot, _)) in minus.iter().enumerate() {
            if at % UNIT_TERMS == 0 {
                sum = Sum::new(sum.carried().reduce());
            }
            sum.sub(Self::load(slots, slot));
        }
        sum.carried()
    }

    /// The inverses of eight values that are not 0, below 2 p.
    #[inline(always)]
    fn inverses(&self, values: Lane<Scalar, V>) -> Lane<Scalar, V> {
        let mut values = self.leave(values).map(|row| from_row::<Scalar>(&row));
        let mut before = [Fr::one(); LANES];
        for lane in 1..LANES {
            before[lane] = before[lane - 1] * values[lane - 1];
        }
        let mut all = invert(&(before[LANES - 1] * values[LANES - 1])).unwrap_or_default();
        for lane in (0..LANES).rev() {
            (values[lane], all) = (all * before[lane], all * values[lane]);
        }
        let rows: [Row; LANES] = values.map(|value| to_row::<Scalar>(&value));
        Lane::load_shifted(for_lanes!(|lane| &rows[lane])).reduce()
    }

    /// Elements as they are in memory; takes values below 2 p.
    #[inline(always)]
    fn leave(&self, value: Lane<Scalar, V>) -> [Row; LANES] {
        value.mul(Lane::splat(&self.limbs.leave)).canonical().store()
    }
}

impl<V: Vector> Machine for Lanes<'_, V> {
    type Slot = Slot;

    #[inline(always)]
    fn zero() -> Slot {
        Slot([[0; LANES]; 5])
    }

    fn put(slot: &mut Slot, job: usize, value: &Fr) {
        for (limb, value) in slot.0.iter_mut().zip(constant::<Scalar>(value)) {
            limb[job] = value;
        }
    }

    #[inline(always)]
    fn linear(&self, slots: &[Slot], c: Lc) -> Slot {
        Self::stored(self.combination(slots, c).reduce())
    }

    #[inline(always)]
    fn mul_add(&self, slots: &[Slot], a: Lc, b: Lc, c: Lc) -> Slot {
        let product = self.combination(slots, a).mul(self.combination(slots, b));
        Self::stored(product.add(self.combination(slots, c)).reduce())
    }

    #[inline(always)]
    fn divide(&mut self, slots: &mut Slots<'_, Self>, divisions: &[Op]) {
        self.divisors.clear();
        let mut product = Lane::one();
        for op in divisions {
            let Op::Divide { den, .. } = *op else { continue };
            let value = Self::load(slots.values, den).canonical();
            let zeros = value.zeros();
            let value = Lane::select(zeros, Lane::one(), value);
            self.divisors.push(Divisor { value, zeros, before: product });
            product = product.mul(value);
        }
        let mut inverse = self.inverses(product);
        for op in divisions.iter().rev() {
            let (Op::Divide { to, num, .. }, Some(divisor)) = (*op, self.divisors.pop()) else { continue };
            let quotient = Self::load(slots.values, num).mul(inverse.mul(divisor.before));
            slots.set(to, Self::stored(Lane::select(divisor.zeros, Lane::zero(), quotient)));
            inverse = inverse.mul(divisor.value);
        }
    }

    #[inline(always)]
    fn bits(&self, slots: &mut Slots<'_, Self>, from: u32, range: std::ops::Range<usize>) {
        // Times 1, not 2^260: the integer itself.
        let integer = Self::stored(Self::load(slots.values, from).mul(Lane::splat(&[1, 0, 0, 0, 0])).canonical());
        for out in &self.plan.bits[range] {
            let limb = V::load(&integer.0[(out.index / LIMB) as usize]);
            let zeros = limb.and(V::splat(1 << (out.index % LIMB))).zeros();
            let value = Lane::select(zeros, self.coefficient(out.zero), self.coefficient(out.one));
            slots.set(out.to, Self::stored(value));
        }
    }

    #[inline(always)]
    fn take(&self, slots: &[Slot], count: usize, jobs: usize) -> Vec<Vec<Fr>> {
        let mut witnesses = vec![Vec::with_capacity(count); jobs];
        for slot in 0..count as u32 {
            let rows = self.leave(Self::load(slots, slot));
            for (witness, row) in witnesses.iter_mut().zip(&rows) {
                witness.push(from_row::<Scalar>(row));
            }
        }
        witnesses
    }
}
