pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "node_pair.circom";

/*
 * 8-ary Poseidon trees (protocol 2). A path lists all eight children of every node from a leaf to the root,
 * the leaf's own level first; an index is read in base 8, its least significant digit at the leaf's level.
 */

/**
 * The one-hot form of one base-8 digit.
 *
 * Statement: one_hot[i] = 1 if digit = i, else 0, where digit = bits[0] + 2 bits[1] + 4 bits[2].
 *
 * Every output is a product: the optimiser leaves them alone, and our witness solver finds each from the bits. (As
 * linear forms of four products they would cost 5 constraints less, but the optimiser keeps them and drops the bits.)
 *
 * Inputs:
 *   bits[3]     {bool}  assumed (by IndexDigits)
 * Outputs:
 *   one_hot[8]  {bool}
 */
template DigitOneHot() {
    assert(ARITY() == 8);
    signal input bits[ARITY_BITS()];
    signal output one_hot[ARITY()];

    signal both <== bits[1] * bits[2];
    var high[4] = [1 - bits[1] - bits[2] + both, bits[1] - both, bits[2] - both, both];
    for (var i = 0; i < 4; i++) {
        one_hot[2 * i] <== high[i] * (1 - bits[0]);
        one_hot[2 * i + 1] <== high[i] * bits[0];
    }
}

/**
 * The digits of an index, one-hot, with a range check: there is exactly one accepted decomposition.
 *
 * Statement: index = sum 8^l digit_l  and  index < 8^LEVELS.
 *
 * @param LEVELS  1..84 (3 * 84 < 254, so the decomposition cannot wrap)
 *
 * Inputs:
 *   index                {uint(3 LEVELS)}  constrained here
 * Outputs:
 *   digits[LEVELS][8]    {bool}  one-hot
 *   top_bit              {bool}  the most significant bit of the index
 */
template IndexDigits(LEVELS) {
    assert(LEVELS > 0 && LEVELS <= 84);
    signal input index;
    signal output digits[LEVELS][ARITY()];
    signal output top_bit;

    component bits = Num2Bits(ARITY_BITS() * LEVELS);
    bits.in <== index;

    component one_hot[LEVELS];
    for (var l = 0; l < LEVELS; l++) {
        one_hot[l] = DigitOneHot();
        for (var b = 0; b < ARITY_BITS(); b++) {
            one_hot[l].bits[b] <== bits.out[ARITY_BITS() * l + b];
        }
        digits[l] <== one_hot[l].one_hot;
    }
    top_bit <== bits.out[ARITY_BITS() * LEVELS - 1];
}

/**
 * Statement: out = children[i] for the i with digit[i] = 1.
 *
 * Inputs:
 *   children[8]  {field}          any
 *   digit[8]     {bool, one-hot}  assumed (by IndexDigits)
 */
template SelectChild() {
    signal input children[ARITY()];
    signal input digit[ARITY()];
    signal output out;

    signal products[ARITY()];
    var sum = 0;
    for (var i = 0; i < ARITY(); i++) {
        products[i] <== children[i] * digit[i];
        sum += products[i];
    }
    out <== sum;
}

/**
 * Replaces one leaf of a tree and gives the roots before and after.
 *
 * Statement: old_root is the root of a tree that has `path` above leaf `old_leaf` at the index, new_root the root of
 * the same tree with new_leaf there. All other leaves are the same, as both roots use the same siblings.
 *
 * @param LEVELS  1..84
 *
 * Inputs:
 *   path[LEVELS][8]    {field}          constrained here against old_leaf, and against old_root, which the caller pins
 *   digits[LEVELS][8]  {bool, one-hot}  assumed (by IndexDigits)
 *   old_leaf, new_leaf {field}          any
 * Outputs:
 *   old_root, new_root {field}
 */
template PathUpdate(LEVELS) {
    assert(LEVELS > 0 && LEVELS <= 84);
    signal input path[LEVELS][ARITY()];
    signal input digits[LEVELS][ARITY()];
    signal input old_leaf;
    signal input new_leaf;
    signal output old_root;
    signal output new_root;

    component node[LEVELS];
    for (var l = 0; l < LEVELS; l++) {
        node[l] = NodePair();
        node[l].children <== path[l];
        node[l].digit <== digits[l];
        node[l].old_child <== l == 0 ? old_leaf : node[l - 1].old_node;
        node[l].new_child <== l == 0 ? new_leaf : node[l - 1].new_node;
    }
    old_root <== node[LEVELS - 1].old_node;
    new_root <== node[LEVELS - 1].new_node;
}
