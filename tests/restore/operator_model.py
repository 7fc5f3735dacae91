"""An operator of random blocks: every kind of operation that a block can publish, each possible when its turn comes."""

import random
from dataclasses import asdict, replace
from typing import Any

from bench.unsigned_chain import COMMITTER, FEE_TOKENS, UnsignedChain
from rollup.core import Deposit, FullExit, OperationError, PublishedOperation, State
from rollup.core.amounts import floor_amount
from rollup.core.binding import challenge, evaluation
from rollup.core.constants import CHUNK_BYTES, FIRST_ORDER_SLOT
from rollup.core.header import HeaderFields
from rollup.core.operations import (
    CancelOrderData,
    ChangePubKeyData,
    FillData,
    ForcedExitData,
    SwapData,
    TransferData,
    TransferToAddressData,
    WithdrawData,
)
from rollup.l1.abi import L1Block

KINDS = {
    "deposit": 4, "full_exit": 1, "transfer": 12, "transfer_to_address": 2, "withdraw": 2, "forced_exit": 2,
    "change_pub_key": 1, "swap": 4, "cancel_order": 1,
}  # fmt: skip
"""How often each kind comes."""
TOKENS = (0, 1, 2, 9)
USERS = 12
"""How many account ids it chooses from."""


class Operator(UnsignedChain):
    """Makes blocks; `states[n]` is the state after block n, `chain[n]` block n.

    Args:
        seed: Of all that is random; the others are `UnsignedChain`'s.
    """

    def __init__(
        self, seed: int, chain_id: int, rollup: str, committer: str = COMMITTER, validator_set: bytes = bytes(32)
    ) -> None:
        super().__init__(chain_id, rollup, committer, validator_set)
        self.rng = random.Random(seed)
        self.kinds = dict(KINDS)
        self.states = [self.state.copy()]

    def go_back(self, number: int) -> None:
        """Forget every block after this one."""
        for history in (self.chain, self.states, self.sealed):
            del history[number + 1 :]
        self.state = self.states[-1].copy()

    def block(self, operations: int, **options: int) -> L1Block:
        """Seal a block of so many random operations."""
        state = self.state.copy()
        taken: list[PublishedOperation] = []
        while len(taken) < operations:
            operation = self._operation(state)
            try:
                # as the contract and the circuit would have it: with a FullExit's amount
                taken.append(state.apply_published(operation, FEE_TOKENS).operation)  # type: ignore[arg-type]
            except OperationError:
                continue
        fee_account = self.rng.choice(sorted(number for number, _ in state.accounts()))
        return self.seal(taken, fee_account, **options)

    def seal(self, *arguments: Any, **options: Any) -> L1Block:
        """As `UnsignedChain.seal`; the fee account is by default any that exists."""
        if len(arguments) < 2:
            options.setdefault("fee_account", min((number for number, _ in self.state.accounts()), default=0))
        block = super().seal(*arguments, **options)
        self.states.append(self.state.copy())
        return block

    def publish_garbage(self, **changes: Any) -> L1Block:
        """Seal an empty block with another `l2` or other `fee_tokens`: L1 takes it, nobody can prove it."""
        self.seal([])
        sealed, parent = self.sealed.pop(), self.chain[-2]
        assert sealed is not None
        l2 = changes.pop("l2", b"")
        header = HeaderFields(**asdict(sealed.header) | {"l2_chunks": len(l2) // CHUNK_BYTES} | changes)
        x = challenge(header, l2, b"", sealed.commitment)
        binding = sealed.commitment, x, evaluation(header, l2, b"", x)
        noted = self.chain[-1].committer, self.chain[-1].validator_set, self.chain[-1].committed_at
        self.chain[-1] = parent.following(header, l2, b"", binding, *noted)
        self.sealed.append(replace(sealed, header=header, l2=l2))  # type: ignore[arg-type]
        return self.chain[-1]

    def _operation(self, state: State) -> PublishedOperation:
        """One that may be impossible; the first of all is a deposit."""
        if not any(True for _ in state.accounts()):
            return self._deposit(state)
        (kind,) = self.rng.choices(list(self.kinds), list(self.kinds.values()))
        made: PublishedOperation = getattr(self, f"_{kind}")(state)
        return made

    def _some(self) -> tuple[int, int]:
        """An account and a token."""
        return self.rng.randrange(USERS), self.rng.choice(TOKENS)

    def _fee(self, token: int) -> int:
        return self.rng.choice([0, 10**9]) if token in FEE_TOKENS else 0

    def _key(self) -> tuple[int, int]:
        return self.rng.randrange(2**250), self.rng.randrange(2**250)

    def _part(self, state: State, account_id: int, token: int) -> int:
        return self.rng.randrange(state.balance(account_id, token) // 2 + 1)

    def _deposit(self, state: State) -> Deposit:
        account_id, token = self._some()
        owner = state.account(account_id).address or self.rng.randrange(1, 2**160)
        key = self._key() if self.rng.random() < 0.7 else (0, 0)
        refused = self.rng.random() < 0.1 and bool(state.find(owner))
        amount = self.rng.randrange(1, 10**21)
        return Deposit(0 if refused else account_id, token, amount, owner, key, key != (0, 0), refused)

    def _full_exit(self, state: State) -> FullExit:
        account_id, token = self._some()
        owner = state.account(account_id).address if self.rng.random() < 0.8 else 7
        return FullExit(account_id, token, owner, None)

    def _transfer(self, state: State) -> TransferData:
        payer, token = self._some()
        amount = floor_amount(self._part(state, payer, token))
        return TransferData(payer, self._some()[0], token, amount, self._fee(token))

    def _transfer_to_address(self, state: State) -> TransferToAddressData:
        payer, token = self._some()
        to_id = self._some()[0]
        address = state.account(to_id).address or self.rng.randrange(1, 2**160)
        amount = floor_amount(self._part(state, payer, token))
        return TransferToAddressData(payer, to_id, address, token, amount, self._fee(token))

    def _withdraw(self, state: State) -> WithdrawData:
        payer, token = self._some()
        return WithdrawData(
            payer, token, self._part(state, payer, token), self._fee(token), self.rng.randrange(1, 2**160)
        )

    def _forced_exit(self, state: State) -> ForcedExitData:
        (payer, fee_token), (account_id, token) = self._some(), self._some()
        address = state.account(account_id).address
        return ForcedExitData(payer, account_id, address, token, fee_token, self._fee(fee_token), None)

    def _change_pub_key(self, state: State) -> ChangePubKeyData:
        account_id, token = self._some()
        account = state.account(account_id)
        return ChangePubKeyData(account_id, account.address, self._key(), account.nonce, token, self._fee(token))

    def _swap(self, state: State) -> SwapData:
        return SwapData(self._fill(state), self._fill(state))

    def _fill(self, state: State) -> FillData:
        account_id, token = self._some()
        slot, order_id = FIRST_ORDER_SLOT + self.rng.randrange(3), self.rng.randrange(40)
        amount = floor_amount(self._part(state, account_id, token))
        return FillData(account_id, slot, order_id, token, amount, self._fee(token))

    def _cancel_order(self, state: State) -> CancelOrderData:
        account_id, token = self._some()
        slot, order_id = FIRST_ORDER_SLOT + self.rng.randrange(3), self.rng.randrange(40)
        return CancelOrderData(account_id, slot, order_id, token, self._fee(token))


def assert_same_state(got: State, expected: State) -> None:
    """Root, accounts and balances are the same."""
    assert got.root == expected.root
    accounts = dict(expected.accounts())
    assert dict(got.accounts()) == accounts
    for account_id, account in accounts.items():
        assert got.balances(account_id) == expected.balances(account_id)
        assert got.order_slots(account_id) == expected.order_slots(account_id)
        assert sorted(got.find(account.address)) == sorted(expected.find(account.address))
