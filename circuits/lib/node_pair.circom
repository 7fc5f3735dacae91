pragma circom 2.2.0;

include "circomlib/circuits/poseidon_constants.circom";
include "../generated/constants.circom";

// Of Poseidon with 9 elements of state, as circomlib has it: full rounds before and after, partial rounds between.
function POSEIDON_WIDTH() { return ARITY() + 1; }
function FULL_ROUNDS() { return 4; }
function PARTIAL_ROUNDS() { return 63; }
function ROUND_CONSTANTS() { return POSEIDON_WIDTH() * 2 * FULL_ROUNDS() + PARTIAL_ROUNDS(); }

/** Statement: out = in^5, Poseidon's S-box. x^5 permutes the field, as 5 does not divide r - 1. */
template FifthPower() {
    signal input in;
    signal output out;

    signal square <== in * in;
    signal fourth <== square * square;
    out <== fourth * in;
}

/**
 * Poseidon(8) from its first round's S-boxes on.
 *
 * Statement: out = circomlib's Poseidon of the inputs of which `first` is what the first round's S-boxes give.
 *
 * Between S-boxes all is linear, and stays an expression: it costs no signal and no constraint.
 *
 * Phases: A. full rounds   B. partial rounds, by sparse matrices   C. full rounds
 *
 * Inputs:
 *   first[9]  {field}  assumed (by NodePair): first[0] of the capacity, first[i + 1] of input i
 * Outputs:
 *   out       {field}
 */
template PoseidonFromFirst() {
    var T = POSEIDON_WIDTH();
    var FULL = FULL_ROUNDS();
    var PARTIAL = PARTIAL_ROUNDS();
    var C[ROUND_CONSTANTS()] = POSEIDON_C(T);
    var S[PARTIAL * (2 * T - 1)] = POSEIDON_S(T);
    var M[T][T] = POSEIDON_M(T);
    var P[T][T] = POSEIDON_P(T);
    signal input first[T];
    signal output out;

    var state[T];
    var mixed[T];
    for (var i = 0; i < T; i++) {
        state[i] = first[i];
    }

    // A. The last of these rounds mixes by P, which makes the matrices of phase B sparse
    component before[FULL - 1][T];
    for (var r = 0; r < FULL; r++) {
        for (var i = 0; i < T; i++) {
            mixed[i] = 0;
            for (var j = 0; j < T; j++) {
                mixed[i] += (r < FULL - 1 ? M[j][i] : P[j][i]) * (state[j] + C[(r + 1) * T + j]);
            }
        }
        for (var i = 0; i < T; i++) {
            state[i] = mixed[i];
            if (r < FULL - 1) {
                before[r][i] = FifthPower();
                before[r][i].in <== state[i];
                state[i] = before[r][i].out;
            }
        }
    }

    // B. Row r of S: T factors of the first element's sum, then T - 1 of what the first adds to each other
    component between[PARTIAL];
    for (var r = 0; r < PARTIAL; r++) {
        between[r] = FifthPower();
        between[r].in <== state[0];
        state[0] = between[r].out + C[(FULL + 1) * T + r];
        var row = (2 * T - 1) * r;
        var sum = S[row] * state[0];
        for (var i = 1; i < T; i++) {
            sum += S[row + i] * state[i];
            state[i] += S[row + T + i - 1] * state[0];
        }
        state[0] = sum;
    }

    // C. No constants after the last S-boxes
    component after[FULL][T];
    for (var r = 0; r < FULL; r++) {
        for (var i = 0; i < T; i++) {
            after[r][i] = FifthPower();
            after[r][i].in <== state[i];
        }
        for (var i = 0; i < T; i++) {
            mixed[i] = 0;
            for (var j = 0; j < T; j++) {
                var constant = r < FULL - 1 ? C[(FULL + 1 + r) * T + PARTIAL + j] : 0;
                mixed[i] += M[j][i] * (after[r][j].out + constant);
            }
        }
        state = mixed;
    }
    out <== state[0];
}

/**
 * A node of a tree before and after one of its children is replaced.
 *
 * Statement: children[n] = old_child for the n with digit[n] = 1, old_node = Poseidon(8)(children), and new_node is the
 * same with new_child at n.
 *
 * The two hashes share the first round's S-boxes of the children that stay. At n that of old_child must be the child's:
 * then they are equal, as x^5 permutes the field.
 *
 * Inputs:
 *   children[8]  {field}          constrained here at n, any elsewhere
 *   digit[8]     {bool, one-hot}  assumed (by IndexDigits)
 *   old_child, new_child {field}  any
 * Outputs:
 *   old_node, new_node   {field}
 */
template NodePair() {
    var C[ROUND_CONSTANTS()] = POSEIDON_C(POSEIDON_WIDTH());
    signal input children[ARITY()];
    signal input digit[ARITY()];
    signal input old_child;
    signal input new_child;
    signal output old_node;
    signal output new_node;

    // What the first round adds to the child at n
    var constant = 0;
    for (var i = 0; i < ARITY(); i++) {
        constant += digit[i] * C[i + 1];
    }
    signal old_power <== FifthPower()(old_child + constant);
    signal new_power <== FifthPower()(new_child + constant);

    component before = PoseidonFromFirst();
    component after = PoseidonFromFirst();
    before.first[0] <== C[0] ** 5;
    after.first[0] <== C[0] ** 5;
    signal powers[ARITY()];
    signal changes[ARITY()];
    var change = 0;
    for (var i = 0; i < ARITY(); i++) {
        powers[i] <== FifthPower()(children[i] + C[i + 1]);
        changes[i] <== digit[i] * (new_power - powers[i]);
        change += changes[i];
        before.first[i + 1] <== powers[i];
        after.first[i + 1] <== powers[i] + changes[i];
    }
    change === new_power - old_power;
    old_node <== before.out;
    new_node <== after.out;
}
