pragma circom 2.2.0;

include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "buses.circom";

/**
 * What ties the steps of a Swap, and the operations of a batch, to each other: all of them or none, in their order and
 * with nothing between (protocol 4, I-18, I-19).
 *
 * Statement: pending goes
 *
 *   0 --maker--> 1 --taker--> 2 --settlement--> 0       0, 3 --batched--> 3 if batch_rest != 0, else 0
 *   0 --anything else--> 0
 *
 * and every other step is refused. Where pending is not 0, the two sides of the arrow agree on `link` and `rest`:
 *
 *             link                                     rest
 *   1, 2   as the maker's order sees it:            taker's order_id 32 @ 80 | maker's order_id 32 @ 48
 *          sold token 12 @ 92 | bought token 12        | taker's account 24 @ 24 | maker's account 24 @ 0
 *          @ 80 | sold packed 40 @ 40 | bought         (the taker's fields from 2 on)
 *          packed 40 @ 0
 *   3      M4, of all operations alike              R of the next operation
 *
 * A batched operation has R = Poseidon(4)(M1, M2, M3, batch_rest): the first one's is link, and a first one is not the
 * last. Where pending is 0, link and rest are 0. Open starts so and Close demands it, so a block leaves nothing unfinished.
 *
 * The fields have their widths, so link and rest can be taken apart in one way only: settlement moves, from the accounts
 * and of the tokens that both orders named, what both orders debited. As packed amounts are canonical, equal encodings
 * are equal amounts.
 *
 * Inputs:
 *   op      {Operation}   assumed in its widths (by Decode, Widths); link, batch_rest constrained here
 *   kind    {Kind}        assumed (by ReadKind)
 *   words   {Words}       assumed (by Authorise): as signed
 *   before  {Unfinished}  assumed (by the step before; Open starts with 0)
 * Outputs:
 *   after   {Unfinished}
 */
template Link() {
    input Operation() op;
    input Kind() kind;
    input Words() words;
    input Unfinished() before;
    output Unfinished() after;

    // Which step may come: taker at 1, settlement at 2, batched at 0 or 3, all others at 0
    signal is_idle <== IsZero()(before.pending);
    signal goes_on <== op.is_batched * (1 - is_idle);
    (1 - op.is_batched) * (before.pending - op.is_taker - 2 * op.is_settlement) === 0;
    goes_on * (before.pending - 3) === 0;

    // Where it leads
    signal rest_is_zero <== IsZero()(op.batch_rest);
    signal has_more <== op.is_batched * (1 - rest_is_zero);
    (op.is_batched - goes_on) * (op.is_batched - has_more) === 0;
    // One of three booleans: the product is the sum, but not linear (the optimiser would drop an input for the output)
    var leaves_open = kind.orders + has_more;
    after.pending <== leaves_open * (op.is_maker + 2 * op.is_taker + 3 * has_more);

    // link: the same from the first step to the last
    var own = op.token * (1 << SLOT_BITS()) + op.counter_token;
    own = own * (1 << AMOUNT_BITS()) + op.amount_packed;
    own = own * (1 << AMOUNT_BITS()) + op.counter_amount_packed;
    var others = op.counter_token * (1 << SLOT_BITS()) + op.token;
    others = others * (1 << AMOUNT_BITS()) + op.counter_amount_packed;
    others = others * (1 << AMOUNT_BITS()) + op.amount_packed;
    signal maker_trade <== op.is_maker * own;
    signal taker_trade <== (op.is_taker + op.is_settlement) * others;
    var link = maker_trade + taker_trade + op.link;
    before.pending * (before.link - link) === 0;
    after.link <== leaves_open * link;

    // rest of a Swap: noted by both orders, asked for by the settlement
    var MAKER_ORDER = ACCOUNT_ID_BITS() + ACCOUNT_ID_BITS();
    var TAKER_ORDER = MAKER_ORDER + ORDER_ID_BITS();
    signal maker_rest <== op.is_maker * (op.order_id * (1 << MAKER_ORDER) + op.from_id);
    signal taker_rest <== op.is_taker
        * (before.rest + op.order_id * (1 << TAKER_ORDER) + op.from_id * (1 << ACCOUNT_ID_BITS()));
    var both = op.counter_order_id * (1 << TAKER_ORDER) + op.order_id * (1 << MAKER_ORDER)
        + op.to_id * (1 << ACCOUNT_ID_BITS()) + op.from_id;
    op.is_settlement * (before.rest - both) === 0;

    // rest of a batch: the first operation opens its link, each other one the rest before
    signal chain <== Poseidon(4)([words.m1, words.m2, words.m3, op.batch_rest]);
    signal opened <== op.link + goes_on * (before.rest - op.link);
    op.is_batched * (chain - opened) === 0;
    after.rest <== maker_rest + taker_rest + has_more * op.batch_rest;
}
