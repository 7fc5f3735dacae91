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

    signal input is_noop[N];
    signal input is_deposit[N];
    signal input is_full_exit[N];
    signal input is_transfer[N];
    signal input is_withdraw[N];
    signal input from_id[N];
    signal input to_id[N];
    signal input token[N];
    signal input amount[N];
    signal input amount_packed[N];
    signal input fee_packed[N];
    signal input address[N];
    signal input aux[N];
    signal input sender_is_owner[N];
    signal input refused[N];
    signal input key[N][2];
    signal input valid_from[N];
    signal input valid_until[N];
    signal input signature_r[N][2];
    signal input signature_s[N];
    signal input from_key[N][2];
    signal input from_address[N];
    signal input from_nonce[N];
    signal input from_balance_path[N][BALANCE_LEVELS][ARITY()];
    signal input from_account_path[N][ACCOUNT_LEVELS][ARITY()];
    signal input to_key[N][2];
    signal input to_address[N];
    signal input to_nonce[N];
    signal input to_balance_path[N][BALANCE_LEVELS][ARITY()];
    signal input to_account_path[N][ACCOUNT_LEVELS][ARITY()];

    signal input close_key[2];
    signal input close_address;
    signal input close_nonce;
    signal input close_account_path[ACCOUNT_LEVELS][ARITY()];
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

    component steps[N];
    for (var i = 0; i < N; i++) {
        steps[i] = Step(ACCOUNT_LEVELS, BALANCE_LEVELS);
        steps[i].X <== X;
        steps[i].domain <== open.domain;
        steps[i].timestamp <== open.timestamp;
        steps[i].fee_tokens <== open.fee_tokens;
        if (i == 0) {
            steps[i].root_in <== open.root_out;
            steps[i].commitment_in <== open.commitment_out;
            steps[i].l2_eval_in <== open.l2_eval_out;
            steps[i].l2_parity_in <== open.l2_parity_out;
            steps[i].l1_eval_in <== open.l1_eval_out;
            steps[i].l2_count_in <== open.l2_count_out;
            steps[i].l1_count_in <== open.l1_count_out;
            steps[i].fees_in <== open.fees_out;
        } else {
            steps[i].root_in <== steps[i - 1].root_out;
            steps[i].commitment_in <== steps[i - 1].commitment_out;
            steps[i].l2_eval_in <== steps[i - 1].l2_eval_out;
            steps[i].l2_parity_in <== steps[i - 1].l2_parity_out;
            steps[i].l1_eval_in <== steps[i - 1].l1_eval_out;
            steps[i].l2_count_in <== steps[i - 1].l2_count_out;
            steps[i].l1_count_in <== steps[i - 1].l1_count_out;
            steps[i].fees_in <== steps[i - 1].fees_out;
        }
        steps[i].is_noop <== is_noop[i];
        steps[i].is_deposit <== is_deposit[i];
        steps[i].is_full_exit <== is_full_exit[i];
        steps[i].is_transfer <== is_transfer[i];
        steps[i].is_withdraw <== is_withdraw[i];
        steps[i].from_id <== from_id[i];
        steps[i].to_id <== to_id[i];
        steps[i].token <== token[i];
        steps[i].amount <== amount[i];
        steps[i].amount_packed <== amount_packed[i];
        steps[i].fee_packed <== fee_packed[i];
        steps[i].address <== address[i];
        steps[i].aux <== aux[i];
        steps[i].sender_is_owner <== sender_is_owner[i];
        steps[i].refused <== refused[i];
        steps[i].key <== key[i];
        steps[i].valid_from <== valid_from[i];
        steps[i].valid_until <== valid_until[i];
        steps[i].signature_r <== signature_r[i];
        steps[i].signature_s <== signature_s[i];
        steps[i].from_key <== from_key[i];
        steps[i].from_address <== from_address[i];
        steps[i].from_nonce <== from_nonce[i];
        steps[i].from_balance_path <== from_balance_path[i];
        steps[i].from_account_path <== from_account_path[i];
        steps[i].to_key <== to_key[i];
        steps[i].to_address <== to_address[i];
        steps[i].to_nonce <== to_nonce[i];
        steps[i].to_balance_path <== to_balance_path[i];
        steps[i].to_account_path <== to_account_path[i];
    }

    component close = Close(ACCOUNT_LEVELS, BALANCE_LEVELS);
    close.C <== C;
    close.X <== X;
    close.Y <== Y;
    close.root_in <== steps[N - 1].root_out;
    close.commitment_in <== steps[N - 1].commitment_out;
    close.l2_eval_in <== steps[N - 1].l2_eval_out;
    close.l2_parity_in <== steps[N - 1].l2_parity_out;
    close.l1_eval_in <== steps[N - 1].l1_eval_out;
    close.l2_count_in <== steps[N - 1].l2_count_out;
    close.l1_count_in <== steps[N - 1].l1_count_out;
    close.fees_in <== steps[N - 1].fees_out;
    close.fee_tokens <== open.fee_tokens;
    close.fee_account <== open.fee_account;
    close.header_eval <== open.header_eval;
    close.new_root <== open.new_root;
    close.l2_chunks <== open.l2_chunks;
    close.l1_words <== open.l1_words;
    close.key <== close_key;
    close.address <== close_address;
    close.nonce <== close_nonce;
    close.account_path <== close_account_path;
    close.balance_paths <== close_balance_paths;
}
