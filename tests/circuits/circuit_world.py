"""A small rollup to take witnesses from: 512 accounts, 64 slots, a few users, and one step of every kind."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rollup._native import eddsa_public_key, eddsa_sign
from rollup.core.account import Account
from rollup.core.block import BlockBuilder, SealedBlock
from rollup.core.constants import ARITY_BITS, SHARED_LEVELS
from rollup.core.operations import (
    Batch,
    CancelOrder,
    ChangePubKey,
    Deposit,
    ForcedExit,
    FullExit,
    Key,
    Noop,
    Operation,
    Order,
    Signable,
    Signature,
    SignedOperation,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    domain,
    linked,
    steps_of,
)
from rollup.core.rules import Touch
from rollup.core.state import State

ACCOUNT_LEVELS = 3
BALANCE_LEVELS = 2
ACCOUNTS = 1 << ARITY_BITS * ACCOUNT_LEVELS
ORDER_SLOT = 1 << (ARITY_BITS * BALANCE_LEVELS - 1)
DOMAIN = domain(31337, 0xC0FFEE)
NOW = 1_700_000_000
LIVE = {"valid_from": NOW - 60, "valid_until": NOW + 60}
FEE_TOKENS = (0, 1, 2, 5, 9, 17, 30, 31)

Inputs = dict[str, Any]
Case = tuple[Operation, int]
"""An operation and which of its steps."""
_Signed = TypeVar("_Signed", bound=Signable)


class Approved:
    """Every key change is approved on L1: what the owner signs is not the circuit's to check."""

    def __contains__(self, digest: object) -> bool:
        return True


@dataclass(frozen=True)
class User:
    """Somebody with an address and an L2 key."""

    account_id: int
    address: int
    secret: bytes

    @property
    def key(self) -> Key:
        return eddsa_public_key(self.secret)


def user(account_id: int) -> User:
    return User(account_id, 0xA000 + account_id, bytes([account_id + 1]) * 32)


OPERATOR, ALICE, BOB, CAROL = user(0), user(1), user(10), user(247)
NOBODY = user(148)
"""Operator and Alice are under one shared node, Bob under the next, the others under nodes of other rows."""


class World:
    """A state to build blocks on."""

    def __init__(self, account_levels: int = ACCOUNT_LEVELS, balance_levels: int = BALANCE_LEVELS) -> None:
        self.state = State(account_levels, balance_levels)
        self.number = 0

    def copy(self) -> "World":
        copied = World()
        copied.state, copied.number = self.state.copy(), self.number
        return copied

    @property
    def order_slot(self) -> int:
        return self.state.shape.first_order_slot

    def block(self, operations: Sequence[Operation], size: int | None = None, **changes: Any) -> SealedBlock:
        """Seal a block of these operations; without a size, as large as they need."""
        builder = self.open_block(size or sum(len(steps_of(operation)) for operation in operations), **changes)
        for operation in operations:
            builder.add(operation)
        return builder.seal()

    def open_block(self, size: int, **changes: Any) -> BlockBuilder:
        """A block of `size` steps, to be filled and sealed."""
        self.number += 1
        arguments: dict[str, Any] = {
            "domain": DOMAIN,
            "block_number": self.number,
            "timestamp": NOW,
            "fee_account": OPERATOR.account_id,
            "fee_tokens": FEE_TOKENS,
            "block_size": size,
            "queue_start": 0,
            "key_approvals": Approved(),
        }
        return BlockBuilder(self.state, **(arguments | changes))

    def put(self, who: User, slot: int, leaf: int, account: Account | None = None) -> None:
        """Write a slot, and the account, past all rules."""
        self.state.touch(Touch(who.account_id, slot, account or self.state.account(who.account_id), leaf))

    def nonce(self, who: User) -> int:
        return self.state.account(who.account_id).nonce

    def deposit(self, who: User, token: int, amount: int, key: bool = True) -> Deposit:
        return Deposit(who.account_id, token, amount, who.address, who.key if key else (0, 0), key, queue_fee_gwei=7)

    def transfer(self, who: User, to: User, token: int, amount: int, fee: int, **changes: Any) -> Transfer:
        arguments = {"nonce": self.nonce(who)} | LIVE | changes
        return sign(who, Transfer(who.account_id, to.account_id, to.address, token, amount, fee, **arguments))

    def pay(self, who: User, to: User, token: int, amount: int, fee: int, **changes: Any) -> TransferToAddress:
        """To the address, whose account may have to be made."""
        arguments = {"nonce": self.nonce(who)} | LIVE | changes
        return sign(who, TransferToAddress(who.account_id, to.account_id, to.address, token, amount, fee, **arguments))

    def withdraw(self, who: User, address: int, token: int, amount: int, fee: int, **changes: Any) -> Withdraw:
        arguments = {"nonce": self.nonce(who)} | LIVE | changes
        return sign(who, Withdraw(who.account_id, address, token, amount, fee, **arguments))

    def forced_exit(self, who: User, of: User, token: int, fee_token: int, fee: int, **changes: Any) -> ForcedExit:
        arguments = {"nonce": self.nonce(who)} | LIVE | changes
        return sign(who, ForcedExit(who.account_id, of.account_id, of.address, token, fee_token, fee, **arguments))

    def change_key(self, who: User, key: Key, fee_token: int, fee: int, **changes: Any) -> ChangePubKey:
        arguments = {"nonce": self.nonce(who)} | changes
        return ChangePubKey(
            who.account_id, who.address, key, fee_token=fee_token, fee=fee, valid_until=NOW, **arguments
        )

    def cancel_order(
        self, who: User, slot: int, first_valid: int, fee_token: int, fee: int, **changes: Any
    ) -> CancelOrder:
        arguments = {"nonce": self.nonce(who)} | LIVE | changes
        return sign(who, CancelOrder(who.account_id, slot, first_valid, fee_token, fee, **arguments))

    def swap(self) -> Swap:
        """Alice sells 3000 of token 5 at 2 of token 9 each, of at most 5000; Bob is content with 1.9."""
        slot = self.order_slot
        maker = Order(ALICE.account_id, slot, 7, 5, 9, 5000, 10000, 50, **LIVE)
        taker = Order(BOB.account_id, slot + 3, 0, 9, 5, 9500, 4500, 95, **LIVE)
        return Swap(sign(ALICE, maker), sign(BOB, taker), 3000, 6000, 30, 60)

    def batch(self) -> Batch:
        """Alice pays Bob, Bob pays the operator and cancels his orders; Alice pays for it all."""
        first = self.transfer(ALICE, BOB, 5, 1000, 7)
        middle = self.pay(BOB, OPERATOR, 9, 500, 0)
        last = self.cancel_order(BOB, self.order_slot + 4, 77, 9, 0, nonce=self.nonce(BOB) + 1)
        return signed_batch(first, middle, last)


def sign(who: User, operation: _Signed) -> _Signed:
    return operation.signed(Signature(*eddsa_sign(who.secret, operation.message_hash(DOMAIN))))


def signed_batch(*operations: SignedOperation) -> Batch:
    """The operations as a batch, each signed by its payer, one of the users."""
    signed = []
    for operation in linked(operations):
        payer = operation.account_id if isinstance(operation, CancelOrder) else operation.from_id
        signed.append(sign(user(payer), operation))
    return Batch(tuple(signed))


def populated(account_levels: int = ACCOUNT_LEVELS, balance_levels: int = BALANCE_LEVELS) -> World:
    """A world with money: the operator, Alice and Bob with two tokens, and Carol without a key."""
    world = World(account_levels, balance_levels)
    world.block(
        [
            world.deposit(OPERATOR, 0, 10**18),
            world.deposit(ALICE, 0, 10**20),
            world.deposit(ALICE, 5, 5 * 10**9),
            world.deposit(BOB, 0, 3),
            world.deposit(BOB, 9, 10**6),
            world.deposit(CAROL, 5, 1000, key=False),
        ]
    )
    return world


def one_of_each(world: World) -> dict[str, Case]:
    """Steps of operations that can each come next in a populated world, by a telling name."""
    swap, batch = world.swap(), world.batch()
    alone: dict[str, Operation] = {
        "noop": Noop(),
        "deposit_new": Deposit(7, 5, 12345, 0xD00D, NOBODY.key, True, queue_fee_gwei=3),
        "deposit_existing": Deposit(CAROL.account_id, 9, 77, CAROL.address, CAROL.key, True),
        "deposit_stranger": Deposit(CAROL.account_id, 9, 77, CAROL.address, NOBODY.key, False),
        "deposit_refused": Deposit(0, 5, 10**30, 0xD00D, NOBODY.key, True, refused=True, queue_fee_gwei=3),
        "full_exit": FullExit(ALICE.account_id, 5, ALICE.address, queue_fee_gwei=9),
        "full_exit_stranger": FullExit(ALICE.account_id, 5, BOB.address),
        "transfer": world.transfer(ALICE, BOB, 0, 12 * 10**17, 21 * 10**14),
        "transfer_self": world.transfer(ALICE, ALICE, 5, 10**9, 100),
        "pay_new_account": world.pay(ALICE, NOBODY, 5, 10**9, 100),
        "pay_account": world.pay(ALICE, CAROL, 0, 12 * 10**17, 0),
        "withdraw": world.withdraw(ALICE, 0xBEEF, 0, 123456789012345678901 // 10, 3 * 10**15),
        "change_key": world.change_key(ALICE, NOBODY.key, 5, 200),
        "first_key": world.change_key(CAROL, CAROL.key, 5, 100),
        "forced_exit": world.forced_exit(ALICE, CAROL, 5, 0, 10**15),
        "cancel_order": world.cancel_order(ALICE, world.order_slot + 1, 9, 5, 40),
    }
    cases: dict[str, Case] = {name: (operation, 0) for name, operation in alone.items()}
    cases |= {name: (swap, index) for index, name in enumerate(("maker", "taker", "settlement"))}
    return cases | {name: (batch, index) for index, name in enumerate(("batch_first", "batch_middle", "batch_last"))}


def one_after_another(world: World) -> list[Operation]:
    """Operations of every kind in an order in which they can follow each other, 17 steps in all."""
    return [
        world.batch(),
        world.transfer(ALICE, BOB, 0, 12 * 10**17, 21 * 10**14, nonce=1),
        world.pay(ALICE, NOBODY, 5, 10**8, 100, nonce=2),
        world.withdraw(ALICE, 0xBEEF, 0, 10**17 + 1, 3 * 10**15, nonce=3),
        world.swap(),
        Deposit(7, 5, 12345, 0xD00D, NOBODY.key, True, queue_fee_gwei=3),
        world.cancel_order(ALICE, world.order_slot, 8, 5, 40, nonce=4),
        FullExit(ALICE.account_id, 5, ALICE.address, queue_fee_gwei=9),
        Deposit(0, 5, 10**30, 0xD00D, NOBODY.key, True, refused=True, queue_fee_gwei=3),
        world.forced_exit(ALICE, CAROL, 5, 0, 10**15, nonce=5),
        world.change_key(BOB, NOBODY.key, 9, 200, nonce=2),
        Noop(),
        FullExit(ALICE.account_id, 5, BOB.address),
    ]


def step_inputs(world: World, case: Case, position: int = 0, **changes: Any) -> Inputs:
    """The inputs of the Step that does the case next, on a copy of the world's state.

    `position` 1 puts a payment before it, so that the step starts with an odd chunk and fees.
    """
    copy, (operation, index) = world.copy(), case
    before: list[Operation] = [copy.transfer(OPERATOR, BOB, 0, 5, 2)] if position else []
    sealed = copy.block([*before, operation], **changes)
    assert sealed.witness is not None
    return dict(sealed.witness.steps[position + index].signals())


def lower_path(state: State, account_id: int) -> list[list[int]]:
    """The account's path up to its shared node."""
    return state.account_path(account_id)[:-SHARED_LEVELS]


def array(outputs: Mapping[str, int], name: str) -> list[int]:
    """The elements of an output that is an array."""
    return [outputs[f"{name}[{index}]"] for index in range(sum(found.startswith(f"{name}[") for found in outputs))]


def following(outputs: Mapping[str, int]) -> Inputs:
    """The `_in` values of the piece that follows one with these outputs."""
    names = {found.split("[")[0] for found in outputs}
    states = [name for name in names if name.endswith("_out")]
    return {name.replace("_out", "_in"): outputs.get(name, array(outputs, name)) for name in states}
