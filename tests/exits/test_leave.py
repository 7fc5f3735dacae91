"""The steps out, one by one: what somebody else did meanwhile, what is cut off, and what is refused before it costs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from leaving_rig import ETHER, RESCUER, Leaving, exit_verifier_code

from bench.accept_all import AcceptAll, creation_codes
from bench.restore import deposit_blocks, transfer_blocks
from bench.unsigned_chain import UnsignedChain
from rollup.circuits.keys import find_exit_kit
from rollup.cli.main import cli
from rollup.core.errors import NothingToExitError
from rollup.core.times import show_time
from rollup.exits.errors import (
    KitOfAnotherError,
    NotDueError,
    NotInExodusError,
    WrongStateError,
)
from rollup.exits.leave import Kind, leave, pay_out
from rollup.exits.plan import Plan, make_plan
from rollup.exits.prover import ExitProver
from rollup.exits.status import read_status
from rollup.l1.anvil import Anvil
from rollup.l1.client import RollupClient
from rollup.l1.errors import NodeUnreachable
from rollup.l1.key_sender import KeySender
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("leaving")]
USERS = 3


class Rollup:
    """A rollup in exodus, with its state, that can be taken back to where it was."""

    def __init__(self, url: str, folder: Path, exit_verifier: bytes | None = None) -> None:
        self.l1 = AcceptAll(JsonRpc(url), creation_codes(), exit_verifier)
        self.chain = UnsignedChain(self.l1.origin.chain_id, self.l1.rollup, self.l1.validator, self.l1.validator_set)
        deposit_blocks(self.l1, self.chain, USERS)
        transfer_blocks(self.l1, self.chain, USERS, 4, 4)
        self.l1.request_exits([(1, 1)])
        self.leaving = Leaving(self.l1, folder)
        self.client = RollupClient(
            KeySender(self.l1.rpc, Refusals.of_contracts()), self.l1.rollup, self.l1.origin.deployed_at
        )


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil(accounts=USERS) as running:
        yield running


@pytest.fixture(scope="module")
def normal(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Rollup:
    """In normal operation."""
    return Rollup(anvil.url, tmp_path_factory.mktemp("leave"), exit_verifier_code())


@pytest.fixture
def rollup(normal: Rollup) -> Iterator[Rollup]:
    """In exodus."""
    taken = normal.l1.rpc("evm_snapshot")
    normal.leaving.begin_exodus()
    yield normal
    assert normal.l1.rpc("evm_revert", taken)


@pytest.fixture(scope="module")
def prover() -> ExitProver:
    return ExitProver(find_exit_kit())


def planned(rollup: Rollup, owners: set[int] | None = None) -> Plan:
    return make_plan(rollup.client, read_status(rollup.client), rollup.chain.state, owners)


def test_plan_of_everybody_has_what_is_left_and_nothing_twice(rollup: Rollup, prover: ExitProver) -> None:
    plan = planned(rollup)
    assert [published.block.number for published in plan.executions] == [1]  # the next one pays nobody
    assert [(claim.account_id, claim.amount) for claim in plan.exits] == [
        (number, rollup.chain.state.balance(number, 0)) for number in range(USERS)
    ]
    assert [entry.index for entry in plan.refunds] == [USERS]
    steps = list(leave(rollup.client, RESCUER, plan, rollup.chain.state, lambda: prover))
    assert all(step.sent and not step.failure for step in steps)
    assert planned(rollup) == Plan()


def test_plan_of_one_owner_has_his_alone(rollup: Rollup) -> None:
    second = int(rollup.l1.accounts[2], 16)
    plan = planned(rollup, {second})
    assert plan.executions == ()  # no block pays him
    assert [(claim.account_id, claim.owner) for claim in plan.exits] == [(2, second)]
    assert plan.refunds == ()
    committer = int(rollup.l1.accounts[0], 16)
    assert [published.block.number for published in planned(rollup, {committer}).executions] == [1]  # the queue's fees
    assert planned(rollup, {0xDEAD}) == Plan()


def test_leave_what_others_did_meanwhile_is_passed_over(rollup: Rollup, prover: ExitProver) -> None:
    stale = planned(rollup)
    for _ in leave(rollup.client, RESCUER, stale, rollup.chain.state, lambda: prover):
        pass
    again = list(leave(rollup.client, RESCUER, stale, rollup.chain.state, lambda: prover))
    assert [step.kind for step in again if step.sent is None] == [Kind.EXITED] * USERS + [Kind.REFUNDED]
    assert all(step.failure is None for step in again)
    assert sum(step.amount for step in pay_out(rollup.client, RESCUER, None)) > USERS * 900 * ETHER
    assert list(pay_out(rollup.client, RESCUER, None)) == []


class Dying(JsonRpc):
    """A node that is gone after so many transactions."""

    __slots__ = ("left",)

    def __init__(self, url: str, left: int) -> None:
        super().__init__(url)
        object.__setattr__(self, "left", left)

    def __call__(self, method: str, *params: object) -> Any:
        if method == "eth_sendRawTransaction":
            object.__setattr__(self, "left", self.left - 1)
        if self.left < 0:
            raise NodeUnreachable(self.name, "gone")
        return super().__call__(method, *params)


@pytest.mark.parametrize("sent", [0, 1, 3, 4])
def test_leave_cut_off_goes_on_with_what_is_left(rollup: Rollup, prover: ExitProver, sent: int) -> None:
    dying = KeySender(Dying(rollup.l1.rpc.url, sent), Refusals.of_contracts(), pause=lambda _: None)
    client = RollupClient(dying, rollup.l1.rollup, rollup.l1.origin.deployed_at)
    plan = planned(rollup)
    with pytest.raises(NodeUnreachable):
        list(leave(client, RESCUER, plan, rollup.chain.state, lambda: prover))
    left = planned(rollup)
    everything, rest = (each.executions + each.exits + each.refunds for each in (plan, left))
    assert rest == everything[sent:]


def failing(rollup: Rollup, *arguments: str) -> Any:
    """Run a command that must fail; return its exception, or what it prints for a wrong use."""
    folder = rollup.leaving.folder
    files = ["--manifest", str(folder / "deployment.json")]
    if arguments[:2] == ("exodus", "exit"):
        files += ["--store", str(folder / "sluice.db"), "--kit", str(folder / "exit.kit")]
    key = {"SLUICE_PRIVATE_KEY": bytes(RESCUER.key).hex()}
    result = CliRunner().invoke(cli, [*arguments, *files, "--rpc", rollup.l1.rpc.url], env=key)
    assert result.exit_code != 0
    return result.output if result.exit_code == 2 else result.exception


@pytest.mark.parametrize("command", [("exit", "--all"), ("refund", "--all"), ("refund", "--index", "0")])
def test_exodus_commands_in_normal_operation_say_when_it_is_due(normal: Rollup, command: tuple[str, ...]) -> None:
    error = failing(normal, "exodus", *command)
    assert isinstance(error, NotInExodusError)
    assert error.due == read_status(normal.client).waiting[0].expiry
    assert show_time(error.due) in str(error)


def test_activate_too_early_says_how_long_to_wait(normal: Rollup) -> None:
    error = failing(normal, "exodus", "activate")
    assert isinstance(error, NotDueError)
    assert error.due - error.now > 6 * 86_400
    assert "in 16" in str(error)  # hours


def test_exit_of_what_an_account_does_not_have_is_refused(rollup: Rollup) -> None:
    error = failing(rollup, "exodus", "exit", "--id", "999", "--token", "ETH")
    assert isinstance(error, NothingToExitError)
    assert (error.account_id, error.token) == (999, 0)


def test_exit_one_balance_again_says_that_it_has_left(rollup: Rollup) -> None:
    first = rollup.leaving.sluice("exodus", "exit", "--id", "1", "--token", "ETH")["said"]
    assert "claimed from account 1" in first
    assert "paid out" in first
    again = rollup.leaving.sluice("exodus", "exit", "--id", "1", "--token", "ETH")["said"]
    assert "claimed from account 1" in again
    assert "by somebody else" in again


def test_exit_from_another_state_than_everything_leaves_from_is_refused(
    rollup: Rollup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RollupClient, "exodus_root", lambda _: 5)
    error = failing(rollup, "exodus", "exit", "--all", "--owner", rollup.l1.accounts[1])
    assert isinstance(error, WrongStateError)
    assert (error.expected, error.got) == (5, rollup.chain.state.root)


def test_exit_with_the_kit_of_another_deployment_is_refused(anvil: Anvil, tmp_path: Path) -> None:
    other = Rollup(anvil.url, tmp_path)
    other.leaving.begin_exodus()
    error = failing(other, "exodus", "exit", "--id", "1", "--token", "ETH")
    assert isinstance(error, KitOfAnotherError)
    assert error.expected == f"0x{other.client.exit_key_hash().hex()}" != error.got


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("exodus", "exit"), "what leaves?"),
        (("exodus", "exit", "--all", "--everyone"), "what leaves?"),
        (("exodus", "exit", "--id", "1"), "what leaves?"),
        (("exodus", "exit", "--all", "--id", "1", "--token", "ETH"), "what leaves?"),
        (("exodus", "refund"), "what is taken back?"),
        (("exodus", "refund", "--all", "--index", "1"), "what is taken back?"),
        (("withdraw", "--token", "ETH"), "whose money goes where?"),
        (("withdraw", "--token", "ETH", "--owner", "0x" + 40 * "1", "--to", "0x" + 40 * "2"), "whose money"),
    ],
)
def test_command_with_too_little_or_too_much_said_is_refused(
    normal: Rollup, arguments: tuple[str, ...], words: str
) -> None:
    assert words in failing(normal, *arguments)


def test_exit_of_somebody_elses_money_to_another_address_is_refused(rollup: Rollup) -> None:
    arguments = ("--all", "--owner", rollup.l1.accounts[1], "--to", "0x" + 40 * "2")
    assert "--to is for your own money" in failing(rollup, "exodus", "exit", *arguments)
