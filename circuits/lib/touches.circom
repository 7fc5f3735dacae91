pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "buses.circom";

/**
 * Touch 1: what the operation takes from the balance of `from` in `token`, or at a settlement gives it.
 *
 * Statement:
 *   token is money, but a FullExit (which then exits 0) and a refused Deposit may name an order slot (I-11);
 *   Transfer, TransferToAddress, Withdraw, maker, taker   new_balance = balance - amount - fee >= 0
 *   ForcedExit, CancelOrder                               new_balance = balance - fee >= 0
 *   ChangePubKey   the same; amount = fee; from's address is `address`
 *   FullExit       new_balance = balance - amount; amount = balance if token is money and from's address is `address`,
 *                  else 0
 *   settlement     new_balance = balance + amount
 *   else           new_balance = balance
 *
 * A settlement's credit needs no range check, see Step.
 *
 * Inputs: op, kind, fee, token_is_order_slot assumed (by ReadKind, Decode); balance, address {field}: what the tree
 * holds for from_id.
 * Outputs: new_balance {field}
 */
template Debit() {
    input Operation() op;
    input Kind() kind;
    signal input fee;
    signal input token_is_order_slot;
    signal input address;
    signal input balance;
    signal output new_balance;

    (1 - op.is_full_exit - op.refused) * token_is_order_slot === 0;

    signal is_owner <== IsEqual()([address, op.address]);
    signal may_exit <== is_owner * (1 - token_is_order_slot);
    signal exitable <== may_exit * balance;
    op.is_full_exit * (op.amount - exitable) === 0;
    op.is_change_pub_key * (1 - is_owner) === 0;
    op.is_change_pub_key * (op.amount - fee) === 0;

    var takes = kind.pays + op.is_withdraw + kind.orders + op.is_full_exit;
    signal moved <== (takes - op.is_settlement) * op.amount;
    new_balance <== balance - moved - fee;
    signal checked_balance <== kind.charged * new_balance;
    _ <== Num2Bits(BALANCE_BITS())(checked_balance);
}

/**
 * Touch 2: what becomes of the account `to` and of its balance in `to_slot`.
 *
 * Statement:
 *   to_slot is an order slot exactly for maker, taker and CancelOrder, but see Debit for FullExit and refused Deposits;
 *   Transfer                   to's address is `address`;                balance += amount
 *   accepted Deposit,
 *   TransferToAddress          ... or to is empty and becomes address's; balance += amount
 *   ForcedExit                 to's address is `address`, it has no key; amount = balance != 0; balance = 0
 *   settlement                 to_slot = counter_token;                  balance += counter_amount
 *   maker, taker, CancelOrder                                            balance += slot_change
 *   ChangePubKey               the key becomes `key`
 *   accepted Deposit           the key becomes `key` if sender_is_owner, `key` is one and none is there (I-03)
 *   else                       nothing changes
 *
 * An empty account has address 0, and only it (I-01); its key is (0, 0) and its nonce 0.
 *
 * Inputs: op, kind, slot_change, to_slot_is_order_slot assumed (by ReadKind, Decode, Order); account, balance: what the
 * tree holds for to_id after touch 1.
 * Outputs: new_account {Account}, new_balance {field}
 */
template Credit() {
    input Operation() op;
    input Kind() kind;
    signal input to_slot_is_order_slot;
    signal input slot_change;
    input Account() account;
    signal input balance;
    output Account() new_account;
    signal output new_balance;

    (1 - op.is_full_exit - op.refused) * (to_slot_is_order_slot - kind.order_slot) === 0;
    op.is_settlement * (op.to_slot - op.counter_token) === 0;

    // Whose account it is
    var creates = kind.accepted + op.is_transfer_to_address;
    (op.is_transfer + op.is_forced_exit) * (account.address - op.address) === 0;
    signal is_strangers <== account.address * (account.address - op.address);
    creates * is_strangers === 0;
    new_account.address <== account.address + creates * (op.address - account.address);
    new_account.nonce <== account.nonce;

    // Its key
    signal has_key <== IsKey()(account.key);
    signal given_key <== IsKey()(op.key);
    op.is_forced_exit * has_key === 0;
    signal offered <== kind.accepted * op.sender_is_owner;
    signal wanted <== offered * given_key;
    signal first_key <== wanted * (1 - has_key);
    for (var i = 0; i < 2; i++) {
        new_account.key[i] <== account.key[i] + (op.is_change_pub_key + first_key) * (op.key[i] - account.key[i]);
    }

    // Its balance
    signal amount_is_zero <== IsZero()(op.amount);
    op.is_forced_exit * amount_is_zero === 0;
    op.is_forced_exit * (op.amount - balance) === 0;
    signal moved <== (kind.pays + kind.accepted - op.is_forced_exit) * op.amount;
    signal settled <== op.is_settlement * op.counter_amount;
    new_balance <== balance + moved + settled + slot_change;
}

/** Statement: out = 1 if key is not (0, 0), else 0. Inputs: key[2] {field}. Outputs: out {bool} */
template IsKey() {
    signal input key[2];
    signal output out;

    signal x_is_zero <== IsZero()(key[0]);
    signal y_is_zero <== IsZero()(key[1]);
    out <== 1 - x_is_zero * y_is_zero;
}
