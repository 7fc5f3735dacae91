"""Landing on the real contract: several proofs in one transaction, and again after L1 took back what it had.

The verifier accepts all, and the prover is a stand-in: what is tested is what is sent, when.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from eth_abi.abi import decode
from eth_account import Account as EthereumAccount
from kill_child import PAYER_KEY, SIGNER_KEY

from bench.accept_all import AcceptAll, creation_codes
from rollup.cli.database import database as database_command
from rollup.core.constants import PROOF_DEADLINE_SECONDS
from rollup.core.operations import Transfer, domain
from rollup.core.receipt import Receipt
from rollup.core.wire import from_wire
from rollup.l1 import costs
from rollup.l1.abi import BLOCK_TYPE, selector
from rollup.l1.anvil import Anvil
from rollup.l1.client import RollupClient
from rollup.l1.errors import ContractRefused
from rollup.l1.key_sender import KeySender
from rollup.l1.manifest import DeployedContract, Manifest
from rollup.l1.reader import Reader
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.l1.sending import TRANSACTION_GAS_LIMIT
from rollup.node.chain import REORGANISATION_BLOCKS, RollupChain
from rollup.node.core import Node, Rollup
from rollup.node.database import Database
from rollup.node.journal import Journal
from rollup.node.policy import Policy
from rollup.node.provers import LocalPool
from rollup.node.queue_watch import MISSING_LOOKS
from rollup.node.signing import LocalSigner
from rollup.wallet.keys import L2Key

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("node-anvil")]
SIZE, ETHER = 8, 10**18
STRANGER_KEY = bytes.fromhex("5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a")
"""Anvil's third account's."""
PROVE_TYPES = [f"{BLOCK_TYPE}[]", "uint256[8][]"]
PROVE = "0x" + selector("proveBlocks", PROVE_TYPES).hex()


class World:
    """A node without threads on an anvil: `turn` does what they would."""

    def __init__(self, rpc: JsonRpc, codes: dict[str, bytes], folder: Path) -> None:
        self.rpc, self.l1, self.folder = rpc, AcceptAll(rpc, codes), folder
        self.domain = domain(31337, int(self.l1.rollup, 16))
        self.receipts: list[Receipt] = []
        self.nonce = 0
        self.open(PAYER_KEY)

    def open(self, payer: bytes) -> None:
        origin = self.l1.origin
        contracts = {"Governor": DeployedContract(self.l1.governor, origin.deployed_at, 0)}
        manifest = Manifest(origin.chain_id, origin.l1_genesis, self.l1.governor, 1_000, contracts, complete=True)
        manifest.contracts["Rollup"] = DeployedContract(self.l1.rollup, origin.deployed_at, 0)
        self.manifest = self.folder / "deployment.json"
        manifest.save(self.manifest)
        client = RollupClient(
            KeySender(self.rpc, Refusals.of_contracts(), pause=lambda _: None), origin.rollup, origin.deployed_at
        )
        self.client = client
        chain = RollupChain(client, manifest, EthereumAccount.from_key(payer))
        self.database = Database(f"sqlite:///{self.folder / 'node.db'}", origin)
        self.journal = Journal(self.folder / "journal", self.domain)
        rollup, pool = Rollup(self.domain, tuple(range(8)), [SIZE]), LocalPool(lambda _: (1,) * 8, workers=4)
        signer, policy = LocalSigner(SIGNER_KEY), Policy(max_age_seconds=10**9)
        self.node = Node(self.database, self.journal, rollup, signer, chain, pool, policy, 0.01, lambda: self.l1.now)
        self.node.connect()

    def restart(self, payer: bytes = PAYER_KEY) -> None:
        self.database.close()
        self.journal.close()
        self.open(payer)

    def blocks(self, count: int) -> None:
        """Have so many blocks closed and proven, of payments from one to the other."""
        state = self.node.sequencer.ledger.state
        ids = [state.find(int(self.l1.accounts[n], 16)) for n in (1, 2)]
        assert all(ids)
        payer, payee = (found[0] for found in ids if found)
        key, to = L2Key.from_private_key((2).to_bytes(32, "big")), int(self.l1.accounts[2], 16)
        room = SIZE - (self.node.sequencer.ledger.block.steps if self.node.sequencer.ledger.block else 0)
        for _ in range(room + SIZE * (count - 1)):
            payment = Transfer(payer, payee, to, 0, 1_000 + self.nonce, 1, self.nonce)
            (outcome,) = self.node.sequencer.submit([key.sign(payment, self.domain)])
            assert isinstance(outcome, Receipt), outcome
            self.receipts.append(outcome)
            self.nonce += 1
        while self.node.pipeline.waiting:
            self.node.pipeline.step()

    def land(self) -> None:
        while self.node.lander.step():
            pass

    def transactions(self) -> list[dict[str, Any]]:
        """All that went to the rollup, in order."""
        head = int(self.rpc("eth_blockNumber"), 16)
        blocks = (self.rpc("eth_getBlockByNumber", hex(number), True) for number in range(head + 1))
        found = [each for block in blocks for each in block["transactions"]]
        return [each for each in found if (each["to"] or "").lower() == self.l1.rollup.lower()]

    def check(self) -> None:
        """L1 has every promise where its receipt says, and has executed all."""
        rebuilt = Reader(self.rpc, self.l1.rollup, self.l1.origin.deployed_at).rebuild()
        streams = {block.block.number: (block.l2, block.l1) for block in rebuilt.blocks}
        for receipt in self.receipts:
            receipt.check_kept(*streams[receipt.block_number])
        assert self.client.executed_blocks() == max(streams)


@pytest.fixture(scope="module")
def codes() -> dict[str, bytes]:
    return creation_codes()


@pytest.fixture
def world(tmp_path: Path, codes: dict[str, bytes]) -> Iterator[World]:
    with Anvil(accounts=4) as anvil:
        l1 = JsonRpc(anvil.url)
        made = World(l1, codes, tmp_path)
        made.l1.deposit([1, 2], ETHER)
        made.node.look()
        yield made
        made.database.close()
        made.journal.close()


def test_land_queued_blocks_prove_several_in_one_transaction(world: World) -> None:
    world.blocks(5)
    world.land()
    (prove,) = [each for each in world.transactions() if each["input"].startswith(PROVE)]
    blocks, proofs = decode(PROVE_TYPES, bytes.fromhex(prove["input"][10:]))
    assert len(blocks) == len(proofs) == 5
    used = int(world.rpc("eth_getTransactionReceipt", prove["hash"])["gasUsed"], 16)
    assert used < costs.prove_gas(5)
    assert int(prove["gas"], 16) <= TRANSACTION_GAS_LIMIT
    world.check()


def test_land_after_a_reorganisation_that_took_blocks_back(world: World) -> None:
    """Of everything; of proof and execution; of the execution alone: each is sent again, and nothing twice."""
    marks = [world.rpc("evm_snapshot")]
    world.blocks(4)
    for _ in range(2):
        world.node.lander.step()
        marks.append(world.rpc("evm_snapshot"))
    world.land()
    world.check()
    for mark in reversed(marks):
        assert world.rpc("evm_revert", mark)
        world.rpc("anvil_mine", "0x3")
        world.land()
        world.check()
    assert len([each for each in world.transactions() if each["input"].startswith(PROVE)]) == 1


def test_land_after_a_reorganisation_and_a_crash(world: World) -> None:
    mark = world.rpc("evm_snapshot")
    world.blocks(3)
    world.land()
    assert world.rpc("evm_revert", mark)
    world.restart()
    world.blocks(1)
    world.land()
    world.check()


def test_look_reads_the_queue_from_where_it_was(world: World) -> None:
    """After a reorganisation that drops a deposit the node says so; once another has its index, which is which."""
    world.blocks(1)
    world.land()
    world.rpc("anvil_mine", "0x100")
    mark = world.rpc("evm_snapshot")
    world.l1.deposit([3], ETHER)
    asked: list[int] = []
    logs = JsonRpc.logs

    def noting(self: JsonRpc, address: str, topics: list[bytes], start: int) -> Any:
        asked.append(start)
        return logs(self, address, topics, start)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JsonRpc, "logs", noting)
        world.node.look()
        world.node.look()
    head = int(world.rpc("eth_blockNumber"), 16)
    assert asked[-1] == head - REORGANISATION_BLOCKS
    assert world.node.sequencer.queue_end == 3
    assert world.rpc("evm_revert", mark)
    for _ in range(MISSING_LOOKS):
        world.node.look()
    fault = world.node.queue_fault
    assert fault is not None
    assert (fault.index, fault.found) == (2, "nothing")
    world.l1.deposit([1], 2 * ETHER)
    world.node.look()
    fault = world.node.queue_fault
    assert fault is not None
    assert str(2 * ETHER) in fault.found


def test_land_after_blocks_were_reverted_does_their_operations_in_new_ones(world: World) -> None:
    """Committed and not proven for a day: anyone takes them back, and the committer is suspended."""
    world.blocks(1)
    world.land()
    world.blocks(4)
    world.node.lander.step()
    assert world.client.committed_blocks() == 5
    first, last = (world.node.lander.block(number) for number in (2, 1))
    # A minute more than the deadline, as a block's time may be as old as the deadline: old beyond doubt.
    world.rpc("evm_setNextBlockTimestamp", first.committed_at + PROOF_DEADLINE_SECONDS + 60)
    stranger = EthereumAccount.from_key(STRANGER_KEY)
    world.client.revert_blocks(stranger, last, first)
    with pytest.raises(ContractRefused) as refused:
        world.node.lander.step()
    assert refused.value.error == "CommitterSuspended"
    world.l1.call(world.l1.validator, world.l1.governor, "setValidator", ["address", "bool"], [stranger.address, True])
    world.restart(STRANGER_KEY)
    with pytest.raises(ContractRefused) as refused:
        world.node.lander.step()
    assert refused.value.error == "TimestampOutOfRange"
    file = world.folder / "operations"
    world.database.close()
    arguments = ["retract", "--database", f"sqlite:///{world.folder / 'node.db'}", "--rpc", world.rpc.url]
    arguments += ["--journal", str(world.folder / "journal"), "--manifest", str(world.manifest), "2", str(file)]
    done = CliRunner().invoke(database_command, arguments)
    assert done.exit_code == 0, done.output
    count = json.loads(done.output)["operations"]
    world.restart(STRANGER_KEY)
    world.receipts = world.receipts[:-count]
    for line in file.read_text().splitlines():
        (outcome,) = world.node.sequencer.submit([from_wire(json.loads(line))])
        assert isinstance(outcome, Receipt), outcome
        world.receipts.append(outcome)
    world.blocks(1)
    world.land()
    world.check()
    assert len({receipt.operation_hash for receipt in world.receipts}) == len(world.receipts) == world.nonce
