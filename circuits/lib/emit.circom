pragma circom 2.2.0;

include "buses.circom";
include "streams.circom";

/**
 * What a step publishes: its chunks of the L2 stream and its record of the L1 stream (protocol 6), appended to the
 * evaluations and counts and absorbed in the commitment.
 *
 * Statement: chunk 0 is op 4 @ 116 and, by kind,
 *
 *                       token 12 @ 104 | from 24 @ 80 | to 24 @ 56 | amount 40 @ 16 | fee 16 @ 0
 *   Transfer(ToAddress)     token          from_id       to_id       amount_packed    fee_packed
 *   maker, taker            token          from_id       to_slot     amount_packed    fee_packed
 *   CancelOrder             token          from_id       to_slot     order_id         fee_packed
 *   ForcedExit              token          from_id       0           0                fee_packed
 *   other markers           0              0             0           0                fee_packed
 *   settlement          counter_order_id 32 @ 32 | order_id 32 @ 0
 *
 * TransferToAddress has two more, address 160 | 0 (80); Noop has none. The records, of what touch 2 opens:
 *
 *   W0: op 4 @ 200 | flags 4 @ 196 | to_id 24 @ 172 | to_slot 12 @ 160 | address 160 @ 0
 *   W1: aux 64 @ 128 | amount 128 @ 0                   both of Deposit, FullExit, Withdraw, ChangePubKey, ForcedExit
 *   W2, W3: key                                         of Deposit, ChangePubKey
 *
 * Inputs:
 *   X                  {uint128}    assumed (by L1)
 *   op                 {Operation}  assumed in its widths (by Decode, Widths)
 *   kind               {Kind}       assumed (by ReadKind)
 *   address_chunks[2]  {uint120}    assumed (by Widths)
 *   before             {Data}       assumed (by the step before)
 * Outputs: after {Data}
 */
template Emit() {
    signal input X;
    input Operation() op;
    input Kind() kind;
    signal input address_chunks[2];
    input Data() before;
    output Data() after;

    var code = OP_DEPOSIT() * op.is_deposit + OP_FULL_EXIT() * op.is_full_exit + OP_TRANSFER() * op.is_transfer
        + OP_TRANSFER_TO_ADDRESS() * op.is_transfer_to_address + OP_WITHDRAW() * op.is_withdraw
        + OP_CHANGE_PUB_KEY() * op.is_change_pub_key + OP_FORCED_EXIT() * op.is_forced_exit + OP_SWAP() * kind.swaps
        + OP_CANCEL_ORDER() * op.is_cancel_order;
    assert(OP_NOOP() == 0);

    // Chunks
    signal payer <== (kind.pays + kind.order_slot + op.is_forced_exit)
        * (op.token * (1 << ACCOUNT_ID_BITS()) + op.from_id);
    signal to_account <== kind.pays * op.to_id;
    signal to_slot <== kind.order_slot * op.to_slot;
    signal amount <== (kind.pays + kind.orders) * op.amount_packed;
    signal first_valid <== op.is_cancel_order * op.order_id;
    signal orders <== op.is_settlement * (op.counter_order_id * (1 << ORDER_ID_BITS()) + op.order_id);
    var chunk = code * (1 << (SLOT_BITS() + ACCOUNT_ID_BITS())) + payer;
    chunk = chunk * (1 << ACCOUNT_ID_BITS()) + to_account + to_slot;
    chunk = chunk * (1 << AMOUNT_BITS()) + amount + first_valid;
    chunk = chunk * (1 << FEE_BITS()) + op.fee_packed + orders;
    signal chunks[MAX_CHUNKS_PER_STEP()];
    chunks[0] <== chunk;
    chunks[1] <== address_chunks[0];
    chunks[2] <== address_chunks[1];

    // Record
    var head = code;
    head = head * (1 << FLAG_BITS()) + FLAG_SENDER_IS_OWNER() * op.sender_is_owner + FLAG_REFUSED() * op.refused;
    head = head * (1 << ACCOUNT_ID_BITS()) + op.to_id;
    head = head * (1 << SLOT_BITS()) + op.to_slot;
    head = head * (1 << ADDRESS_BITS()) + op.address;
    var has_key = op.is_deposit + op.is_change_pub_key;
    var has_record = has_key + op.is_full_exit + op.is_withdraw + op.is_forced_exit;
    signal words[MAX_WORDS_PER_STEP()];
    words[0] <== has_record * head;
    words[1] <== has_record * (op.aux * (1 << BALANCE_BITS()) + op.amount);
    words[2] <== op.key[0];
    words[3] <== op.key[1];

    // Both appended and absorbed
    component l2[MAX_CHUNKS_PER_STEP()];
    var present[MAX_CHUNKS_PER_STEP()] = [1 - op.is_noop, op.is_transfer_to_address, op.is_transfer_to_address];
    for (var i = 0; i < MAX_CHUNKS_PER_STEP(); i++) {
        l2[i] = AppendChunk();
        l2[i].X <== X;
        l2[i].present <== present[i];
        l2[i].chunk <== chunks[i];
        l2[i].l2_eval_in <== i == 0 ? before.l2_eval : l2[i - 1].l2_eval_out;
        l2[i].l2_parity_in <== i == 0 ? before.l2_parity : l2[i - 1].l2_parity_out;
        l2[i].l2_count_in <== i == 0 ? before.l2_count : l2[i - 1].l2_count_out;
    }
    after.l2_eval <== l2[MAX_CHUNKS_PER_STEP() - 1].l2_eval_out;
    after.l2_parity <== l2[MAX_CHUNKS_PER_STEP() - 1].l2_parity_out;
    after.l2_count <== l2[MAX_CHUNKS_PER_STEP() - 1].l2_count_out;

    component l1 = AppendWords();
    l1.X <== X;
    l1.pair <== has_record;
    l1.quad <== has_key;
    l1.words <== words;
    l1.l1_eval_in <== before.l1_eval;
    l1.l1_count_in <== before.l1_count;
    after.l1_eval <== l1.l1_eval_out;
    after.l1_count <== l1.l1_count_out;

    component absorb = AbsorbStep();
    absorb.commitment_in <== before.commitment;
    absorb.chunks <== chunks;
    absorb.words <== words;
    absorb.chunk_count <== 1 - op.is_noop + 2 * op.is_transfer_to_address;
    absorb.word_count <== 2 * has_record + 2 * has_key;
    after.commitment <== absorb.commitment_out;
}
