pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "amounts.circom";
include "buses.circom";
include "merkle.circom";

/**
 * Fields of an operation in their widths, for all that compose or compare them; those that are never used together are
 * checked by Widths.
 *
 * Statement: the fields have the widths below; packed ones are in their one canonical encoding; `decoded` is what they
 * say; the amount is amount_packed's value where that is used, and counter_amount is counter_amount_packed's.
 *
 * No check can fail for what is 0, that is for what an operation does not use.
 *
 * @param ACCOUNT_LEVELS  1..8: ids of 3 * ACCOUNT_LEVELS bits, in fields of 24
 * @param BALANCE_LEVELS  2..4: slots of 3 * BALANCE_LEVELS bits, in fields of 12; those with the top bit are order slots
 *
 * Inputs, all constrained here but the last:
 *   op.from_id, to_id {uint(3 ACCOUNT_LEVELS)}; token, to_slot {uint(3 BALANCE_LEVELS)};
 *   counter_token {uint(3 BALANCE_LEVELS - 1)}; amount {field}: only compared; counter_amount {uint128};
 *   amount_packed, counter_amount_packed {uint40}, fee_packed, max_fee_packed {uint16} canonical; order_id {uint32};
 *   sell_amount, buy_amount {uint120};
 *   valid_from, valid_until {uint40}
 *   kind {Kind}  assumed (by ReadKind)
 * Outputs: decoded {Decoded}
 */
template Decode(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    input Operation() op;
    input Kind() kind;
    output Decoded(ACCOUNT_LEVELS, BALANCE_LEVELS) decoded;

    // Accounts and slots
    signal from_top_bit;
    signal to_top_bit;
    (decoded.from_digits, from_top_bit) <== IndexDigits(ACCOUNT_LEVELS)(op.from_id);
    (decoded.to_digits, to_top_bit) <== IndexDigits(ACCOUNT_LEVELS)(op.to_id);
    (decoded.token_digits, decoded.token_is_order_slot) <== IndexDigits(BALANCE_LEVELS)(op.token);
    (decoded.to_slot_digits, decoded.to_slot_is_order_slot) <== IndexDigits(BALANCE_LEVELS)(op.to_slot);
    _ <== Num2Bits(ARITY_BITS() * BALANCE_LEVELS - 1)(op.counter_token);

    // Amounts. What amount_packed is worth may be more than BALANCE_BITS allow: Widths refuses it.
    signal amount <== UnpackAmount(AMOUNT_MANTISSA_BITS(), 0)(op.amount_packed);
    decoded.fee <== UnpackAmount(FEE_MANTISSA_BITS(), 0)(op.fee_packed);
    decoded.max_fee <== UnpackAmount(FEE_MANTISSA_BITS(), 0)(op.max_fee_packed);
    signal counter_amount <== UnpackAmount(AMOUNT_MANTISSA_BITS(), 1)(op.counter_amount_packed);
    (kind.pays + kind.swaps) * (op.amount - amount) === 0;
    op.counter_amount === counter_amount;

    // Orders
    _ <== Num2Bits(ORDER_ID_BITS())(op.order_id);
    _ <== Num2Bits(ORDER_AMOUNT_BITS())(op.sell_amount);
    _ <== Num2Bits(ORDER_AMOUNT_BITS())(op.buy_amount);

    // The rest
    _ <== Num2Bits(TIMESTAMP_BITS())(op.valid_from);
    _ <== Num2Bits(TIMESTAMP_BITS())(op.valid_until);
}
