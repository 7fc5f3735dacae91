pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "buses.circom";
include "merkle.circom";
include "shared_nodes.circom";

/**
 * Statement: out = Poseidon(5)(key[0], key[1], address, nonce, balances_root), the account leaf of protocol 2.
 *
 * Inputs: account {Account}, balances_root {field}: any; their meaning is the caller's.
 */
template AccountLeaf() {
    input Account() account;
    signal input balances_root;
    signal output out;

    out <== Poseidon(5)([account.key[0], account.key[1], account.address, account.nonce, balances_root]);
}

/**
 * Opens one account of the state and replaces its leaf.
 *
 * Statement: the tree over `nodes` holds, at the account's digits, the leaf of (before, balances_before), and new_nodes
 * are those of the same tree with the leaf of (after, balances_after) there.
 *
 * @param ACCOUNT_LEVELS  SHARED_LEVELS + 1 .. 84
 *
 * Inputs:
 *   nodes[SHARED_NODES]        {field}          any
 *   digits[ACCOUNT_LEVELS][8]  {bool, one-hot}  assumed (by IndexDigits)
 *   path[ACCOUNT_LEVELS - SHARED_LEVELS][8]   {field}   constrained here: from the leaf's level up to below its node
 *   before, balances_before    {Account, field} constrained here: what the tree holds
 *   after, balances_after      {Account, field} any
 * Outputs:
 *   new_nodes[SHARED_NODES]    {field}
 */
template AccountUpdate(ACCOUNT_LEVELS) {
    var LOWER_LEVELS = ACCOUNT_LEVELS - SHARED_LEVELS();
    assert(LOWER_LEVELS > 0);
    signal input nodes[SHARED_NODES()];
    signal input digits[ACCOUNT_LEVELS][ARITY()];
    signal input path[LOWER_LEVELS][ARITY()];
    input Account() before;
    signal input balances_before;
    input Account() after;
    signal input balances_after;
    signal output new_nodes[SHARED_NODES()];

    component update = PathUpdate(LOWER_LEVELS);
    update.path <== path;
    component shared = NodeUpdate();
    for (var l = 0; l < ACCOUNT_LEVELS; l++) {
        if (l < LOWER_LEVELS) {
            update.digits[l] <== digits[l];
        } else {
            shared.digits[l - LOWER_LEVELS] <== digits[l];
        }
    }
    update.old_leaf <== AccountLeaf()(before, balances_before);
    update.new_leaf <== AccountLeaf()(after, balances_after);

    shared.nodes <== nodes;
    shared.old_node <== update.old_root;
    shared.new_node <== update.new_root;
    new_nodes <== shared.new_nodes;
}

/**
 * One touch of the state: one slot of one account, read and written, and its account's leaf.
 *
 * Statement: as AccountUpdate, where the account's balance tree has opened.balance in the slot before and new_balance
 * after.
 *
 * @param ACCOUNT_LEVELS  as in AccountUpdate;  BALANCE_LEVELS  1..84
 *
 * Inputs:
 *   nodes[SHARED_NODES]             {field}          any
 *   digits[ACCOUNT_LEVELS][8], slot_digits[BALANCE_LEVELS][8]   {bool, one-hot}  assumed (by IndexDigits)
 *   opened                          {Opened}         constrained here
 *   new_account, new_balance        {Account, field} any; their range is the caller's
 * Outputs:
 *   new_nodes[SHARED_NODES]         {field}
 */
template Touch(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    signal input nodes[SHARED_NODES()];
    signal input digits[ACCOUNT_LEVELS][ARITY()];
    signal input slot_digits[BALANCE_LEVELS][ARITY()];
    input Opened(ACCOUNT_LEVELS, BALANCE_LEVELS) opened;
    input Account() new_account;
    signal input new_balance;
    signal output new_nodes[SHARED_NODES()];

    component balances = PathUpdate(BALANCE_LEVELS);
    balances.path <== opened.balance_path;
    balances.digits <== slot_digits;
    balances.old_leaf <== opened.balance;
    balances.new_leaf <== new_balance;

    component account = AccountUpdate(ACCOUNT_LEVELS);
    account.nodes <== nodes;
    account.digits <== digits;
    account.path <== opened.account_path;
    account.before <== opened.account;
    account.balances_before <== balances.old_root;
    account.after <== new_account;
    account.balances_after <== balances.new_root;
    new_nodes <== account.new_nodes;
}
