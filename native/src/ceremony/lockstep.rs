//! Additions and doublings of many independent points, with one inversion shared by a batch.

use ark_bn254::{Fr, G1Affine};
use ark_ec::scalar_mul::glv::GLVConfig;
use ark_ff::{AdditiveGroup, BigInteger, Field, PrimeField, Zero};

use crate::batch_affine::{Curve, Point};

/// Additions that share one inversion.
const BATCH: usize = 1024;
/// Digits of scalars are odd and below 2^WIDTH - 1, at least WIDTH - 1 places apart.
pub const WIDTH: usize = 5;
/// Odd multiples 1, 3, ... of a point that digits ask for.
pub const MULTIPLES: usize = 1 << (WIDTH - 2);

/// `left + right` of each pair.
pub fn add_pairs<C: Curve>(pairs: &[(Point<C>, Point<C>)]) -> Vec<Point<C>> {
    let mut sums = Vec::with_capacity(pairs.len());
    for pairs in pairs.chunks(BATCH) {
        let mut denominators: Vec<C::BaseField> = pairs.iter().map(denominator).collect();
        ark_ff::batch_inversion(&mut denominators);
        sums.extend(pairs.iter().zip(&denominators).map(|(pair, inverse)| add(pair, inverse)));
    }
    sums
}

/// Zero where no inverse is needed.
fn denominator<C: Curve>((left, right): &(Point<C>, Point<C>)) -> C::BaseField {
    if left.is_infinity() || right.is_infinity() {
        return C::BaseField::ZERO;
    }
    if left.x != right.x {
        return right.x - left.x;
    }
    if left.y == right.y {
        left.y.double()
    } else {
        C::BaseField::ZERO
    }
}

fn add<C: Curve>((left, right): &(Point<C>, Point<C>), inverse: &C::BaseField) -> Point<C> {
    if left.is_infinity() {
        return *right;
    }
    if right.is_infinity() {
        return *left;
    }
    if inverse.is_zero() {
        return Point::INFINITY;
    }
    let numerator = if left.x == right.x {
        let square = left.x.square();
        square.double() + square
    } else {
        right.y - left.y
    };
    let slope = numerator * inverse;
    let x = slope.square() - left.x - right.x;
    Point { x, y: slope * (left.x - x) - left.y }
}

pub fn double_all<C: Curve>(points: &mut [Point<C>]) {
    for points in points.chunks_mut(BATCH) {
        let mut denominators: Vec<C::BaseField> = points.iter().map(|point| point.y.double()).collect();
        ark_ff::batch_inversion(&mut denominators);
        for (point, inverse) in points.iter_mut().zip(&denominators) {
            if point.is_infinity() {
                continue;
            }
            let square = point.x.square();
            let slope = (square.double() + square) * inverse;
            let x = slope.square() - point.x.double();
            point.y = slope * (point.x - x) - point.y;
            point.x = x;
        }
    }
}

/// The odd multiples of each point, `MULTIPLES` after one another.
pub fn odd_multiples<C: Curve>(points: &[Point<C>]) -> Vec<Point<C>> {
    let mut doubles = points.to_vec();
    double_all(&mut doubles);
    let mut table = vec![Point::INFINITY; points.len() * MULTIPLES];
    let mut last = points.to_vec();
    for step in 0..MULTIPLES {
        for (index, point) in last.iter().enumerate() {
            table[index * MULTIPLES + step] = *point;
        }
        if step + 1 < MULTIPLES {
            let pairs: Vec<_> = last.iter().copied().zip(doubles.iter().copied()).collect();
            last = add_pairs(&pairs);
        }
    }
    table
}

/// The signed digits of a scalar, lowest first: zero or odd. Of a scalar above r / 2, those of its negative, negated.
pub fn digits(scalar: &Fr) -> Vec<i8> {
    let value = scalar.into_bigint();
    let is_negative = value > Fr::MODULUS_MINUS_ONE_DIV_TWO;
    let value = if is_negative { (-*scalar).into_bigint() } else { value };
    let sign = if is_negative { -1 } else { 1 };
    value.find_wnaf(WIDTH).unwrap_or_default().iter().map(|digit| sign * *digit as i8).collect()
}

/// The multiple that a digit asks for, out of a point's `MULTIPLES`.
pub fn pick<C: Curve>(multiples: &[Point<C>], digit: i8) -> Point<C> {
    multiples[usize::from(digit.unsigned_abs() / 2)].negated_if(digit < 0)
}

/// `scalar` times each point of G1, by the curve's endomorphism: half as many doublings.
pub fn scale(points: &[Point<ark_bn254::g1::Config>], scalar: &Fr) -> Vec<Point<ark_bn254::g1::Config>> {
    type Config = ark_bn254::g1::Config;
    let ((is_positive, low), (is_positive_endo, high)) = Config::scalar_decomposition(*scalar);
    let signed = |digits: Vec<i8>, is_positive: bool| -> Vec<i8> {
        digits.into_iter().map(|digit| if is_positive { digit } else { -digit }).collect()
    };
    let (low, high) = (signed(digits(&low), is_positive), signed(digits(&high), is_positive_endo));
    let table = odd_multiples(points);
    let mut sums = vec![Point::INFINITY; points.len()];
    let add_digit = |sums: &mut Vec<Point<Config>>, digit: i8, is_endo: bool| {
        if digit == 0 {
            return;
        }
        let pairs: Vec<_> = sums
            .iter()
            .zip(table.chunks_exact(MULTIPLES))
            .map(|(sum, multiples)| {
                let mut point = pick(multiples, digit);
                if is_endo {
                    let image: G1Affine = Config::endomorphism_affine(&point.to_affine());
                    point = Point::from_affine(&image);
                }
                (*sum, point)
            })
            .collect();
        *sums = add_pairs(&pairs);
    };
    for place in (0..low.len().max(high.len())).rev() {
        double_all(&mut sums);
        add_digit(&mut sums, low.get(place).copied().unwrap_or_default(), false);
        add_digit(&mut sums, high.get(place).copied().unwrap_or_default(), true);
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use ark_bn254::{g1, G1Projective};
    use ark_ec::{CurveGroup, PrimeGroup};
    use ark_ff::{One, UniformRand};

    fn multiples(count: i64) -> Vec<Point<g1::Config>> {
        let at = |index: i64| (G1Projective::generator() * Fr::from(index - 3)).into_affine();
        (0..count).map(|index| Point::from_affine(&at(index))).collect()
    }

    #[test]
    fn sums_of_all_kinds_of_pairs_equal_those_of_arkworks() {
        let points = multiples(7);
        let pairs: Vec<_> = points.iter().flat_map(|left| points.iter().map(|right| (*left, *right))).collect();
        for ((left, right), sum) in pairs.iter().zip(add_pairs(&pairs)) {
            assert_eq!(sum.to_affine(), (left.to_affine() + right.to_affine()).into_affine());
        }
        let mut doubles = points.clone();
        double_all(&mut doubles);
        for (point, double) in points.iter().zip(doubles) {
            assert_eq!(double.to_affine(), (point.to_affine() + point.to_affine()).into_affine());
        }
    }

    #[test]
    fn scaled_points_equal_those_of_arkworks() {
        let mut rng = ark_std::test_rng();
        let points = multiples(1030);
        let half = Fr::from(Fr::MODULUS_MINUS_ONE_DIV_TWO);
        for scalar in [Fr::one(), -Fr::one(), Fr::from(2u64), half, Fr::rand(&mut rng), Fr::rand(&mut rng)] {
            for (point, scaled) in points.iter().zip(scale(&points, &scalar)) {
                assert_eq!(scaled.to_affine(), (point.to_affine() * scalar).into_affine());
            }
        }
    }
}
