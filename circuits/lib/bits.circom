pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";

/**
 * Statement: enabled => sum of 2^i bits[i] <= MAX, as integers.
 *
 * From the top: where MAX has a 0, and the number a 1 wherever MAX has one above, a 0 is demanded: a 1 would make the
 * number greater. Of a run of zeros at once: a sum of fewer than r bits is 0 only if each of them is.
 *
 * @param N    1..253
 * @param MAX  0 .. 2^N - 2
 *
 * Inputs:
 *   enabled  {bool}  assumed (by Caller)
 *   bits[N]  {bool}  assumed (by Num2Bits)
 */
template BitsAtMost(N, MAX) {
    assert(N > 0 && N <= 253 && MAX < (1 << N) - 1);
    signal input enabled;
    signal input bits[N];

    var lowest_zero = 0;
    while ((MAX >> lowest_zero) & 1 == 1) {
        lowest_zero++;
    }
    signal all_ones[N + 1];
    all_ones[N] <== enabled;
    var zeros = 0;
    for (var i = N - 1; i >= lowest_zero; i--) {
        if ((MAX >> i) & 1 == 1) {
            all_ones[i] <== all_ones[i + 1] * bits[i];
        } else {
            all_ones[i] <== all_ones[i + 1];
            zeros += bits[i];
            if (i == lowest_zero || (MAX >> (i - 1)) & 1 == 1) {
                all_ones[i] * zeros === 0;
                zeros = 0;
            }
        }
    }
    for (var i = 0; i < lowest_zero; i++) {
        all_ones[i] <== 0;
    }
}

/**
 * The range checks of two values of which one is 0, for the price of the wider.
 *
 * Statement: is_wide => wide < 2^WIDE; else narrow < 2^NARROW; bits are those of the one that it is.
 *
 * @param WIDE    1..253
 * @param NARROW  1..WIDE
 *
 * Inputs:
 *   is_wide  {bool}   assumed (by Caller)
 *   wide     {field}  constrained here; assumed 0 (by Caller) where not is_wide
 *   narrow   {field}  constrained here; assumed 0 (by Caller) where is_wide
 * Outputs:
 *   bits[WIDE]  {bool}
 */
template EitherInRange(WIDE, NARROW) {
    assert(WIDE <= 253 && NARROW <= WIDE);
    signal input is_wide;
    signal input wide;
    signal input narrow;
    signal output bits[WIDE];

    bits <== Num2Bits(WIDE)(wide + narrow);
    var beyond = 0;
    for (var i = NARROW; i < WIDE; i++) {
        beyond += bits[i];
    }
    (1 - is_wide) * beyond === 0;
}
