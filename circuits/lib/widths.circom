pragma circom 2.2.0;

include "bits.circom";
include "buses.circom";

/**
 * The widths of what is never used in one step, two at a time (see ReadKind's table).
 *
 * Statement:
 *   maker, taker               gaps.price < 2^248, gaps.fee < 2^234: neither is negative
 *   else                       address < 2^160, aux < 2^64
 *   maker, taker, CancelOrder  slot_filled < 2^128, slot_order_id < 2^32
 *   else                       amount < 2^128, counter_order_id < 2^32
 *   and address_chunks are what TransferToAddress publishes of its address, 0 for the others
 *
 * An order's amount is below what it sells (see Order), a CancelOrder's is 0.
 *
 * Inputs:
 *   op, kind           assumed (by ReadKind): of each two the one that is not used is 0; address, aux, amount, slot_filled,
 *                      slot_order_id, counter_order_id {field} constrained here
 *   gaps {Gaps}        constrained here; 0 without an order (by Order)
 * Outputs:
 *   address_chunks[2]  {uint120}
 */
template Widths() {
    input Operation() op;
    input Kind() kind;
    input Gaps() gaps;
    signal output address_chunks[2];

    signal address_bits[PRICE_GAP_BITS()] <== EitherInRange(PRICE_GAP_BITS(), ADDRESS_BITS())(
        kind.orders, gaps.price, op.address
    );
    _ <== EitherInRange(FEE_GAP_BITS(), AUX_BITS())(kind.orders, gaps.fee, op.aux);
    signal plain_amount <== (1 - kind.order_slot) * op.amount;
    _ <== EitherInRange(BALANCE_BITS(), BALANCE_BITS())(kind.order_slot, op.slot_filled, plain_amount);
    _ <== EitherInRange(ORDER_ID_BITS(), ORDER_ID_BITS())(kind.order_slot, op.slot_order_id, op.counter_order_id);

    // The two chunks of an address that is published: address 160 | 0 (80)
    var LOW_BITS = ADDRESS_BITS() - CHUNK_BITS();
    var high = 0;
    var low = 0;
    for (var i = 0; i < LOW_BITS; i++) {
        low += address_bits[i] * (1 << i);
    }
    for (var i = 0; i < CHUNK_BITS(); i++) {
        high += address_bits[LOW_BITS + i] * (1 << i);
    }
    address_chunks[0] <== op.is_transfer_to_address * high;
    address_chunks[1] <== op.is_transfer_to_address * low * (1 << (CHUNK_BITS() - LOW_BITS));
}
