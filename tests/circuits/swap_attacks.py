"""Attacks on orders, swaps, cancellations and batches: each breaks one rule of I-17, I-18 or I-19."""

from typing import Any

from attack_table import ATTACKS, BASES, BATCH, CHAIN, VALID, Attack, accepted, attack, changed
from circuit_world import ALICE, BOB, CAROL, NOW, OPERATOR, ORDER_SLOT, Inputs, World
from raw_step import IDLE, Unfinished, chain_of, raw_step, value_of

from rollup.core.account import Account, OrderSlot
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.constants import FIELD_MODULUS
from rollup.core.step_signals import operation_signals

HUGE = ((1 << 35) - 1) << 5 | 31
"""The encoding of more than any balance."""


def sides(amount: int, counter_amount: int) -> dict[str, int]:
    """What both sides of a Swap sell, with their encodings."""
    return {
        "amount": amount,
        "amount_packed": pack_amount(amount),
        "counter_amount": counter_amount,
        "counter_amount_packed": pack_amount(counter_amount),
    }


def holding(base: str, leaf: int, label: str, right: bool = False, **changes: Any) -> None:
    """The base's order slot holds something already; an attack, or all right."""

    def make(world: World) -> Any:
        operation = operation_signals(BASES[base].operation)
        account_id, slot = operation["to_id"], operation["to_slot"]
        who = next(user for user in (ALICE, BOB) if user.account_id == account_id)
        world.put(who, slot, leaf % (1 << 160) if leaf >= 0 else leaf + FIELD_MODULUS)  # type: ignore[arg-type]
        return BASES[base].step(world, **changes)

    name = f"{base}_{label}"
    if right:
        VALID[name] = make
    else:
        ATTACKS[name] = lambda world: make(world).inputs


# What an order fills: never more than it sells, from what its slot holds

holding("maker", OrderSlot(7, 2000).leaf, "that_fills_up_exactly", right=True)
holding("maker", OrderSlot(7, 2001).leaf, "that_overfills_by_one")
holding("maker", OrderSlot(6, 5000).leaf, "that_replaces_a_filled_one", right=True)
holding("maker", OrderSlot(8, 0).leaf, "that_was_replaced")
holding("maker", OrderSlot(7, 2500).leaf, "that_forgets_a_fill", slot_filled=0)
holding("maker", OrderSlot(7, 2500).leaf, "that_reads_an_older_id", slot_order_id=6, slot_filled=(1 << 128) + 2500)
holding("maker", -(1 << 128) + 5, "that_reads_a_negative_id", slot_order_id=-1, slot_filled=5)
holding("maker", OrderSlot(1, 0).leaf, "with_an_id_of_33_bits", order_id=1 << 32)
holding("maker", OrderSlot(0, 0).leaf, "with_the_last_id", right=True, order_id=(1 << 32) - 1)
changed("maker", "more_than_it_sells", **sides(5010, 10020))
changed("maker", "nothing_to_sell", sell_amount=0, **sides(0, 0))
changed("maker", "another_accounts_slot", to_id=BOB.account_id)
changed("maker", "a_token_for_a_slot", to_slot=4)
changed("maker", "an_order_slot_sold", token=ORDER_SLOT + 1, fee_packed=0, **sides(0, 0))
changed("maker", "an_order_slot_bought", counter_token=ORDER_SLOT)
changed("maker", "a_bought_token_that_spills_over", counter_token=-1)
changed("maker", "sell_amount_121_bits", sell_amount=1 << 120, fee_packed=0)
changed("maker", "buy_amount_121_bits", buy_amount=1 << 120, fee_packed=0, **sides(0, 0))
changed("maker", "buy_amount_negative", buy_amount=-1)
accepted("maker", "nothing_sold_for_something", fee_packed=0, **sides(0, 1))

# Price and fee

accepted("maker", "a_better_price", **sides(3000, 6001))
changed("maker", "a_price_too_low_by_one", **sides(3000, 5999))
changed("maker", "a_price_too_low_for_one", **sides(3010, 6019))
changed("taker", "a_price_too_low", **sides(6000, 2842))
accepted("taker", "its_price_rounded_up", **sides(6000, 2843))
changed("maker", "a_fee_too_high_by_one", fee_packed=pack_fee(31))
changed("maker", "a_fee_on_nothing", fee_packed=pack_fee(1), **sides(0, 0))
changed("maker", "a_limit_not_canonical", max_fee_packed=5 << 5 | 1)
accepted("maker", "no_fee", fee_packed=0)


@attack
def maker_of_a_worthless_limit_for_a_large_fee(world: World) -> Inputs:
    """sold = 0 would make any fee right, and with it empty the account."""
    return BASES["maker"].step(world, sell_amount=0, fee_packed=pack_fee(10**9), **sides(0, 0)).inputs


def _largest(**changes: Any) -> Any:
    """Limits and amounts at their ends."""

    def make(world: World) -> Any:
        largest = (1 << 120) - 1
        amount = ((1 << 35) - 1) * 10**25
        assert amount < largest < 1 << 128
        world.put(ALICE, 5, 1 << 127)
        fields = {"sell_amount": largest, "buy_amount": largest, "fee_packed": 0} | sides(amount, amount) | changes
        return BASES["maker"].step(world, **fields)

    return make


VALID["maker_at_the_limits"] = _largest()
ATTACKS["maker_at_the_limits_for_one_less"] = lambda world: (
    _largest(buy_amount=(1 << 120) - 1, sell_amount=(1 << 120) - 2)(world).inputs
)

# Amounts and balance

changed("maker", "amount_not_canonical", amount_packed=300 << 5 | 1)
changed("maker", "counter_amount_not_canonical", counter_amount_packed=600 << 5 | 1)
changed("maker", "amount_unlike_packed", amount=2999)
changed("maker", "counter_amount_unlike_packed", counter_amount=6001)
_LAST = (1 << 128) // 10**28
"""The greatest mantissa of a value below 2^128 with the exponent 28."""
accepted("maker", "the_largest_counter_amount", counter_amount_packed=_LAST << 5 | 28, counter_amount=_LAST * 10**28)
for _mantissa, _exponent in ((_LAST + 1, 28), (3435973837, 29), (3435973837, 30)):
    changed(
        "maker",
        f"a_counter_amount_of_{_mantissa}_and_{_exponent}",
        counter_amount_packed=_mantissa << 5 | _exponent,
        counter_amount=_mantissa * 10**_exponent,
    )
changed("maker", "counter_amount_129_bits", counter_amount_packed=HUGE, counter_amount=value_of(HUGE))
changed("taker", "counter_amount_unlike_packed", counter_amount=3001)
changed("settlement", "amount_unlike_packed", amount=6001)
changed("settlement", "counter_amount_unlike_packed", counter_amount=3001)


def _with_balance(balance: int) -> Any:
    def make(world: World) -> Any:
        world.put(ALICE, 5, balance)
        return BASES["maker"].step(world)

    return make


VALID["maker_with_just_enough"] = _with_balance(3030)
ATTACKS["maker_with_too_little_for_the_fee"] = lambda world: _with_balance(3029)(world).inputs

# Consent

for _base in ("maker", "taker"):
    changed(_base, "signature_by_another", signer=OPERATOR)
    changed(_base, "signature_missing", signer=None)
    changed(_base, "valid_from_later", valid_from=NOW + 1)
    changed(_base, "valid_until_before", valid_until=NOW - 1)
for _name, _change in {
    "slot": {"to_slot": ORDER_SLOT + 1},
    "order_id": {"order_id": 8},
    "bought_token": {"counter_token": 1},
    "sell_amount": {"sell_amount": 5001},
    "buy_amount": {"buy_amount": 9999},
    "max_fee": {"max_fee_packed": pack_fee(51)},
    "valid_until": {"valid_until": NOW + 61},
}.items():
    ATTACKS[f"maker_with_{_name}_that_nobody_signed"] = lambda world, change=_change: (  # type: ignore[misc]
        BASES["maker"].step(world).inputs
        | {
            name: value
            for name, value in BASES["maker"].step(world, signer=None, **change).inputs.items()
            if not name.startswith("op.signature")
        }
    )


def _keyless(key: tuple[int, int]) -> Attack:
    def make(world: World) -> Inputs:
        world.put(ALICE, 5, 10**6, Account(key, ALICE.address, 0))
        return BASES["maker"].step(world).inputs

    return make


ATTACKS["maker_without_key"] = _keyless((0, 0))
ATTACKS["maker_whose_key_has_changed"] = _keyless(CAROL.key)


def _last_nonce(world: World) -> Any:
    """An order uses no nonce: it may be filled when there is none left."""
    world.put(ALICE, 5, 10**6, Account(ALICE.key, ALICE.address, (1 << 32) - 1))
    return BASES["maker"].step(world)


VALID["maker_with_the_last_nonce"] = _last_nonce

# The three steps of a Swap: what one leaves is what the next finds


def begun(base: str) -> Unfinished:
    """What the base finds when nothing is wrong."""
    inputs = BASES[base].step(_ANY).inputs
    return inputs["pending_in"], inputs["link_in"], inputs["rest_in"]


_ANY = World()
for _base in BASES:
    _pending, _link, _rest = begun(_base)
    for _other in range(5):
        if _other != _pending and not (_base == "batch_first" and _other == 0):
            changed(_base, f"pending_{_other}", before=(_other, _link, _rest))
for _base, _amounts in {"taker": (6000, 3000), "settlement": (6000, 3000)}.items():
    _sold, _bought = _amounts
    changed(_base, "more_from_the_other_side", before=begun(_base), **sides(_sold, _bought + 1))
    changed(_base, "less_from_the_other_side", before=begun(_base), **sides(_sold, _bought - 1))
    changed(_base, "more_of_its_own", before=begun(_base), **sides(_sold + 1, _bought))
    changed(_base, "less_of_its_own", before=begun(_base), **sides(_sold - 1, _bought))
changed("taker", "another_bought_token", before=begun("taker"), counter_token=1)
changed("taker", "another_sold_token", before=begun("taker"), token=1, fee_packed=0, **sides(0, 3000))
changed("settlement", "another_token_for_the_maker", before=begun("settlement"), token=5)
changed("settlement", "another_token_for_the_taker", before=begun("settlement"), counter_token=9, to_slot=9)
changed("settlement", "a_slot_unlike_the_token", to_slot=9)
changed(
    "settlement",
    "tokens_exchanged",
    before=begun("settlement"),
    token=5,
    counter_token=9,
    to_slot=9,
    **sides(3000, 6000),
)
changed("settlement", "an_order_slot_for_the_maker", token=ORDER_SLOT)
changed("settlement", "an_order_slot_for_the_taker", counter_token=ORDER_SLOT, to_slot=ORDER_SLOT)
for _field in ("from_id", "to_id", "order_id", "counter_order_id"):
    changed("settlement", f"another_{_field}", before=begun("settlement"), **{_field: 2})
changed("settlement", "sides_exchanged", before=begun("settlement"), from_id=BOB.account_id, to_id=ALICE.account_id)
changed("settlement", "an_id_of_33_bits_for_the_maker", order_id=1 << 32)
changed("settlement", "an_id_of_33_bits_for_the_taker", counter_order_id=1 << 32)
changed("settlement", "an_id_that_spills_over", order_id=7 + (1 << 32), counter_order_id=3, before=begun("settlement"))

# CancelOrder: a greater id

holding("cancel", OrderSlot(8, 123).leaf, "of_a_filled_order", right=True)
holding("cancel", OrderSlot(9, 0).leaf, "of_the_same_id")
holding("cancel", OrderSlot(10, 0).leaf, "of_a_later_id")
holding("cancel", OrderSlot(9, 5).leaf, "that_reads_an_older_id", slot_order_id=8, slot_filled=(1 << 128) + 5)
holding("cancel", OrderSlot(9, 5).leaf, "that_reads_nothing", slot_order_id=0, slot_filled=0)
changed("cancel", "first_id_zero", order_id=0)
changed("cancel", "an_id_of_33_bits", order_id=1 << 32)
changed("cancel", "a_token_for_a_slot", to_slot=4)
changed("cancel", "a_fee_in_an_order_slot", token=ORDER_SLOT, fee_packed=0)
changed("cancel", "a_fee_beyond_the_balance", token=9)
changed("cancel", "another_nonce_signed", nonce=1)
changed("cancel", "signature_by_another", signer=BOB)
changed("cancel", "window_of_the_past", valid_until=NOW - 1)

# A batch: all operations, in their order, from the first to the last

L, R2, R3, R4 = CHAIN[:4]
changed("batch_second", "no_batch_begun", before=IDLE)
changed("batch_last", "no_batch_begun", before=IDLE)
changed("batch_second", "another_batch_begun", before=(3, L + 1, R2))
changed("batch_third", "the_second_left_out", before=(3, L, R2))
changed("batch_second", "the_third_to_come", before=(3, L, R3))
changed("batch_first", "the_second_to_come_again", before=(3, L, R2))
changed("batch_first", "another_batch_begun", before=(3, L + 1, L))
changed("batch_second", "a_swap_pending", before=(1, L, R2))
changed("batch_second", "a_settlement_pending", before=(2, L, R2))
changed("batch_first", "an_end", batch_rest=0)
changed("batch_second", "an_early_end", batch_rest=0)
changed("batch_last", "more_to_come", batch_rest=R4)
changed("batch_first", "the_rest_of_another", batch_rest=R3)
changed("batch_second", "another_amount", amount=10**17, amount_packed=pack_amount(10**17))
changed("batch_second", "no_link", link=0)
changed("batch_second", "no_batch", is_batched=0, link=0, batch_rest=0)
changed("batch_first", "no_batch", is_batched=0, batch_rest=0)


@attack
def batch_of_one(world: World) -> Inputs:
    """Its link is its own hash, as a batch's would be."""
    operation = BATCH[0]
    link = chain_of(operation_signals(operation, 0), 0)
    return raw_step(world.state, operation, ALICE, batch_rest=0, link=link).inputs


@attack
def transfer_signed_for_a_batch_alone(world: World) -> Inputs:
    """The signature names a link; the operation is taken out of the batch with it."""
    inputs = BASES["batch_first"].step(world).inputs
    return inputs | {"op.is_batched": 0, "op.batch_rest": 0}
