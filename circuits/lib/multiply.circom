pragma circom 2.2.0;

include "circomlib/circuits/babyjub.circom";
include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/montgomery.circom";
include "bits.circom";
include "montgomery.circom";

function BASE8() {
    return [
        5299619240641551281634865583518297030282874472190772894086521144482721001553,
        16950150798460657717958625567821834550301663161624707787222815936182638968203
    ];
}
function SUBGROUP_ORDER() { return 2736030358979909402780800718157159386076813972158567259200215660948447373041; }

/**
 * One of eight constant points, by three bits.
 *
 * Statement: out = OFFSET + (bits[0] + 2 bits[1] + 4 bits[2] + 1) * BASE, in Montgomery form; without OFFSET if
 * HAS_OFFSET is 0.
 *
 * Inputs: bits[3] {bool} assumed (by Num2Bits). Outputs: out[2] {field}
 */
template WindowOfBase(BASE, OFFSET, HAS_OFFSET) {
    signal input bits[3];
    signal output out[2];

    var points[8][2];
    var point[2] = BASE;
    for (var i = 0; i < 8; i++) {
        points[i] = point;
        if (HAS_OFFSET == 1) {
            points[i] = add_constants(point, OFFSET);
        }
        point = add_constants(point, BASE);
    }
    signal both <== bits[0] * bits[1];
    for (var j = 0; j < 2; j++) {
        var half[2];
        for (var k = 0; k < 2; k++) {
            half[k] = points[4 * k][j] + bits[0] * (points[4 * k + 1][j] - points[4 * k][j])
                + bits[1] * (points[4 * k + 2][j] - points[4 * k][j])
                + both * (points[4 * k + 3][j] - points[4 * k + 2][j] - points[4 * k + 1][j] + points[4 * k][j]);
        }
        out[j] <== half[0] + bits[2] * (half[1] - half[0]);
    }
}

/**
 * Statement: scalar < the subgroup order, and out = scalar * B8, in Edwards form.
 *
 * Sums one point for each three bits but the two upper ones, 1 to 8 times 8^w B8 of the w-th three, in Montgomery form,
 * and begins beyond all of them, with 2^249 B8: so a sum is k B8 with 2^249 < k < 2^249 + 8/7 8^83 < the order, each point
 * p B8 with p <= 2^249, and k + p < the order: no two that are added have the same x, and no sum is the identity. What is
 * too much is in the points of the two upper bits, for which the addition is circomlib's, complete.
 *
 * The order is compared by its upper 120 bits, see protocol 15.
 *
 * Inputs:
 *   scalar  {field}  constrained here
 * Outputs:
 *   out[2]  {field}
 */
template MultiplyBase() {
    signal input scalar;
    signal output out[2];
    var BITS = 251;
    var WINDOWS = 83;
    var LOW_BITS = 131;
    assert(3 * WINDOWS + 2 == BITS);

    signal bits[BITS] <== Num2Bits(BITS)(scalar);
    component below = BitsAtMost(BITS - LOW_BITS, (SUBGROUP_ORDER() >> LOW_BITS) - 1);
    below.enabled <== 1;
    for (var i = LOW_BITS; i < BITS; i++) {
        below.bits[i - LOW_BITS] <== bits[i];
    }

    var base[2] = to_montgomery(BASE8());
    var offset[2] = double_constant(base, BITS - 2);
    var excess[2] = offset;
    component window[WINDOWS];
    component sum[WINDOWS];
    for (var w = 0; w < WINDOWS; w++) {
        window[w] = WindowOfBase(base, offset, w == 0 ? 1 : 0);
        for (var b = 0; b < 3; b++) {
            window[w].bits[b] <== bits[3 * w + b];
        }
        if (w > 0) {
            sum[w] = AddPoints();
            sum[w].p <== w == 1 ? window[0].out : sum[w - 1].out;
            sum[w].q <== window[w].out;
        }
        excess = add_constants(excess, base);
        base = double_constant(base, 3);
    }
    component low = Montgomery2Edwards();
    low.in <== sum[WINDOWS - 1].out;

    // base is 2^249 * B8 here
    var points[4][2];
    points[0] = [excess[0], -excess[1]];
    for (var i = 1; i < 4; i++) {
        points[i] = add_constants(points[i - 1], base);
    }
    for (var i = 0; i < 4; i++) {
        points[i] = to_edwards(points[i]);
    }
    signal both <== bits[BITS - 2] * bits[BITS - 1];
    var high[2];
    for (var j = 0; j < 2; j++) {
        high[j] = points[0][j] + bits[BITS - 2] * (points[1][j] - points[0][j]) + bits[BITS - 1] * (points[2][j] - points[0][j])
            + both * (points[3][j] - points[2][j] - points[1][j] + points[0][j]);
    }
    component whole = BabyAdd();
    whole.x1 <== low.out[0];
    whole.y1 <== low.out[1];
    whole.x2 <== high[0];
    whole.y2 <== high[1];
    out[0] <== whole.xout;
    out[1] <== whole.yout;
}

/** value = sum of 2^i digits[i], each -1, 0 or 1, of two neighbours one 0. */
function signed_digits(value) {
    var digits[254];
    for (var i = 0; i < 254; i++) {
        digits[i] = 0;
        if (value & 1 == 1) {
            digits[i] = 2 - (value & 3);
            value -= digits[i];
        }
        value = value >> 1;
    }
    return digits;
}

/**
 * Statement: point has odd order; scalar < r is taken as an integer, and out = scalar * point, in Edwards form.
 *
 * With P = point, b_i the bits of the scalar and c_i those digits, the accumulator begins with 3 P and goes on by
 * a' = 2 a + (2 b_i - 1 + 2 c_i) P, from i = 253 to 1. So it ends with (scalar - b_0 + 1 + 2 * 2^253 + sum of 2^i c_i) P, where
 * the digits make the last two 14 times the order, that is nothing; b_0 - 1 is added completely. Without the digits a
 * scalar that begins with zeros would keep the accumulator at P, where an addition is not constrained.
 *
 * As a = k P with k >= 3 growing from step to step, no addition is of points with the same x as long as
 * 2 k + 2 c_i + 1 < the order. In the steps after that (five) it is constrained that none is; a scalar that makes one so
 * cannot be used, and is the hash's to avoid: some hundred prefixes of 248 bits and more.
 *
 * r is compared by its upper 120 bits, see protocol 15.
 *
 * Inputs:
 *   scalar    {field}  constrained here
 *   point[2]  {field}  assumed (by CheckSignature) 8 times a point of the curve: of order 1 or the subgroup's; that it
 *                      is not 1 is constrained here, as the identity has no Montgomery form
 * Outputs:
 *   out[2]    {field}
 */
template MultiplyKey() {
    signal input scalar;
    signal input point[2];
    signal output out[2];
    var BITS = 254;
    var LOW_BITS = 134;
    var START = 3;
    var digits[BITS] = signed_digits(14 * SUBGROUP_ORDER() - (START - 1) * (1 << (BITS - 1)));

    signal bits[BITS] <== Num2Bits(BITS)(scalar);
    component below = BitsAtMost(BITS - LOW_BITS, (-1 >> LOW_BITS) - 1);
    below.enabled <== 1;
    for (var i = LOW_BITS; i < BITS; i++) {
        below.bits[i - LOW_BITS] <== bits[i];
    }

    component once = Edwards2Montgomery();
    once.in <== point;
    component twice = DoublePoint();
    twice.p <== once.out;
    component thrice = AddPoints();
    thrice.p <== twice.out;
    thrice.q <== once.out;

    component steps[BITS];
    signal term[BITS][2];
    var factor = START;
    for (var i = BITS - 1; i > 0; i--) {
        var sign = 2 * bits[i] - 1;
        if (digits[i] == 0) {
            term[i][0] <== once.out[0];
            term[i][1] <== sign * once.out[1];
        } else {
            // digit 1: P or 3 P; digit -1: -3 P or -P
            var far = digits[i] == 1 ? bits[i] : 1 - bits[i];
            term[i][0] <== once.out[0] + far * (thrice.out[0] - once.out[0]);
            term[i][1] <== digits[i] * once.out[1] + far * digits[i] * (thrice.out[1] - once.out[1]);
        }
        // The greatest k after this step; from the order on, it stays so.
        factor = 2 * factor + 1 + 2 * digits[i];
        if (factor > SUBGROUP_ORDER()) {
            factor = SUBGROUP_ORDER();
        }
        steps[i] = DoubleAndAdd(factor == SUBGROUP_ORDER() ? 1 : 0);
        steps[i].p <== i == BITS - 1 ? thrice.out : steps[i + 1].out;
        steps[i].q <== term[i];
    }
    component most = Montgomery2Edwards();
    most.in <== steps[1].out;

    component whole = BabyAdd();
    whole.x1 <== most.out[0];
    whole.y1 <== most.out[1];
    whole.x2 <== (bits[0] - 1) * point[0];
    whole.y2 <== 1 + (1 - bits[0]) * (point[1] - 1);
    out[0] <== whole.xout;
    out[1] <== whole.yout;
}
