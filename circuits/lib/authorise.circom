pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "signature.circom";

/**
 * The user's consent to a signed operation: message, signature, validity window, nonce.
 *
 * Statement: signed => key signed Message(domain, op, from_id, nonce, token, token, fee, to_id if Transfer,
 * valid_from, valid_until, address, amount as signed, 0), valid_from <= timestamp <= valid_until and nonce + 1 < 2^32;
 * not signed => signature_r = (0, 1), signature_s = valid_from = valid_until = 0.
 *
 * The nonce in the tree is below 2^32 by induction: an empty account's is 0, and it only grows here, by one. So M1 is
 * packed uniquely though the nonce's own width is not checked but the next one's.
 *
 * Inputs:
 *   is_transfer, is_withdraw {bool}  assumed (by Step), at most one; signed = their sum
 *   domain           {field}     assumed (by Open)
 *   timestamp        {uint40}    assumed (by Open)
 *   from_id, to_id   {uint24}    assumed (by Step)
 *   token {uint12}, fee_packed {uint16}, address {uint160}, amount {uint128}, amount_packed {uint40}  assumed (by Step)
 *   key[2], nonce    {field}     assumed (by Step): what the tree holds for from_id
 *   valid_from, valid_until {uint40}, signature_r[2], signature_s {field}   constrained here
 * Outputs:
 *   next_nonce       {uint32}    nonce + 1 if signed, else nonce
 */
template Authorise() {
    signal input is_transfer;
    signal input is_withdraw;
    signal input domain;
    signal input timestamp;
    signal input from_id;
    signal input to_id;
    signal input token;
    signal input fee_packed;
    signal input address;
    signal input amount;
    signal input amount_packed;
    signal input key[2];
    signal input nonce;
    signal input valid_from;
    signal input valid_until;
    signal input signature_r[2];
    signal input signature_s;
    signal output next_nonce;

    var signed = is_transfer + is_withdraw;

    // Unused: pinned to what the signature check always accepts
    (1 - signed) * signature_r[0] === 0;
    (1 - signed) * (signature_r[1] - 1) === 0;
    (1 - signed) * signature_s === 0;
    (1 - signed) * valid_from === 0;
    (1 - signed) * valid_until === 0;

    // Validity window, inclusive
    _ <== Num2Bits(TIMESTAMP_BITS())(valid_from);
    _ <== Num2Bits(TIMESTAMP_BITS())(valid_until);
    signal has_begun <== LessEqThan(TIMESTAMP_BITS())([valid_from, timestamp]);
    signal has_not_ended <== LessEqThan(TIMESTAMP_BITS())([timestamp, valid_until]);
    signed * (1 - has_begun) === 0;
    signed * (1 - has_not_ended) === 0;

    // Nonce. Where unsigned, whatever stands in the tree is not looked at.
    signal incremented <== signed * (nonce + 1);
    _ <== Num2Bits(NONCE_BITS())(incremented);
    next_nonce <== nonce + signed;

    // Message
    component message = Message();
    message.domain <== domain;
    message.op <== OP_TRANSFER() * is_transfer + OP_WITHDRAW() * is_withdraw;
    message.account_id <== from_id;
    message.nonce <== nonce;
    message.token <== token;
    message.fee_token <== token;
    message.fee_packed <== fee_packed;
    message.to_id <== is_transfer * to_id;
    message.valid_from <== valid_from;
    message.valid_until <== valid_until;
    message.recipient <== address;
    message.amount <== amount + is_transfer * (amount_packed - amount);
    message.link <== 0;

    component signature = CheckSignature();
    signature.enabled <== signed;
    signature.key <== key;
    signature.signature_r <== signature_r;
    signature.signature_s <== signature_s;
    signature.message <== message.out;
}
