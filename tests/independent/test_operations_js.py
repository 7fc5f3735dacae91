"""Every condition that calldata show (docs/protocol.md, section 4) of the operations beyond the first four, and what
shares a block with them: rebuild.mjs refuses the block that breaks it and says why."""

from __future__ import annotations

from collections.abc import Callable

from page_model import Fill, Header, Rollup, Step, key_auth
from rebuild_runs import ALICE, BOB, CAROL, KEY, run_many, traders

# After `traders`, the first step of the case is operation 5.
Case = Callable[[Rollup], list[Step]]
BUYS = Fill(9, 2048, 7, 1, 10)


def sells(**other: int) -> Fill:
    """Alice's side of a Swap with BUYS."""
    return Fill(**{"account": 5, "slot": 2048, "order_id": 5, "token": 0, "amount": 30, **other})


def nonce_other(rollup: Rollup) -> list[Step]:
    step = rollup.change_pub_key(5, ALICE, KEY)
    step.words[1] += 1 << 128
    return [step]


def exit_changed_by(change: int) -> Case:
    def steps(rollup: Rollup) -> list[Step]:
        step = rollup.forced_exit(9, 8, 2047, 1, 0)
        step.words[1] += change
        return [step]

    return steps


def exit_under_other_address(rollup: Rollup) -> list[Step]:
    rollup.account(8).address = CAROL
    return [rollup.forced_exit(9, 8, 2047, 1, 0)]


def rich(rollup: Rollup) -> list[Step]:
    """Two Swaps that pay more than there is."""
    return [*rollup.swap(sells(amount=10**18), BUYS), *rollup.swap(sells(amount=1), BUYS)]


REFUSED: dict[str, tuple[str, Case]] = {
    "TransferToAddress to another's account": (
        "5 (TransferToAddress): the account is another's (account = 8",
        lambda r: [r.transfer_to_address(5, 8, 0, 1, 0, CAROL)],
    ),
    "TransferToAddress to nobody": (
        "5 (TransferToAddress): the owner is 0",
        lambda r: [r.transfer_to_address(5, 11, 0, 1, 0, 0)],
    ),
    "TransferToAddress without key": (
        "5 (TransferToAddress): the payer has no key (account = 8",
        lambda r: [r.transfer_to_address(8, 11, 2047, 1, 0, CAROL)],
    ),
    "TransferToAddress of a slot": (
        "5 (TransferToAddress): not a token (token = 2048",
        lambda r: [r.transfer_to_address(5, 11, 2048, 0, 0, CAROL)],
    ),
    "TransferToAddress beyond the balance": (
        "5 (TransferToAddress): balance would be negative",
        lambda r: [r.transfer_to_address(9, 11, 1, 10**6, 1, CAROL)],
    ),
    "key of another's account": (
        "5 (ChangePubKey): the account is another's (account = 5",
        lambda r: [r.change_pub_key(5, BOB, KEY)],
    ),
    "key of nobody": (
        "5 (ChangePubKey): the account is another's (account = 6, address = 0, owner = 0",
        lambda r: [r.change_pub_key(6, 0, KEY)],
    ),
    "key with another nonce": ("5 (ChangePubKey): the nonce is not the account's (account = 5, nonce = 1", nonce_other),
    "key fee beyond the balance": (
        "5 (ChangePubKey): balance would be negative",
        lambda r: [r.change_pub_key(8, BOB, KEY, 0, 1)],
    ),
    "key fee in a slot": ("5 (ChangePubKey): not a token", lambda r: [r.change_pub_key(8, BOB, KEY, 2048)]),
    "key fee in another token": (
        "5 (ChangePubKey): the fee's token is not among the header's (token = 2047",
        lambda r: [r.change_pub_key(8, BOB, KEY, 2047, 1)],
    ),
    "ForcedExit of an account with a key": (
        "5 (ForcedExit): the account has a key",
        lambda r: [r.forced_exit(9, 5, 0, 1, 0)],
    ),
    "ForcedExit of another address": ("5 (ForcedExit): the account is another's", exit_under_other_address),
    "ForcedExit of nobody": ("5 (ForcedExit): the account is another's", lambda r: [r.forced_exit(9, 6, 0, 1, 0)]),
    "ForcedExit of less": ("5 (ForcedExit): a ForcedExit of another amount", exit_changed_by(-1)),
    "ForcedExit of nothing": (
        "5 (ForcedExit): a ForcedExit of another amount, or of nothing (account = 8, amount = 0, due = 0",
        lambda r: [r.forced_exit(9, 8, 3, 1, 0)],
    ),
    "ForcedExit of a slot": ("5 (ForcedExit): not a token", lambda r: [r.forced_exit(9, 8, 2048, 1, 0)]),
    "ForcedExit paid by nobody": (
        "5 (ForcedExit): the payer has no key (account = 11",
        lambda r: [r.forced_exit(11, 8, 2047, 1, 0)],
    ),
    "ForcedExit paid by its own account": (
        "5 (ForcedExit): the payer has no key (account = 8",
        lambda r: [r.forced_exit(8, 8, 2047, 2047, 0)],
    ),
    "ForcedExit paid from a slot": (
        "5 (ForcedExit): not a token (token = 2048",
        lambda r: [r.forced_exit(9, 8, 2047, 2048, 0)],
    ),
    "Swap in a token's slot": (
        "5 (Swap): maker: not an order slot (slot = 2047",
        lambda r: r.swap(sells(slot=2047), BUYS),
    ),
    "Swap in slot 4096": (
        "5: slot does not fit 12 bits (value = 4096",
        lambda r: r.swap(BUYS, sells(slot=4096)),
    ),
    "Swap of an older order": (
        "6 (Swap): maker: the slot has a newer order (account = 5, slot = 2048, order = 4, held = 5",
        lambda r: [*r.swap(sells(), BUYS), *r.swap(sells(order_id=4), BUYS)],
    ),
    "Swap of a taker's older order": (
        "6 (Swap): taker: the slot has a newer order (account = 5",
        lambda r: [*r.swap(sells(), BUYS), *r.swap(BUYS, sells(order_id=0))],
    ),
    "Swap of a cancelled order": (
        "6 (Swap): maker: the slot has a newer order (account = 5, slot = 2048, order = 5, held = 6",
        lambda r: [r.cancel_order(5, 2048, 6, 0, 0), *r.swap(sells(), BUYS)],
    ),
    "Swap without key": (
        "5 (Swap): maker: the payer has no key (account = 8",
        lambda r: r.swap(sells(account=8, token=2047), BUYS),
    ),
    "Swap of a slot": ("5 (Swap): maker: not a token (token = 2048", lambda r: r.swap(sells(token=2048), BUYS)),
    "Swap with another fee token": (
        "5 (Swap): maker: the fee's token is not among the header's (token = 9",
        lambda r: [r.deposit(5, 9, 99, ALICE), *r.swap(sells(token=9, fee=1), BUYS)][1:],
    ),
    "Swap beyond the balance": ("6 (Swap): maker: balance would be negative", rich),
    "Swap of what it only receives": (
        "5 (Swap): taker: balance would be negative",  # the settlement comes last
        lambda r: r.swap(sells(), Fill(5, 2049, 0, 1, 1)),
    ),
    "CancelOrder of a token's slot": (
        "5 (CancelOrder): not an order slot (slot = 2047",
        lambda r: [r.cancel_order(5, 2047, 1, 0, 0)],
    ),
    "CancelOrder of slot 4096": (
        "5: slot does not fit 12 bits (value = 4096",
        lambda r: [r.cancel_order(5, 4096, 1, 0, 0)],
    ),
    "CancelOrder of id 0": (
        "5 (CancelOrder): the slot has no older order (account = 5, order = 0, held = 0",
        lambda r: [r.cancel_order(5, 2048, 0, 0, 0)],
    ),
    "CancelOrder of what is cancelled": (
        "6 (CancelOrder): the slot has no older order (account = 5, order = 3, held = 3",
        lambda r: [r.cancel_order(5, 2048, 3, 0, 0), r.cancel_order(5, 2048, 3, 0, 0)],
    ),
    "CancelOrder without key": (
        "5 (CancelOrder): the payer has no key",
        lambda r: [r.cancel_order(8, 2048, 1, 2047, 0)],
    ),
    "CancelOrder beyond the balance": (
        "5 (CancelOrder): balance would be negative",
        lambda r: [r.cancel_order(5, 2048, 1, 1, 1)],
    ),
}


def after_traders(steps: Case, block_size: int = 16) -> Rollup:
    rollup, first = traders()
    rollup.publish([*first, *steps(rollup)], Header(block_size=block_size))
    rollup.commit()
    return rollup


def test_rebuild_broken_condition_named_with_its_values() -> None:
    results = run_many([after_traders(steps).input() for _, steps in REFUSED.values()])
    said = dict(zip(REFUSED, results, strict=True))
    wrong = {name: said[name] for name, (expected, _) in REFUSED.items() if f": operation {expected}" not in said[name]}
    assert not wrong


def test_rebuild_swap_at_the_end_counts_three_steps() -> None:
    swap: Case = lambda r: r.swap(sells(), BUYS)  # noqa: E731
    fits, full = run_many([after_traders(swap, steps).input() for steps in (8, 7)])
    assert fits["noopsElsewhere"] == []
    assert full == "block 1: more steps than the block has (steps = 8, blockSize = 7)"


def test_rebuild_noops_within_a_block_of_swaps_are_told() -> None:
    """C of a Swap is that of three steps; what C says of Noops is all that a rebuild takes from it."""
    (result,) = run_many([after_traders(lambda r: [Step(), *r.swap(sells(), BUYS)]).input()])
    assert result["noopsElsewhere"] == [1]


def test_rebuild_key_auth_other_length_refused() -> None:
    def change(auth: bytes) -> Case:
        return lambda r: [r.change_pub_key(5, ALICE, (1, 2), auth=auth)]

    right = key_auth(1_700_000_000)
    inputs = [after_traders(change(auth)).input() for auth in (right, right[:-1], right + b"\0", right * 2, b"")]
    good, *bad = run_many(inputs)
    assert good["accounts"]["5"]["key"] == ["1", "2"]
    assert {message.split(" (")[0] for message in bad} == {"block 1: keyAuth has another length"}
