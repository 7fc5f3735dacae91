"""The state machine and the reference model in step, on operations that `random_operations.py` makes.

`World.attempt` makes one operation from a source of choices and compares what both say of it. Where there is a choice,
the first option is the plain one, so that hypothesis shrinks towards valid operations.
"""

import copy
import dataclasses
import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from model import Block, Consent, Model
from random_operations import ADDRESSES, HERE, KEY_OF, KEYS, Choices, Maker, T

from rollup.core import (
    Batch,
    BlockBuilder,
    Deposit,
    EncodingError,
    ForcedExit,
    FullExit,
    OperationError,
    State,
    apply_block_data,
)
from rollup.core.errors import BlockFullError


class RandomChoices:
    """From a seeded generator."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def choose(self, options: Sequence[T]) -> T:
        return options[int(self._rng.random() * len(options))]

    def below(self, limit: int) -> int:
        return self._rng.randrange(limit)


class World(Maker):
    """Both implementations, in step."""

    def __init__(self, levels: tuple[int, int], blocks_of: int = 150) -> None:
        super().__init__()
        self.state, self.rebuilt, self.model = State(*levels), State(*levels), Model(*levels)
        self.accepted: Counter[str] = Counter()
        """Operations by kind."""
        self.refused: Counter[str] = Counter()
        """Operations by the error's code."""
        self.tried = 0
        """Operations, those of batches each."""
        self.time = 1_000_000
        self.blocks_of = blocks_of
        self.number = 0
        self.choices: Choices = RandomChoices(random.Random(0))
        self.open_block()
        for n in range(4):
            self._try(Deposit(n, n % 3, 10**9, ADDRESSES[n], KEYS[n].public_key, True), [])

    # Blocks

    def open_block(self, witness: bool = False) -> None:
        self.number += 1
        self.before = copy.deepcopy(self.model), self.state.root
        self.count_money()
        self.time += self.choices.below(100)
        tokens = (0, 1, 2, *self.choices.choose([range(3, 8), range(4, 9)]))
        self.block: Block = {"domain": HERE, "timestamp": self.time, "fee_tokens": tokens, "usable_keys": set(KEY_OF)}
        self.builder = BlockBuilder(
            self.state, domain=HERE, timestamp=self.time, fee_tokens=tokens, block_number=self.number, fee_account=0,
            block_size=self.blocks_of, queue_start=0, witness=witness, max_l1_operations=self.blocks_of,
            key_approvals=self.approvals,
        )  # fmt: skip

    def close_block(self, witness: bool = False) -> None:
        """Seal, rebuild from the streams, compare everything and the roots, and open the next block."""
        sealed = self.builder.seal()
        self.model.end_of_block(0, self.block["fee_tokens"])
        apply_block_data(self.rebuilt, sealed.header, sealed.l2, sealed.l1)
        self.compare(self.state)
        self.compare(self.rebuilt)
        assert sealed.header.new_root == self.rebuilt.root == self.model.root()
        self.open_block(witness)

    def abandon_block(self) -> None:
        """Give the block up: everything is as it was, and what was signed can be tried again."""
        self.builder.abandon()
        self.model, root = self.before
        self.compare(self.state)
        assert self.state.root == root
        self.open_block()

    def compare(self, state: State) -> None:
        accounts = {i for i, account in self.model.accounts.items() if account.address}
        assert {i for i, _ in state.accounts()} == accounts
        for account_id in accounts:
            self.compare_account(state, account_id)
        self.model.check_invariants()

    def compare_account(self, state: State, account_id: int) -> None:
        account, ours = self.model.accounts[account_id], state.account(account_id)
        assert (ours.key, ours.address, ours.nonce) == (account.key, account.address, account.nonce)
        assert state.balances(account_id) == {token: b for token, b in account.balances.items() if b}
        held = {slot: (order.order_id, order.filled) for slot, order in state.order_slots(account_id).items()}
        assert held == {slot: order for slot, order in account.orders.items() if order != (0, 0)}
        assert not ours.address or account_id in state.find(ours.address)

    # One operation on both

    def attempt(self, kind: str, choices: Choices) -> None:
        """Make an operation of this kind and try it; close the block when it is full."""
        self.choices = choices
        make: Callable[[], tuple[Any, list[Consent]]] = getattr(self, kind)
        try:
            operation, consents = make()
        except EncodingError:  # an amount beyond the formats: nothing to apply
            return
        self._try(operation, consents)

    def _try(self, operation: Any, consents: list[Consent]) -> None:
        try:
            applied, reason = self.builder.add(operation), None
        except OperationError as error:
            applied, reason = None, error.code
        except BlockFullError:
            self.close_block(witness=self.number % 40 == 1)
            self._try(operation, consents)
            return
        exited = self.model.left.copy()
        faults = self.model.apply(operation, consents, self.block)
        assert (reason is None) == (not faults), (operation, reason, faults)
        assert reason is None or reason in faults, (operation, reason, faults)
        self.tried += len(operation.operations) if isinstance(operation, Batch) else 1
        if applied is None:
            self.refused[str(reason)] += 1
            return
        self.accepted[type(operation).__name__] += 1
        if isinstance(operation, FullExit | ForcedExit):
            left = self.model.left[operation.token] - exited[operation.token]
            assert applied.operation == dataclasses.replace(operation, amount=left)
        touched = {touch.account_id for touch in applied.touches}
        for account_id in touched:
            self.compare_account(self.state, account_id)
        self.check_money(touched)
        self.past = [*self.past[-30:], (operation, consents)]

    def check_money(self, touched: set[int]) -> None:
        """Accounted = owed, per token: what the state's accounts have together, and the open block's fees (I-02)."""
        for account_id in touched:
            now = self.state.balances(account_id)
            self.totals.subtract(self.held.get(account_id, {}))
            self.totals.update(now)
            self.held[account_id] = now
        fees = self.builder.fees
        assert all(fees.get(token, 0) == fee for token, fee in self.model.fees.items())
        for token, total in self.totals.items():
            assert total == self.model.owed(token), token

    def count_money(self) -> None:
        """What every account has, counted anew; `check_money` goes on from there."""
        self.held = {account_id: self.state.balances(account_id) for account_id, _ in self.state.accounts()}
        self.totals: Counter[int] = Counter()
        for balances in self.held.values():
            self.totals.update(balances)
