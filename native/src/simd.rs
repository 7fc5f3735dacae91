//! Vectors of eight 64-bit lanes, and the choice of the arithmetic at run time.
//!
//! Kernels are written once, over [`Vector`]: [`Zmm`] is AVX-512 with IFMA, `Emulated` the same operation for operation
//! without any instruction set, so that tests see every kernel's logic on every machine. Emulation is slow and only in
//! tests: where there is no IFMA, scalar code (`mulx`) does the work.
//!
//! All `unsafe` of the vectors is here, as that of the words is in `mulx`. Kernels are `#[inline(always)]` so that they become part of [`enter_zmm`], the
//! one function that is compiled for AVX-512.

use std::arch::x86_64::*;
use std::sync::atomic::{AtomicU8, Ordering};

#[cfg(test)]
use crate::simd_emulated::Emulated;

pub const LANES: usize = 8;

/// `[f(0), f(1), ... f(7)]`, written out: inside a large kernel the compiler does not inline `array::from_fn`.
macro_rules! for_lanes {
    (|$lane:ident| $value:expr) => {
        $crate::simd::written_out!($lane, $value, 0 1 2 3 4 5 6 7)
    };
}

/// `[f(0), ... f(4)]`.
macro_rules! for_limbs {
    (|$limb:ident| $value:expr) => {
        $crate::simd::written_out!($limb, $value, 0 1 2 3 4)
    };
}

macro_rules! written_out {
    ($at:ident, $value:expr, $($index:literal)*) => {
        [$({
            let $at: usize = $index;
            $value
        }),*]
    };
}

pub(crate) use {for_lanes, for_limbs, written_out};

/// Bits of a limb.
pub const LIMB: u32 = 52;
pub const LIMB_MASK: u64 = (1 << LIMB) - 1;

/// A field element as keys and arkworks hold it: four little-endian words, aligned to nothing.
pub type Row = [u8; 32];

/// The words of an element of arkworks, which are a row's bytes on the machines that have vectors.
pub type Words = [u64; 4];

/// Eight lanes of 64 bits; all operations are lane by lane, and sums wrap.
pub trait Vector: Copy {
    fn splat(value: u64) -> Self;
    fn load(from: &[u64; LANES]) -> Self;
    fn store(self, to: &mut [u64; LANES]);
    fn add(self, other: Self) -> Self;
    fn sub(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn shl<const BITS: u32>(self) -> Self;
    fn shr<const BITS: u32>(self) -> Self;
    /// With the sign.
    fn sar<const BITS: u32>(self) -> Self;
    /// `self` + the low 52 bits of the product of the low 52 bits of `a` and `b`.
    fn madd_low(self, a: Self, b: Self) -> Self;
    /// `self` + the bits above those.
    fn madd_high(self, a: Self, b: Self) -> Self;
    /// Bit i is set where lane i is zero.
    fn zeros(self) -> u8;
    /// Bit i is set where lane i is negative.
    fn negatives(self) -> u8;
    /// `yes` where the bit is set.
    fn select(mask: u8, yes: Self, no: Self) -> Self;
    /// Word j of row i goes to lane i of vector j.
    fn from_rows(rows: [&Row; LANES]) -> [Self; 4];
    /// The same, of words as they are in memory.
    fn from_words(rows: [&Words; LANES]) -> [Self; 4];
    fn to_rows(words: [Self; 4]) -> [Row; LANES];
}

/// Work that can run over either kind of vector. Implementations of `run` must be `#[inline(always)]`.
pub trait Kernel {
    type Output;
    fn run<V: Vector>(self) -> Self::Output;
}

/// Which code computes. The environment variable `SLUICE_KERNELS` (`ifma` or `scalar`) forces one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Backend {
    /// AVX-512 IFMA.
    Ifma = 1,
    /// Words of 64 bits: `mulx` where it is the heat, arkworks elsewhere.
    Scalar = 2,
    /// `Emulated` vectors.
    #[cfg(test)]
    Emulated = 3,
}

static BACKEND: AtomicU8 = AtomicU8::new(0);

impl Backend {
    #[cfg(not(test))]
    pub const ALL: [Self; 2] = [Self::Ifma, Self::Scalar];
    #[cfg(test)]
    pub const ALL: [Self; 3] = [Self::Ifma, Self::Scalar, Self::Emulated];

    pub fn name(self) -> &'static str {
        match self {
            Self::Ifma => "ifma",
            Self::Scalar => "scalar",
            #[cfg(test)]
            Self::Emulated => "emulated",
        }
    }

    /// Whether this machine can run it.
    pub fn is_available(self) -> bool {
        self != Self::Ifma || has_ifma()
    }

    /// The forced one if it is available, else the fastest that is.
    fn detect() -> Self {
        let forced = std::env::var("SLUICE_KERNELS").ok();
        let forced = Self::ALL.into_iter().find(|backend| Some(backend.name()) == forced.as_deref());
        match forced.filter(|backend| backend.is_available()) {
            Some(backend) => backend,
            None if has_ifma() => Self::Ifma,
            None => Self::Scalar,
        }
    }

    /// What the process uses; decided once.
    pub fn current() -> Self {
        match BACKEND.load(Ordering::Relaxed) {
            1 => Self::Ifma,
            2 => Self::Scalar,
            _ => {
                let backend = Self::detect();
                BACKEND.store(backend as u8, Ordering::Relaxed);
                backend
            }
        }
    }

    pub fn is_vector(self) -> bool {
        self != Self::Scalar
    }

    /// Runs a kernel over this backend's vectors.
    ///
    /// # Panics
    /// If it has none, or the machine has not what it needs.
    #[allow(unsafe_code)]
    pub fn run<K: Kernel>(self, kernel: K) -> K::Output {
        #[cfg(test)]
        if self == Self::Emulated {
            return kernel.run::<Emulated>();
        }
        assert!(self == Self::Ifma && has_ifma(), "no vectors");
        // SAFETY: the machine has every feature that `enter_zmm` is compiled for: that was just asked.
        unsafe { enter_zmm(kernel) }
    }
}

/// Asks for a value that will be read soon.
#[inline(always)]
#[allow(unsafe_code)]
pub fn prefetch<T>(value: &T) {
    // SAFETY: a prefetch, which every x86-64 has, reads nothing, and its address is that of a value.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(std::ptr::from_ref(value).cast()) }
}

/// The standard library asks the CPU once and remembers.
fn has_ifma() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512ifma")
}

#[target_feature(enable = "avx512f,avx512dq,avx512bw,avx512vl,avx512ifma")]
fn enter_zmm<K: Kernel>(kernel: K) -> K::Output {
    kernel.run::<Zmm>()
}

/// An AVX-512 register. Only [`enter_zmm`] names this type to a kernel, so code that holds one runs on a machine with
/// AVX-512 F, DQ, BW, VL and IFMA: that is the argument of every block below that says *features*.
#[derive(Clone, Copy, Debug)]
pub struct Zmm(__m512i);

macro_rules! features {
    ($value:expr) => {{
        // SAFETY: features; the intrinsics here work on registers and ask for nothing else.
        #[allow(unsafe_code)]
        unsafe {
            $value
        }
    }};
}

impl Vector for Zmm {
    #[inline(always)]
    fn splat(value: u64) -> Self {
        features!(Self(_mm512_set1_epi64(value as i64)))
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn load(from: &[u64; LANES]) -> Self {
        // SAFETY: features; `loadu` reads 64 bytes at any alignment, and eight words are 64 bytes.
        unsafe { Self(_mm512_loadu_si512(from.as_ptr().cast())) }
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn store(self, to: &mut [u64; LANES]) {
        // SAFETY: features; `storeu` writes 64 bytes at any alignment, and eight words are 64 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        features!(Self(_mm512_add_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn sub(self, other: Self) -> Self {
        features!(Self(_mm512_sub_epi64(self.0, other.0)))
    }

    #[inline(always)]
    fn and(self, other: Self) -> Self {
        features!(Self(_mm512_and_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn or(self, other: Self) -> Self {
        features!(Self(_mm512_or_si512(self.0, other.0)))
    }

    #[inline(always)]
    fn shl<const BITS: u32>(self) -> Self {
        features!(Self(_mm512_slli_epi64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn shr<const BITS: u32>(self) -> Self {
        features!(Self(_mm512_srli_epi64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn sar<const BITS: u32>(self) -> Self {
        features!(Self(_mm512_srai_epi64::<BITS>(self.0)))
    }

    #[inline(always)]
    fn madd_low(self, a: Self, b: Self) -> Self {
        features!(Self(_mm512_madd52lo_epu64(self.0, a.0, b.0)))
    }

    #[inline(always)]
    fn madd_high(self, a: Self, b: Self) -> Self {
        features!(Self(_mm512_madd52hi_epu64(self.0, a.0, b.0)))
    }

    #[inline(always)]
    fn zeros(self) -> u8 {
        features!(_mm512_testn_epi64_mask(self.0, self.0))
    }

    #[inline(always)]
    fn negatives(self) -> u8 {
        features!(_mm512_movepi64_mask(self.0))
    }

    #[inline(always)]
    fn select(mask: u8, yes: Self, no: Self) -> Self {
        features!(Self(_mm512_mask_blend_epi64(mask, no.0, yes.0)))
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn from_rows(rows: [&Row; LANES]) -> [Self; 4] {
        // SAFETY: `loadu` reads 32 bytes at any alignment, and a row is 32 bytes.
        transposed(for_lanes!(|lane| features!(_mm256_loadu_si256(rows[lane].as_ptr().cast()))))
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn from_words(rows: [&Words; LANES]) -> [Self; 4] {
        // SAFETY: `loadu` reads 32 bytes at any alignment, and four words are 32 bytes.
        transposed(for_lanes!(|lane| features!(_mm256_loadu_si256(rows[lane].as_ptr().cast()))))
    }

    #[inline(always)]
    #[allow(unsafe_code)]
    fn to_rows(words: [Self; 4]) -> [Row; LANES] {
        let [Self(a), Self(b), Self(c), Self(d)] = words;
        features!({
            let low = _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11);
            let high = _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15);
            let (even, odd) = (_mm512_unpacklo_epi64(a, b), _mm512_unpackhi_epi64(a, b));
            let (even_too, odd_too) = (_mm512_unpacklo_epi64(c, d), _mm512_unpackhi_epi64(c, d));
            let pairs = [
                _mm512_permutex2var_epi64(even, low, even_too),
                _mm512_permutex2var_epi64(odd, low, odd_too),
                _mm512_permutex2var_epi64(even, high, even_too),
                _mm512_permutex2var_epi64(odd, high, odd_too),
            ];
            // Rows (0, 2), (1, 3), (4, 6), (5, 7).
            // SAFETY: the pairs are 4 * 64 bytes, of which every pattern is valid.
            let [[zero, two], [one, three], [four, six], [five, seven]] =
                std::mem::transmute::<[__m512i; 4], [[Row; 2]; 4]>(pairs);
            [zero, one, two, three, four, five, six, seven]
        })
    }
}

/// Word j of row i goes to lane i of vector j.
#[inline(always)]
fn transposed(rows: [__m256i; LANES]) -> [Zmm; 4] {
    let [a, b, c, d, e, f, g, h] = rows;
    features!({
        let pair = |low, high| _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
        let (ae, bf, cg, dh) = (pair(a, e), pair(b, f), pair(c, g), pair(d, h));
        let low = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
        let high = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
        let (even, odd) = (_mm512_unpacklo_epi64(ae, bf), _mm512_unpackhi_epi64(ae, bf));
        let (even_too, odd_too) = (_mm512_unpacklo_epi64(cg, dh), _mm512_unpackhi_epi64(cg, dh));
        [
            Zmm(_mm512_permutex2var_epi64(even, low, even_too)),
            Zmm(_mm512_permutex2var_epi64(odd, low, odd_too)),
            Zmm(_mm512_permutex2var_epi64(even, high, even_too)),
            Zmm(_mm512_permutex2var_epi64(odd, high, odd_too)),
        ]
    })
}
