pragma circom 2.2.0;

include "circomlib/circuits/bitify.circom";
include "circomlib/circuits/comparators.circom";
include "lib/account.circom";
include "lib/amounts.circom";
include "lib/authorise.circom";
include "lib/emit.circom";
include "lib/merkle.circom";

/**
 * Which operation a step is, and which of its inputs that operation does not use (those are 0).
 *
 * Statement: exactly one is_* is 1; and, where unused,
 *
 *                  Noop  Deposit  FullExit  Transfer  Withdraw
 *   from_id          0     id (0 if refused)  payer     payer
 *   to_id            = from_id unless Transfer
 *   token, amount    0     used     used      used      used
 *   address          0     owner    owner     recipient recipient
 *   amount_packed    0     0        0         used      0
 *   fee_packed       0     0        0         used      used
 *   aux              0     used     used      0         0
 *   key, flags       0     used     0         0         0
 *
 * Inputs: is_*, sender_is_owner, refused {bool} constrained here; the others {field}, ranges by Step.
 * Outputs: accepted (an unrefused Deposit) {bool}
 */
template Kind() {
    signal input is_noop;
    signal input is_deposit;
    signal input is_full_exit;
    signal input is_transfer;
    signal input is_withdraw;
    signal input from_id;
    signal input to_id;
    signal input token;
    signal input amount;
    signal input amount_packed;
    signal input fee_packed;
    signal input address;
    signal input aux;
    signal input sender_is_owner;
    signal input refused;
    signal input key[2];
    signal output accepted;

    is_noop * (is_noop - 1) === 0;
    is_deposit * (is_deposit - 1) === 0;
    is_full_exit * (is_full_exit - 1) === 0;
    is_transfer * (is_transfer - 1) === 0;
    is_withdraw * (is_withdraw - 1) === 0;
    // The sum of five booleans is 1: it is not -1. (A linear constraint would let the optimiser drop an input.)
    var kinds = is_noop + is_deposit + is_full_exit + is_transfer + is_withdraw;
    kinds * kinds === 1;
    sender_is_owner * (sender_is_owner - 1) === 0;
    refused * (refused - 1) === 0;

    var signed = is_transfer + is_withdraw;
    accepted <== is_deposit * (1 - refused);

    is_noop * from_id === 0;
    refused * from_id === 0;
    (1 - is_transfer) * (to_id - from_id) === 0;
    is_noop * token === 0;
    is_noop * amount === 0;
    is_noop * address === 0;
    (1 - is_transfer) * amount_packed === 0;
    (1 - signed) * fee_packed === 0;
    (1 - is_deposit - is_full_exit) * aux === 0;
    (1 - is_deposit) * sender_is_owner === 0;
    (1 - is_deposit) * refused === 0;
    (1 - is_deposit) * key[0] === 0;
    (1 - is_deposit) * key[1] === 0;
}

/**
 * One operation: S' = step(S), with what it publishes (protocol 4, 6, 7).
 *
 * Statement: (root, fees) becomes what protocol 4 says of the operation, whose conditions all hold; evaluations, counts
 * and commitment take in what the operation publishes. Queue operations (Deposit, FullExit) are satisfiable on every
 * state that this circuit can reach, whatever keys stand in it or in the record.
 *
 * Phases: A. kind   B. ranges   C. touch 1, `from`: debit, nonce, consent   D. touch 2, `to`: credit, creation, key
 *         E. fees   F. streams
 *
 * The two touches are sequential: the second opens the root that the first leaves, so from_id = to_id needs no special
 * case. They share the slot. Credits cannot overflow and need no range check: all balances of a token together are what
 * was deposited and not withdrawn, below 2^DEPOSIT_CAP_BITS by L1's caps, and Transfers and fees only move it.
 *
 * @param ACCOUNT_LEVELS  1..8: ids of 3 * ACCOUNT_LEVELS bits, in fields of 24
 * @param BALANCE_LEVELS  2..4: slots of 3 * BALANCE_LEVELS bits, in fields of 12; slots with the top bit are order slots
 *
 * Inputs, public:
 *   X              {uint128}             assumed (by L1)
 *   domain {field}, timestamp {uint40}, fee_tokens[8] {uint(3 BALANCE_LEVELS - 1)}   assumed (by Open)
 *   *_in           {state vector}        assumed (by the step before)
 * Inputs, private, all constrained here:
 *   is_* {bool}; from_id, to_id {uint(3 ACCOUNT_LEVELS)}; token {uint(3 BALANCE_LEVELS)}; amount {uint128};
 *   amount_packed {uint40}, fee_packed {uint16} canonical; address {uint160}; aux {uint64}; sender_is_owner, refused
 *   {bool}; key[2] {field}; valid_from, valid_until {uint40}; signature_r[2], signature_s {field};
 *   from_* and to_*: what the tree holds before touch 1, and between the touches (bottom level of a path first)
 */
template Step(ACCOUNT_LEVELS, BALANCE_LEVELS) {
    assert(ACCOUNT_LEVELS > 0 && ACCOUNT_LEVELS <= ACCOUNT_LEVELS());
    assert(BALANCE_LEVELS > 1 && BALANCE_LEVELS <= BALANCE_LEVELS());

    signal input X;
    signal input domain;
    signal input timestamp;
    signal input fee_tokens[FEE_TOKENS()];
    signal input root_in;
    signal input commitment_in;
    signal input l2_eval_in;
    signal input l2_parity_in;
    signal input l1_eval_in;
    signal input l2_count_in;
    signal input l1_count_in;
    signal input fees_in[FEE_TOKENS()];

    signal input is_noop;
    signal input is_deposit;
    signal input is_full_exit;
    signal input is_transfer;
    signal input is_withdraw;
    signal input from_id;
    signal input to_id;
    signal input token;
    signal input amount;
    signal input amount_packed;
    signal input fee_packed;
    signal input address;
    signal input aux;
    signal input sender_is_owner;
    signal input refused;
    signal input key[2];
    signal input valid_from;
    signal input valid_until;
    signal input signature_r[2];
    signal input signature_s;
    signal input from_key[2];
    signal input from_address;
    signal input from_nonce;
    signal input from_balance_path[BALANCE_LEVELS][ARITY()];
    signal input from_account_path[ACCOUNT_LEVELS][ARITY()];
    signal input to_key[2];
    signal input to_address;
    signal input to_nonce;
    signal input to_balance_path[BALANCE_LEVELS][ARITY()];
    signal input to_account_path[ACCOUNT_LEVELS][ARITY()];

    signal output root_out;
    signal output commitment_out;
    signal output l2_eval_out;
    signal output l2_parity_out;
    signal output l1_eval_out;
    signal output l2_count_out;
    signal output l1_count_out;
    signal output fees_out[FEE_TOKENS()];

    // A. Kind
    component kind = Kind();
    kind.is_noop <== is_noop;
    kind.is_deposit <== is_deposit;
    kind.is_full_exit <== is_full_exit;
    kind.is_transfer <== is_transfer;
    kind.is_withdraw <== is_withdraw;
    kind.from_id <== from_id;
    kind.to_id <== to_id;
    kind.token <== token;
    kind.amount <== amount;
    kind.amount_packed <== amount_packed;
    kind.fee_packed <== fee_packed;
    kind.address <== address;
    kind.aux <== aux;
    kind.sender_is_owner <== sender_is_owner;
    kind.refused <== refused;
    kind.key <== key;

    var signed = is_transfer + is_withdraw;

    // B. Ranges
    component from_index = IndexDigits(ACCOUNT_LEVELS);
    component to_index = IndexDigits(ACCOUNT_LEVELS);
    component slot = IndexDigits(BALANCE_LEVELS);
    from_index.index <== from_id;
    to_index.index <== to_id;
    slot.index <== token;
    _ <== Num2Bits(BALANCE_BITS())(amount);
    _ <== Num2Bits(ADDRESS_BITS())(address);
    _ <== Num2Bits(AUX_BITS())(aux);
    signal transfer_amount <== UnpackAmount(AMOUNT_MANTISSA_BITS())(amount_packed);
    signal fee <== UnpackAmount(FEE_MANTISSA_BITS())(fee_packed);
    is_transfer * (amount - transfer_amount) === 0;
    // An order slot is never money: only a FullExit (which then exits 0) and a refusal may name one
    (1 - is_full_exit - refused) * slot.top_bit === 0;
    // Nobody pays to address 0, and no account is made for it (I-01)
    signal address_is_zero <== IsZero()(address);
    (signed + kind.accepted) * address_is_zero === 0;

    // C. Touch 1. FullExit: amount = owner and token match ? balance : 0. `amount` of a Deposit is not debited.
    component from_slot = SelectChild();
    from_slot.children <== from_balance_path[0];
    from_slot.digit <== slot.digits[0];
    signal is_owner <== IsEqual()([from_address, address]);
    signal may_exit <== is_owner * (1 - slot.top_bit);
    signal exitable <== may_exit * from_slot.out;
    is_full_exit * (amount - exitable) === 0;
    signal debit <== (1 - is_deposit) * amount + fee;
    signal debited <== from_slot.out - debit;
    signal checked_balance <== signed * debited;
    _ <== Num2Bits(BALANCE_BITS())(checked_balance);

    component authorise = Authorise();
    authorise.is_transfer <== is_transfer;
    authorise.is_withdraw <== is_withdraw;
    authorise.domain <== domain;
    authorise.timestamp <== timestamp;
    authorise.from_id <== from_id;
    authorise.to_id <== to_id;
    authorise.token <== token;
    authorise.fee_packed <== fee_packed;
    authorise.address <== address;
    authorise.amount <== amount;
    authorise.amount_packed <== amount_packed;
    authorise.key <== from_key;
    authorise.nonce <== from_nonce;
    authorise.valid_from <== valid_from;
    authorise.valid_until <== valid_until;
    authorise.signature_r <== signature_r;
    authorise.signature_s <== signature_s;

    component from = Touch(ACCOUNT_LEVELS, BALANCE_LEVELS);
    from.root <== root_in;
    from.digits <== from_index.digits;
    from.slot_digits <== slot.digits;
    from.account_path <== from_account_path;
    from.balance_path <== from_balance_path;
    from.key <== from_key;
    from.address <== from_address;
    from.nonce <== from_nonce;
    from.balance <== from_slot.out;
    from.new_key <== from_key;
    from.new_address <== from_address;
    from.new_nonce <== authorise.next_nonce;
    from.new_balance <== debited;

    // D. Touch 2. An accepted Deposit: address 0, that is an empty account (I-01), or the owner's own.
    component to_slot = SelectChild();
    to_slot.children <== to_balance_path[0];
    to_slot.digit <== slot.digits[0];
    is_transfer * (to_address - address) === 0;
    signal is_strangers <== to_address * (to_address - address);
    kind.accepted * is_strangers === 0;

    // A key is set for the owner's own deposit only, if one is given and none is there (I-03)
    signal key_x_is_zero <== IsZero()(key[0]);
    signal key_y_is_zero <== IsZero()(key[1]);
    signal key_is_none <== key_x_is_zero * key_y_is_zero;
    signal to_key_x_is_zero <== IsZero()(to_key[0]);
    signal to_key_y_is_zero <== IsZero()(to_key[1]);
    signal to_key_is_none <== to_key_x_is_zero * to_key_y_is_zero;
    signal may_set_key <== kind.accepted * sender_is_owner;
    signal wants_key <== may_set_key * (1 - key_is_none);
    signal sets_key <== wants_key * to_key_is_none;

    component to = Touch(ACCOUNT_LEVELS, BALANCE_LEVELS);
    to.root <== from.new_root;
    to.digits <== to_index.digits;
    to.slot_digits <== slot.digits;
    to.account_path <== to_account_path;
    to.balance_path <== to_balance_path;
    to.key <== to_key;
    to.address <== to_address;
    to.nonce <== to_nonce;
    to.balance <== to_slot.out;
    to.new_key[0] <== to_key[0] + sets_key * key[0];
    to.new_key[1] <== to_key[1] + sets_key * key[1];
    to.new_address <== to_address + kind.accepted * (address - to_address);
    to.new_nonce <== to_nonce;
    to.new_balance <== to_slot.out + (is_transfer + kind.accepted) * amount;
    root_out <== to.new_root;

    // E. Fees
    component credit = CreditFee();
    credit.token <== token;
    credit.fee <== fee;
    credit.fee_tokens <== fee_tokens;
    credit.fees_in <== fees_in;
    fees_out <== credit.fees_out;

    // F. Streams
    component emit = Emit();
    emit.X <== X;
    emit.is_noop <== is_noop;
    emit.is_deposit <== is_deposit;
    emit.is_full_exit <== is_full_exit;
    emit.is_transfer <== is_transfer;
    emit.is_withdraw <== is_withdraw;
    emit.sender_is_owner <== sender_is_owner;
    emit.refused <== refused;
    emit.from_id <== from_id;
    emit.to_id <== to_id;
    emit.token <== token;
    emit.amount <== amount;
    emit.amount_packed <== amount_packed;
    emit.fee_packed <== fee_packed;
    emit.address <== address;
    emit.aux <== aux;
    emit.key <== key;
    emit.commitment_in <== commitment_in;
    emit.l2_eval_in <== l2_eval_in;
    emit.l2_parity_in <== l2_parity_in;
    emit.l1_eval_in <== l1_eval_in;
    emit.l2_count_in <== l2_count_in;
    emit.l1_count_in <== l1_count_in;
    commitment_out <== emit.commitment_out;
    l2_eval_out <== emit.l2_eval_out;
    l2_parity_out <== emit.l2_parity_out;
    l1_eval_out <== emit.l1_eval_out;
    l2_count_out <== emit.l2_count_out;
    l1_count_out <== emit.l1_count_out;
}
