"""An operator without users' keys: random published operations, made into blocks that the contract would take.

A rebuild checks no signature, so none is made, and the commitment, which only a proof would know, is any word.
"""

import random
from collections.abc import Sequence
from typing import Any

from eth_abi.abi import encode

from rollup.core import (
    Deposit,
    FullExit,
    Header,
    OperationError,
    PublishedOperation,
    SealedBlock,
    State,
    domain,
    encode_streams,
)
from rollup.core.amounts import floor_amount
from rollup.core.binding import challenge, evaluation
from rollup.core.constants import FIRST_ORDER_SLOT
from rollup.core.operations import (
    CancelOrderData,
    ChangePubKeyData,
    FillData,
    ForcedExitData,
    SwapData,
    TransferData,
    TransferToAddressData,
    WithdrawData,
    steps_of,
)
from rollup.core.rebuild import replay_operations
from rollup.core.streams import l1_words, l2_chunks
from rollup.l1.abi import COMMIT, COMMIT_TYPES, L1Block, NewBlock

COMMITTER = "0x" + 20 * "0a"
FEE_TOKENS = tuple(range(8))
TOKENS = (0, 1, 2, 9)
TIMESTAMP = 1_800_000_000


class Operator:
    """Makes blocks; `states[n]` is the state after block n, `chain[n]` block n.

    Args:
        seed: Of all that is random.
        users: Account ids it chooses from.
    """

    def __init__(self, seed: int, chain_id: int, rollup: str, users: int = 12) -> None:
        self.rng = random.Random(seed)
        self._domain = domain(chain_id, int(rollup, 16))
        self._users = users
        self.chain = [L1Block.genesis()]
        self.states = [State()]
        self.sealed: list[SealedBlock | None] = [None]

    @property
    def state(self) -> State:
        """The state after the last block."""
        return self.states[-1]

    def go_back(self, number: int) -> None:
        """Forget every block after this one."""
        for history in (self.chain, self.states, self.sealed):
            del history[number + 1 :]

    def block(self, operations: int) -> L1Block:
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
        return self.seal(taken)

    def seal(self, operations: Sequence[PublishedOperation], replay: bool = True, **header: Any) -> L1Block:
        """Seal a block of these operations; `header` overrides its header. Without `replay` they do nothing."""
        state, parent = self.state.copy(), self.chain[-1]
        l2, l1 = encode_streams(operations)
        fields: dict[str, Any] = {
            "domain": self._domain,
            "block_size": max(sum(len(steps_of(operation)) for operation in operations), 8),
            "block_number": parent.number + 1,
            "timestamp": TIMESTAMP,
            "queue_start": parent.queue_end,
            "queue_count": sum(isinstance(operation, Deposit | FullExit) for operation in operations),
            "l2_chunks": len(l2_chunks(l2)),
            "l1_words": len(l1_words(l1)),
            "old_root": parent.new_root,
            "new_root": 0,
            "fee_account": self._fee_account(state, operations),
            "fee_tokens": FEE_TOKENS,
        }
        if replay:
            replay_operations(state, Header(**fields), list(operations))
        made = Header(**fields | {"new_root": state.root} | header)
        commitment = self.rng.randrange(2**250)
        x = challenge(made, l2, l1, commitment)
        binding = commitment, x, evaluation(made, l2, l1, x)
        self.sealed.append(SealedBlock(made, tuple(operations), l2, l1, *binding, None))  # type: ignore[arg-type]
        self.chain.append(parent.following(made, l2, l1, binding, COMMITTER, bytes(32)))
        self.states.append(state)
        return self.chain[-1]

    def _fee_account(self, state: State, operations: Sequence[PublishedOperation]) -> int:
        """Any account that is there when the block ends."""
        made = [operation.account_id for operation in operations if isinstance(operation, Deposit)]
        return self.rng.choice(sorted(number for number, _ in state.accounts()) or made[:1])

    def input(self, first: int, last: int) -> bytes:
        """The calldata that commits blocks `first` to `last`."""
        new = [NewBlock.of(block).as_tuple() for block in self.sealed[first : last + 1] if block is not None]
        return COMMIT + encode(COMMIT_TYPES, [self.chain[first - 1].as_tuple(), new, b""])

    def _operation(self, state: State) -> PublishedOperation:
        """One that may be impossible; the first of all is a deposit."""
        kinds: dict[str, int] = {
            "deposit": 4, "full_exit": 1, "transfer": 12, "transfer_to_address": 2, "withdraw": 2, "forced_exit": 2,
            "change_pub_key": 1, "swap": 4, "cancel_order": 1,
        }  # fmt: skip
        if not any(True for _ in state.accounts()):
            return self._deposit(state)
        (kind,) = self.rng.choices(list(kinds), list(kinds.values()))
        made: PublishedOperation = getattr(self, f"_{kind}")(state)
        return made

    def _some(self) -> tuple[int, int]:
        """An account and a token."""
        return self.rng.randrange(self._users), self.rng.choice(TOKENS)

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
