pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "merkle.circom";

/**
 * Reads one leaf of a tree.
 *
 * Statement: `root` is the root of a tree that has `leaf` at the index.
 *
 * @param LEVELS  1..84
 *
 * Inputs:
 *   leaf               {field}          any
 *   digits[LEVELS][8]  {bool, one-hot}  assumed (by Caller)
 *   path[LEVELS][8]    {field}          constrained here against root, which the caller pins
 * Outputs:
 *   root               {field}
 */
template PathOpening(LEVELS) {
    assert(LEVELS > 0 && LEVELS <= 84);
    signal input leaf;
    signal input digits[LEVELS][ARITY()];
    signal input path[LEVELS][ARITY()];
    signal output root;

    component selected[LEVELS];
    component node[LEVELS];
    for (var l = 0; l < LEVELS; l++) {
        selected[l] = SelectChild();
        selected[l].children <== path[l];
        selected[l].digit <== digits[l];
        if (l == 0) {
            selected[l].out === leaf;
        } else {
            selected[l].out === node[l - 1].out;
        }

        node[l] = Poseidon(ARITY());
        node[l].inputs <== path[l];
    }
    root <== node[LEVELS - 1].out;
}
