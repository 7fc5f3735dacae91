pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "lib/account.circom";
include "lib/opening.circom";

/**
 * What somebody has in a state, for L1 to pay out once nobody makes blocks any more (protocol 12).
 *
 * Statement: in the state with root `root`, account account_id has the address `owner`, not 0, and `amount` of the token,
 * where claim = account_id 24 @ 172 | token 12 @ 160 | owner 160 @ 0, token is no order slot, and amount < 2^128.
 *
 * All fields of the claim are range-checked and it is far below r: each (account, token, owner) has exactly one claim.
 *
 * Phases: A. the claim and the amount   B. the balance   C. the account
 *
 * @param ACCOUNT_LEVELS, BALANCE_LEVELS  the depths of the trees, at most the protocol's
 *
 * Inputs, public:
 *   root           {field}    any: which root counts is the contract's to say
 *   claim          {uint196}  constrained here
 *   amount         {uint128}  constrained here
 * Inputs, private, all constrained here:
 *   token          {uint12}   the claim's
 *   owner          {uint160}  the claim's
 *   key[2], nonce  {field}    the rest of the account's leaf
 *   balance_path[BALANCE_LEVELS][8], account_path[ACCOUNT_LEVELS][8]   {field}  bottom level first
 */
template Exit(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    assert(ACCOUNT_LEVELS > 0 && ACCOUNT_LEVELS <= ACCOUNT_LEVELS());
    assert(BALANCE_LEVELS > 0 && BALANCE_LEVELS <= BALANCE_LEVELS());

    signal input root;
    signal input claim;
    signal input amount;
    signal input token;
    signal input owner;
    signal input key[2];
    signal input nonce;
    signal input balance_path[BALANCE_LEVELS][ARITY()];
    signal input account_path[ACCOUNT_LEVELS][ARITY()];

    // A. The claim and the amount. What token and owner leave of the claim is the account's id, if it is in range.
    component slot = IndexDigits(BALANCE_LEVELS);
    slot.index <== token;
    slot.top_bit === 0; // else an order slot
    _ <== Num2Bits(ADDRESS_BITS())(owner);
    signal owner_is_zero <== IsZero()(owner);
    owner_is_zero === 0;
    component id = IndexDigits(ACCOUNT_LEVELS);
    id.index <== (claim - token * (1 << ADDRESS_BITS()) - owner) / (1 << (ADDRESS_BITS() + SLOT_BITS()));
    _ <== Num2Bits(BALANCE_BITS())(amount);

    // B. The balance
    component balance = PathOpening(BALANCE_LEVELS);
    balance.leaf <== amount;
    balance.digits <== slot.digits;
    balance.path <== balance_path;

    // C. The account
    component leaf = AccountLeaf();
    leaf.account.key <== key;
    leaf.account.address <== owner;
    leaf.account.nonce <== nonce;
    leaf.balances_root <== balance.root;
    component account = PathOpening(ACCOUNT_LEVELS);
    account.leaf <== leaf.out;
    account.digits <== id.digits;
    account.path <== account_path;
    account.root === root;
}
