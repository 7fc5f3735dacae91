pragma circom 2.2.0;

include "lib/account.circom";
include "lib/amounts.circom";
include "lib/authorise.circom";
include "lib/buses.circom";
include "lib/decode.circom";
include "lib/emit.circom";
include "lib/kind.circom";
include "lib/link.circom";
include "lib/merkle.circom";
include "lib/order.circom";
include "lib/touches.circom";
include "lib/widths.circom";

/**
 * One step: S' = step(S), with what it publishes (protocol 4, 6, 7). An operation is a step, a Swap three.
 *
 * Statement: (state, fees) becomes what protocol 4 says of the operation, whose conditions all hold; evaluations, counts
 * and commitment take in what it publishes; (pending, link, rest) go on as Link says. Queue operations (Deposit, FullExit)
 * are satisfiable on every state that this circuit can reach with nothing pending, whatever keys and order slots stand in
 * it or in the record.
 *
 * Phases: A. kind, widths   B. touch 1: `from`, `token`   C. touch 2: `to`, `to_slot`   D. fees   E. Swap, batch   F. data
 *
 * The touches are sequential: the second opens the nodes that the first leaves, so accounts under one node, or
 * from_id = to_id, need no special case.
 *
 * Conservation: of each token, touch 1 + touch 2 + fees is what L1 paid in, less what it pays out by the record:
 *
 *                         touch 1        touch 2   fees   L1
 *   Deposit                               + a             + a
 *   FullExit              - a                             - a
 *   Transfer(ToAddress)   - a - f         + a      + f
 *   Withdraw              - a - f                  + f    - a
 *   ChangePubKey          - f                      + f
 *   ForcedExit            - f             - a      + f    - a       (f, a in two tokens)
 *   maker, taker          - x - f   - y - g      + f + g            (two steps, touch 2 is no money)
 *   settlement            + y             + x                       (of the tokens and amounts of both orders: Link)
 *   CancelOrder           - f                      + f
 *
 * So credits cannot overflow and need no range check: all balances of a token, and what is pending of it, are together
 * what was deposited and not paid out, below 2^DEPOSIT_CAP_BITS by L1's caps.
 *
 * @param ACCOUNT_LEVELS, BALANCE_LEVELS  as in Decode
 *
 * Inputs, public:
 *   X              {uint128}             assumed (by L1)
 *   domain {field}, timestamp {uint40}, fee_tokens[8] {uint(3 BALANCE_LEVELS - 1)}   assumed (by Open)
 *   *_in           {state vector}        assumed (by the step before)
 * Inputs, private, all constrained here:
 *   op             {Operation}           the operation
 *   from, to       {Opened}              what the tree holds before touch 1, and between the touches
 * Outputs: *_out {state vector}
 */
template Step(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    assert(ACCOUNT_LEVELS > SHARED_LEVELS() && ACCOUNT_LEVELS <= ACCOUNT_LEVELS());
    assert(BALANCE_LEVELS > 1 && BALANCE_LEVELS <= BALANCE_LEVELS());

    signal input X;
    signal input domain;
    signal input timestamp;
    signal input fee_tokens[FEE_TOKENS()];
    signal input nodes_in[SHARED_NODES()];
    signal input commitment_in;
    signal input l2_eval_in;
    signal input l2_parity_in;
    signal input l1_eval_in;
    signal input l2_count_in;
    signal input l1_count_in;
    signal input fees_in[FEE_TOKENS()];
    signal input pending_in;
    signal input link_in;
    signal input rest_in;

    input Operation() op;
    input Opened(ACCOUNT_LEVELS, BALANCE_LEVELS) from;
    input Opened(ACCOUNT_LEVELS, BALANCE_LEVELS) to;

    signal output nodes_out[SHARED_NODES()];
    signal output commitment_out;
    signal output l2_eval_out;
    signal output l2_parity_out;
    signal output l1_eval_out;
    signal output l2_count_out;
    signal output l1_count_out;
    signal output fees_out[FEE_TOKENS()];
    signal output pending_out;
    signal output link_out;
    signal output rest_out;

    // A. Kind, widths
    Kind() kind <== ReadKind()(op);
    Decoded(ACCOUNT_LEVELS, BALANCE_LEVELS) decoded <== Decode(ACCOUNT_LEVELS, BALANCE_LEVELS)(op, kind);

    // B. Touch 1
    component authorise = Authorise();
    authorise.op <== op;
    authorise.kind <== kind;
    authorise.domain <== domain;
    authorise.timestamp <== timestamp;
    authorise.account <== from.account;

    component debit = Debit();
    debit.op <== op;
    debit.kind <== kind;
    debit.fee <== decoded.fee;
    debit.token_is_order_slot <== decoded.token_is_order_slot;
    debit.address <== from.account.address;
    debit.balance <== from.balance;

    component first = Touch(ACCOUNT_LEVELS, BALANCE_LEVELS);
    first.nodes <== nodes_in;
    first.digits <== decoded.from_digits;
    first.slot_digits <== decoded.token_digits;
    first.opened <== from;
    first.new_account.key <== from.account.key;
    first.new_account.address <== from.account.address;
    first.new_account.nonce <== authorise.next_nonce;
    first.new_balance <== debit.new_balance;

    // C. Touch 2
    component order = Order();
    order.op <== op;
    order.kind <== kind;
    order.fee <== decoded.fee;
    order.max_fee <== decoded.max_fee;
    order.slot <== to.balance;
    signal address_chunks[2] <== Widths()(op, kind, order.gaps);

    component credit = Credit();
    credit.op <== op;
    credit.kind <== kind;
    credit.to_slot_is_order_slot <== decoded.to_slot_is_order_slot;
    credit.slot_change <== order.slot_change;
    credit.account <== to.account;
    credit.balance <== to.balance;

    component second = Touch(ACCOUNT_LEVELS, BALANCE_LEVELS);
    second.nodes <== first.new_nodes;
    second.digits <== decoded.to_digits;
    second.slot_digits <== decoded.to_slot_digits;
    second.opened <== to;
    second.new_account <== credit.new_account;
    second.new_balance <== credit.new_balance;
    nodes_out <== second.new_nodes;

    // D. Fees
    fees_out <== CreditFee()(op.token, decoded.fee, fee_tokens, fees_in);

    // E. Swap, batch
    component link = Link();
    link.op <== op;
    link.kind <== kind;
    link.words <== authorise.words;
    link.before.pending <== pending_in;
    link.before.link <== link_in;
    link.before.rest <== rest_in;
    pending_out <== link.after.pending;
    link_out <== link.after.link;
    rest_out <== link.after.rest;

    // F. Data
    component emit = Emit();
    emit.X <== X;
    emit.op <== op;
    emit.kind <== kind;
    emit.address_chunks <== address_chunks;
    emit.before.commitment <== commitment_in;
    emit.before.l2_eval <== l2_eval_in;
    emit.before.l2_parity <== l2_parity_in;
    emit.before.l1_eval <== l1_eval_in;
    emit.before.l2_count <== l2_count_in;
    emit.before.l1_count <== l1_count_in;
    commitment_out <== emit.after.commitment;
    l2_eval_out <== emit.after.l2_eval;
    l2_parity_out <== emit.after.l2_parity;
    l1_eval_out <== emit.after.l1_eval;
    l2_count_out <== emit.after.l2_count;
    l1_count_out <== emit.after.l1_count;
}
