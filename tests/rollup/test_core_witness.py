"""The circuits' inputs: read as `circuits/step.circom` reads them, they open the trees and lead to the header's root.

`Reading` is the circuit's arithmetic in integers, from the signals alone.
"""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    CAROL,
    DOMAIN,
    DORA,
    FEE_TOKENS,
    ORDER_SLOT,
    TIME,
    cancel_order,
    every_operation,
    key_change,
    order,
    payments,
    swap,
    transfer,
    transfer_to_address,
    withdraw,
)

from rollup._native import eddsa_verify, poseidon
from rollup.core import BlockBuilder, SealedBlock, State, unpack_amount, unpack_fee
from rollup.core.constants import FIELD_MODULUS
from rollup.core.witness_inputs import Inputs, StepInputs

Nodes = tuple[int, ...]
CODES = {
    "transfer": 3, "transfer_to_address": 4, "withdraw": 5, "forced_exit": 7, "maker": 8, "taker": 8,
    "cancel_order": 9,
}  # fmt: skip
COUNTED = {"transfer", "transfer_to_address", "withdraw", "forced_exit", "cancel_order"}
KINDS = [
    "deposit", "transfer", "deposit", "transfer_to_address", "withdraw", "full_exit", "forced_exit", "change_pub_key",
    "maker", "taker", "settlement", "cancel_order", "transfer", "transfer", "noop", "noop",
]  # fmt: skip


def sealed(state: State, operations: list[Any], size: int = 16) -> SealedBlock:
    block = BlockBuilder(
        state, domain=DOMAIN, block_number=1, timestamp=TIME, fee_account=2, fee_tokens=FEE_TOKENS, block_size=size,
        queue_start=5,
    )  # fmt: skip
    for operation in operations:
        block.add(operation)
    return block.seal()


def steps_of(block: SealedBlock) -> tuple[StepInputs, ...]:
    assert block.witness is not None
    return block.witness.steps


def plain(signals: Inputs) -> dict[str, Any]:
    """By the names without their buses: `op.amount` is amount, `from.account.key` is from_key."""
    names = {name: name.removeprefix("op.").removeprefix("account.") for name in signals}
    return {names[name].replace(".account.", "_").replace(".", "_"): value for name, value in signals.items()}


def replaced(path: list[list[int]], index: int, old: int, new: int) -> tuple[int, int]:
    """The nodes over `path` before and after the leaf at `index` becomes `new`."""
    for children in path:
        assert children[index % 8] == old
        after = [*children]
        after[index % 8] = new
        old, new, index = poseidon(children), poseidon(after), index // 8
    return old, new


def replaced_in(nodes: Nodes, path: list[list[int]], account_id: int, old: int, new: int) -> Nodes:
    """The shared nodes after the account's leaf becomes `new`."""
    before, after = replaced(path, account_id, old, new)
    number = account_id // 8 ** len(path)
    assert nodes[number] == before
    return (*nodes[:number], after, *nodes[number + 1 :])


def root_over(nodes: Nodes) -> int:
    assert len(nodes) == 64
    return poseidon([poseidon(list(nodes[at : at + 8])) for at in range(0, 64, 8)])


class Reading:
    """One step, from its signals."""

    def __init__(self, signals: dict[str, Any]) -> None:
        self.signals = signals
        names = [name for name, value in signals.items() if name.startswith("is_") and value]
        (kind,) = set(names) - {"is_batched"}
        self.kind = kind.removeprefix("is_")
        self.accepted = self.kind == "deposit" and not signals["refused"]

    def __getitem__(self, name: str) -> Any:
        return self.signals[name]

    def nodes_out(self) -> Nodes:
        """The two touches, one on the other."""
        fee = unpack_fee(self["fee_packed"])
        debits: dict[str, int] = {"noop": 0, "deposit": 0, "full_exit": self["amount"], "settlement": -self["amount"]}
        debits |= dict.fromkeys(("change_pub_key", "forced_exit", "cancel_order"), fee)
        counts = self.kind in COUNTED | {"change_pub_key"}
        nonce = self["from_nonce"] + counts
        debit = debits.get(self.kind, self["amount"] + fee)
        middle = self._touch("from_", "token", self["nodes_in"], lambda leaf: leaf - debit, nonce=nonce)
        changes: dict[str, Any] = {}
        if self.accepted or self.kind == "transfer_to_address":
            changes["address"] = self["address"]
        first_key = self.accepted and self["sender_is_owner"] and self["to_key"] == (0, 0)
        if self.kind == "change_pub_key" or first_key:
            changes["key"] = self["key"]
        return self._touch("to_", "to_slot", middle, self._second_leaf, **changes)

    def _second_leaf(self, leaf: int) -> int:
        order_id, filled = self["slot_order_id"], self["slot_filled"]
        match self.kind:
            case "transfer" | "transfer_to_address":
                return leaf + self["amount"]
            case "deposit":
                return leaf + self.accepted * self["amount"]
            case "settlement":
                return leaf + self["counter_amount"]
            case "forced_exit":
                assert leaf == self["amount"]
                return 0
            case "maker" | "taker":
                assert leaf == order_id << 128 | filled
                filled = filled if self["order_id"] == order_id else 0
                return self["order_id"] << 128 | filled + self["amount"]
            case "cancel_order":
                assert leaf == order_id << 128 | filled
                return self["order_id"] << 128
        return leaf

    def _touch(self, prefix: str, slot: str, nodes: Nodes, change: Callable[[int], int], **changes: Any) -> Nodes:
        path, index = self[f"{prefix}balance_path"], self[slot]
        leaf = self[f"{prefix}balance"]
        old_balances, new_balances = replaced(path, index, leaf, change(leaf))
        old = {name: self[prefix + name] for name in ("key", "address", "nonce")}
        leaves = [
            poseidon([*fields["key"], fields["address"], fields["nonce"], balances])
            for fields, balances in ((old, old_balances), (old | changes, new_balances))
        ]
        return replaced_in(nodes, self[f"{prefix}account_path"], self[f"{prefix}id"], *leaves)

    def message(self) -> list[int]:
        """M1, M2, M3."""
        is_order = self.kind in ("maker", "taker")
        nonce = self["order_id"] if is_order else self["from_nonce"]
        token = self["to_slot"] if self.kind == "forced_exit" else self["token"]
        fee = self["max_fee_packed"] if is_order else self["fee_packed"]
        to_id = {"transfer": self["to_id"], "forced_exit": self["to_id"], "cancel_order": self["to_slot"]}
        to_id |= dict.fromkeys(("maker", "taker"), self["to_slot"] << 12 | self["counter_token"])
        word = CODES[self.kind]
        for value, bits in (
            (self["from_id"], 24), (nonce, 32), (token, 12), (self["token"], 12), (fee, 16),
            (to_id.get(self.kind, 0), 24), (self["valid_from"], 40), (self["valid_until"], 40),
        ):  # fmt: skip
            word = word << bits | value
        amounts = {"withdraw": self["amount"], "forced_exit": 0, "cancel_order": self["order_id"]}
        amounts |= dict.fromkeys(("maker", "taker"), self["sell_amount"] << 120 | self["buy_amount"])
        return [word, self["address"], amounts.get(self.kind, self["amount_packed"])]

    def trade(self, sold: str, bought: str, sold_packed: str, bought_packed: str) -> int:
        tokens: int = self[sold] << 92 | self[bought] << 80
        return tokens | self[sold_packed] << 40 | self[bought_packed]

    def pending_out(self) -> tuple[int, int, int]:
        """pending, link, rest after the step; what must hold of them before it is asserted."""
        pending, link, rest = self["pending_in"], self["link_in"], self["rest_in"]
        mine = self.trade("token", "counter_token", "amount_packed", "counter_amount_packed")
        others = self.trade("counter_token", "token", "counter_amount_packed", "amount_packed")
        if self.kind == "maker":
            assert pending == 0
            return 1, mine, self["order_id"] << 48 | self["from_id"]
        if self.kind == "taker":
            assert (pending, link) == (1, others)
            return 2, link, rest | self["order_id"] << 80 | self["from_id"] << 24
        if self.kind == "settlement":
            ids = self["counter_order_id"] << 80 | self["order_id"] << 48 | self["to_id"] << 24 | self["from_id"]
            assert (pending, link, rest) == (2, others, ids)
            return 0, 0, 0
        if not self["is_batched"]:
            assert (pending, self["link"], self["batch_rest"]) == (0, 0, 0)
            return 0, 0, 0
        hashed = poseidon([*self.message(), self["batch_rest"]])
        assert pending in (0, 3)
        assert self["link"] == (link if pending else hashed)
        assert hashed == (rest if pending else self["link"])
        return (3, self["link"], self["batch_rest"]) if self["batch_rest"] else (0, 0, 0)

    def check_signature(self) -> None:
        signature = (*self["signature_r"], self["signature_s"])
        if self.kind not in CODES:
            assert signature == (0, 1, 0)
            return
        message = poseidon([self["domain"], *self.message(), self["link"]])
        assert eddsa_verify(self["from_key"], message, signature)


def check(block: SealedBlock) -> list[str]:
    """Every step follows from its signals and the step before; the kinds."""
    assert block.witness is not None
    vector = block.witness.open.state_out
    assert block.witness.open.signals()["nodes"] == vector.nodes
    assert root_over(vector.nodes) == block.header.old_root
    assert vector.commitment == poseidon(list(block.header.words()))
    kinds = []
    for step in block.witness.steps:
        assert step.state_in == vector
        reading = Reading(plain(step.signals()))
        vector = step.state_out
        assert reading.nodes_out() == vector.nodes
        assert reading.pending_out() == (vector.pending, vector.link, vector.rest)
        reading.check_signature()
        kinds.append(reading.kind)
    assert vector.pending == 0
    assert vector == block.witness.close.state_in
    return kinds


def test_witness_steps_chain_and_open_the_tree(state: State) -> None:
    block = sealed(state, every_operation())
    assert check(block) == KINDS
    assert block.witness is not None
    vector = block.witness.close.state_in
    assert (vector.l2_count, vector.l1_count, vector.l2_parity) == (16, 18, 0)
    assert (vector.commitment, vector.fees[:3]) == (block.commitment, (0, 1 + 1 + 2 + 10 + 1 + 1, 1 + 10))
    close = plain(block.witness.close.signals())
    assert (close["C"], close["X"], close["Y"]) == (block.commitment, block.challenge, block.evaluation)
    r, x = FIELD_MODULUS, block.challenge
    joined = close["header_eval"] + pow(x, 2**20, r) * vector.l2_eval + pow(x, 2**21, r) * vector.l1_eval
    assert joined % r == block.evaluation


def test_witness_exact_amounts_are_the_packed_ones(state: State) -> None:
    for step in steps_of(sealed(state, every_operation())):
        signals = plain(step.signals())
        for name in ("amount", "counter_amount"):
            if signals[f"{name}_packed"]:
                assert unpack_amount(signals[f"{name}_packed"]) == signals[name]


@pytest.mark.parametrize(
    "operations",
    [
        [transfer_to_address(to_id=0, to_address=ALICE.address)],
        [transfer(ALICE, ALICE)],
        [swap(order(buy_token=1), order(buy_token=1, slot=ORDER_SLOT + 1), taker_amount=100, maker_fee=0, taker_fee=0)],
        [swap(order(buy_token=1), order(buy_token=1), taker_amount=100, maker_fee=0, taker_fee=0)],
        [swap(), swap()],
        [
            swap(),
            swap(order(order_id=7)),
            cancel_order(first_valid_order_id=8),
            swap(order(order_id=8), order(BOB, order_id=2)),
        ],
        [transfer(), swap(), payments(nonce=1)],
        [payments(), withdraw(nonce=1)],
        [swap(maker_amount=0, taker_amount=0, maker_fee=0, taker_fee=0)],
    ],
)
def test_witness_special_cases_open_the_tree(state: State, operations: list[Any]) -> None:
    """Where both touches are of one account, one slot or one token."""
    check(sealed(state, operations))


def test_witness_close_credits_fees_to_the_new_root(state: State) -> None:
    block = sealed(state, [transfer(fee=7)])
    assert block.witness is not None
    close = plain(block.witness.close.signals())
    roots = []
    for j, token in enumerate(FEE_TOKENS):
        path = close["balance_paths"][j]
        balance = path[0][token % 8]
        roots.append(replaced(path, token, balance, balance + close["fees_in"][j]))
    assert all(before == after for (_, after), (before, _) in pairwise(roots))
    account = [*close["key"], close["address"], close["nonce"]]
    leaves = poseidon([*account, roots[0][0]]), poseidon([*account, roots[-1][1]])
    assert root_over(replaced_in(close["nodes_in"], close["account_path"], 2, *leaves)) == close["new_root"]
    assert close["new_root"] == state.root


TRADE = {"amount": 100, "amount_packed": 3200, "counter_amount": 50, "counter_amount_packed": 1600}
ORDER = {"fee_packed": 320, "max_fee_packed": 640, "order_id": 1, "valid_until": 2**40 - 1}
SIGNED = {"fee_packed": 32, "valid_until": 2**40 - 1}
PAID = SIGNED | {"from_id": 0, "to_id": 0, "token": 1, "to_slot": 1}
USED: dict[str, dict[str, Any]] = {
    "noop": {},
    "deposit": {
        "from_id": 3, "to_id": 3, "token": 2, "to_slot": 2, "amount": 70, "address": 0x33, "aux": 4, "key": (5, 7),
        "sender_is_owner": 1,
    },
    "full_exit": {"from_id": 3, "to_id": 3, "token": 2, "to_slot": 2, "amount": 70, "address": 0x33},
    "transfer": PAID | {"to_id": 1, "amount": 100, "amount_packed": 3200, "address": BOB.address},
    "transfer_to_address": PAID | {"to_id": 9, "amount": 100, "amount_packed": 3200, "address": 0x99},
    "withdraw": PAID | {"amount": 100, "address": 0xBEEF, "fee_packed": 64},
    "forced_exit": SIGNED | {
        "from_id": 1, "to_id": 4, "token": 2, "to_slot": 3, "amount": 77, "address": DORA.address,
    },
    "change_pub_key": {
        "from_id": 4, "to_id": 4, "token": 3, "to_slot": 3, "address": DORA.address, "key": DORA.key.public_key,
    },
    "maker": TRADE | ORDER | {
        "token": 1, "to_slot": ORDER_SLOT, "counter_token": 2, "sell_amount": 200, "buy_amount": 100,
    },
    "taker": ORDER | {
        "from_id": 1, "to_id": 1, "token": 2, "to_slot": ORDER_SLOT, "counter_token": 1, "sell_amount": 100,
        "buy_amount": 200, "amount": 50, "amount_packed": 1600, "counter_amount": 100, "counter_amount_packed": 3200,
    },
    "settlement": {
        "from_id": 0, "to_id": 1, "token": 2, "to_slot": 1, "counter_token": 1, "amount": 50, "amount_packed": 1600,
        "counter_amount": 100, "counter_amount_packed": 3200, "order_id": 1, "counter_order_id": 1,
    },
    "cancel_order": PAID | {"to_slot": ORDER_SLOT, "order_id": 5, "slot_order_id": 1, "slot_filled": 100},
}  # fmt: skip


@pytest.mark.parametrize("kind", USED)
def test_witness_signals_are_the_operations_and_else_pinned(state: State, kind: str) -> None:
    """Every private input but paths: what the operation uses, and 0 (signature (0, 1, 0)) for the rest."""
    step = steps_of(sealed(state, every_operation()))[KINDS.index(kind)]
    signals = plain(step.signals())
    touched = {
        name for name in signals if name.startswith(("from_", "to_")) and name not in ("from_id", "to_id", "to_slot")
    }
    shared = {"X", "domain", "timestamp", "fee_tokens"} | {name for name in signals if name.endswith("_in")}
    own = {name: value for name, value in signals.items() if name not in touched | shared}
    signature = own.pop("signature_r"), own.pop("signature_s")
    assert (signature == ((0, 1), 0)) == (kind not in CODES)
    used = {"key": (0, 0)} | USED[kind] | {f"is_{kind}": 1}
    assert {name: value for name, value in own.items() if value} == {name: v for name, v in used.items() if v}


def test_witness_refused_deposit_and_key_change_with_fee(state: State) -> None:
    refused = plain(steps_of(sealed(state.copy(), every_operation()))[2].signals())
    assert (refused["from_id"], refused["refused"], refused["amount"], refused["address"]) == (0, 1, 70, 0x34)
    changed = plain(steps_of(sealed(state, [key_change(fee=5)]))[0].signals())
    assert (changed["amount"], changed["fee_packed"], changed["amount_packed"], changed["aux"]) == (5, 160, 0, 0)
    again = plain(steps_of(sealed(state, [key_change(nonce=1, key=CAROL.key.public_key)]))[0].signals())
    assert again["aux"] == 1


def test_witness_batch_names_link_and_rest(state: State) -> None:
    block = sealed(state, [payments(), transfer(nonce=1)])
    first, second, alone = (plain(step.signals()) for step in steps_of(block)[:3])
    link = block.operations[0].link  # type: ignore[union-attr]
    assert (first["is_batched"], first["link"], first["pending_in"]) == (1, link, 0)
    assert (second["is_batched"], second["link"], second["batch_rest"]) == (1, link, 0)
    assert (second["pending_in"], second["link_in"], second["rest_in"]) == (3, link, first["batch_rest"])
    assert first["batch_rest"] != 0
    assert (alone["is_batched"], alone["link"], alone["pending_in"], alone["link_in"], alone["rest_in"]) == (0,) * 5
