pragma circom 2.2.0;

include "circomlib/circuits/poseidon.circom";
include "buses.circom";
include "merkle.circom";

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
 * Statement: `root` holds, at the account's digits, the leaf of (before, balances_before), and new_root is the same tree
 * with that of (after, balances_after) there.
 *
 * @param ACCOUNT_LEVELS  1..84
 *
 * Inputs:
 *   root                       {field}          any
 *   digits[ACCOUNT_LEVELS][8]  {bool, one-hot}  assumed (by IndexDigits)
 *   path[ACCOUNT_LEVELS][8]    {field}          constrained here
 *   before, balances_before    {Account, field} constrained here: what the tree holds
 *   after, balances_after      {Account, field} any
 * Outputs:
 *   new_root                   {field}
 */
template AccountUpdate(ACCOUNT_LEVELS) {
    signal input root;
    signal input digits[ACCOUNT_LEVELS][ARITY()];
    signal input path[ACCOUNT_LEVELS][ARITY()];
    input Account() before;
    signal input balances_before;
    input Account() after;
    signal input balances_after;
    signal output new_root;

    component update = PathUpdate(ACCOUNT_LEVELS);
    update.path <== path;
    update.digits <== digits;
    update.old_leaf <== AccountLeaf()(before, balances_before);
    update.new_leaf <== AccountLeaf()(after, balances_after);
    signal selected <== SelectChild()(path[0], digits[0]);
    selected === update.old_leaf;
    update.old_root === root;
    new_root <== update.new_root;
}

/**
 * One touch of the state: one slot of one account, read and written, and its account's leaf.
 *
 * Statement: as AccountUpdate, where the account's balance tree has `balance` in the slot before and new_balance after.
 *
 * @param ACCOUNT_LEVELS, BALANCE_LEVELS  1..84
 *
 * Inputs:
 *   root                            {field}          any
 *   digits[ACCOUNT_LEVELS][8], slot_digits[BALANCE_LEVELS][8]   {bool, one-hot}  assumed (by IndexDigits)
 *   opened                          {Opened}         constrained here
 *   balance                         {field}          assumed (by Caller): SelectChild of opened.balance_path[0]
 *   new_account, new_balance        {Account, field} any; their range is the caller's
 * Outputs:
 *   new_root                        {field}
 */
template Touch(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    signal input root;
    signal input digits[ACCOUNT_LEVELS][ARITY()];
    signal input slot_digits[BALANCE_LEVELS][ARITY()];
    input Opened(ACCOUNT_LEVELS, BALANCE_LEVELS) opened;
    signal input balance;
    input Account() new_account;
    signal input new_balance;
    signal output new_root;

    component balances = PathUpdate(BALANCE_LEVELS);
    balances.path <== opened.balance_path;
    balances.digits <== slot_digits;
    balances.old_leaf <== balance;
    balances.new_leaf <== new_balance;

    component account = AccountUpdate(ACCOUNT_LEVELS);
    account.root <== root;
    account.digits <== digits;
    account.path <== opened.account_path;
    account.before <== opened.account;
    account.balances_before <== balances.old_root;
    account.after <== new_account;
    account.balances_after <== balances.new_root;
    new_root <== account.new_root;
}
