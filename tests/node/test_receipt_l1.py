"""`sluice receipt verify`, offline and against blocks of the real contract; ecrecover on L1 names the signer (I-30)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_account import Account as EthereumAccount
from kill_child import PAYER_KEY

from bench.accept_all import AcceptAll, creation_codes
from bench.restore import deposit_blocks
from bench.unsigned_chain import UnsignedChain
from rollup.cli.receipt import receipt as command
from rollup.core import TransferData, WithdrawData, domain
from rollup.core.constants import PROOF_DEADLINE_SECONDS
from rollup.core.errors import ReceiptBrokenError, ReceiptForeignError, ReceiptLateError, ReceiptSignerError, WireError
from rollup.core.receipt import Receipt, receipt_to_wire
from rollup.core.streams import WORD_BYTES
from rollup.l1.abi import BLOCK_TYPE, selector
from rollup.l1.anvil import Anvil
from rollup.l1.errors import ReaderError, WrongChain
from rollup.l1.lookup import Lookup, Stage
from rollup.l1.manifest import DeployedContract, Manifest
from rollup.l1.promises import judge
from rollup.l1.rpc import JsonRpc

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("node-anvil")]
VALIDATOR = EthereumAccount.from_key(bytes([7]) * 32)
ECRECOVER = "0x" + 39 * "0" + "1"


@dataclass
class World:
    l1: AcceptAll
    chain: UnsignedChain
    manifest: Path
    url: str

    @property
    def domain(self) -> int:
        return domain(self.l1.origin.chain_id, int(self.l1.rollup, 16))

    def verify(self, receipt: Receipt, tmp_path: Path, *options: str) -> Result:
        file = tmp_path / "receipt.json"
        file.write_text(json.dumps(receipt_to_wire(receipt)))
        return CliRunner().invoke(command, ["verify", str(file), "--manifest", str(self.manifest), *options])


def signed(receipt: Receipt) -> Receipt:
    return replace(receipt, signature=bytes(VALIDATOR.unsafe_sign_hash(receipt.digest).signature))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Block 1 deposits, 2 and 3 in one commit of a payment and a withdrawal each; the last is committed only."""
    with Anvil(accounts=4) as anvil:
        l1 = AcceptAll(JsonRpc(anvil.url), creation_codes())
        chain = UnsignedChain(l1.origin.chain_id, l1.rollup, l1.validator, l1.validator_set)
        deposit_blocks(l1, chain, 2)
        for amount in (10, 20, 30):
            operations = [TransferData(0, 1, 0, amount, 1), WithdrawData(1, 0, amount, 1, 0xDD)]
            chain.seal(operations, timestamp=l1.now, block_size=8)
        l1.commit(chain, 2, 3)
        l1.commit(chain, 4, 4)
        l1.prove(chain, 2, 3)
        yield World(l1, chain, save_manifest(l1, tmp_path_factory.mktemp("deployment")), anvil.url)


def save_manifest(l1: AcceptAll, folder: Path) -> Path:
    contracts = {"Rollup": DeployedContract(l1.rollup, l1.origin.deployed_at, 0)}
    manifest = Manifest(l1.origin.chain_id, l1.origin.l1_genesis, l1.validator, 1_000, contracts, complete=True)
    manifest.validators = [VALIDATOR.address]
    manifest.save(folder / "deployment.json")
    return folder / "deployment.json"


def promise(world: World, number: int = 3, **changes: Any) -> Receipt:
    """A receipt for the withdrawal of a block."""
    sealed = world.chain.sealed[number]
    assert sealed is not None
    values = {
        "domain": world.domain,
        "block_number": number,
        "chunk_position": 1,
        "chunks": sealed.l2[15:],
        "word_position": 0,
        "record": sealed.l1,
        "operation_hash": bytes(31) + b"\x05",
        "recipient": 0xDD,
        "issued_at": sealed.header.timestamp,
        "commit_by": sealed.header.timestamp + 86_400,
        "validator_set": world.l1.validator_set,
    }
    return signed(Receipt(**values | changes))


def test_ecrecover_on_l1_gives_the_signer(world: World) -> None:
    receipt = promise(world)
    r, s, v = receipt.signature[:32], receipt.signature[32:64], receipt.signature[64]
    answer = world.l1.rpc.call(ECRECOVER, receipt.digest + v.to_bytes(WORD_BYTES, "big") + r + s)
    assert int.from_bytes(answer, "big") == int(VALIDATOR.address, 16) == receipt.signer()


def test_verify_offline_names_signer_and_place(world: World, tmp_path: Path) -> None:
    result = world.verify(promise(world), tmp_path)
    assert result.exit_code == 0, result.output
    assert VALIDATOR.address in result.output
    assert "block 3, chunk 1" in result.output


@pytest.mark.parametrize(("number", "stage"), [(2, "proven"), (3, "proven"), (4, "committed")])
def test_verify_block_on_l1_that_keeps_it_says_how_far_it_is(
    world: World, tmp_path: Path, number: int, stage: str
) -> None:
    result = world.verify(promise(world, number), tmp_path, "--rpc", world.url)
    assert result.exit_code == 0, result.output
    assert f"the block is {stage} on L1" in result.output
    as_json = world.verify(promise(world, number), tmp_path, "--rpc", world.url, "--json")
    assert json.loads(as_json.output)["stage"] == stage


def test_verify_block_not_on_l1_yet_says_when_it_is_due(world: World, tmp_path: Path) -> None:
    receipt = signed(replace(promise(world), block_number=5, commit_by=4_000_000_000))
    result = world.verify(receipt, tmp_path, "--rpc", world.url)
    assert result.exit_code == 0, result.output
    assert "not on L1 yet; it is due by 2096-10-02 07:06:40 UTC" in result.output


@pytest.mark.parametrize(
    "changes", [{"chunk_position": 0}, {"word_position": 1}, {"block_number": 2}, {"record": bytes(64)}]
)
def test_verify_block_on_l1_that_holds_something_else_is_refused(
    world: World, tmp_path: Path, changes: dict[str, Any]
) -> None:
    """I-30."""
    result = world.verify(promise(world, **changes), tmp_path, "--rpc", world.url)
    assert isinstance(result.exception, ReceiptBrokenError), result.output
    assert result.exception.block_number == changes.get("block_number", 3)


@pytest.mark.parametrize("number", [3, 5])
def test_verify_block_that_came_late_or_not_at_all_is_late(world: World, tmp_path: Path, number: int) -> None:
    receipt = promise(world)
    committed_at = world.chain.chain[3].committed_at
    due = signed(replace(receipt, block_number=number, commit_by=committed_at - 1))
    result = world.verify(due, tmp_path, "--rpc", world.url)
    assert isinstance(result.exception, ReceiptLateError), result.output
    assert result.exception.committed_at == (committed_at if number == 3 else None)
    in_time = signed(replace(receipt, commit_by=committed_at))
    assert "in time" in world.verify(in_time, tmp_path, "--rpc", world.url).output


def test_verify_signed_by_a_stranger_is_refused(world: World, tmp_path: Path) -> None:
    receipt = promise(world)
    stranger = EthereumAccount.from_key(bytes([8]) * 32)
    forged = replace(receipt, signature=bytes(stranger.unsafe_sign_hash(receipt.digest).signature))
    result = world.verify(forged, tmp_path)
    assert isinstance(result.exception, ReceiptSignerError)
    assert result.exception.signer == stranger.address


def test_verify_of_another_rollup_is_refused(world: World, tmp_path: Path) -> None:
    result = world.verify(promise(world, domain=domain(31337, 5)), tmp_path)
    assert isinstance(result.exception, ReceiptForeignError)


def test_verify_on_another_chain_is_refused(world: World, tmp_path: Path) -> None:
    with Anvil(chain_id=5) as elsewhere:
        result = world.verify(promise(world), tmp_path, "--rpc", elsewhere.url)
    assert isinstance(result.exception, WrongChain)


def test_verify_text_that_is_no_json_is_refused(world: World) -> None:
    result = CliRunner().invoke(command, ["verify", "-", "--manifest", str(world.manifest)], input="{")
    assert isinstance(result.exception, WireError)


def test_lookup_block_that_is_not_there_is_refused(world: World) -> None:
    lookup = Lookup(JsonRpc(world.url), world.l1.rollup, world.l1.origin.deployed_at)
    assert [lookup.stage(number) for number in (3, 4, 5)] == [Stage.PROVEN, Stage.COMMITTED, Stage.ABSENT]
    with pytest.raises(ReaderError, match="no BlockCommitted event"):
        lookup.find(5)


class Reverted:
    """Block 1 proven; 2 of one committer, 3 and 4 of another, taken back as 2 had no proof."""

    def __init__(self, anvil: Anvil) -> None:
        self.l1 = l1 = AcceptAll(JsonRpc(anvil.url), creation_codes())
        self.chain = chain = UnsignedChain(l1.origin.chain_id, l1.rollup, l1.validator, l1.validator_set)
        deposit_blocks(l1, chain, 2)
        self.other = l1.accounts[1]
        l1.call(l1.validator, l1.governor, "setValidator", ["address", "bool"], [self.other, True])
        chain._validator_set = l1.rpc.call(l1.governor, selector("validatorSet", []))
        for number, committer in ((2, l1.validator), (3, self.other), (4, self.other)):
            chain._committer = committer
            chain.seal([TransferData(0, 1, 0, number, 1)], timestamp=l1.now, block_size=8)
        l1.commit(chain, 2, 2)
        l1.validator = self.other
        l1.commit(chain, 3, 3)

    def take_back(self) -> None:
        l1 = self.l1
        l1.rpc("evm_setNextBlockTimestamp", self.chain.chain[2].committed_at + PROOF_DEADLINE_SECONDS)
        values = [self.chain.chain[number].as_tuple() for number in (1, 2)]
        l1.call(l1.accounts[2], l1.rollup, "revertBlocks", [BLOCK_TYPE, BLOCK_TYPE], values)
        l1.rpc("evm_increaseTime", 10)
        l1.mine(1)

    def receipt(self, number: int, **changes: Any) -> Receipt:
        sealed = self.chain.sealed[number]
        assert sealed is not None
        values: dict[str, Any] = {
            "domain": domain(self.l1.origin.chain_id, int(self.l1.rollup, 16)), "block_number": number,
            "chunk_position": 0, "chunks": sealed.l2, "word_position": 0, "record": b"",
            "operation_hash": bytes(32), "recipient": 0, "issued_at": sealed.header.timestamp,
            "commit_by": sealed.header.timestamp + 86_400, "validator_set": bytes(32),
        }  # fmt: skip
        return signed(Receipt(**values | changes))


def test_judge_a_block_taken_back_with_anothers_is_not_broken() -> None:
    """On L1 in time: kept, then taken back. Never on L1 as the one below was taken back in time: not to be judged."""
    with Anvil(accounts=4) as anvil:
        past = Reverted(anvil)
        lookup = Lookup(past.l1.rpc, past.l1.rollup, past.l1.origin.deployed_at)
        assert judge(past.receipt(3), lookup).is_kept
        past.take_back()
        first = past.l1.accounts[0]
        verdict = judge(past.receipt(3), lookup)
        assert not verdict.is_kept
        assert verdict.reverted is not None
        assert (verdict.stage, verdict.committed_at) == (Stage.ABSENT, past.chain.chain[3].committed_at)
        assert (verdict.reverted.first, verdict.reverted.last, verdict.reverted.suspended) == (2, 3, first.lower())
        # Block 4 was promised and could not come; before the one below was taken back nothing excuses it.
        absent = judge(past.receipt(4, commit_by=verdict.reverted.time), lookup)
        assert (absent.committed_at, absent.reverted) == (None, verdict.reverted)
        with pytest.raises(ReceiptLateError) as late:
            judge(past.receipt(4, commit_by=verdict.reverted.time - 1), lookup)
        assert late.value.committed_at is None
        with pytest.raises(ReceiptLateError):
            judge(past.receipt(4, issued_at=verdict.reverted.time + 1, commit_by=verdict.reverted.time + 1), lookup)
        # What was on L1 and did not hold the promise is no excuse either.
        with pytest.raises(ReceiptLateError):
            judge(past.receipt(3, chunks=bytes(15), commit_by=verdict.reverted.time - 1), lookup)


def test_judge_a_suspended_signers_own_late_block_is_late() -> None:
    with Anvil(accounts=4) as anvil:
        past = Reverted(anvil)
        past.take_back()
        lookup = Lookup(past.l1.rpc, past.l1.rollup, past.l1.origin.deployed_at)
        (reverting,) = lookup.revertings()
        receipt = past.receipt(4, commit_by=reverting.time)
        own = EthereumAccount.from_key(PAYER_KEY)
        assert int(own.address, 16) == int(reverting.suspended, 16)
        receipt = replace(receipt, signature=bytes(own.unsafe_sign_hash(receipt.digest).signature))
        with pytest.raises(ReceiptLateError):
            judge(receipt, lookup)


def test_verify_a_block_taken_back_says_whose_it_was(tmp_path: Path) -> None:
    with Anvil(accounts=4) as anvil:
        past = Reverted(anvil)
        past.take_back()
        world = World(past.l1, past.chain, save_manifest(past.l1, tmp_path), anvil.url)
        result = world.verify(past.receipt(3), tmp_path, "--rpc", world.url)
        assert result.exit_code == 0, result.output
        assert "taken back: it was on L1 in time" in result.output
        assert f"{past.l1.accounts[0].lower()} had not proven block 2" in result.output
        as_json = json.loads(world.verify(past.receipt(3), tmp_path, "--rpc", world.url, "--json").output)
        assert as_json["reverted"] == {"block": 2, "suspended": past.l1.accounts[0].lower()}
