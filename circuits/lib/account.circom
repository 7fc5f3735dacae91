pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "merkle.circom";

/**
 * Statement: out = Poseidon(5)(key[0], key[1], address, nonce, balances_root), the account leaf of protocol 2.
 *
 * Inputs: all {field}, any; their meaning is the caller's.
 */
template AccountLeaf() {
    signal input key[2];
    signal input address;
    signal input nonce;
    signal input balances_root;
    signal output out;

    component hash = Poseidon(5);
    hash.inputs[0] <== key[0];
    hash.inputs[1] <== key[1];
    hash.inputs[2] <== address;
    hash.inputs[3] <== nonce;
    hash.inputs[4] <== balances_root;
    out <== hash.out;
}

/**
 * Opens one account of the state and replaces its leaf.
 *
 * Statement: `root` holds, at the account's digits, the leaf (key, address, nonce, old_balances_root), and new_root is
 * the same tree with (new_key, new_address, new_nonce, new_balances_root) there.
 *
 * @param ACCOUNT_LEVELS  1..84
 *
 * Inputs:
 *   root                                 {field}          any
 *   digits[ACCOUNT_LEVELS][8]            {bool, one-hot}  assumed (by IndexDigits)
 *   path[ACCOUNT_LEVELS][8]              {field}          constrained here
 *   key[2], address, nonce, old_balances_root             {field}  constrained here: what the tree holds
 *   new_key[2], new_address, new_nonce, new_balances_root {field}  any
 * Outputs:
 *   new_root                             {field}
 */
template AccountUpdate(ACCOUNT_LEVELS) {
    signal input root;
    signal input digits[ACCOUNT_LEVELS][ARITY()];
    signal input path[ACCOUNT_LEVELS][ARITY()];
    signal input key[2];
    signal input address;
    signal input nonce;
    signal input old_balances_root;
    signal input new_key[2];
    signal input new_address;
    signal input new_nonce;
    signal input new_balances_root;
    signal output new_root;

    component old_leaf = AccountLeaf();
    old_leaf.key <== key;
    old_leaf.address <== address;
    old_leaf.nonce <== nonce;
    old_leaf.balances_root <== old_balances_root;

    component new_leaf = AccountLeaf();
    new_leaf.key <== new_key;
    new_leaf.address <== new_address;
    new_leaf.nonce <== new_nonce;
    new_leaf.balances_root <== new_balances_root;

    component selected = SelectChild();
    selected.children <== path[0];
    selected.digit <== digits[0];
    selected.out === old_leaf.out;

    component update = PathUpdate(ACCOUNT_LEVELS);
    update.path <== path;
    update.digits <== digits;
    update.old_leaf <== old_leaf.out;
    update.new_leaf <== new_leaf.out;
    update.old_root === root;
    new_root <== update.new_root;
}

/**
 * One touch of the state: one balance slot of one account, read and written, and its account's leaf.
 *
 * Statement: as AccountUpdate, where the account's balance tree has `balance` in the slot before and new_balance after.
 *
 * @param ACCOUNT_LEVELS, BALANCE_LEVELS  1..84
 *
 * Inputs: as AccountUpdate, and
 *   balance                              {field}          assumed (by Caller): SelectChild of balance_path[0]
 *   new_balance                          {field}          any; its range is the caller's
 *   slot_digits[BALANCE_LEVELS][8]       {bool, one-hot}  assumed (by IndexDigits)
 *   balance_path[BALANCE_LEVELS][8]      {field}          constrained here
 */
template Touch(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    signal input root;
    signal input digits[ACCOUNT_LEVELS][ARITY()];
    signal input slot_digits[BALANCE_LEVELS][ARITY()];
    signal input account_path[ACCOUNT_LEVELS][ARITY()];
    signal input balance_path[BALANCE_LEVELS][ARITY()];
    signal input key[2];
    signal input address;
    signal input nonce;
    signal input balance;
    signal input new_key[2];
    signal input new_address;
    signal input new_nonce;
    signal input new_balance;
    signal output new_root;

    component balances = PathUpdate(BALANCE_LEVELS);
    balances.path <== balance_path;
    balances.digits <== slot_digits;
    balances.old_leaf <== balance;
    balances.new_leaf <== new_balance;

    component account = AccountUpdate(ACCOUNT_LEVELS);
    account.root <== root;
    account.digits <== digits;
    account.path <== account_path;
    account.key <== key;
    account.address <== address;
    account.nonce <== nonce;
    account.old_balances_root <== balances.old_root;
    account.new_key <== new_key;
    account.new_address <== new_address;
    account.new_nonce <== new_nonce;
    account.new_balances_root <== balances.new_root;
    new_root <== account.new_root;
}
