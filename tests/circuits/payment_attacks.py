"""Attacks on payments and queue operations, each breaking one rule of the page (protocol 2, 3, 4)."""

from typing import Any

from attack_table import ATTACKS, BASES, Attack, accepted, attack, changed, full_exit
from circuit_world import ACCOUNTS, ALICE, BOB, CAROL, FEE_TOKENS, NOBODY, NOW, OPERATOR, ORDER_SLOT, Inputs, World
from raw_step import chain_of, raw_step, value_of

from rollup._native import BASE8
from rollup.core.account import Account
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.operations import NO_KEY, Noop
from rollup.core.step_signals import KINDS, operation_signals

LIMIT = 1 << 40

# Which operation it is

changed("noop", "no_kind", is_noop=0)
changed("noop", "kind_minus_one", is_noop=-1)
changed("deposit", "kind_minus_one", is_deposit=-1)
changed("full_exit", "kind_minus_one", is_full_exit=-1, amount=0, token=9)
changed("full_exit", "two_kinds", is_noop=1, from_id=0, to_id=0, token=0, amount=0, address=0)
changed("deposit", "sender_is_owner_two", sender_is_owner=2, key=NOBODY.key)
changed("refused", "refused_two", refused=2, address=OPERATOR.address)


for _kind in KINDS[1:]:
    changed("noop", f"{_kind}_too", **{f"is_{_kind}": 1})


def _empty(**changes: int) -> Attack:
    return lambda _: raw_step(World().state, Noop(), **changes).inputs


ATTACKS["transfer_minus_one_and_two_more"] = _empty(is_transfer=-1, is_withdraw=1)
ATTACKS["withdraw_minus_one_and_two_more"] = _empty(is_transfer=1, is_withdraw=-1)

# What an operation does not use

_QUEUE = {"from_id", "token", "amount", "address", "aux"}
_SIGNED = {"from_id", "token", "fee_packed", "valid_from", "valid_until", "signature"}
_SLOT = {"to_slot", "order_id", "slot_order_id", "slot_filled"}
_SIDES = {"to_slot", "amount", "amount_packed", "counter_token", "counter_amount", "order_id"}
_ORDER = _SIGNED | _SLOT | _SIDES | {"sell_amount", "buy_amount", "max_fee_packed"}
_PAID = _SIGNED | {"to_id", "amount", "amount_packed", "address"}
USED: dict[str, set[str]] = {
    "noop": set(),
    "deposit": _QUEUE | {"sender_is_owner", "refused", "key"},
    "refused": _QUEUE - {"from_id"} | {"sender_is_owner", "refused", "key"},
    "full_exit": _QUEUE,
    "transfer": _PAID,
    "pay": _PAID,
    "withdraw": _SIGNED | {"amount", "address"},
    "change_key": _QUEUE | {"fee_packed", "key"},
    "forced_exit": _SIGNED | {"to_id", "to_slot", "amount", "address"},
    "maker": _ORDER,
    "taker": _ORDER,
    "settlement": _SIDES | {"from_id", "to_id", "token", "counter_order_id"},
    "cancel": _SIGNED | _SLOT,
}
OTHERWISE: dict[str, dict[str, dict[str, Any]]] = {
    "from_id": {"from_id": {"from_id": 5}},
    "to_id": {"another_to_id": {"to_id": 33}},
    "token": {"token": {"token": 3}},
    "to_slot": {"another_to_slot": {"to_slot": 9}},
    "fee_packed": {"fee": {"fee_packed": pack_fee(3)}},
    "amount_packed": {"amount_packed": {"amount_packed": pack_amount(7)}},
    "counter_amount": {"counter_amount": {"counter_amount": 7, "counter_amount_packed": pack_amount(7)}},
    "max_fee_packed": {"max_fee": {"max_fee_packed": pack_fee(3)}},
    "key": {"key_x": {"key": (1, 0)}, "key_y": {"key": (0, 1)}},
    "signature": {
        "signature_s": {"signature_s": 1},
        "signature_r_order_two": {"signature_r": (0, -1)},
        "signature_r_base": {"signature_r": BASE8},
    },
}
"""What stands for a field that is not used, if not simply 1."""
for _base, _used in USED.items():
    for _field in sorted(set().union(*USED.values()) - _used):
        for _label, _changes in OTHERWISE.get(_field, {_field: {_field: 1}}).items():
            changed(_base, f"unused_{_label}", **_changes)
    changed(_base, "unused_link", link=1)
    changed(_base, "unused_batch_rest", batch_rest=1, is_batched=0)


def _batched(base: str) -> Attack:
    """All that a batch asks for, of an operation that can be in none."""

    def make(world: World) -> Inputs:
        fields = operation_signals(BASES[base].operation, 5)
        nonce = world.state.account(fields["from_id"]).nonce  # type: ignore[arg-type]
        return BASES[base].step(world, is_batched=1, batch_rest=5, link=chain_of(fields, nonce)).inputs

    return make


for _base in ("noop", "deposit", "full_exit", "change_key", "maker"):
    ATTACKS[f"{_base}_in_a_batch"] = _batched(_base)

# Widths

changed("deposit", "amount_129_bits", amount=1 << 128)
changed("deposit", "amount_negative", amount=-1)
changed("deposit", "address_161_bits", address=1 << 160 | 5)
changed("deposit", "aux_65_bits", aux=1 << 64)
changed("deposit", "from_id_beyond_tree", from_id=NOBODY.account_id + ACCOUNTS)
changed("transfer", "to_id_beyond_tree", to_id=BOB.account_id + ACCOUNTS)
changed("transfer", "from_id_beyond_tree", from_id=ALICE.account_id + ACCOUNTS)
changed("full_exit", "token_beyond_tree", token=5 + 64)
changed("transfer", "valid_from_negative", valid_from=-1)
changed("transfer", "valid_until_41_bits", valid_until=LIMIT + NOW - 1)
changed("transfer", "valid_until_negative", valid_until=-2)
changed("transfer", "amount_packed_41_bits", amount_packed=1 << 40, amount=1 << 35)
changed("transfer", "fee_packed_17_bits", fee_packed=1 << 16)


@attack
def transfer_of_a_forged_balance_over_128_bits(world: World) -> Inputs:
    huge = ((1 << 35) - 1) << 5 | 31
    world.put(ALICE, 0, value_of(huge) + 10**15)
    return BASES["transfer"].step(world, amount_packed=huge, amount=value_of(huge)).inputs


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
changed("full_exit", "empty_account", from_id=33, amount=1)


@attack
def full_exit_of_an_order_slot(world: World) -> Inputs:
    world.put(ALICE, ORDER_SLOT, 77)
    return raw_step(world.state, full_exit(token=ORDER_SLOT, amount=77)).inputs


# Time, nonce, recipient

changed("transfer", "valid_from_later", valid_from=NOW + 1)
changed("transfer", "valid_until_before", valid_until=NOW - 1)
changed("withdraw", "window_of_the_future", valid_from=NOW + 1, valid_until=NOW + 2)
changed("transfer", "another_nonce_signed", nonce=1)
changed("transfer", "another_accounts_address", address=CAROL.address)
changed("transfer", "recipient_that_does_not_exist", to_id=33)
changed("deposit", "account_of_another", from_id=BOB.account_id)


@attack
def transfer_with_the_last_nonce(world: World) -> Inputs:
    world.put(ALICE, 0, 10**20, Account(ALICE.key, ALICE.address, (1 << 32) - 1))
    return BASES["transfer"].step(world).inputs


# Fees

changed("transfer", "token_without_fee_entry", token=3, amount=0, amount_packed=0)


@attack
def transfer_with_fee_in_an_unlisted_token(world: World) -> Inputs:
    world.put(ALICE, 3, 10**20)
    return BASES["transfer"].step(world, token=3).inputs


@attack
def transfer_with_fee_in_a_token_listed_twice(world: World) -> Inputs:
    return BASES["transfer"].step(world).inputs | {"fee_tokens": (0, 0, *FEE_TOKENS[2:])}


# TransferToAddress: the account is new, or the address's already; the operator chooses it

accepted("pay_new", "another_empty_account", to_id=33)
changed("pay_new", "account_of_another", to_id=BOB.account_id)
changed("pay_new", "account_of_the_payer", to_id=ALICE.account_id)
changed("pay_new", "address_zero", address=0)
changed("pay_new", "order_slot", token=ORDER_SLOT, amount=0, amount_packed=0, fee_packed=0)
changed("pay", "account_of_another", to_id=BOB.account_id)
changed("pay", "amount_unlike_packed", amount=10**18 + 1)
changed("pay", "amount_beyond_the_balance", amount=10**20, amount_packed=pack_amount(10**20))
changed("pay", "another_nonce_signed", nonce=1)

# ChangePubKey

changed("change_key", "another_owner", address=BOB.address)
changed("change_key", "account_of_another", from_id=BOB.account_id)
changed("change_key", "another_nonce", aux=1)
changed("change_key", "amount_unlike_fee", amount=201)
changed("change_key", "fee_that_moves_nothing", amount=0)
changed("change_key", "order_slot", token=ORDER_SLOT, amount=0, fee_packed=0)
changed("change_key", "fee_in_an_unlisted_token", token=3, amount=1, fee_packed=pack_fee(1))
changed("first_key", "fee_beyond_the_balance", amount=1010, fee_packed=pack_fee(1010))
accepted("change_key", "no_fee", amount=0, fee_packed=0)


@attack
def change_key_with_the_last_nonce(world: World) -> Inputs:
    last = (1 << 32) - 1
    world.put(ALICE, 5, 10**9, Account(ALICE.key, ALICE.address, last))
    return BASES["change_key"].step(world, aux=last).inputs


@attack
def change_key_of_an_account_without_address(world: World) -> Inputs:
    world.put(NOBODY, 5, 10**9)
    return BASES["change_key"].step(world, from_id=NOBODY.account_id, address=0).inputs


# ForcedExit: account and address signed, no key there, all that it has

changed("forced_exit", "account_with_a_key", to_id=BOB.account_id, address=BOB.address, to_slot=9, amount=10**6)
changed("forced_exit", "another_address", address=BOB.address)
changed("forced_exit", "nothing_there", to_slot=9, amount=0)
changed("forced_exit", "less_than_the_balance", amount=999)
changed("forced_exit", "more_than_the_balance", amount=1001)
changed("forced_exit", "fee_in_an_order_slot", token=ORDER_SLOT, fee_packed=0)
changed("forced_exit", "fee_beyond_the_balance", token=9)
changed("forced_exit", "another_nonce_signed", nonce=1)
changed("forced_exit", "window_of_the_past", valid_until=NOW - 1)
changed("forced_exit", "signature_by_another", signer=CAROL)
accepted("forced_exit", "fee_in_the_same_token", token=5, fee_packed=pack_fee(200))


@attack
def forced_exit_of_an_order_slot(world: World) -> Inputs:
    world.put(CAROL, ORDER_SLOT, 77)
    return BASES["forced_exit"].step(world, to_slot=ORDER_SLOT, amount=77).inputs


@attack
def forced_exit_of_an_account_without_address(world: World) -> Inputs:
    world.put(NOBODY, 5, 77)
    assert world.state.account(NOBODY.account_id).key == NO_KEY
    return BASES["forced_exit"].step(world, to_id=NOBODY.account_id, address=0, amount=77).inputs


def _half_a_key(key: tuple[int, int]) -> Attack:
    def make(world: World) -> Inputs:
        world.put(CAROL, 5, 1000, Account(key, CAROL.address, 0))
        return BASES["forced_exit"].step(world).inputs

    return make


ATTACKS["forced_exit_of_an_account_with_key_x"] = _half_a_key((1, 0))
ATTACKS["forced_exit_of_an_account_with_key_y"] = _half_a_key((0, 1))
