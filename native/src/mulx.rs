//! Scalar arithmetic of BN254's two fields in words of 64 bits: products by mulx and the two carry chains of adcx and
//! adox, and nothing that branches on values, as half of such branches would be foreseen wrongly.
//!
//! A product goes row by row: a word of the left factor times the right one, then the multiple of p that clears the lowest word, which
//! is dropped. With 2^256 > 5.2 p five words hold all that there is in between, also where each row adds the products
//! of two pairs: 2^64 (2 p + p) + 3 p < 2^320. The result is below (k p / 2^256 + 1) p for k pairs: one subtraction of p
//! makes it canonical. A product takes 36 word multiplications, and at one a cycle that is nearly what it costs.
//!
//! Where the compiler was not told that the machine has these instructions, arkworks multiplies.

use ark_ff::{BigInt, Fp, MontBackend, MontConfig};
use std::marker::PhantomData;

/// An element of a field of four words.
pub type Element<T> = Fp<MontBackend<T, 4>, 4>;

/// a b.
#[inline(always)]
pub fn product<T: MontConfig<4>>(a: &Element<T>, b: &Element<T>) -> Element<T> {
    words::product(a, b)
}

/// The sum of a\[i\] b\[i\].
#[inline(always)]
pub fn sum_of_products<T: MontConfig<4>>(a: &[Element<T>; 2], b: &[Element<T>; 2]) -> Element<T> {
    words::sum_of_products(a, b)
}

/// a + b.
#[inline(always)]
pub fn sum<T: MontConfig<4>>(a: &Element<T>, b: &Element<T>) -> Element<T> {
    let words = add(&a.0 .0, &b.0 .0);
    let (less, borrow) = subtract(&words, &T::MODULUS.0);
    select(borrow, &Fp(BigInt(words), PhantomData), &Fp(BigInt(less), PhantomData))
}

/// a - b.
#[inline(always)]
pub fn difference<T: MontConfig<4>>(a: &Element<T>, b: &Element<T>) -> Element<T> {
    let (less, borrow) = subtract(&a.0 .0, &b.0 .0);
    let mask = u64::from(borrow).wrapping_neg();
    let [p0, p1, p2, p3] = T::MODULUS.0;
    Fp(BigInt(add(&less, &[p0 & mask, p1 & mask, p2 & mask, p3 & mask])), PhantomData)
}

/// -a or a.
#[inline(always)]
pub fn negated_if<T: MontConfig<4>>(a: &Element<T>, negative: bool) -> Element<T> {
    select(negative, &difference(&Element::<T>::new_unchecked(BigInt([0; 4])), a), a)
}

// Loops and not `array::from_fn`, whose closures the compiler leaves as calls here.

#[inline(always)]
fn select<T: MontConfig<4>>(first: bool, a: &Element<T>, b: &Element<T>) -> Element<T> {
    let mask = u64::from(first).wrapping_neg();
    let mut words = b.0 .0;
    for (word, other) in words.iter_mut().zip(a.0 .0) {
        *word ^= (other ^ *word) & mask;
    }
    Fp(BigInt(words), PhantomData)
}

/// a + b modulo 2^256.
#[inline(always)]
fn add(a: &[u64; 4], b: &[u64; 4]) -> [u64; 4] {
    let (mut sum, mut carry) = ([0; 4], 0);
    for at in 0..4 {
        let wide = u128::from(a[at]) + u128::from(b[at]) + carry;
        carry = wide >> 64;
        sum[at] = wide as u64;
    }
    sum
}

/// a - b modulo 2^256, and whether b is the larger.
#[inline(always)]
fn subtract(a: &[u64; 4], b: &[u64; 4]) -> ([u64; 4], bool) {
    let (mut less, mut borrow) = ([0; 4], false);
    for at in 0..4 {
        let (word, first) = a[at].overflowing_sub(b[at]);
        let (word, second) = word.overflowing_sub(u64::from(borrow));
        borrow = first | second;
        less[at] = word;
    }
    (less, borrow)
}

#[cfg(not(all(target_arch = "x86_64", target_feature = "bmi2", target_feature = "adx")))]
mod words {
    use super::{Element, MontConfig};

    pub fn product<T: MontConfig<4>>(a: &Element<T>, b: &Element<T>) -> Element<T> {
        *a * b
    }

    pub fn sum_of_products<T: MontConfig<4>>(a: &[Element<T>; 2], b: &[Element<T>; 2]) -> Element<T> {
        T::sum_of_products(a, b)
    }
}

#[cfg(all(target_arch = "x86_64", target_feature = "bmi2", target_feature = "adx"))]
mod words {
    use super::{select, subtract, BigInt, Element, Fp, MontConfig, PhantomData};
    use std::arch::asm;

    type Words = [u64; 4];

    /// What a row reads: the assembly knows where.
    #[repr(C)]
    struct Constants {
        modulus: Words,
        /// -1 / p modulo 2^64.
        inverse: u64,
    }

    struct Of<T>(PhantomData<T>);

    impl<T: MontConfig<4>> Of<T> {
        const CONSTANTS: Constants = Constants { modulus: T::MODULUS.0, inverse: T::INV };
    }

    /// Adds the product of the word at `$a` and the four at `$b` to five words.
    macro_rules! add_row {
        ($a:literal * $b:literal => $r0:literal $r1:literal $r2:literal $r3:literal $r4:literal) => {
            concat!(
                "mov rdx, qword ptr [", $a, "]\n",
                row!($b => $r0 $r1 $r2 $r3 $r4),
            )
        };
    }

    /// Adds the multiple of p that makes the lowest of five words zero.
    macro_rules! clear_lowest {
        ($r0:literal $r1:literal $r2:literal $r3:literal $r4:literal) => {
            concat!(
                "mov rdx, ", $r0, "\n",
                "imul rdx, qword ptr [{constants} + 32]\n",
                row!("{constants}" => $r0 $r1 $r2 $r3 $r4),
            )
        };
    }

    /// Adds rdx times the four words at `$b`: low halves in the chain of the carry flag, high ones in that of overflow.
    #[rustfmt::skip]
    macro_rules! row {
        ($b:literal => $r0:literal $r1:literal $r2:literal $r3:literal $r4:literal) => {
            concat!(
                "xor {low:e}, {low:e}\n", // clears both flags
                "mulx {high}, {low}, qword ptr [", $b, "]\n",      "adcx ", $r0, ", {low}\n", "adox ", $r1, ", {high}\n",
                "mulx {high}, {low}, qword ptr [", $b, " + 8]\n",  "adcx ", $r1, ", {low}\n", "adox ", $r2, ", {high}\n",
                "mulx {high}, {low}, qword ptr [", $b, " + 16]\n", "adcx ", $r2, ", {low}\n", "adox ", $r3, ", {high}\n",
                "mulx {high}, {low}, qword ptr [", $b, " + 24]\n", "adcx ", $r3, ", {low}\n", "adox ", $r4, ", {high}\n",
                "mov {low:e}, 0\n", // leaves the flags
                "adcx ", $r4, ", {low}\n",
            )
        };
    }

    /// Runs the rows over five words that are zero first and end in the order 4, 0, 1, 2 (3 is what was dropped last).
    macro_rules! rows {
        ($a:ident, $b:ident, $constants:expr, $($row:expr),*) => {{
            let (r0, r1, r2, r3): (u64, u64, u64, u64);
            // SAFETY: reads four words (eight for two pairs) at `a` and at `b`, which are references to that many, and
            // the constants; writes registers that are named, and the flags.
            #[allow(unsafe_code)]
            unsafe {
                asm!(
                    "xor {r0:e}, {r0:e}", "xor {r1:e}, {r1:e}", "xor {r2:e}, {r2:e}", "xor {r3:e}, {r3:e}", "xor {r4:e}, {r4:e}",
                    $($row,)*
                    a = in(reg) $a.as_ptr(), b = in(reg) $b.as_ptr(), constants = in(reg) $constants,
                    r0 = out(reg) r1, r1 = out(reg) r2, r2 = out(reg) r3, r3 = out(reg) _, r4 = out(reg) r0,
                    low = out(reg) _, high = out(reg) _, out("rdx") _,
                    options(pure, readonly, nostack),
                );
            }
            [r0, r1, r2, r3]
        }};
    }

    #[inline(always)]
    pub fn product<T: MontConfig<4>>(a: &Element<T>, b: &Element<T>) -> Element<T> {
        let (a, b) = (&a.0 .0, &b.0 .0);
        canonical::<T>(rows!(
            a,
            b,
            &Of::<T>::CONSTANTS,
            add_row!("{a}" * "{b}" => "{r0}" "{r1}" "{r2}" "{r3}" "{r4}"),
            clear_lowest!("{r0}" "{r1}" "{r2}" "{r3}" "{r4}"),
            add_row!("{a} + 8" * "{b}" => "{r1}" "{r2}" "{r3}" "{r4}" "{r0}"),
            clear_lowest!("{r1}" "{r2}" "{r3}" "{r4}" "{r0}"),
            add_row!("{a} + 16" * "{b}" => "{r2}" "{r3}" "{r4}" "{r0}" "{r1}"),
            clear_lowest!("{r2}" "{r3}" "{r4}" "{r0}" "{r1}"),
            add_row!("{a} + 24" * "{b}" => "{r3}" "{r4}" "{r0}" "{r1}" "{r2}"),
            clear_lowest!("{r3}" "{r4}" "{r0}" "{r1}" "{r2}")
        ))
    }

    #[inline(always)]
    pub fn sum_of_products<T: MontConfig<4>>(a: &[Element<T>; 2], b: &[Element<T>; 2]) -> Element<T> {
        let (a, b): ([Words; 2], [Words; 2]) = ([a[0].0 .0, a[1].0 .0], [b[0].0 .0, b[1].0 .0]);
        canonical::<T>(rows!(
            a,
            b,
            &Of::<T>::CONSTANTS,
            add_row!("{a}" * "{b}" => "{r0}" "{r1}" "{r2}" "{r3}" "{r4}"),
            add_row!("{a} + 32" * "{b} + 32" => "{r0}" "{r1}" "{r2}" "{r3}" "{r4}"),
            clear_lowest!("{r0}" "{r1}" "{r2}" "{r3}" "{r4}"),
            add_row!("{a} + 8" * "{b}" => "{r1}" "{r2}" "{r3}" "{r4}" "{r0}"),
            add_row!("{a} + 40" * "{b} + 32" => "{r1}" "{r2}" "{r3}" "{r4}" "{r0}"),
            clear_lowest!("{r1}" "{r2}" "{r3}" "{r4}" "{r0}"),
            add_row!("{a} + 16" * "{b}" => "{r2}" "{r3}" "{r4}" "{r0}" "{r1}"),
            add_row!("{a} + 48" * "{b} + 32" => "{r2}" "{r3}" "{r4}" "{r0}" "{r1}"),
            clear_lowest!("{r2}" "{r3}" "{r4}" "{r0}" "{r1}"),
            add_row!("{a} + 24" * "{b}" => "{r3}" "{r4}" "{r0}" "{r1}" "{r2}"),
            add_row!("{a} + 56" * "{b} + 32" => "{r3}" "{r4}" "{r0}" "{r1}" "{r2}"),
            clear_lowest!("{r3}" "{r4}" "{r0}" "{r1}" "{r2}")
        ))
    }

    /// Takes a value below 2 p.
    #[inline(always)]
    fn canonical<T: MontConfig<4>>(value: Words) -> Element<T> {
        let (less, borrow) = subtract(&value, &T::MODULUS.0);
        select(borrow, &Fp(BigInt(value), PhantomData), &Fp(BigInt(less), PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lanes_tests::cases;
    use ark_bn254::{FqConfig, FrConfig};
    use ark_ff::{BigInt, UniformRand};

    /// Against arkworks: every pair of edge values, then random ones.
    fn check<T: MontConfig<4>>() {
        let mut rng = ark_std::test_rng();
        let mut edges: Vec<Element<T>> = vec![0u64.into(), 1u64.into(), (-1i64).into()];
        // As they lie in memory: words of ones and zeros, where carries run through or stop, and just below p.
        let [low, second, third, top] = T::MODULUS.0;
        let near = (1..4).map(|less| BigInt([low - less, second, third, top]));
        let patterns = (0..32).map(|bits: u32| {
            let word = |at: u32| if bits >> at & 1 == 1 { u64::MAX } else { 0 };
            BigInt([word(0), word(1), word(2), if bits >> 4 == 1 { top - (word(3) & 1) } else { word(3) >> 3 }])
        });
        edges.extend(near.chain(patterns).filter(|value| *value < T::MODULUS).map(Element::<T>::new_unchecked));
        for a in &edges {
            for b in &edges {
                assert_eq!(product(a, b), *a * b);
                assert_eq!([sum(a, b), difference(a, b)], [*a + b, *a - b]);
                assert_eq!([false, true].map(|negative| negated_if(a, negative)), [*a, -*a]);
                assert_eq!(sum_of_products(&[*a, *b], &[*b, *a]), *a * b + *a * b);
                assert_eq!(sum_of_products(&[*a, *a], &[*b, edges[2]]), *a * b - a);
            }
        }
        for _ in 0..cases() {
            let [a, b, c, d] = std::array::from_fn(|_| Element::<T>::rand(&mut rng));
            assert_eq!(product(&a, &b), a * b);
            assert_eq!([sum(&a, &b), difference(&a, &b)], [a + b, a - b]);
            assert_eq!(sum_of_products(&[a, b], &[c, d]), a * c + b * d);
        }
    }

    #[test]
    fn mulx_products_of_edges_and_random_values_are_arkworks() {
        if cfg!(not(all(target_feature = "bmi2", target_feature = "adx"))) {
            eprintln!("SKIPPED: this machine has no mulx and adx kernels");
        }
        check::<FqConfig>();
        check::<FrConfig>();
    }
}
