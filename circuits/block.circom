pragma circom 2.2.0;

include "close.circom";
include "open.circom";
include "step.circom";

/**
 * The whole block in one circuit: the reference that linked blocks are compared with. It cannot grow beyond a few steps.
 *
 * Statement: there are a header, N operations and a fee account such that Open, N Steps and Close hold, each state vector
 * being the next one's.
 *
 * @param N  steps, 1..4;  ACCOUNT_LEVELS, BALANCE_LEVELS  as in Step
 *
 * Inputs: C, X, Y public; Open's and Step's (one of N each) private inputs by their names, Close's with `close_` in front.
 */
template Block(N, ACCOUNT_LEVELS, BALANCE_LEVELS) {
    assert(N > 0 && N <= 4);

    signal input C;
    signal input X;
    signal input Y;

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

    input Operation() op[N];
    input Opened(ACCOUNT_LEVELS, BALANCE_LEVELS) from[N];
    input Opened(ACCOUNT_LEVELS, BALANCE_LEVELS) to[N];

    input Account() close_account;
    signal input close_account_path[ACCOUNT_LEVELS - SHARED_LEVELS()][ARITY()];
    signal input close_balance_paths[FEE_TOKENS()][BALANCE_LEVELS][ARITY()];

    component open = Open(ACCOUNT_LEVELS, BALANCE_LEVELS);
    open.X <== X;
    open.header_domain <== header_domain;
    open.header_version <== header_version;
    open.header_block_size <== header_block_size;
    open.header_block_number <== header_block_number;
    open.header_timestamp <== header_timestamp;
    open.header_queue_start <== header_queue_start;
    open.header_queue_count <== header_queue_count;
    open.header_l2_chunks <== header_l2_chunks;
    open.header_l1_words <== header_l1_words;
    open.header_old_root <== header_old_root;
    open.header_new_root <== header_new_root;
    open.header_fee_account <== header_fee_account;
    open.header_fee_tokens <== header_fee_tokens;
    open.nodes <== nodes;

    component steps[N];
    for (var i = 0; i < N; i++) {
        steps[i] = Step(ACCOUNT_LEVELS, BALANCE_LEVELS);
        steps[i].X <== X;
        steps[i].domain <== open.domain;
        steps[i].timestamp <== open.timestamp;
        steps[i].fee_tokens <== open.fee_tokens;
        if (i == 0) {
            steps[i].nodes_in <== open.nodes_out;
            steps[i].commitment_in <== open.commitment_out;
            steps[i].l2_eval_in <== open.l2_eval_out;
            steps[i].l2_parity_in <== open.l2_parity_out;
            steps[i].l1_eval_in <== open.l1_eval_out;
            steps[i].l2_count_in <== open.l2_count_out;
            steps[i].l1_count_in <== open.l1_count_out;
            steps[i].fees_in <== open.fees_out;
            steps[i].pending_in <== open.pending_out;
            steps[i].link_in <== open.link_out;
            steps[i].rest_in <== open.rest_out;
        } else {
            steps[i].nodes_in <== steps[i - 1].nodes_out;
            steps[i].commitment_in <== steps[i - 1].commitment_out;
            steps[i].l2_eval_in <== steps[i - 1].l2_eval_out;
            steps[i].l2_parity_in <== steps[i - 1].l2_parity_out;
            steps[i].l1_eval_in <== steps[i - 1].l1_eval_out;
            steps[i].l2_count_in <== steps[i - 1].l2_count_out;
            steps[i].l1_count_in <== steps[i - 1].l1_count_out;
            steps[i].fees_in <== steps[i - 1].fees_out;
            steps[i].pending_in <== steps[i - 1].pending_out;
            steps[i].link_in <== steps[i - 1].link_out;
            steps[i].rest_in <== steps[i - 1].rest_out;
        }
        steps[i].op <== op[i];
        steps[i].from <== from[i];
        steps[i].to <== to[i];
    }

    component close = Close(ACCOUNT_LEVELS, BALANCE_LEVELS);
    close.C <== C;
    close.X <== X;
    close.Y <== Y;
    close.nodes_in <== steps[N - 1].nodes_out;
    close.commitment_in <== steps[N - 1].commitment_out;
    close.l2_eval_in <== steps[N - 1].l2_eval_out;
    close.l2_parity_in <== steps[N - 1].l2_parity_out;
    close.l1_eval_in <== steps[N - 1].l1_eval_out;
    close.l2_count_in <== steps[N - 1].l2_count_out;
    close.l1_count_in <== steps[N - 1].l1_count_out;
    close.fees_in <== steps[N - 1].fees_out;
    close.pending_in <== steps[N - 1].pending_out;
    close.link_in <== steps[N - 1].link_out;
    close.rest_in <== steps[N - 1].rest_out;
    close.fee_tokens <== open.fee_tokens;
    close.fee_account <== open.fee_account;
    close.header_eval <== open.header_eval;
    close.new_root <== open.new_root;
    close.l2_chunks <== open.l2_chunks;
    close.l1_words <== open.l1_words;
    close.account <== close_account;
    close.account_path <== close_account_path;
    close.balance_paths <== close_balance_paths;
}
