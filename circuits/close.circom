pragma circom 2.2.0;

include "circomlib/circuits/comparators.circom";
include "lib/account.circom";
include "lib/buses.circom";
include "lib/merkle.circom";
include "lib/streams.circom";

/**
 * Closes a block: pays its fees out and holds every element of the state vector to the header and to (C, Y).
 *
 * Statement: after balance(fee_account, fee_tokens[j]) += fees[j], for j = 0..7 in order, the root over the
 * nodes is new_root;
 * the fee account's address is not 0; nothing is pending: no Swap or batch is cut off by the block's end (I-18, I-19);
 * l2_count = l2_chunks and l1_count = l1_words; commitment = C; Y = header_eval + X^(2^20) l2_eval + X^(2^21) l1_eval.
 *
 * Of the state vector l2_parity alone is not held to anything: it is l2_count mod 2.
 * The credits cannot overflow: fees were debited in this block, see Step.
 *
 * Phases: A. fees, in the balance tree   B. the fee account   C. nothing unfinished, counts, commitment, evaluation
 *
 * @param ACCOUNT_LEVELS, BALANCE_LEVELS  the depths of the trees, at most the protocol's
 *
 * Inputs, public:
 *   C, X, Y       {field}  the block's public inputs
 *   *_in          {state vector}  assumed (by the last step)
 *   fee_tokens[8], fee_account, header_eval, new_root, l2_chunks, l1_words   assumed (by Open)
 * Inputs, private, all constrained here:
 *   account {Account}, account_path[]   the fee account after the last step
 *   balance_paths[8]                    each as it stands when its turn comes, bottom level first
 */
template Close(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    assert(ACCOUNT_LEVELS > SHARED_LEVELS() && ACCOUNT_LEVELS <= ACCOUNT_LEVELS());
    assert(BALANCE_LEVELS > 1 && BALANCE_LEVELS <= BALANCE_LEVELS());

    signal input C;
    signal input X;
    signal input Y;
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
    signal input fee_tokens[FEE_TOKENS()];
    signal input fee_account;
    signal input header_eval;
    signal input new_root;
    signal input l2_chunks;
    signal input l1_words;

    input Account() account;
    signal input account_path[ACCOUNT_LEVELS - SHARED_LEVELS()][ARITY()];
    signal input balance_paths[FEE_TOKENS()][BALANCE_LEVELS][ARITY()];

    // A. Fees
    component slot[FEE_TOKENS()];
    component selected[FEE_TOKENS()];
    component balances[FEE_TOKENS()];
    for (var j = 0; j < FEE_TOKENS(); j++) {
        slot[j] = IndexDigits(BALANCE_LEVELS);
        slot[j].index <== fee_tokens[j];
        selected[j] = SelectChild();
        selected[j].children <== balance_paths[j][0];
        selected[j].digit <== slot[j].digits[0];
        balances[j] = PathUpdate(BALANCE_LEVELS);
        balances[j].path <== balance_paths[j];
        balances[j].digits <== slot[j].digits;
        balances[j].old_leaf <== selected[j].out;
        balances[j].new_leaf <== selected[j].out + fees_in[j];
        if (j > 0) {
            balances[j].old_root === balances[j - 1].new_root;
        }
    }

    // B. The fee account
    component index = IndexDigits(ACCOUNT_LEVELS);
    index.index <== fee_account;
    component update = AccountUpdate(ACCOUNT_LEVELS);
    update.nodes <== nodes_in;
    update.digits <== index.digits;
    update.path <== account_path;
    update.before <== account;
    update.balances_before <== balances[0].old_root;
    update.after <== account;
    update.balances_after <== balances[FEE_TOKENS() - 1].new_root;
    signal root <== SharedRoot()(update.new_nodes);
    root === new_root;
    signal address_is_zero <== IsZero()(account.address);
    address_is_zero === 0;

    // C. Nothing unfinished, counts, commitment, evaluation
    pending_in === 0;
    link_in === 0;
    rest_in === 0;
    l2_count_in === l2_chunks;
    l1_count_in === l1_words;
    commitment_in === C;
    component l2_power = PowerOfX(L2_DEGREE_LOG2());
    component l1_power = PowerOfX(L1_DEGREE_LOG2() - L2_DEGREE_LOG2());
    l2_power.X <== X;
    l1_power.X <== l2_power.out;
    signal l2_part <== l2_power.out * l2_eval_in;
    signal l1_part <== l1_power.out * l1_eval_in;
    Y === header_eval + l2_part + l1_part;
}
