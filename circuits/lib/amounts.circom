pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "../generated/constants.circom";
include "bits.circom";

/**
 * The value of a packed amount in its one canonical encoding (protocol 3, I-04).
 *
 * Statement: packed = mantissa * 2^EXPONENT_BITS + exponent, value = mantissa * 10^exponent,
 * mantissa < 2^MANTISSA_BITS, and exponent = 0 or 10 * mantissa >= 2^MANTISSA_BITS.
 *
 * The value is below 2^(35 + 103) at most, so it cannot wrap; whether it is below 2^BALANCE_BITS is the caller's.
 *
 * @param MANTISSA_BITS  4..64
 * @param IS_BALANCE     1: the value is also held below 2^BALANCE_BITS; 0: it is not
 *
 * Inputs:
 *   packed  {uint(MANTISSA_BITS + EXPONENT_BITS)}  constrained here, canonical
 * Outputs:
 *   value   {field}  < 2^MANTISSA_BITS * 10^31
 */
template UnpackAmount(MANTISSA_BITS, IS_BALANCE) {
    assert(MANTISSA_BITS >= 4 && MANTISSA_BITS <= 64);
    signal input packed;
    signal output value;

    // mantissa MANTISSA_BITS @ EXPONENT_BITS | exponent EXPONENT_BITS @ 0
    component bits = Num2Bits(MANTISSA_BITS + EXPONENT_BITS());
    bits.in <== packed;

    // 10^exponent is the product of 10^(2^i) over the set bits i
    signal power[EXPONENT_BITS() + 1];
    var exponent_weight = 0;
    var factor = 10;
    power[0] <== 1;
    for (var i = 0; i < EXPONENT_BITS(); i++) {
        power[i + 1] <== power[i] * (1 + bits.out[i] * (factor - 1));
        exponent_weight += bits.out[i];
        factor = factor * factor;
    }
    var mantissa = 0;
    for (var i = 0; i < MANTISSA_BITS; i++) {
        mantissa += bits.out[EXPONENT_BITS() + i] * (1 << i);
    }
    value <== mantissa * power[EXPONENT_BITS()];

    // Canonical. 10 * mantissa >= 2^MANTISSA_BITS  <=>  mantissa >= ceil(2^MANTISSA_BITS / 10)
    component exponent_is_zero = IsZero();
    exponent_is_zero.in <== exponent_weight;
    // that is, its bits inverted are 2^MANTISSA_BITS - 1 - that at most
    component large_enough = BitsAtMost(MANTISSA_BITS, (1 << MANTISSA_BITS) - 1 - ((1 << MANTISSA_BITS) + 9) \ 10);
    large_enough.enabled <== 1 - exponent_is_zero.out;
    for (var i = 0; i < MANTISSA_BITS; i++) {
        large_enough.bits[i] <== 1 - bits.out[EXPONENT_BITS() + i];
    }

    // Below 2^128
    if (IS_BALANCE == 1) {
        // 10^28 * mantissa < 2^128  <=>  mantissa <= 2^128 \ 10^28. From 10^29 on no canonical mantissa is so small.
        var LAST = (1 << BALANCE_BITS()) \ 10 ** 28;
        assert(EXPONENT_BITS() == 5 && (LAST \ 10 + 1) * 10 < 1 << MANTISSA_BITS && LAST * 10 >= 1 << MANTISSA_BITS);
        signal from_24 <== bits.out[4] * bits.out[3];
        signal from_28 <== from_24 * bits.out[2];
        from_28 * (bits.out[1] + bits.out[0]) === 0;
        component small_enough = BitsAtMost(MANTISSA_BITS, LAST);
        small_enough.enabled <== from_28;
        for (var i = 0; i < MANTISSA_BITS; i++) {
            small_enough.bits[i] <== bits.out[EXPONENT_BITS() + i];
        }
    }
}

/**
 * Adds a fee to the accumulator of its token (protocol 4, "fees").
 *
 * Statement: if token = fee_tokens[j], then fees_out[j] = fees_in[j] + fee and the others are unchanged; if it is none
 * of them, all are unchanged and fee = 0.
 *
 * Were a token listed twice, (1 - matches) * fee = 0 would refuse any fee in it instead of crediting it twice; Open
 * refuses such a list too. The sums cannot overflow: each fee was just debited from a balance, and all balances of a
 * token together are below 2^DEPOSIT_CAP_BITS.
 *
 * Inputs:
 *   token          {uint(SLOT_BITS)}  assumed (by Caller)
 *   fee            {uint(BALANCE_BITS)}  assumed (by Caller)
 *   fee_tokens[8]  {uint(SLOT_BITS)}  assumed strictly increasing (by Open)
 *   fees_in[8]     {uint(BALANCE_BITS)}  assumed (by the previous step)
 * Outputs:
 *   fees_out[8]    {uint(BALANCE_BITS)}
 */
template CreditFee() {
    signal input token;
    signal input fee;
    signal input fee_tokens[FEE_TOKENS()];
    signal input fees_in[FEE_TOKENS()];
    signal output fees_out[FEE_TOKENS()];

    component matches[FEE_TOKENS()];
    var sum = 0;
    for (var j = 0; j < FEE_TOKENS(); j++) {
        matches[j] = IsEqual();
        matches[j].in[0] <== token;
        matches[j].in[1] <== fee_tokens[j];
        sum += matches[j].out;
        fees_out[j] <== fees_in[j] + matches[j].out * fee;
    }
    (1 - sum) * fee === 0;
}
