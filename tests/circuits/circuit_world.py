"""A small rollup to take witnesses from: 64 accounts, 64 slots, a few users, and one block of every operation."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from rollup._native import eddsa_public_key, eddsa_sign
from rollup.core.block import BlockBuilder, SealedBlock
from rollup.core.constants import ARITY_BITS
from rollup.core.operations import Deposit, FullExit, Noop, Operation, Signature, Transfer, Withdraw, domain
from rollup.core.state import State

ACCOUNT_LEVELS = 2
BALANCE_LEVELS = 2
ORDER_SLOT = 1 << (ARITY_BITS * BALANCE_LEVELS - 1)
DOMAIN = domain(31337, 0xC0FFEE)
NOW = 1_700_000_000
FEE_TOKENS = (0, 1, 2, 5, 9, 17, 30, 31)

Inputs = dict[str, Any]
_Signed = TypeVar("_Signed", Transfer, Withdraw)


@dataclass(frozen=True)
class User:
    """Somebody with an address and an L2 key."""

    account_id: int
    address: int
    secret: bytes

    @property
    def key(self) -> tuple[int, int]:
        return eddsa_public_key(self.secret)


def user(account_id: int) -> User:
    return User(account_id, 0xA000 + account_id, bytes([account_id + 1]) * 32)


OPERATOR, ALICE, BOB, CAROL = user(0), user(1), user(10), user(47)
NOBODY = user(20)


class World:
    """A state to build blocks on."""

    def __init__(self, account_levels: int = ACCOUNT_LEVELS, balance_levels: int = BALANCE_LEVELS) -> None:
        self.state = State(account_levels, balance_levels)
        self.number = 0

    def block(self, operations: Sequence[Operation], size: int | None = None, **changes: Any) -> SealedBlock:
        """Seal a block of these operations."""
        self.number += 1
        arguments: dict[str, Any] = {
            "domain": DOMAIN,
            "block_number": self.number,
            "timestamp": NOW,
            "fee_account": OPERATOR.account_id,
            "fee_tokens": FEE_TOKENS,
            "block_size": size or len(operations),
            "queue_start": 0,
        }
        builder = BlockBuilder(self.state, **(arguments | changes))
        for operation in operations:
            builder.add(operation)
        return builder.seal()

    def deposit(self, who: User, token: int, amount: int, key: bool = True) -> Deposit:
        return Deposit(who.account_id, token, amount, who.address, who.key if key else (0, 0), key, queue_fee_gwei=7)

    def nonce(self, who: User) -> int:
        return self.state.account(who.account_id).nonce

    def transfer(self, who: User, to: User, token: int, amount: int, fee: int, **changes: Any) -> Transfer:
        arguments = {"nonce": self.nonce(who), "valid_from": NOW - 60, "valid_until": NOW + 60} | changes
        unsigned = Transfer(who.account_id, to.account_id, to.address, token, amount, fee, **arguments)
        return sign(who, unsigned)

    def withdraw(self, who: User, address: int, token: int, amount: int, fee: int, **changes: Any) -> Withdraw:
        arguments = {"nonce": self.nonce(who), "valid_from": NOW - 60, "valid_until": NOW + 60} | changes
        return sign(who, Withdraw(who.account_id, address, token, amount, fee, **arguments))


def sign(who: User, operation: _Signed) -> _Signed:
    return operation.signed(Signature(*eddsa_sign(who.secret, operation.message_hash(DOMAIN))))


def populated(account_levels: int = ACCOUNT_LEVELS, balance_levels: int = BALANCE_LEVELS) -> World:
    """A world with money: the operator, Alice with two tokens, Bob, and Carol without a key."""
    world = World(account_levels, balance_levels)
    world.block(
        [
            world.deposit(OPERATOR, 0, 10**18),
            world.deposit(ALICE, 0, 10**20),
            world.deposit(ALICE, 5, 5 * 10**9),
            world.deposit(BOB, 0, 3),
            world.deposit(CAROL, 5, 1000, key=False),
        ]
    )
    return world


def one_of_each(world: World) -> dict[str, Operation]:
    """Operations that can each come next in a populated world, by a telling name."""
    return {
        "noop": Noop(),
        "deposit_new": Deposit(7, 5, 12345, 0xD00D, NOBODY.key, True, queue_fee_gwei=3),
        "deposit_existing": Deposit(CAROL.account_id, 9, 77, CAROL.address, CAROL.key, True),
        "deposit_stranger": Deposit(CAROL.account_id, 9, 77, CAROL.address, NOBODY.key, False),
        "deposit_refused": Deposit(0, 5, 10**30, 0xD00D, NOBODY.key, True, refused=True, queue_fee_gwei=3),
        "full_exit": FullExit(ALICE.account_id, 5, ALICE.address, queue_fee_gwei=9),
        "full_exit_stranger": FullExit(ALICE.account_id, 5, BOB.address),
        "transfer": world.transfer(ALICE, BOB, 0, 12 * 10**17, 21 * 10**14),
        "transfer_self": world.transfer(ALICE, ALICE, 5, 10**9, 100),
        "withdraw": world.withdraw(ALICE, 0xBEEF, 0, 123456789012345678901 // 10, 3 * 10**15),
    }


def step_inputs(world: World, operation: Operation, position: int = 0, **changes: Any) -> Inputs:
    """The inputs of the Step that does `operation` next, on a copy of the world's state.

    `position` 1 puts a payment before it, so that the step starts with an odd chunk and fees.
    """
    copy = World()
    copy.state, copy.number = world.state.copy(), world.number
    before: list[Operation] = [copy.transfer(OPERATOR, BOB, 0, 5, 2)] if position else []
    sealed = copy.block([*before, operation], **changes)
    assert sealed.witness is not None
    return dict(sealed.witness.steps[position].signals())
