pragma circom 2.2.0;

include "streams.circom";

/**
 * What a step publishes: its chunk of the L2 stream and its record of the L1 stream (protocol 6), appended to the
 * evaluations and counts and absorbed in the commitment.
 *
 * Statement: the chunk is the operation's (none for Noop), the record has 0, 2 (FullExit, Withdraw) or 4 (Deposit) words.
 *
 * Inputs: X {uint128} assumed (by L1); is_* {bool, one-hot} assumed (by Step); the fields, in the widths below, assumed
 * (by Step), where amount_packed = 0 unless Transfer, fee_packed = 0 unless signed, aux = 0 unless a queue operation,
 * key = 0 unless Deposit; `_in` assumed (by the previous step).
 */
template Emit() {
    signal input X;
    signal input is_noop;
    signal input is_deposit;
    signal input is_full_exit;
    signal input is_transfer;
    signal input is_withdraw;
    signal input sender_is_owner;
    signal input refused;
    signal input from_id;
    signal input to_id;
    signal input token;
    signal input amount;
    signal input amount_packed;
    signal input fee_packed;
    signal input address;
    signal input aux;
    signal input key[2];
    signal input commitment_in;
    signal input l2_eval_in;
    signal input l2_parity_in;
    signal input l1_eval_in;
    signal input l2_count_in;
    signal input l1_count_in;
    signal output commitment_out;
    signal output l2_eval_out;
    signal output l2_parity_out;
    signal output l1_eval_out;
    signal output l2_count_out;
    signal output l1_count_out;

    var op = OP_NOOP() * is_noop + OP_DEPOSIT() * is_deposit + OP_FULL_EXIT() * is_full_exit
        + OP_TRANSFER() * is_transfer + OP_WITHDRAW() * is_withdraw;

    // Transfer: op 4 @ 116 | token 12 @ 104 | from 24 @ 80 | to 24 @ 56 | amount 40 @ 16 | fee 16 @ 0
    // marker:   op 4 @ 116 | 0 (100) @ 16 | fee 16 @ 0
    var body = token;
    body = body * (1 << ACCOUNT_ID_BITS()) + from_id;
    body = body * (1 << ACCOUNT_ID_BITS()) + to_id;
    body = body * (1 << AMOUNT_BITS()) + amount_packed;
    body = body * (1 << FEE_BITS());
    signal transfer_body <== is_transfer * body;
    signal chunk <== op * (1 << (CHUNK_BITS() - OP_BITS())) + transfer_body + fee_packed;

    // W0: op 4 @ 200 | flags 4 @ 196 | account_id 24 @ 172 | token 12 @ 160 | address 160 @ 0
    // W1: aux 64 @ 128 | amount 128 @ 0      W2, W3: ax, ay
    var head = op;
    head = head * (1 << FLAG_BITS()) + FLAG_SENDER_IS_OWNER() * sender_is_owner + FLAG_REFUSED() * refused;
    head = head * (1 << ACCOUNT_ID_BITS()) + from_id;
    head = head * (1 << SLOT_BITS()) + token;
    head = head * (1 << ADDRESS_BITS()) + address;
    var has_record = is_deposit + is_full_exit + is_withdraw;
    signal words[MAX_WORDS_PER_STEP()];
    words[0] <== has_record * head;
    words[1] <== has_record * (aux * (1 << BALANCE_BITS()) + amount);
    words[2] <== key[0];
    words[3] <== key[1];

    component l2 = AppendChunk();
    l2.X <== X;
    l2.present <== 1 - is_noop;
    l2.chunk <== chunk;
    l2.l2_eval_in <== l2_eval_in;
    l2.l2_parity_in <== l2_parity_in;
    l2.l2_count_in <== l2_count_in;
    l2_eval_out <== l2.l2_eval_out;
    l2_parity_out <== l2.l2_parity_out;
    l2_count_out <== l2.l2_count_out;

    component l1 = AppendWords();
    l1.X <== X;
    l1.pair <== has_record;
    l1.quad <== is_deposit;
    l1.words <== words;
    l1.l1_eval_in <== l1_eval_in;
    l1.l1_count_in <== l1_count_in;
    l1_eval_out <== l1.l1_eval_out;
    l1_count_out <== l1.l1_count_out;

    component absorb = AbsorbStep();
    absorb.commitment_in <== commitment_in;
    absorb.chunks <== [chunk, 0, 0];
    absorb.words <== words;
    absorb.chunk_count <== 1 - is_noop;
    absorb.word_count <== 2 * has_record + 2 * is_deposit;
    commitment_out <== absorb.commitment_out;
}
