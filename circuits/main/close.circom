pragma circom 2.2.0;

include "../close.circom";

component main {public [
    C, X, Y, fee_tokens, fee_account, header_eval, new_root, l2_chunks, l1_words,
    nodes_in, commitment_in, l2_eval_in, l2_parity_in, l1_eval_in, l2_count_in, l1_count_in, fees_in,
    pending_in, link_in, rest_in
]} = Close(ACCOUNT_LEVELS(), BALANCE_LEVELS());
