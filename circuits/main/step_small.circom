pragma circom 2.2.0;

include "../step.circom";

component main {public [
    X, domain, timestamp, fee_tokens,
    nodes_in, commitment_in, l2_eval_in, l2_parity_in, l1_eval_in, l2_count_in, l1_count_in, fees_in,
    pending_in, link_in, rest_in
]} = Step(3, 2);
