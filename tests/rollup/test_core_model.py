"""The state machine against the reference model, on random operations, valid and invalid.

What they must agree on: whether each operation is accepted (and, if not, that the model knows the reason given), what a
full exit takes, every balance, nonce, key and address, the root, and the state rebuilt from the streams alone.
A failure prints its seed: run again with SLUICE_SEED=<seed>.
"""

import dataclasses
import os
import random
from typing import Any

import pytest
from core_users import User, make_user
from model import Consent, Model, signed_fields

from rollup.core import (
    BlockBuilder,
    Deposit,
    EncodingError,
    FullExit,
    Op,
    OperationError,
    State,
    Transfer,
    Withdraw,
    apply_block_data,
    domain,
)
from rollup.core.amounts import floor_amount, floor_fee
from rollup.core.errors import SluiceError

BLOCKS = 60
ATTEMPTS_PER_BLOCK = 100
USERS = [make_user(n) for n in range(10)]
HERE, ELSEWHERE = domain(31337, 0xC0FFEE), domain(31337, 0xC0FFEF)


class World:
    """Both implementations, and a source of operations that are sometimes right."""

    def __init__(self, seed: int, levels: tuple[int, int]) -> None:
        self.rng = random.Random(seed)
        self.state, self.rebuilt, self.model = State(*levels), State(*levels), Model(*levels)
        self.accounts = 8 ** levels[0]
        self.order_slot = self.model.first_order_slot
        # L1 caps deposits so that no balance reaches 2^128; this one token has no cap, and takes no fees
        self.uncapped = self.order_slot - 1
        self.counts = {"accepted": 0, "refused": 0}
        self.time = 1_000_000
        self.fee_account = 0

    def sometimes(self, probability: float) -> bool:
        return self.rng.random() < probability

    def open_block(self, number: int) -> tuple[BlockBuilder, dict[str, Any]]:
        self.time += self.rng.randrange(100)
        others = self.rng.sample(range(3, self.uncapped), 5) if self.sometimes(0.5) else range(3, 8)
        tokens = (0, 1, 2, *sorted(others))
        block = {"domain": HERE, "timestamp": self.time, "fee_tokens": tokens}
        builder = BlockBuilder(
            self.state, **block, block_number=number, fee_account=self.fee_account, block_size=ATTEMPTS_PER_BLOCK,
            queue_start=0, witness=number % 20 == 1, max_l1_operations=ATTEMPTS_PER_BLOCK,
        )  # fmt: skip
        return builder, block

    # Operations

    def some_user(self) -> User:
        return self.rng.choice(USERS)

    def account_of(self, user: User) -> int:
        """Mostly the user's account, wherever it is; sometimes any other."""
        ids = [i for i, account in self.model.accounts.items() if account.address == user.address]
        return self.rng.choice(ids) if ids and not self.sometimes(0.05) else self.rng.randrange(16)

    def some_token(self) -> int:
        if self.sometimes(0.05):
            return self.rng.randrange(2 * self.order_slot)
        return self.rng.choice([0, 1, 2, 3, self.uncapped])

    def deposit(self) -> Deposit:
        user, rng = self.some_user(), self.rng
        refused = self.sometimes(0.1)
        key = rng.choice([user.key.public_key] * 4 + [(0, 0), (5, 7), self.some_user().key.public_key])
        token = self.some_token()
        amount = rng.randrange(2 ** rng.randrange(1, 129 if token == self.uncapped else 90))
        owner = 0 if self.sometimes(0.03) else user.address
        account_id = 0 if refused else self.account_of(user)
        return Deposit(account_id, token, amount, owner, key, self.sometimes(0.7), refused)

    def full_exit(self) -> FullExit:
        user = self.some_user()
        return FullExit(self.account_of(user), self.some_token(), user.address if self.sometimes(0.8) else 0)

    def signed(self) -> tuple[Transfer | Withdraw, Consent | None]:
        rng, user, receiver = self.rng, self.some_user(), self.some_user()
        from_id, token = self.account_of(user), self.some_token()
        account = self.model.accounts[from_id]
        balance = account.balances[token]
        fee = floor_fee(rng.choice([0, 0, rng.randrange(2000), balance // 7]))
        spend = max(balance - fee, 0) if self.sometimes(0.8) else balance + 1
        fields: dict[str, Any] = {
            "from_id": from_id, "token": token, "fee": fee,
            "nonce": account.nonce + rng.choice([0] * 30 + [1]),
            "valid_from": self.time + rng.choice([0, -5, -self.time] * 9 + [1]),
            "valid_until": self.time + rng.choice([0, 5, 2**39] * 9 + [-1]),
        }  # fmt: skip
        operation: Transfer | Withdraw
        if self.sometimes(0.7):
            to_id = from_id if self.sometimes(0.1) else self.account_of(receiver)
            to_address = self.model.accounts[to_id].address if self.sometimes(0.95) else receiver.address
            amount = floor_amount(rng.choice([spend, spend // 3, 0]))
            operation = Transfer(to_id=to_id, to_address=to_address, amount=amount, **fields)
        else:
            address = 0 if self.sometimes(0.03) else rng.randrange(2**160)
            operation = Withdraw(address=address, amount=rng.choice([spend, spend // 3]), **fields)
        return self.sign(operation, user)

    def sign(self, operation: Transfer | Withdraw, user: User) -> tuple[Transfer | Withdraw, Consent | None]:
        """Sign; sometimes with another key, for another rollup, or for something else."""
        if self.sometimes(0.01):
            return operation, None
        signer = self.some_user() if self.sometimes(0.02) else user
        where = ELSEWHERE if self.sometimes(0.02) else HERE
        code = Op.TRANSFER if isinstance(operation, Transfer) else Op.WITHDRAW
        meant = dataclasses.replace(operation, token=operation.token ^ 1) if self.sometimes(0.02) else operation
        consent = Consent(signer.key.public_key, where, signed_fields(meant, code))
        return operation.signed(signer.key.sign(meant, where).signature), consent  # type: ignore[arg-type]

    # One attempt in both

    def attempt(self, builder: BlockBuilder, block: dict[str, Any]) -> None:
        kind = self.rng.random()
        consent: Consent | None = None
        operation: Any
        try:
            if kind < 0.2:
                operation = self.deposit()
            elif kind < 0.3:
                operation = self.full_exit()
            else:
                operation, consent = self.signed()
        except EncodingError:  # an amount beyond the formats: nothing to apply
            return
        try:
            applied, reason = builder.add(operation), None
        except OperationError as error:
            applied, reason = None, error.code
        match operation:
            case Deposit():
                faults = self.model.deposit(operation)
            case FullExit():
                faults = set()
                assert applied is not None
                assert applied.operation == dataclasses.replace(operation, amount=self.model.full_exit(operation))
            case Transfer():
                faults = self.model.transfer(operation, consent, block)
            case _:
                faults = self.model.withdraw(operation, consent, block)
        assert (reason is None) == (not faults), (operation, reason, faults)
        assert reason is None or reason in faults, (operation, reason, faults)
        self.counts["refused" if faults else "accepted"] += 1

    def compare(self, state: State) -> None:
        accounts = {i: account for i, account in self.model.accounts.items() if account.address}
        assert {i for i, _ in state.accounts()} == set(accounts)
        for account_id, account in accounts.items():
            ours = state.account(account_id)
            assert (ours.key, ours.address, ours.nonce) == (account.key, account.address, account.nonce)
            assert state.balances(account_id) == {slot: b for slot, b in account.balances.items() if b}
            assert account_id in state.find(account.address)
        self.model.check_invariants()


@pytest.mark.slow
@pytest.mark.parametrize("levels", [(2, 2), (8, 4)])
def test_state_random_operations_agree_with_the_reference_model(levels: tuple[int, int]) -> None:
    seed = int(os.environ.get("SLUICE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"SLUICE_SEED={seed} levels={levels}")
    world = World(seed, levels)
    builder, block = world.open_block(1)
    first = Deposit(0, 0, 0, USERS[0].address, USERS[0].key.public_key, True)
    builder.add(first)
    world.model.deposit(first)
    for number in range(2, BLOCKS + 2):
        for _ in range(ATTEMPTS_PER_BLOCK - 1):
            world.attempt(builder, block)
        sealed = builder.seal()
        world.model.end_of_block(world.fee_account, block["fee_tokens"])
        assert sealed.header.old_root == world.rebuilt.root
        apply_block_data(world.rebuilt, sealed.header, sealed.l2, sealed.l1)
        world.compare(world.state)
        world.compare(world.rebuilt)
        assert world.rebuilt.root == world.state.root
        if number % 20 == 2:
            assert world.state.root == world.model.root()
        builder, block = world.open_block(number)
    print(world.counts)
    assert world.counts["accepted"] > 1000
    assert world.counts["refused"] > 500


def test_block_abandoned_at_random_leaves_nothing() -> None:
    seed = int(os.environ.get("SLUICE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"SLUICE_SEED={seed}")
    world = World(seed, (2, 2))
    for number in range(1, 40):
        keep = number % 2 == 1
        before = world.state.copy()
        model = world.model
        builder, block = world.open_block(number)
        if number == 1:
            first = Deposit(0, 0, 0, USERS[0].address, USERS[0].key.public_key, True)
            builder.add(first)
            model.deposit(first)
        if keep:
            for _ in range(30):
                world.attempt(builder, block)
            builder.seal()
            model.end_of_block(world.fee_account, block["fee_tokens"])
            world.compare(world.state)
            continue
        for _ in range(30):
            try:
                builder.add(world.deposit() if world.sometimes(0.3) else world.signed()[0])
            except SluiceError:
                continue
        builder.abandon()
        world.compare(world.state)
        assert world.state.root == before.root
