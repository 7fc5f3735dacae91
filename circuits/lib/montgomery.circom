pragma circom 2.2.0;

/*
 * Baby Jubjub in its Montgomery form, y^2 = x^3 + MONTGOMERY_A x^2 + x: on constants, and on signals.
 *
 * These additions are not complete: the identity has no coordinates, and where two points have the same x the slope is
 * not constrained. Who uses them says why that cannot be.
 */

function MONTGOMERY_A() { return 168698; }

/** From Edwards coordinates, but of the points of order 1 and 2. */
function to_montgomery(point) {
    var x = (1 + point[1]) / (1 - point[1]);
    return [x, x / point[0]];
}

/** To Edwards coordinates; the order is odd. */
function to_edwards(point) {
    return [point[0] / point[1], (point[0] - 1) / (point[0] + 1)];
}

/** p + q, whatever their order, if that is not the identity. */
function add_constants(p, q) {
    var slope;
    if (p[0] == q[0]) {
        slope = (3 * p[0] * p[0] + 2 * MONTGOMERY_A() * p[0] + 1) / (2 * p[1]);
    } else {
        slope = (q[1] - p[1]) / (q[0] - p[0]);
    }
    var x = slope * slope - MONTGOMERY_A() - p[0] - q[0];
    return [x, slope * (p[0] - x) - p[1]];
}

/** point * 2^k */
function double_constant(point, k) {
    var out[2] = point;
    for (var i = 0; i < k; i++) {
        out = add_constants(out, out);
    }
    return out;
}

/**
 * Statement: out = p + q, if p.x != q.x. Inputs: p[2], q[2] {field} on the curve. Outputs: out[2] {field}
 */
template AddPoints() {
    signal input p[2];
    signal input q[2];
    signal output out[2];

    signal slope <-- (q[1] - p[1]) / (q[0] - p[0]);
    slope * (q[0] - p[0]) === q[1] - p[1];
    out[0] <== slope * slope - MONTGOMERY_A() - p[0] - q[0];
    out[1] <== slope * (p[0] - out[0]) - p[1];
}

/**
 * Statement: out = 2 p, if p.y != 0. Inputs: p[2] {field} on the curve. Outputs: out[2] {field}
 */
template DoublePoint() {
    signal input p[2];
    signal output out[2];

    signal square <== p[0] * p[0];
    signal slope <-- (3 * square + 2 * MONTGOMERY_A() * p[0] + 1) / (2 * p[1]);
    slope * (2 * p[1]) === 3 * square + 2 * MONTGOMERY_A() * p[0] + 1;
    out[0] <== slope * slope - MONTGOMERY_A() - 2 * p[0];
    out[1] <== slope * (p[0] - out[0]) - p[1];
}

/**
 * Statement: out = 2 p + q, if p != q, -q and 2 p != -q.
 *
 * As (p + q) + p, whose middle has no need of its y: with s = slope of p, q, and s' of p, p + q, s + s' = 2 y / (x - x'),
 * where (x, y) = p and x' is of p + q.
 *
 * @param IS_CHECKED  1: the condition is constrained here; 0: assumed (by Caller)
 *
 * Inputs:
 *   p[2], q[2]  {field}  on the curve
 * Outputs:
 *   out[2]      {field}
 */
template DoubleAndAdd(IS_CHECKED) {
    signal input p[2];
    signal input q[2];
    signal output out[2];

    signal slope <-- (p[1] - q[1]) / (p[0] - q[0]);
    slope * (p[0] - q[0]) === p[1] - q[1];
    signal square <== slope * slope;
    var middle = square - MONTGOMERY_A() - p[0] - q[0];
    signal slopes <-- 2 * p[1] / (p[0] - middle);
    slopes * (p[0] - middle) === 2 * p[1];
    out[0] <== (slopes - slope) * (slopes - slope) - MONTGOMERY_A() - p[0] - middle;
    out[1] <== (slopes - slope) * (p[0] - out[0]) - p[1];

    if (IS_CHECKED == 1) {
        signal first_inverse <-- 1 / (p[0] - q[0]);
        signal second_inverse <-- 1 / (p[0] - middle);
        first_inverse * (p[0] - q[0]) === 1;
        second_inverse * (p[0] - middle) === 1;
    }
}
