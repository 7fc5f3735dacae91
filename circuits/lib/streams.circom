pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "../generated/constants.circom";

/**
 * Appends one chunk, or none, to the L2 stream's evaluation (protocol 6 and 7).
 *
 * Statement: with p chunks before (parity = p mod 2), l2_eval is E of their 30-byte words, an odd last chunk being the
 * high half of its word; the outputs are the same for p + present chunks.
 *
 * Inputs:
 *   X        {uint128}  assumed (by L1)
 *   present  {bool}     assumed (by Step)
 *   chunk    {uint120}  assumed (by Step), 0 if not present
 *   l2_eval, l2_parity, l2_count   {field, bool, uint}  assumed (by the previous step; Open starts with 0)
 */
template AppendChunk() {
    signal input X;
    signal input present;
    signal input chunk;
    signal input l2_eval_in;
    signal input l2_parity_in;
    signal input l2_count_in;
    signal output l2_eval_out;
    signal output l2_parity_out;
    signal output l2_count_out;

    signal starts_word <== present * (1 - l2_parity_in);
    signal shifted <== l2_eval_in * X;
    signal before <== l2_eval_in + starts_word * (shifted - l2_eval_in);
    // The first half of a word is the high one. Where nothing is present, chunk is 0.
    l2_eval_out <== before + chunk * (1 + starts_word * ((1 << CHUNK_BITS()) - 1));

    // parity + present - 2 * parity * present, as parity * present = present - starts_word
    l2_parity_out <== l2_parity_in + 2 * starts_word - present;
    // The square of a boolean: a linear constraint would let the optimiser drop an input for this output.
    l2_count_out <== l2_count_in + present * present;
}

/**
 * Appends the step's words to the L1 stream's evaluation by Horner's rule.
 *
 * Statement: E' = E X^n + sum over the n present words w of w X^(n - 1 - position); counts rise by n.
 *
 * Inputs:
 *   X           {uint128}  assumed (by L1)
 *   pair        {bool}     assumed (by Step): words 0 and 1 are present
 *   quad        {bool}     assumed (by Step): words 2 and 3 are present, only with pair
 *   words[4]    {field}    assumed (by Step), 0 where not present
 */
template AppendWords() {
    assert(MAX_WORDS_PER_STEP() == 4);
    signal input X;
    signal input pair;
    signal input quad;
    signal input words[MAX_WORDS_PER_STEP()];
    signal input l1_eval_in;
    signal input l1_count_in;
    signal output l1_eval_out;
    signal output l1_count_out;

    signal shifted[MAX_WORDS_PER_STEP()];
    signal eval[MAX_WORDS_PER_STEP() + 1];
    var present[MAX_WORDS_PER_STEP()] = [pair, pair, quad, quad];
    eval[0] <== l1_eval_in;
    for (var i = 0; i < MAX_WORDS_PER_STEP(); i++) {
        shifted[i] <== eval[i] * X;
        eval[i + 1] <== eval[i] + present[i] * (shifted[i] - eval[i]) + words[i];
    }
    l1_eval_out <== eval[MAX_WORDS_PER_STEP()];
    // The square of a boolean, as in AppendChunk
    l1_count_out <== l1_count_in + 2 * pair * pair + 2 * quad;
}

/**
 * Absorbs what a step emits, and how much, in the binding commitment (protocol 7).
 *
 * Statement: commitment_out = Poseidon(8)(commitment_in, c0 + 2^120 chunk_count + 2^122 word_count, c1, c2, w0..w3).
 *
 * Inputs:
 *   chunks[3]    {uint120}  assumed (by Step)
 *   words[4]     {field}    assumed (by Step)
 *   chunk_count  {uint2}    assumed (by Step)
 *   word_count   {uint3}    assumed (by Step)
 */
template AbsorbStep() {
    assert(MAX_CHUNKS_PER_STEP() == 3 && MAX_WORDS_PER_STEP() == 4);
    signal input commitment_in;
    signal input chunks[MAX_CHUNKS_PER_STEP()];
    signal input words[MAX_WORDS_PER_STEP()];
    signal input chunk_count;
    signal input word_count;
    signal output commitment_out;

    component hash = Poseidon(8);
    hash.inputs[0] <== commitment_in;
    // word_count 3 @ 122 | chunk_count 2 @ 120 | c0 120 @ 0
    hash.inputs[1] <== chunks[0] + chunk_count * (1 << CHUNK_BITS()) + word_count * (1 << (CHUNK_BITS() + 2));
    hash.inputs[2] <== chunks[1];
    hash.inputs[3] <== chunks[2];
    for (var i = 0; i < MAX_WORDS_PER_STEP(); i++) {
        hash.inputs[4 + i] <== words[i];
    }
    commitment_out <== hash.out;
}

/**
 * Statement: out = X^(2^LOG2).
 */
template PowerOfX(LOG2) {
    assert(LOG2 > 0);
    signal input X;
    signal output out;

    signal powers[LOG2 + 1];
    powers[0] <== X;
    for (var i = 0; i < LOG2; i++) {
        powers[i + 1] <== powers[i] * powers[i];
    }
    out <== powers[LOG2];
}
