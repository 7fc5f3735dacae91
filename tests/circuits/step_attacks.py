"""Attacks on one Step, each breaking one rule: name -> inputs. All must be refused; see test_step_refusals."""

from collections.abc import Callable

from circuit_world import ALICE, BOB, CAROL, FEE_TOKENS, NOBODY, NOW, OPERATOR, ORDER_SLOT, Inputs, World
from raw_step import raw_step, value_of
from reference_babyjub import add, multiply, torsion_points

from rollup._native import BASE8, SUBGROUP_ORDER
from rollup.core.account import Account
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.constants import FIELD_MODULUS
from rollup.core.operations import Deposit, FullExit, Noop, Transfer, Withdraw
from rollup.core.rules import Touch

Attack = Callable[[World], Inputs]
ATTACKS: dict[str, Attack] = {}
LIVE = {"valid_from": NOW - 60, "valid_until": NOW + 60}
LIMIT = 1 << 40


def attack(make: Attack) -> Attack:
    ATTACKS[make.__name__] = make
    return make


def transfer(**changes: int) -> Transfer:
    fields = {"token": 0, "amount": 10**18, "fee": 10**15, "nonce": 0} | LIVE | changes
    return Transfer(ALICE.account_id, BOB.account_id, BOB.address, **fields)


def withdraw(**changes: int) -> Withdraw:
    fields = {"token": 0, "amount": 10**18 + 1, "fee": 10**15, "nonce": 0} | LIVE | changes
    return Withdraw(ALICE.account_id, 0xBEEF, **fields)


def deposit(**changes: object) -> Deposit:
    fields = {"account_id": NOBODY.account_id, "token": 5, "amount": 1000, "owner": NOBODY.address} | changes
    return Deposit(**fields)  # type: ignore[arg-type]


def full_exit(**changes: int) -> FullExit:
    fields = {"account_id": ALICE.account_id, "token": 5, "owner": ALICE.address, "amount": 5 * 10**9} | changes
    return FullExit(**fields)


OPERATIONS = {
    "noop": (Noop(), None),
    "deposit": (deposit(), None),
    "refused": (deposit(account_id=0, refused=True), None),
    "full_exit": (full_exit(), None),
    "transfer": (transfer(), ALICE),
    "withdraw": (withdraw(), ALICE),
}
VALID: dict[str, Attack] = {
    name: lambda world, operation=operation, signer=signer: raw_step(world.state, operation, signer)  # type: ignore[misc]
    for name, (operation, signer) in OPERATIONS.items()
}
"""The same steps unchanged: they are accepted, so an attack fails for what it changes."""


def changed(base: str, label: str, **changes: object) -> None:
    """An attack that changes fields of a base operation."""
    operation, signer = OPERATIONS[base]
    ATTACKS[f"{base}_with_{label}"] = lambda world: raw_step(world.state, operation, signer, **changes)


# Which operation it is

changed("noop", "no_kind", is_noop=0)
changed("noop", "kind_minus_one", is_noop=-1)
changed("deposit", "kind_minus_one", is_deposit=-1)
changed("full_exit", "kind_minus_one", is_full_exit=-1, amount=0, token=9)
changed("full_exit", "two_kinds", is_noop=1, from_id=0, to_id=0, token=0, amount=0, address=0)
changed("deposit", "sender_is_owner_two", sender_is_owner=2, key=NOBODY.key)
changed("refused", "refused_two", refused=2, address=OPERATOR.address)


def _empty(**changes: int) -> Attack:
    return lambda _: raw_step(World().state, Noop(), **changes)


ATTACKS["transfer_minus_one_and_two_more"] = _empty(is_transfer=-1, is_withdraw=1)
ATTACKS["withdraw_minus_one_and_two_more"] = _empty(is_transfer=1, is_withdraw=-1)

# What an operation does not use

changed("noop", "from_id", from_id=5, to_id=5)
changed("noop", "token", token=3)
changed("noop", "amount", amount=10**18)
changed("noop", "address", address=OPERATOR.address)
changed("refused", "account", from_id=5, to_id=5)
for _base in ("noop", "deposit", "full_exit", "withdraw"):
    changed(_base, "another_to_id", to_id=33)
for _base in ("noop", "deposit", "full_exit", "withdraw"):
    changed(_base, "amount_packed", amount_packed=pack_amount(7))
for _base in ("noop", "deposit", "full_exit"):
    changed(_base, "fee_packed", fee_packed=pack_fee(3), **({"token": 0} if _base == "noop" else {}))
for _base in ("noop", "transfer", "withdraw"):
    changed(_base, "aux", aux=1)
for _base in ("noop", "full_exit", "transfer", "withdraw"):
    changed(_base, "sender_is_owner", sender_is_owner=1)
    changed(_base, "key_x", key=(1, 0))
    changed(_base, "key_y", key=(0, 1))
changed("noop", "refused", refused=1)
changed("withdraw", "refused", refused=1)
for _base in ("noop", "deposit", "refused", "full_exit"):
    changed(_base, "signature_s", signature_s=1)
    changed(_base, "signature_r_order_two", signature_r=(0, -1))
    changed(_base, "signature_r_base", signature_r=BASE8)
    changed(_base, "valid_from", valid_from=1)
    changed(_base, "valid_until", valid_until=1)

# Widths

changed("deposit", "amount_129_bits", amount=1 << 128)
changed("deposit", "amount_negative", amount=-1)
changed("deposit", "address_161_bits", address=1 << 160 | 5)
changed("deposit", "aux_65_bits", aux=1 << 64)
changed("deposit", "from_id_beyond_tree", from_id=NOBODY.account_id + 64, to_id=NOBODY.account_id + 64)
changed("transfer", "to_id_beyond_tree", to_id=BOB.account_id + 64)
changed("transfer", "from_id_beyond_tree", from_id=ALICE.account_id + 64)
changed("full_exit", "token_beyond_tree", token=5 + 64)
changed("transfer", "valid_from_negative", valid_from=-1)
changed("transfer", "valid_until_41_bits", valid_until=LIMIT + NOW - 1)
changed("transfer", "valid_until_negative", valid_until=-2)
changed("transfer", "amount_packed_41_bits", amount_packed=1 << 40, amount=1 << 35)
changed("transfer", "fee_packed_17_bits", fee_packed=1 << 16)


@attack
def transfer_of_a_forged_balance_over_128_bits(world: World) -> Inputs:
    huge = ((1 << 35) - 1) << 5 | 31
    world.state.touch(Touch(ALICE.account_id, 0, world.state.account(ALICE.account_id), value_of(huge) + 10**15))
    return raw_step(world.state, transfer(), ALICE, amount_packed=huge, amount=value_of(huge))


# Amounts

changed("transfer", "amount_not_canonical", amount_packed=1 << 5 | 1, amount=10)
changed("transfer", "amount_zero_not_canonical", amount_packed=31, amount=0)
changed("transfer", "amount_just_not_canonical", amount_packed=3435973836 << 5 | 1, amount=34359738360)
changed("transfer", "fee_not_canonical", fee_packed=1 << 5 | 2)
changed("withdraw", "fee_not_canonical", fee_packed=204 << 5 | 1)
changed("transfer", "amount_unlike_packed", amount=10**18 + 1)

# Money

changed("transfer", "order_slot", token=ORDER_SLOT, amount=0, amount_packed=0, fee_packed=0)
changed("withdraw", "order_slot", token=ORDER_SLOT + 5, amount=0, fee_packed=0)
changed("deposit", "order_slot", token=ORDER_SLOT)
changed("deposit", "owner_zero", address=0)
changed("withdraw", "address_zero", address=0)
changed("transfer", "recipient_zero", to_id=NOBODY.account_id, address=0)
changed("withdraw", "more_than_the_balance", amount=10**20 - 10**15 + 1)
changed("transfer", "fee_beyond_the_balance", amount=10**20, amount_packed=pack_amount(10**20))
changed("withdraw", "token_not_there", token=17)
changed("full_exit", "more_than_the_balance", amount=5 * 10**9 + 1)
changed("full_exit", "less_than_the_balance", amount=1)
changed("full_exit", "another_owner", address=BOB.address)
changed("full_exit", "order_slot", token=ORDER_SLOT + 5, amount=1)
changed("full_exit", "empty_account", from_id=33, to_id=33, amount=1)


@attack
def full_exit_of_an_order_slot(world: World) -> Inputs:
    world.state.touch(Touch(ALICE.account_id, ORDER_SLOT, world.state.account(ALICE.account_id), 77))
    return raw_step(world.state, full_exit(token=ORDER_SLOT, amount=77))


# Time, nonce, recipient

changed("transfer", "valid_from_later", valid_from=NOW + 1)
changed("transfer", "valid_until_before", valid_until=NOW - 1)
changed("withdraw", "window_of_the_future", valid_from=NOW + 1, valid_until=NOW + 2)
changed("transfer", "another_nonce_signed", nonce=1)
changed("transfer", "another_accounts_address", address=CAROL.address)
changed("transfer", "recipient_that_does_not_exist", to_id=33)
changed("deposit", "account_of_another", from_id=BOB.account_id, to_id=BOB.account_id)


@attack
def transfer_with_the_last_nonce(world: World) -> Inputs:
    account = Account(ALICE.key, ALICE.address, (1 << 32) - 1)
    world.state.touch(Touch(ALICE.account_id, 0, account, 10**20))
    return raw_step(world.state, transfer(), ALICE)


# Fees

changed("transfer", "token_without_fee_entry", token=3, amount=0, amount_packed=0)


@attack
def transfer_with_fee_in_an_unlisted_token(world: World) -> Inputs:
    world.state.touch(Touch(ALICE.account_id, 3, world.state.account(ALICE.account_id), 10**20))
    return raw_step(world.state, transfer(), ALICE, token=3)


@attack
def transfer_with_fee_in_a_token_listed_twice(world: World) -> Inputs:
    return raw_step(world.state, transfer(), ALICE) | {"fee_tokens": (0, 0, *FEE_TOKENS[2:])}


# Signatures


def _signature(world: World, **changes: object) -> Inputs:
    return raw_step(world.state, transfer(), ALICE) | changes


@attack
def signature_by_another(world: World) -> Inputs:
    return raw_step(world.state, transfer(), BOB)


@attack
def signature_for_another_domain(world: World) -> Inputs:
    return raw_step(world.state, transfer(), ALICE) | {"domain": 5}


@attack
def signature_s_plus_order(world: World) -> Inputs:
    inputs = raw_step(world.state, transfer(), ALICE)
    return inputs | {"signature_s": inputs["signature_s"] + SUBGROUP_ORDER}


@attack
def signature_s_negative(world: World) -> Inputs:
    inputs = raw_step(world.state, transfer(), ALICE)
    return inputs | {"signature_s": inputs["signature_s"] - SUBGROUP_ORDER + FIELD_MODULUS}


@attack
def signature_s_is_the_order(world: World) -> Inputs:
    return _signature(world, signature_s=SUBGROUP_ORDER)


@attack
def signature_missing(world: World) -> Inputs:
    return _signature(world, signature_r=(0, 1), signature_s=0)


@attack
def signature_r_off_the_curve(world: World) -> Inputs:
    return _signature(world, signature_r=(1, 2))


@attack
def signature_of_another_operation(world: World) -> Inputs:
    """A Withdraw's signature on a Transfer of the same amount and fee."""
    as_withdraw = raw_step(world.state, withdraw(amount=10**18), ALICE, address=BOB.address)
    return _signature(world, signature_r=as_withdraw["signature_r"], signature_s=as_withdraw["signature_s"])


def _with_key(world: World, key: tuple[int, int]) -> None:
    state = world.state
    state.touch(Touch(ALICE.account_id, 0, Account(key, ALICE.address, 0), 10**20))


def _forged_for(key: tuple[int, int]) -> Attack:
    """R = S * B8, which any key whose multiples count as the identity would have "signed"."""

    def make(world: World) -> Inputs:
        _with_key(world, key)
        return raw_step(world.state, transfer()) | {"signature_r": multiply(BASE8, 77), "signature_s": 77}

    return make


TORSION = torsion_points()
for _index, _point in enumerate(TORSION):
    ATTACKS[f"key_of_small_order_{_index}"] = _forged_for(_point)
ATTACKS["key_missing"] = _forged_for((0, 0))
ATTACKS["key_off_curve_with_x_zero"] = _forged_for((0, 5))
ATTACKS["key_off_curve"] = _forged_for((1, 2))


def _torsion_r(index: int) -> Attack:
    def make(world: World) -> Inputs:
        inputs = raw_step(world.state, transfer(), ALICE)
        r = add(inputs["signature_r"], TORSION[index])
        return inputs | {"signature_r": r}

    return make


def _small_r(index: int) -> Attack:
    return lambda world: _signature(world, signature_r=TORSION[index])


for _index in range(1, 8):
    ATTACKS[f"signature_r_plus_torsion_{_index}"] = _torsion_r(_index)
for _index in range(8):
    ATTACKS[f"signature_r_of_small_order_{_index}"] = _small_r(_index)

# Paths: a subtree that is not there


def _bent_path(which: str, level: int) -> Attack:
    """A child beside the path is changed: the tree is another one, whose root is not the state's."""

    def make(world: World) -> Inputs:
        inputs = raw_step(world.state, transfer(), ALICE)
        path = [list(children) for children in inputs[which]]
        path[level][4] += 1
        return inputs | {which: path}

    return make


for _which in ("from_balance_path", "from_account_path", "to_balance_path", "to_account_path"):
    for _level in range(2):
        ATTACKS[f"{_which}_bent_at_{_level}"] = _bent_path(_which, _level)


@attack
def full_exit_with_a_made_up_account(world: World) -> Inputs:
    """The leaf's values are another's: more balance, my address."""
    return raw_step(world.state, full_exit()) | {"from_address": BOB.address}


@attack
def withdraw_with_a_made_up_balance(world: World) -> Inputs:
    inputs = raw_step(world.state, withdraw(), ALICE)
    path = [list(children) for children in inputs["from_balance_path"]]
    path[0][0] = 10**30
    return inputs | {"from_balance_path": path}
