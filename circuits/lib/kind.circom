pragma circom 2.2.0;

include "circomlib/circuits/comparators.circom";
include "buses.circom";

/**
 * Which kind of operation a step is, and which of its inputs that kind does not use: those are pinned, so that a step
 * has exactly one witness.
 *
 * Statement: exactly one is_* is 1, `kind` its groups, and the inputs are as this table says
 *
 *                     Noop Depo Full Tran ToAd With Chan Forc Make Take Sett Canc
 *   from_id             0   u*    u    u    u    u    u    u    u    u    u    u     * 0 if refused
 *   to_id               =    =    =    u    u    =    =    u    =    =    u    =     = from_id
 *   token               0    u    u    u    u    u    u    u    u    u    u    u
 *   to_slot             =    =    =    =    =    =    =    u    u    u    u    u     = token
 *   amount              0    u    u    p    p    u    u    u    p    p    p    0     p: amount_packed's value
 *   amount_packed       0    0    0    u    u    0    0    0    u    u    u    0
 *   fee_packed          0    0    0    u    u    u    u    u    u    u    0    u
 *   address             0   u*    u    !    !    !    !    !    0    0    0    0     ! not 0; * not if accepted
 *   aux                 0    u    u    0    0    0    u    0    0    0    0    0
 *   sender_is_owner,
 *   refused             0    u    0    0    0    0    0    0    0    0    0    0
 *   key                 0    u    0    0    0    0    u    0    0    0    0    0
 *   counter_*           0    0    0    0    0    0    0    0    u    u    u    0     but counter_order_id
 *   counter_order_id    0    0    0    0    0    0    0    0    0    0    u    0
 *   order_id            0    0    0    0    0    0    0    0    u    u    u    u
 *   sell_amount, buy_amount,
 *   max_fee_packed      0    0    0    0    0    0    0    0    u    u    0    0
 *   slot_order_id,
 *   slot_filled         0    0    0    0    0    0    0    0    u    u    0    u
 *   is_batched          0    0    0    u    u    u    0    u    0    0    0    u
 *   link, batch_rest    0 unless is_batched
 *   valid_*             0    0    0    u    u    u    0    u    u    u    0    u
 *   signature         (0, 1), 0 where valid_* is 0: what the signature check always accepts
 *
 * Nobody pays to address 0, and no account is made for it (I-01).
 *
 * Inputs: op {Operation}: is_*, sender_is_owner, refused, is_batched {bool} constrained here; the others {field}.
 * Outputs: kind {Kind}
 */
template ReadKind() {
    input Operation() op;
    output Kind() kind;

    // One kind. The sum of twelve booleans is 1: it is not -1. (A linear constraint would let the optimiser drop an
    // input.)
    var is[12] = [
        op.is_noop, op.is_deposit, op.is_full_exit, op.is_transfer, op.is_transfer_to_address, op.is_withdraw,
        op.is_change_pub_key, op.is_forced_exit, op.is_maker, op.is_taker, op.is_settlement, op.is_cancel_order
    ];
    var kinds = 0;
    for (var i = 0; i < 12; i++) {
        is[i] * (is[i] - 1) === 0;
        kinds += is[i];
    }
    kinds * kinds === 1;
    op.sender_is_owner * (op.sender_is_owner - 1) === 0;
    op.refused * (op.refused - 1) === 0;
    op.is_batched * (op.is_batched - 1) === 0;

    // Groups
    kind.accepted <== op.is_deposit * (1 - op.refused);
    kind.pays <== op.is_transfer + op.is_transfer_to_address;
    kind.orders <== op.is_maker + op.is_taker;
    kind.swaps <== kind.orders + op.is_settlement;
    kind.order_slot <== kind.orders + op.is_cancel_order;
    kind.batchable <== kind.pays + op.is_withdraw + op.is_forced_exit + op.is_cancel_order;
    kind.signed <== kind.batchable + kind.orders;
    kind.counted <== kind.batchable + op.is_change_pub_key;
    kind.charged <== kind.signed + op.is_change_pub_key;

    // What is not used
    op.is_noop * op.from_id === 0;
    op.refused * op.from_id === 0;
    (1 - kind.pays - op.is_forced_exit - op.is_settlement) * (op.to_id - op.from_id) === 0;
    op.is_noop * op.token === 0;
    (1 - kind.order_slot - op.is_forced_exit - op.is_settlement) * (op.to_slot - op.token) === 0;
    (op.is_noop + op.is_cancel_order) * op.amount === 0;
    (1 - kind.pays - kind.swaps) * op.amount_packed === 0;
    (1 - kind.charged) * op.fee_packed === 0;
    (op.is_noop + kind.swaps + op.is_cancel_order) * op.address === 0;
    (1 - op.is_deposit - op.is_full_exit - op.is_change_pub_key) * op.aux === 0;
    (1 - op.is_deposit) * op.sender_is_owner === 0;
    (1 - op.is_deposit) * op.refused === 0;
    (1 - op.is_deposit - op.is_change_pub_key) * op.key[0] === 0;
    (1 - op.is_deposit - op.is_change_pub_key) * op.key[1] === 0;
    (1 - kind.swaps) * op.counter_token === 0;
    (1 - kind.swaps) * op.counter_amount_packed === 0;
    (1 - op.is_settlement) * op.counter_order_id === 0;
    (1 - kind.swaps - op.is_cancel_order) * op.order_id === 0;
    (1 - kind.orders) * op.sell_amount === 0;
    (1 - kind.orders) * op.buy_amount === 0;
    (1 - kind.orders) * op.max_fee_packed === 0;
    (1 - kind.order_slot) * op.slot_order_id === 0;
    (1 - kind.order_slot) * op.slot_filled === 0;
    (1 - kind.batchable) * op.is_batched === 0;
    (1 - op.is_batched) * op.link === 0;
    (1 - op.is_batched) * op.batch_rest === 0;
    (1 - kind.signed) * op.valid_from === 0;
    (1 - kind.signed) * op.valid_until === 0;
    (1 - kind.signed) * op.signature_r[0] === 0;
    (1 - kind.signed) * (op.signature_r[1] - 1) === 0;
    (1 - kind.signed) * op.signature_s === 0;

    // What must not be 0
    signal address_is_zero <== IsZero()(op.address);
    (kind.accepted + kind.charged - kind.order_slot) * address_is_zero === 0;
}
