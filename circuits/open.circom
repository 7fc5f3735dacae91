pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "circomlib/circuits/poseidon.circom";
include "lib/shared_nodes.circom";

/**
 * Opens a block: its header, and the state vector that the first step starts from (protocol 5, 7).
 *
 * Statement: H0..H4 are the header's words with every field in its width; commitment_out = Poseidon(5)(H0..H4);
 * header_eval = H0 X^4 + H1 X^3 + H2 X^2 + H3 X + H4; the root over nodes_out is H2; the fee tokens are strictly
 * increasing tokens (not order slots).
 * That the fields are the block's own is not known here: Y compares every word with the one that L1 composed.
 *
 * Phases: A. ranges of what is composed   B. fee tokens   C. words   D. state vector   E. globals
 *
 * @param ACCOUNT_LEVELS, BALANCE_LEVELS  the depths of the trees, at most the protocol's
 *
 * Inputs (private but X):
 *   X                      {uint128}  assumed (by L1)
 *   header_domain          {field}    a whole word, < r on L1
 *   header_version         {uint8}    constrained here, like all with a width below
 *   header_block_size {uint16}, header_block_number {uint32}, header_timestamp {uint40}, header_queue_start {uint40},
 *   header_queue_count {uint16}, header_l2_chunks {uint20}, header_l1_words {uint20}
 *   header_old_root, header_new_root   {field}    whole words, < r on L1
 *   header_fee_account     {uint(3 ACCOUNT_LEVELS)}
 *   header_fee_tokens[8]   {uint(3 BALANCE_LEVELS - 1)}
 *   nodes[SHARED_NODES]    {field}    constrained here
 * Outputs: the state vector (`_out`) and the globals of the block.
 */
template Open(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    assert(ACCOUNT_LEVELS > SHARED_LEVELS() && ACCOUNT_LEVELS <= ACCOUNT_LEVELS());
    assert(BALANCE_LEVELS > 1 && BALANCE_LEVELS <= BALANCE_LEVELS());

    signal input X;
    signal input header_domain;
    signal input header_version;
    signal input header_block_size;
    signal input header_block_number;
    signal input header_timestamp;
    signal input header_queue_start;
    signal input header_queue_count;
    signal input header_l2_chunks;
    signal input header_l1_words;
    signal input header_old_root;
    signal input header_new_root;
    signal input header_fee_account;
    signal input header_fee_tokens[FEE_TOKENS()];
    signal input nodes[SHARED_NODES()];

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

    signal output domain;
    signal output timestamp;
    signal output fee_tokens[FEE_TOKENS()];
    signal output header_eval;
    signal output new_root;
    signal output l2_chunks;
    signal output l1_words;
    signal output fee_account;

    // A. Ranges
    _ <== Num2Bits(VERSION_BITS())(header_version);
    _ <== Num2Bits(BLOCK_SIZE_BITS())(header_block_size);
    _ <== Num2Bits(BLOCK_NUMBER_BITS())(header_block_number);
    _ <== Num2Bits(TIMESTAMP_BITS())(header_timestamp);
    _ <== Num2Bits(QUEUE_INDEX_BITS())(header_queue_start);
    _ <== Num2Bits(QUEUE_COUNT_BITS())(header_queue_count);
    _ <== Num2Bits(COUNT_BITS())(header_l2_chunks);
    _ <== Num2Bits(COUNT_BITS())(header_l1_words);
    _ <== Num2Bits(ARITY_BITS() * ACCOUNT_LEVELS)(header_fee_account);

    // B. Fee tokens: below the first order slot, each more than the one before
    var TOKEN_BITS = ARITY_BITS() * BALANCE_LEVELS - 1;
    component increases[FEE_TOKENS()];
    for (var j = 0; j < FEE_TOKENS(); j++) {
        _ <== Num2Bits(TOKEN_BITS)(header_fee_tokens[j]);
        if (j > 0) {
            increases[j] = LessThan(TOKEN_BITS);
            increases[j].in[0] <== header_fee_tokens[j - 1];
            increases[j].in[1] <== header_fee_tokens[j];
            increases[j].out === 1;
        }
    }

    // C. Words
    // H1 = version 8 @ 184 | block_size 16 @ 168 | block_number 32 @ 136 | timestamp 40 @ 96 | queue_start 40 @ 56
    //      | queue_count 16 @ 40 | l2_chunks 20 @ 20 | l1_words 20 @ 0
    var word1 = header_version;
    word1 = word1 * (1 << BLOCK_SIZE_BITS()) + header_block_size;
    word1 = word1 * (1 << BLOCK_NUMBER_BITS()) + header_block_number;
    word1 = word1 * (1 << TIMESTAMP_BITS()) + header_timestamp;
    word1 = word1 * (1 << QUEUE_INDEX_BITS()) + header_queue_start;
    word1 = word1 * (1 << QUEUE_COUNT_BITS()) + header_queue_count;
    word1 = word1 * (1 << COUNT_BITS()) + header_l2_chunks;
    word1 = word1 * (1 << COUNT_BITS()) + header_l1_words;
    // H4 = fee_account 24 @ 96 | fee_token_7 12 @ 84 | ... | fee_token_0 12 @ 0
    var word4 = header_fee_account;
    for (var j = FEE_TOKENS() - 1; j >= 0; j--) {
        word4 = word4 * (1 << SLOT_BITS()) + header_fee_tokens[j];
    }
    signal words[HEADER_WORDS()];
    words[0] <== header_domain;
    words[1] <== word1;
    words[2] <== header_old_root;
    words[3] <== header_new_root;
    words[4] <== word4;

    // D. State vector
    component hash = Poseidon(HEADER_WORDS());
    signal eval[HEADER_WORDS()];
    eval[0] <== words[0];
    for (var i = 0; i < HEADER_WORDS(); i++) {
        hash.inputs[i] <== words[i];
        if (i > 0) {
            eval[i] <== eval[i - 1] * X + words[i];
        }
    }
    commitment_out <== hash.out;
    signal root <== SharedRoot()(nodes);
    root === header_old_root;
    nodes_out <== nodes;
    l2_eval_out <== 0;
    l2_parity_out <== 0;
    l1_eval_out <== 0;
    l2_count_out <== 0;
    l1_count_out <== 0;
    for (var j = 0; j < FEE_TOKENS(); j++) {
        fees_out[j] <== 0;
    }
    pending_out <== 0;
    link_out <== 0;
    rest_out <== 0;

    // E. Globals
    domain <== header_domain;
    timestamp <== header_timestamp;
    fee_tokens <== header_fee_tokens;
    header_eval <== eval[HEADER_WORDS() - 1];
    new_root <== header_new_root;
    l2_chunks <== header_l2_chunks;
    l1_words <== header_l1_words;
    fee_account <== header_fee_account;
}
