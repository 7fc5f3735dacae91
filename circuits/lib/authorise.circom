pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "buses.circom";
include "signature.circom";

/**
 * What is signed of an operation: M1, M2, M3 of its message (protocol 4).
 *
 * Statement:
 *   M1 = op 4 @ 200 | account_id 24 @ 176 | nonce 32 @ 144 | token 12 @ 132 | fee_token 12 @ 120 | fee 16 @ 104
 *        | to_id 24 @ 80 | valid_from 40 @ 40 | valid_until 40 @ 0
 *
 *                       nonce     token    fee             to_id                          M3
 *   Transfer            nonce     token    fee_packed      to_id                          amount_packed
 *   TransferToAddress   nonce     token    fee_packed      0                              amount_packed
 *   Withdraw            nonce     token    fee_packed      0                              amount
 *   ForcedExit          nonce     to_slot  fee_packed      to_id                          0
 *   maker, taker        order_id  token    max_fee_packed  to_slot 12 | counter_token 12  sell_amount 120 | buy_amount 120
 *   CancelOrder         nonce     token    fee_packed      to_slot                        order_id
 *
 *   and for all of them account_id = from_id, fee_token = token, M2 = address. For what is not signed, anything.
 *
 * Inputs: op, kind assumed (by Decode, Widths, ReadKind); nonce {uint32} assumed (by Authorise)
 * Outputs: words {Words}
 */
template SignedWords() {
    input Operation() op;
    input Kind() kind;
    signal input nonce;
    output Words() words;

    var code = OP_TRANSFER() * op.is_transfer + OP_TRANSFER_TO_ADDRESS() * op.is_transfer_to_address
        + OP_WITHDRAW() * op.is_withdraw + OP_FORCED_EXIT() * op.is_forced_exit + OP_SWAP() * kind.orders
        + OP_CANCEL_ORDER() * op.is_cancel_order;
    signal number <== nonce + kind.orders * (op.order_id - nonce);
    signal token <== op.token + op.is_forced_exit * (op.to_slot - op.token);
    signal fee <== op.fee_packed + kind.orders * (op.max_fee_packed - op.fee_packed);
    signal account <== (op.is_transfer + op.is_forced_exit) * op.to_id;
    signal slot <== (kind.orders * (1 << SLOT_BITS()) + op.is_cancel_order) * op.to_slot;

    var word = code;
    word = word * (1 << ACCOUNT_ID_BITS()) + op.from_id;
    word = word * (1 << NONCE_BITS()) + number;
    word = word * (1 << SLOT_BITS()) + token;
    word = word * (1 << SLOT_BITS()) + op.token;
    word = word * (1 << FEE_BITS()) + fee;
    word = word * (1 << ACCOUNT_ID_BITS()) + account + slot + op.counter_token;
    word = word * (1 << TIMESTAMP_BITS()) + op.valid_from;
    word = word * (1 << TIMESTAMP_BITS()) + op.valid_until;
    words.m1 <== word;
    words.m2 <== op.address;

    signal packed <== kind.pays * op.amount_packed;
    signal exact <== op.is_withdraw * op.amount;
    signal first_valid <== op.is_cancel_order * op.order_id;
    words.m3 <== packed + exact + first_valid + op.sell_amount * (1 << ORDER_AMOUNT_BITS()) + op.buy_amount;
}

/**
 * The consent to an operation: signature, validity window, nonce.
 *
 * Statement: signed => account.key signed Poseidon(5)(domain, M1, M2, M3, link), and valid_from <= timestamp <=
 * valid_until; counted => nonce + 1 < 2^32 and next_nonce = nonce + 1, else next_nonce = nonce. A ChangePubKey is
 * authorised on L1 instead, where its record says the nonce: aux = nonce.
 *
 * The nonce in the tree is below 2^32 by induction: an empty account's is 0, and it only grows here, by one. So M1 is
 * packed uniquely though the nonce's own width is not checked but the next one's. Where it is not counted, whatever
 * stands in the tree is not looked at.
 *
 * Inputs:
 *   op               {Operation}  assumed in its widths (by Decode, Widths); signature_r[2], signature_s {field} constrained here
 *   kind             {Kind}       assumed (by ReadKind)
 *   domain {field}, timestamp {uint40}   assumed (by Open)
 *   account          {Account}    assumed (by Touch): what the tree holds for from_id
 * Outputs:
 *   next_nonce       {uint32}
 *   words            {Words}      as signed
 */
template Authorise() {
    input Operation() op;
    input Kind() kind;
    signal input domain;
    signal input timestamp;
    input Account() account;
    signal output next_nonce;
    output Words() words;

    // Validity window, inclusive
    signal has_begun <== LessEqThan(TIMESTAMP_BITS())([op.valid_from, timestamp]);
    signal has_not_ended <== LessEqThan(TIMESTAMP_BITS())([timestamp, op.valid_until]);
    kind.signed * (1 - has_begun) === 0;
    kind.signed * (1 - has_not_ended) === 0;

    // Nonce
    signal incremented <== kind.counted * (account.nonce + 1);
    _ <== Num2Bits(NONCE_BITS())(incremented);
    next_nonce <== account.nonce + kind.counted;
    op.is_change_pub_key * (op.aux - account.nonce) === 0;

    // Signature
    words <== SignedWords()(op, kind, account.nonce);
    component signature = CheckSignature();
    signature.enabled <== kind.signed;
    signature.key <== account.key;
    signature.signature_r <== op.signature_r;
    signature.signature_s <== op.signature_s;
    signature.message <== Poseidon(5)([domain, words.m1, words.m2, words.m3, op.link]);
}
