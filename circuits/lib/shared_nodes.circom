pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "merkle.circom";

/*
 * The top of the account tree, which the steps of a block share: instead of the root, the state vector holds the
 * SHARED_NODES nodes that lie SHARED_LEVELS below it, in the order of the ids under them (protocol 15). Open takes them
 * from the old root and Close gives them to the new one, so that no step hashes above them.
 */

/**
 * Statement: root is the root over the nodes.
 *
 * Inputs:
 *   nodes[SHARED_NODES]  {field}  any
 * Outputs:
 *   root                 {field}
 */
template SharedRoot() {
    assert(SHARED_LEVELS() == 2);
    signal input nodes[SHARED_NODES()];
    signal output root;

    component top = Poseidon(ARITY());
    component below[ARITY()];
    for (var i = 0; i < ARITY(); i++) {
        below[i] = Poseidon(ARITY());
        for (var j = 0; j < ARITY(); j++) {
            below[i].inputs[j] <== nodes[ARITY() * i + j];
        }
        top.inputs[i] <== below[i].out;
    }
    root <== top.out;
}

/**
 * Replaces one of the shared nodes.
 *
 * Statement: with n = digits[0] + 8 digits[1], nodes[n] = old_node, new_nodes[n] = new_node, and all other nodes stay.
 *
 * Phases: A. the node at n   B. its change, at n: change * [digits[1] = i] * [digits[0] = j], without a one-hot form of n
 *
 * Inputs:
 *   nodes[SHARED_NODES]        {field}          any
 *   digits[SHARED_LEVELS][8]   {bool, one-hot}  assumed (by IndexDigits)
 *   old_node                   {field}          constrained here
 *   new_node                   {field}          any
 * Outputs:
 *   new_nodes[SHARED_NODES]    {field}
 */
template NodeUpdate() {
    assert(SHARED_LEVELS() == 2);
    signal input nodes[SHARED_NODES()];
    signal input digits[SHARED_LEVELS()][ARITY()];
    signal input old_node;
    signal input new_node;
    signal output new_nodes[SHARED_NODES()];

    // A. The node at n
    component in_row[ARITY()];
    component selected = SelectChild();
    for (var i = 0; i < ARITY(); i++) {
        in_row[i] = SelectChild();
        in_row[i].digit <== digits[0];
        for (var j = 0; j < ARITY(); j++) {
            in_row[i].children[j] <== nodes[ARITY() * i + j];
        }
        selected.children[i] <== in_row[i].out;
    }
    selected.digit <== digits[1];
    selected.out === old_node;

    // B. Its change
    signal change[ARITY()];
    for (var i = 0; i < ARITY(); i++) {
        change[i] <== digits[1][i] * (new_node - old_node);
        for (var j = 0; j < ARITY(); j++) {
            new_nodes[ARITY() * i + j] <== nodes[ARITY() * i + j] + digits[0][j] * change[i];
        }
    }
}
