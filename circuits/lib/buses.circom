pragma circom 2.2.0;

include "../generated/constants.circom";

/*
 * What travels between the templates of a step. A bus is a name for several signals; it constrains nothing.
 */

/**
 * A step's private inputs that say what it does: name for name those of `rollup/core/step_signals.py`.
 *
 * Which kind uses what is ReadKind's table, and what it does not use is 0; the widths are Decode's and Widths'.
 */
bus Operation() {
    // The kind, one-hot
    signal is_noop;
    signal is_deposit;
    signal is_full_exit;
    signal is_transfer;
    signal is_transfer_to_address;
    signal is_withdraw;
    signal is_change_pub_key;
    signal is_forced_exit;
    signal is_maker;
    signal is_taker;
    signal is_settlement;
    signal is_cancel_order;

    // The touches: account and slot of the first, and of the second
    signal from_id;
    signal token;
    signal to_id;
    signal to_slot;

    // What moves, and what is published of it
    signal amount;
    signal amount_packed;
    signal fee_packed;
    signal address;
    signal aux;
    signal sender_is_owner;
    signal refused;
    signal key[2];

    // A Swap: the other side's, and the ids of the orders (counter_order_id: the taker's, at the settlement)
    signal counter_token;
    signal counter_amount;
    signal counter_amount_packed;
    signal order_id;
    signal counter_order_id;

    // An order's limits, and what its slot holds before
    signal sell_amount;
    signal buy_amount;
    signal max_fee_packed;
    signal slot_order_id;
    signal slot_filled;

    // The consent: link is M4, batch_rest the hash of the batch's operations after this one
    signal is_batched;
    signal link;
    signal batch_rest;
    signal valid_from;
    signal valid_until;
    signal signature_r[2];
    signal signature_s;
}

/**
 * The kinds that are treated alike: each {bool}, a sum of is_* (and `accepted`, the Deposits not refused).
 */
bus Kind() {
    signal accepted;
    signal pays;        // somebody on L2: Transfer, TransferToAddress
    signal orders;      // maker, taker
    signal swaps;       // maker, taker, settlement
    signal order_slot;  // writes one: maker, taker, CancelOrder
    signal batchable;   // signed by EdDSA with a nonce
    signal signed;      // signed by EdDSA: those and orders
    signal counted;     // uses a nonce: those that are batchable, and ChangePubKey
    signal charged;     // takes a fee: all signed ones, and ChangePubKey
}

/** Fields of an Operation taken apart (by Decode). */
bus Decoded(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    signal from_digits[ACCOUNT_LEVELS][ARITY()];
    signal to_digits[ACCOUNT_LEVELS][ARITY()];
    signal token_digits[BALANCE_LEVELS][ARITY()];
    signal to_slot_digits[BALANCE_LEVELS][ARITY()];
    signal token_is_order_slot;
    signal to_slot_is_order_slot;
    signal fee;                // value of fee_packed
    signal max_fee;            // value of max_fee_packed
}

function PRICE_GAP_BITS() { return BALANCE_BITS() + ORDER_AMOUNT_BITS(); }
function FEE_GAP_BITS() { return 114 + ORDER_AMOUNT_BITS(); }

/** By how much an order's price and fee are better than its limits (by Order, held not to be negative by Widths). */
bus Gaps() {
    signal price;
    signal fee;
}

/** An account but its balances. */
bus Account() {
    signal key[2];
    signal address;
    signal nonce;
}

/**
 * An account as the tree holds it, and the balance of one of its slots, with the paths to both; bottom level first, that to
 * the account up to its shared node.
 */
bus Opened(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    Account() account;
    signal balance;
    signal balance_path[BALANCE_LEVELS][ARITY()];
    signal account_path[ACCOUNT_LEVELS - SHARED_LEVELS()][ARITY()];
}

/** M1, M2, M3 of a signed message (protocol 4). */
bus Words() {
    signal m1;
    signal m2;
    signal m3;
}

/** What a block has begun and must finish (see Link); three elements of the state vector. */
bus Unfinished() {
    signal pending;
    signal link;
    signal rest;
}

/** Commitment, evaluations and counts of the data (protocol 7); six elements of the state vector. */
bus Data() {
    signal commitment;
    signal l2_eval;
    signal l2_parity;
    signal l1_eval;
    signal l2_count;
    signal l1_count;
}
