pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "buses.circom";


/**
 * An order slot before and after: the fill of an order, or the death of all orders below an id (protocol 4, I-17).
 *
 * Statement, with slot = order_id 32 @ 128 | filled 128 @ 0 and x = amount, y = counter_amount:
 *   maker, taker  order_id >= id in the slot; filled' = x + (order_id is the id in the slot ? filled : 0) <= sell_amount;
 *                 sell_amount != 0; price: y * sell_amount >= x * buy_amount; fee * sell_amount <= max_fee * x;
 *                 the slot becomes (order_id, filled')
 *   CancelOrder   order_id > id in the slot, which becomes (order_id, 0)
 *   else          slot_change = 0, and nothing is demanded
 *
 * Nothing wraps. filled < 2^128 and x < 2^138 (UnpackAmount), so filled' < 2^139, and sell_amount - filled' is in [0, 2^120)
 * only if filled' <= sell_amount; so x < 2^120. With y < 2^128, sell_amount, buy_amount < 2^120 and max_fee, fee <
 * 2^11 * 10^31 < 2^114 the products are below 2^248 for the price and below 2^234 for the fee, and a gap between two is below
 * that exactly if it is not negative: 2^248 + 2^248 < r. Were sell_amount 0, no fee would be too much; hence its check,
 * not only for the page's sake.
 *
 * Where it is disabled the limits are 0 (ReadKind), and with them each product and gap, so that every check sees 0.
 *
 * Inputs:
 *   op       {Operation}  assumed in its widths (by Decode, Widths); slot_order_id, slot_filled constrained here against
 *                         `slot`
 *   kind     {Kind}       assumed (by ReadKind)
 *   fee, max_fee {field}  assumed (by Decode): values of fee_packed, max_fee_packed
 *   slot     {field}      what touch 2 opens
 * Outputs:
 *   slot_change {field}   what to add to it
 *   gaps     {Gaps}       price: y * sell_amount - x * buy_amount; fee: max_fee * x - fee * sell_amount
 */
template Order() {
    input Operation() op;
    input Kind() kind;
    signal input fee;
    signal input max_fee;
    signal input slot;
    signal output slot_change;
    output Gaps() gaps;

    // What the slot holds. Both parts have their widths, so there is one way to read it.
    kind.order_slot * (slot - op.slot_order_id * (1 << BALANCE_BITS()) - op.slot_filled) === 0;

    // Ids only grow
    signal growth <== kind.order_slot * (op.order_id - op.slot_order_id - op.is_cancel_order);
    _ <== Num2Bits(ORDER_ID_BITS())(growth);

    // Fill
    signal is_latest <== IsEqual()([op.order_id, op.slot_order_id]);
    signal filled_before <== is_latest * op.slot_filled;
    signal filled <== kind.orders * (filled_before + op.amount);
    _ <== Num2Bits(ORDER_AMOUNT_BITS())(op.sell_amount - filled);
    signal sells_nothing <== IsZero()(op.sell_amount);
    kind.orders * sells_nothing === 0;

    // Price and fee
    signal got <== op.counter_amount * op.sell_amount;
    signal asked <== op.amount * op.buy_amount;
    gaps.price <== got - asked;
    signal fee_limit <== max_fee * op.amount;
    signal fee_taken <== fee * op.sell_amount;
    gaps.fee <== fee_limit - fee_taken;

    slot_change <== kind.order_slot * (op.order_id * (1 << BALANCE_BITS()) + filled - slot);
}
