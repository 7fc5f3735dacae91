//! Baby Jubjub as circomlib has it: 168700 x^2 + y^2 = 1 + 168696 x^2 y^2 over the scalar field of BN254.
//!
//! Source: EIP-2494 and circomlib's `babyjub.circom`. The group has 8 l points and is cyclic; signatures live in its
//! subgroup of prime order l, made by [`BASE8`]. As a is a square and d is not, the addition law has no exceptions.
//! Not constant time.

use std::sync::LazyLock;

use ark_bn254::Fr;
use ark_ec::twisted_edwards::{self, MontCurveConfig, TECurveConfig};
use ark_ec::{scalar_mul::wnaf::WnafContext, AffineRepr, CurveConfig, CurveGroup};
use ark_ff::{AdditiveGroup, BigInteger, BigInteger256, Field, Fp256, MontBackend, MontFp, One, PrimeField, Zero};

pub use scalar::ScalarConfig;

#[allow(unexpected_cfgs)] // the derive asks for a feature of ark-ff's, not of ours
mod scalar {
    use ark_ff::MontConfig;

    #[derive(MontConfig)]
    #[modulus = "2736030358979909402780800718157159386076813972158567259200215660948447373041"]
    #[generator = "31"]
    pub struct ScalarConfig;
}

/// Integers modulo l, the order of the subgroup.
pub type Scalar = Fp256<MontBackend<ScalarConfig, 4>>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BabyJubConfig;

/// A point (x, y); [`Point::is_on_curve`] tells whether it is one.
pub type Point = twisted_edwards::Affine<BabyJubConfig>;

/// The same in extended coordinates.
pub type ExtendedPoint = twisted_edwards::Projective<BabyJubConfig>;

/// 8 times circomlib's generator; of order l.
pub const BASE8: Point = Point::new_unchecked(
    MontFp!("5299619240641551281634865583518297030282874472190772894086521144482721001553"),
    MontFp!("16950150798460657717958625567821834550301663161624707787222815936182638968203"),
);

impl CurveConfig for BabyJubConfig {
    type BaseField = Fr;
    type ScalarField = Scalar;
    const COFACTOR: &'static [u64] = &[8];
    /// 1 / 8 modulo l.
    const COFACTOR_INV: Scalar =
        MontFp!("2394026564107420727433200628387514462817212225638746351800188703329891451411");
}

impl TECurveConfig for BabyJubConfig {
    const COEFF_A: Fr = MontFp!("168700");
    const COEFF_D: Fr = MontFp!("168696");
    const GENERATOR: Point = BASE8;
    type MontCurveConfig = Self;

    fn is_in_correct_subgroup_assuming_on_curve(point: &Point) -> bool {
        SUBGROUP_TEST.contains(point)
    }
}

/// v^2 = u^3 + A u^2 + u with u = (1 + y) / (1 - y), v = u / x.
impl MontCurveConfig for BabyJubConfig {
    const COEFF_A: Fr = MontFp!("168698");
    const COEFF_B: Fr = Fr::ONE;
    type TECurveConfig = Self;
}

/// On the curve and of an order that divides l. The identity (0, 1) is.
pub fn is_in_subgroup(point: &Point) -> bool {
    point.is_on_curve() && point.is_in_correct_subgroup_assuming_on_curve()
}

/// `scalar * point` for a point of the subgroup (on others, `scalar` would count modulo 8 l, not l).
pub fn multiply(point: &Point, scalar: &Scalar) -> ExtendedPoint {
    const WINDOW_BITS: usize = 5;
    WnafContext::new(WINDOW_BITS).mul(point.into_group(), scalar)
}

/// `scalar * BASE8`, from a table.
pub fn multiply_base(scalar: &Scalar) -> ExtendedPoint {
    static TABLE: LazyLock<BaseTable> = LazyLock::new(BaseTable::new);
    TABLE.multiply(scalar)
}

/// The sum of all `scalar * point`, by buckets, in the calling thread: arkworks' makes threads anew for each call, which
/// cost more than the sum of some hundred points. On points outside the subgroup as [`multiply`].
pub fn combine(points: &[Point], scalars: &[Scalar]) -> ExtendedPoint {
    let size_bits = (usize::BITS - points.len().leading_zeros()) as usize;
    let window_bits = size_bits * 7 / 10 + 1;
    // One bit above the largest scalar, for the last carry.
    let windows = Scalar::MODULUS_BIT_SIZE as usize / window_bits + 1;
    let digits: Vec<Vec<isize>> = scalars.iter().map(|scalar| signed_digits(scalar, window_bits, windows)).collect();
    let mut sum = ExtendedPoint::zero();
    for window in (0..windows).rev() {
        (0..window_bits).for_each(|_| {
            sum.double_in_place();
        });
        let mut buckets = vec![ExtendedPoint::zero(); 1 << (window_bits - 1)];
        for (point, digits) in points.iter().zip(&digits) {
            match digits[window] {
                0 => {}
                digit if digit > 0 => buckets[digit as usize - 1] += point,
                digit => buckets[digit.unsigned_abs() - 1] -= point,
            }
        }
        let mut running = ExtendedPoint::zero();
        for bucket in buckets.iter().rev() {
            running += bucket;
            sum += running;
        }
    }
    sum
}

/// Digits of `bits` bits, the lowest first, each above -2^(bits - 1) and at most 2^(bits - 1).
fn signed_digits(scalar: &Scalar, bits: usize, count: usize) -> Vec<isize> {
    let words = scalar.into_bigint().0;
    let mut carry = 0;
    let digit = |place: usize| {
        let (word, shift) = (place * bits / 64, place * bits % 64);
        let at = |word: usize| u128::from(words.get(word).copied().unwrap_or(0));
        let digit = ((at(word) | at(word + 1) << 64) >> shift) as isize & ((1 << bits) - 1);
        let digit = digit + carry;
        carry = isize::from(digit > 1 << (bits - 1));
        digit - (carry << bits)
    };
    (0..count).map(digit).collect()
}

/// Row i holds 0, 1, ..., 63 times 64^i BASE8.
struct BaseTable(Vec<Vec<Point>>);

impl BaseTable {
    const WINDOW_BITS: usize = 6;

    fn new() -> Self {
        let windows = (Scalar::MODULUS_BIT_SIZE as usize).div_ceil(Self::WINDOW_BITS);
        let mut base = BASE8.into_group();
        let rows = (0..windows).map(|_| {
            let mut row = vec![ExtendedPoint::zero()];
            (1..1 << Self::WINDOW_BITS).for_each(|i| row.push(row[i - 1] + base));
            base += row[row.len() - 1];
            ExtendedPoint::normalize_batch(&row)
        });
        Self(rows.collect())
    }

    fn multiply(&self, scalar: &Scalar) -> ExtendedPoint {
        let bits = scalar.into_bigint().to_bits_le();
        let digits = bits
            .chunks(Self::WINDOW_BITS)
            .map(|window| window.iter().rev().fold(0, |digit, bit| digit << 1 | usize::from(*bit)));
        self.0.iter().zip(digits).filter(|(_, digit)| *digit != 0).map(|(row, digit)| row[digit]).sum()
    }
}

/// Membership by the Tate pairing: one exponentiation instead of a multiplication by l.
///
/// r - 1 is divisible by 8 and the curve's 8-torsion is cyclic, made by some T. So the reduced pairing
/// (T, P) -> f(P)^((r - 1) / 8), with div f = 8 (T) - 8 (O), is non-degenerate on <T> x E / 8E, and it is 1 if and only
/// if P is in 8 E, which is the subgroup of order l. Source: Koshelev, <https://eprint.iacr.org/2022/037>.
///
/// On the Montgomery form f = t^4 s^2 / (w^4 u), where t and s are the tangents at T and at 2T, w is the vertical
/// through 2T and u that through 4T = (0, 0). Only f modulo eighth powers matters, so a division by z is a
/// multiplication by z^7, and every line may be multiplied by the common denominator c = (1 - y) x.
struct SubgroupTest {
    tangent_slope: Fr,
    tangent_offset: Fr,
    second_slope: Fr,
    second_u: Fr,
}

static SUBGROUP_TEST: LazyLock<SubgroupTest> = LazyLock::new(SubgroupTest::new);

impl SubgroupTest {
    fn new() -> Self {
        let (u, v) = montgomery(&point_of_order_8());
        let tangent_slope = tangent_slope(u, v);
        let (second_u, second_v) = montgomery(&(point_of_order_8() + point_of_order_8()).into_affine());
        Self {
            tangent_slope,
            tangent_offset: v - tangent_slope * u,
            // This tangent meets (0, 0).
            second_slope: second_v / second_u,
            second_u,
        }
    }

    /// Whether a point of the curve is in the subgroup.
    fn contains(&self, point: &Point) -> bool {
        let (x, above) = (point.x, Fr::one() + point.y);
        let c = (Fr::one() - point.y) * x;
        let (u, v) = (above * x, above);
        let tangent = v - self.tangent_slope * u - self.tangent_offset * c;
        let second = v - self.second_slope * u;
        let vertical = u - self.second_u * c;
        // c^7 clears the denominator: 4 + 2 + 4 + 7 + 7 = 24.
        let fourth = (tangent * vertical).square().square();
        let cu = c * u;
        let seventh = cu.square().square() * cu.square() * cu;
        let f = fourth * second.square() * seventh;
        // f vanishes only on points whose order divides 8.
        if f.is_zero() {
            point.is_zero()
        } else {
            f.pow(EIGHTH_POWER_EXPONENT).is_one()
        }
    }
}

/// (r - 1) / 8.
const EIGHTH_POWER_EXPONENT: BigInteger256 =
    Fr::MODULUS.divide_by_2_round_down().divide_by_2_round_down().divide_by_2_round_down();

fn montgomery(point: &Point) -> (Fr, Fr) {
    let u = (Fr::one() + point.y) / (Fr::one() - point.y);
    (u, u / point.x)
}

fn tangent_slope(u: Fr, v: Fr) -> Fr {
    let a = <BabyJubConfig as MontCurveConfig>::COEFF_A;
    (u.square() * Fr::from(3) + a * u.double() + Fr::one()) / v.double()
}

fn point_of_order_8() -> Point {
    let candidates = (2u64..).filter_map(|y| Point::get_point_from_y_unchecked(Fr::from(y), false));
    let mut torsion = candidates.map(|point| point.mul_bigint(Scalar::MODULUS));
    torsion.find(|point| !point.double().double().is_zero()).expect("the group is cyclic").into_affine()
}

/// 32 bytes: y, little endian, and in the top bit whether x > (r - 1) / 2. As circomlibjs' `packPoint`.
pub fn compress(point: &Point) -> [u8; 32] {
    let mut bytes = [0; 32];
    bytes.copy_from_slice(&point.y.into_bigint().to_bytes_le());
    if point.x.into_bigint() > Fr::MODULUS_MINUS_ONE_DIV_TWO {
        bytes[31] |= 0x80;
    }
    bytes
}

/// The inverse of [`compress`]; none for bytes that it does not return. The point need not be in the subgroup.
pub fn decompress(bytes: &[u8; 32]) -> Option<Point> {
    let mut words = [0; 4];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks_exact(8)) {
        *word = chunk.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
    }
    words[3] &= u64::MAX >> 1;
    let y = Fr::from_bigint(BigInteger256::new(words))?;
    let point = Point::get_point_from_y_unchecked(y, bytes[31] & 0x80 != 0)?;
    (compress(&point) == *bytes).then_some(point)
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ark_ec::PrimeGroup;
    use ark_ff::UniformRand;

    /// The points whose order divides 8, found by multiplying curve points by l.
    pub(crate) fn torsion_points() -> Vec<Point> {
        let generator = point_of_order_8().into_group();
        (0..8u64).map(|i| generator.mul_bigint([i]).into_affine()).collect()
    }

    #[test]
    fn torsion_points_are_eight_distinct_points_of_the_curve() {
        let points = torsion_points();
        for (i, point) in points.iter().enumerate() {
            assert!(point.is_on_curve() && !points[..i].contains(point));
            assert!(point.mul_bigint([8]).is_zero());
        }
        assert_eq!(Point::new_unchecked(Fr::zero(), -Fr::one()), points[4]);
    }

    #[test]
    fn is_in_subgroup_every_coset_agrees_with_multiplying_by_the_order() {
        let mut rng = ark_std::test_rng();
        for torsion in torsion_points() {
            for round in 0..40 {
                let scalar = if round == 0 { Scalar::zero() } else { Scalar::rand(&mut rng) };
                let point = (multiply(&BASE8, &scalar) + torsion).into_affine();
                assert_eq!(point.mul_bigint(Scalar::MODULUS).is_zero(), torsion.is_zero());
                assert_eq!(is_in_subgroup(&point), torsion.is_zero(), "{point} {torsion}");
            }
        }
    }

    #[test]
    fn is_in_subgroup_small_curve_points_agrees_with_multiplying_by_the_order() {
        for y in 0..200u64 {
            for greatest in [false, true] {
                let Some(point) = Point::get_point_from_y_unchecked(y.into(), greatest) else {
                    continue;
                };
                assert_eq!(is_in_subgroup(&point), point.mul_bigint(Scalar::MODULUS).is_zero());
            }
        }
    }

    #[test]
    fn is_in_subgroup_off_curve_is_false() {
        assert!(!is_in_subgroup(&Point::new_unchecked(Fr::zero(), Fr::zero())));
        assert!(!is_in_subgroup(&Point::new_unchecked(Fr::one(), Fr::one())));
    }

    #[test]
    fn multiply_edge_and_random_scalars_agrees_with_double_and_add() {
        let mut rng = ark_std::test_rng();
        let mut scalars: Vec<Scalar> = (0..20).map(|_| Scalar::rand(&mut rng)).collect();
        scalars.extend([Scalar::zero(), Scalar::one(), -Scalar::one(), Scalar::from(64)]);
        for scalar in scalars {
            let expected = BASE8.mul_bigint(scalar.into_bigint());
            assert_eq!(multiply_base(&scalar), expected);
            assert_eq!(multiply(&BASE8, &scalar), expected);
        }
    }

    #[test]
    fn combine_edge_and_random_scalars_agrees_with_multiplying_each() {
        let mut rng = ark_std::test_rng();
        for count in [0, 1, 2, 3, 8, 33, 200, 600] {
            let mut scalars: Vec<Scalar> = (0..count).map(|_| Scalar::rand(&mut rng)).collect();
            for (place, edge) in [Scalar::zero(), -Scalar::one(), Scalar::from(u128::MAX)].into_iter().enumerate() {
                scalars.iter_mut().skip(place).step_by(7).for_each(|scalar| *scalar = edge);
            }
            let points: Vec<Point> =
                (0..count).map(|i| multiply_base(&Scalar::from(i as u64 / 2)).into_affine()).collect();
            let expected: ExtendedPoint = points.iter().zip(&scalars).map(|(point, scalar)| *point * scalar).sum();
            assert_eq!(combine(&points, &scalars), expected, "{count} points");
        }
    }

    #[test]
    fn constants_cofactor_inverse_times_cofactor_is_one() {
        assert!((BabyJubConfig::COFACTOR_INV * Scalar::from(8)).is_one());
    }

    #[test]
    fn decompress_what_compress_gave_returns_the_point() {
        let mut rng = ark_std::test_rng();
        for _ in 0..20 {
            let point = multiply_base(&Scalar::rand(&mut rng)).into_affine();
            assert_eq!(decompress(&compress(&point)), Some(point));
        }
        torsion_points().iter().for_each(|point| assert_eq!(decompress(&compress(point)), Some(*point)));
    }

    #[test]
    fn decompress_non_canonical_bytes_is_refused() {
        let modulus: Vec<u8> = Fr::MODULUS.to_bytes_le();
        let modulus: [u8; 32] = modulus.try_into().expect("32 bytes");
        assert_eq!(decompress(&modulus), None);
        let mut signed_zero = compress(&Point::zero());
        signed_zero[31] |= 0x80;
        assert_eq!(decompress(&signed_zero), None);
    }
}
