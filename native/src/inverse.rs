//! Inverses in a field of four words by Bernstein and Yang's divisions ("Fast constant-time gcd computation and modular
//! inversion", 2019), 62 steps at a time and as many zeros at once as there are: a fifth of the time of a binary gcd.
//! Not constant time.
//!
//! From (f, g) = (p, x), steps that look at the lowest bits alone take g to 0 and f to 1 or -1. What 62 steps do to (f, g), a
//! matrix over 2^62, is done to (d, e) = (0, 1) modulo p, and so d x = f all along.

use ark_ff::{BigInt, Field, Fp, MontBackend, MontConfig, One, Zero};

type Element<C> = Fp<MontBackend<C, 4>, 4>;

/// Steps between two looks at all of a number, and bits of its limbs.
const STEPS: u32 = 62;
const MASK: u64 = (1 << STEPS) - 1;

/// A number in limbs of 62 bits, of which the highest has the sign.
type Signed = [i64; 5];

/// 2^62 times what [`STEPS`] steps do: (f, g) becomes (u f + v g, q f + r g), with |u| + |v| and |q| + |r| <= 2^62.
struct Steps {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// The inverse; 0 has none.
pub fn invert<C: MontConfig<4>>(value: &Element<C>) -> Option<Element<C>> {
    if value.is_zero() {
        return None;
    }
    if value.is_one() || (-*value).is_one() {
        return Some(*value); // most coefficients
    }
    let modulus = limbs(&C::MODULUS.0);
    let (mut d, mut e): (Signed, Signed) = ([0; 5], [1, 0, 0, 0, 0]);
    let (mut f, mut g) = (modulus, limbs(&value.0 .0));
    let mut delta = 1;
    while g != [0; 5] {
        let steps;
        (delta, steps) = Steps::from_low_bits(delta, f[0] as u64, g[0] as u64);
        (d, e) = steps.apply_modulo(&d, &e, &modulus, C::INV.wrapping_neg());
        (f, g) = steps.apply(&f, &g);
    }
    let inverse = Fp::new_unchecked(BigInt(words(&below_modulus(d, f[4] < 0, &modulus))));
    // What was inverted has a factor 2^256, which the inverse is to have too: times 2^768, in the same form.
    Some(inverse * Element::<C>::new_unchecked(C::R2).square())
}

fn limbs(words: &[u64; 4]) -> Signed {
    let [a, b, c, d] = *words;
    [a, a >> 62 | b << 2, b >> 60 | c << 4, c >> 58 | d << 6, d >> 56].map(|limb| (limb & MASK) as i64)
}

/// The opposite, of a number that is not negative.
fn words(limbs: &Signed) -> [u64; 4] {
    let [a, b, c, d, e] = limbs.map(|limb| limb as u64);
    [a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56]
}

impl Steps {
    /// The matrix, and the next `delta`. f is odd.
    ///
    /// A step: if delta > 0 and g is odd, (delta, f, g) = (1 - delta, g, (g - f) / 2), else (1 + delta, f, (g + (g mod 2) f) / 2).
    fn from_low_bits(mut delta: i64, mut f: u64, mut g: u64) -> (i64, Self) {
        let (mut u, mut v, mut q, mut r) = (1u64, 0u64, 0u64, 1u64);
        let mut left = STEPS;
        loop {
            // Steps at even g, all at once
            let zeros = (g | u64::MAX << left).trailing_zeros();
            g >>= zeros;
            u <<= zeros;
            v <<= zeros;
            delta += i64::from(zeros);
            left -= zeros;
            if left == 0 {
                break;
            }
            if delta > 0 {
                delta = -delta;
                (f, g) = (g, f.wrapping_neg());
                (u, q) = (q, u.wrapping_neg());
                (v, r) = (r, v.wrapping_neg());
            }
            // Now a multiple of f that clears the lowest bits of g: no step of those would exchange f and g again.
            let clear = left.min((1 - delta).min(6) as u32);
            let minus_inverse = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2)); // of f modulo 2^6
            let multiple = g.wrapping_mul(minus_inverse) & ((1 << clear) - 1);
            g = g.wrapping_add(f.wrapping_mul(multiple));
            q = q.wrapping_add(u.wrapping_mul(multiple));
            r = r.wrapping_add(v.wrapping_mul(multiple));
        }
        (delta, Self { u: u as i64, v: v as i64, q: q as i64, r: r as i64 })
    }

    /// (u f + v g, q f + r g) / 2^62, both exact.
    fn apply(&self, f: &Signed, g: &Signed) -> (Signed, Signed) {
        (combine(self.u, f, self.v, g, 0, &[0; 5]), combine(self.q, f, self.r, g, 0, &[0; 5]))
    }

    /// The same modulo p, for values above -2 p and below p, and so are the results. `inverse` is 1 / p modulo 2^64.
    fn apply_modulo(&self, d: &Signed, e: &Signed, modulus: &Signed, inverse: u64) -> (Signed, Signed) {
        let row = |u: i64, v: i64| {
            // p once for each that is negative, then what clears the lowest limb
            let positive = (if d[4] < 0 { u } else { 0 }) + (if e[4] < 0 { v } else { 0 });
            let low = (u as u64).wrapping_mul(d[0] as u64).wrapping_add((v as u64).wrapping_mul(e[0] as u64));
            let clear = low.wrapping_mul(inverse).wrapping_add(positive as u64) & MASK;
            combine(u, d, v, e, positive - clear as i64, modulus)
        };
        (row(self.u, self.v), row(self.q, self.r))
    }
}

/// (u a + v b + w c) / 2^62, the lowest limb of the sum being 0.
fn combine(u: i64, a: &Signed, v: i64, b: &Signed, w: i64, c: &Signed) -> Signed {
    // Three products of at most 62 by 62 bits and a carry: no sum wraps.
    let product = |factor: i64, limb: i64| i128::from(factor).wrapping_mul(i128::from(limb));
    let term = |at: usize| product(u, a[at]).wrapping_add(product(v, b[at])).wrapping_add(product(w, c[at]));
    let mut out = [0; 5];
    let mut carry = term(0) >> STEPS;
    for at in 1..5 {
        carry = carry.wrapping_add(term(at));
        out[at - 1] = (carry as u64 & MASK) as i64;
        carry >>= STEPS;
    }
    out[4] = carry as i64;
    out
}

/// d, or -d, modulo p, for d above -2 p and below p.
fn below_modulus(d: Signed, negate: bool, modulus: &Signed) -> Signed {
    let carried = |mut value: Signed| {
        for at in 0..4 {
            value[at + 1] += value[at] >> STEPS;
            value[at] &= MASK as i64;
        }
        value
    };
    let with_modulus = |value: Signed| match value[4] < 0 {
        true => carried(std::array::from_fn(|at| value[at] + modulus[at])),
        false => value,
    };
    let above = with_modulus(d);
    with_modulus(if negate { carried(above.map(|limb| -limb)) } else { above })
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{Fq, FqConfig, Fr, FrConfig};
    use ark_ff::UniformRand;

    fn equals_arkworks<C: MontConfig<4>>(value: Element<C>) {
        assert_eq!(invert(&value), value.inverse(), "{value}");
    }

    fn edges<C: MontConfig<4>>() -> Vec<Element<C>> {
        let two = Element::<C>::one() + Element::<C>::one();
        let powers: Vec<Element<C>> = (0..256u64).map(|power| two.pow([power])).collect();
        // Raw words too: it is they that are inverted.
        let raw = |word: usize, bit: u32| {
            let mut words = [0; 4];
            words[word] = 1 << bit;
            Element::<C>::new_unchecked(BigInt(words))
        };
        let raw = (0..3).flat_map(|word| (0..64).map(move |bit| raw(word, bit)));
        let near = powers.iter().flat_map(|power| [*power, -*power, *power + Element::<C>::one()]);
        near.chain(raw.flat_map(|value| [value, -value])).chain([Element::<C>::zero()]).collect()
    }

    #[test]
    fn invert_edges_and_random_values_equals_arkworks() {
        let mut rng = ark_std::test_rng();
        edges::<FrConfig>().into_iter().for_each(equals_arkworks);
        edges::<FqConfig>().into_iter().for_each(equals_arkworks);
        for _ in 0..20_000 {
            equals_arkworks(Fr::rand(&mut rng));
            equals_arkworks(Fq::rand(&mut rng));
        }
    }

    /// `cargo test --release measure_invert -- --ignored --nocapture`
    #[test]
    #[ignore = "a measurement"]
    fn measure_invert() {
        let rng = &mut ark_std::test_rng();
        let values: Vec<Fr> = (0..10_000).map(|_| Fr::rand(rng)).collect();
        let time = |name: &str, invert: &dyn Fn(&Fr) -> Option<Fr>| {
            let start = std::time::Instant::now();
            let sum: Fr = values.iter().filter_map(invert).sum();
            println!("{name}: {:?} each ({sum})", start.elapsed() / values.len() as u32);
        };
        time("arkworks", &Fr::inverse);
        time("divisions", &invert);
    }
}
