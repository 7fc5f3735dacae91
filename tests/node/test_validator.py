"""What a validator decides by himself, without a node of L1."""

from types import SimpleNamespace
from typing import Any

import pytest

from rollup.core.operations import Deposit, domain
from rollup.core.state import State
from rollup.l1.errors import NodeUnreachable
from rollup.node.errors import FeeAccountNotOwnError, NoFeeAccountError
from rollup.node.validator import Validator
from rollup.progress import Bars

VALIDATOR, STRANGER = 0xAA, 0xBB


def validator() -> Validator:
    manifest: Any = SimpleNamespace(fee_tokens=tuple(range(8)), domain=domain(1, 1))
    account: Any = SimpleNamespace(address=f"{VALIDATOR:#042x}")
    nothing: Any = None
    return Validator(nothing, manifest, account, nothing, Bars(quiet=True))


def deposit(owner: int) -> Deposit:
    return Deposit(account_id=0, owner=owner, token=0, amount=1)


def test_seal_validators_deposit_behind_a_strangers_fees_go_to_the_validator() -> None:
    ours = validator()
    sealed = ours.seal([ours.accounts.assign(deposit(STRANGER)), ours.accounts.assign(deposit(VALIDATOR))], 2)
    assert sealed.header.fee_account == 1
    assert ours.state.account(1).address == VALIDATOR


def test_seal_validator_without_a_deposit_is_refused() -> None:
    ours = validator()
    with pytest.raises(NoFeeAccountError, match="deposit to it first") as caught:
        ours.seal([ours.accounts.assign(deposit(STRANGER))], 2)
    assert caught.value.values == {"address": f"{VALIDATOR:#042x}"}


def test_seal_validators_deposit_not_in_the_block_yet_is_refused() -> None:
    ours = validator()
    first, _ = ours.accounts.assign(deposit(STRANGER)), ours.accounts.assign(deposit(VALIDATOR))
    with pytest.raises(FeeAccountNotOwnError, match="account 1 is to get the fees") as caught:
        ours.seal([first], 2)
    assert caught.value.account_id == 1
    assert not list(ours.state.accounts())


class Stumbling:
    """A client whose first block does not reach L1."""

    def __init__(self) -> None:
        self.calls = 0

    def committed_blocks(self) -> int:
        return 0

    def commit_prove_execute(self, *_: Any) -> Any:
        self.calls += 1
        raise NodeUnreachable("http://here", "gone for a moment")


def test_run_block_that_was_not_sent_leaves_the_state_of_its_parent() -> None:
    ours = validator()
    ours.client = client = Stumbling()
    ours.manifest.block_sizes = [2]
    ours._prover = SimpleNamespace(prove=lambda sealed, _: SimpleNamespace(block=sealed, proof=()))
    operations = [ours.accounts.assign(deposit(VALIDATOR)), ours.accounts.assign(deposit(STRANGER))]
    roots = []
    for _ in range(2):
        with pytest.raises(NodeUnreachable):
            ours.run(operations)
        roots.append(ours.state.root)
        assert not list(ours.state.accounts())
    assert roots == [State().root] * 2
    assert client.calls == 2
    assert ours.landed == []
