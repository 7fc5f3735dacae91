"""The real contract on anvil, behind a verifier that accepts every proof: long chains in minutes."""

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eth_abi.abi import decode, encode

from bench.unsigned_chain import UnsignedChain
from rollup._native import eddsa_public_key
from rollup.core import Deposit, FullExit, QueueOperation, decode_streams
from rollup.core.constants import CHUNK_BITS, CHUNK_BYTES, DEPOSIT_CAP_BITS, OP_BITS, Op
from rollup.core.streams import WORD_BYTES
from rollup.l1.abi import (
    BLOCK_TYPE,
    DEPOSIT_QUEUED,
    DEPOSIT_QUEUED_DATA,
    FULL_EXIT_QUEUED,
    FULL_EXIT_QUEUED_DATA,
    selector,
)
from rollup.l1.feed import Origin
from rollup.l1.rpc import JsonRpc
from rollup.toolchain import ROOT, use_tool_environment

BUILD = ROOT / "build" / "accept-all"
TEST_SOURCES = [
    ROOT / "tests" / "contracts" / "sources" / f"{name}.sol"
    for name in ("AcceptAllVerifier", "AcceptAllExitVerifier", "Flooder")
]
GENERATED = ("BlockVerifier.sol", "ExitVerifier.sol")
SIZES = (8, 64, 153, 256, 1024)
GAS = 1 << 24
"""EIP-7825's limit of a transaction."""
QUEUE_FEE_GWEI = 1_000
PROOF = (1,) * 8
PROOFS_AT_ONCE = 32
CALLS_AT_ONCE = 64
RECEIPT_POLL_SECONDS = 0.005


def creation_codes(folder: Path = BUILD) -> dict[str, bytes]:
    """Creation code of Governor, Rollup and what the tests add, compiled by ape in a project of their own."""
    use_tool_environment()  # before ape is imported
    from ape.logging import logger

    from rollup.l1.project import compiled_contracts, contract_sources, mirror_project

    logger.set_level("ERROR")
    kept = [path for path in contract_sources(ROOT / "contracts") if path.name not in GENERATED]
    files = {path.relative_to(ROOT): path.read_text() for path in kept}
    for path in TEST_SOURCES:
        files[Path("contracts/mocks") / path.name] = path.read_text().replace("../../../contracts/", "../")
    mirror_project(folder, files)
    contracts = compiled_contracts(folder)
    names = ("Governor", "Rollup", *(path.stem for path in TEST_SOURCES))
    return {name: bytes(contracts(name).contract_type.get_deployment_bytecode()) for name in names}


class AcceptAll:
    """A deployment on an anvil whose accounts are unlocked; account 0 owns it and commits.

    Args:
        rpc: The anvil.
        codes: What `creation_codes` gives.
        exit_verifier: Creation code of another verifier of exits than the one that accepts all.
    """

    def __init__(self, rpc: JsonRpc, codes: dict[str, bytes], exit_verifier: bytes | None = None) -> None:
        self.rpc = rpc
        self.accounts: list[str] = rpc("eth_accounts")
        owner = self.validator = self.accounts[0]
        self.governor = governor = self._create(
            codes["Governor"], ["address", "uint128", "address[]"], [owner, (1 << DEPOSIT_CAP_BITS) - 1, [owner]]
        )
        verifier = self._create(codes["AcceptAllVerifier"], ["uint16[]"], [SIZES])
        exits = self._create(exit_verifier or codes["AcceptAllExitVerifier"], [], [])
        deployed_at = int(rpc("eth_blockNumber"), 16)
        types = ["address", "address", "address", "address", "uint32"]
        values = [governor, governor, verifier, exits, QUEUE_FEE_GWEI]
        self.rollup = self._create(codes["Rollup"], types, values)
        genesis = str(rpc("eth_getBlockByNumber", "0x0", False)["hash"])
        self.origin = Origin(rpc.chain_id(), self.rollup, deployed_at, genesis)
        self.validator_set = rpc.call(governor, selector("validatorSet", []))

    @property
    def now(self) -> int:
        """Timestamp of the latest L1 block."""
        return int(self.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def deposit(self, accounts: Sequence[int], amount: int) -> None:
        """Have L1 accounts, by index, deposit wei each, with a key of their own."""
        types = ["uint128", "address", "uint256", "uint256"]
        calls = []
        for index in accounts:
            key = eddsa_public_key((index + 1).to_bytes(32, "big"))
            data = selector("depositETH", types) + encode(types, [amount, self.accounts[index], *key])
            calls.append({"from": self.accounts[index], "data": data, "value": amount})
        self._send_all(calls)

    def request_exits(self, accounts: Sequence[tuple[int, int]]) -> None:
        """Have L1 accounts, by index, demand back what an L2 account has of ETH: (index, account id) each."""
        types = ["uint32", "uint16"]
        self._send_all(
            [
                {
                    "from": self.accounts[index],
                    "data": selector("requestFullExit", types) + encode(types, [account_id, 0]),
                    "value": 0,
                }
                for index, account_id in accounts
            ]
        )

    def queue(self, start: int) -> list[QueueOperation]:
        """The queue's entries from an index on, as requested."""
        logs = self.rpc.logs(self.rollup, [DEPOSIT_QUEUED, FULL_EXIT_QUEUED], self.origin.deployed_at)
        entries = sorted((int(log["topics"][1], 16), _requested(log)) for log in logs)
        return [operation for index, operation in entries if index >= start]

    def commit(self, chain: UnsignedChain, first: int, last: int) -> dict[str, Any]:
        """Commit blocks of a chain in one transaction; return its receipt."""
        receipt = self.send(self.validator, self.rollup, chain.input(first, last))
        l1_block = self.rpc("eth_getBlockByNumber", receipt["blockNumber"], False)
        chain.note_commit(first, last, int(l1_block["timestamp"], 16))
        return receipt

    def prove(self, chain: UnsignedChain, first: int, last: int) -> None:
        """Prove blocks of a chain."""
        types = [f"{BLOCK_TYPE}[]", "uint256[8][]"]
        for start in range(first, last + 1, PROOFS_AT_ONCE):
            blocks = [block.as_tuple() for block in chain.chain[start : min(start + PROOFS_AT_ONCE, last + 1)]]
            data = selector("proveBlocks", types) + encode(types, [blocks, [PROOF] * len(blocks)])
            self.send(self.validator, self.rollup, data)

    def execute(self, chain: UnsignedChain, number: int) -> dict[str, Any]:
        """Execute a block of a chain; return the receipt."""
        sealed, types = chain.sealed[number], [f"{BLOCK_TYPE}[]", "bytes[]"]
        assert sealed is not None
        values = [[chain.chain[number].as_tuple()], [sealed.l1]]
        return self.send(self.validator, self.rollup, selector("executeBlocks", types) + encode(types, values))

    def mine(self, blocks: int) -> None:
        """Mine empty L1 blocks."""
        self.rpc("anvil_mine", hex(blocks))

    def call(self, sender: str, to: str, name: str, types: list[str], values: list[Any], wei: int = 0) -> None:
        """Have an L1 account call a contract."""
        self.send(sender, to, selector(name, types) + encode(types, values), wei)

    def create(self, code: bytes) -> str:
        """Create a contract; return its address."""
        return self._create(code, [], [])

    def _create(self, code: bytes, types: list[str], values: list[Any]) -> str:
        receipt = self.send(self.accounts[0], None, code + encode(types, values))
        return str(receipt["contractAddress"])

    def send(self, sender: str, to: str | None, data: bytes, wei: int = 0) -> dict[str, Any]:
        """Send a transaction that must succeed; return its receipt."""
        call = {"from": sender, "data": "0x" + data.hex(), "value": hex(wei), "gas": hex(GAS)} | (
            {"to": to} if to else {}
        )
        return self._receipt(self.rpc("eth_sendTransaction", call))

    def _send_all(self, calls: Sequence[dict[str, Any]]) -> None:
        """Queue something each: send calls to the rollup, some in each L1 block. The queue fee is paid on top."""
        self.rpc("evm_setAutomine", False)
        for start in range(0, len(calls), CALLS_AT_ONCE):
            # Twice what it is, the most L1 takes: it rises with the queue.
            fee = 2 * int.from_bytes(self.rpc.call(self.rollup, selector("queueFee", [])), "big")
            sent = []
            for call in calls[start : start + CALLS_AT_ONCE]:
                texts = {"data": "0x" + call["data"].hex(), "value": hex(call["value"] + fee), "to": self.rollup}
                sent.append(self.rpc("eth_sendTransaction", call | texts | {"gas": hex(400_000)}))
            self.rpc("evm_mine")
            for name in sent:
                self._receipt(name)
        self.rpc("evm_setAutomine", True)

    def _receipt(self, name: str) -> dict[str, Any]:
        while (receipt := self.rpc("eth_getTransactionReceipt", name)) is None:
            time.sleep(RECEIPT_POLL_SECONDS)
        if receipt["status"] != "0x1":
            raise AssertionError(f"reverted: {json.dumps(receipt)[:500]}")
        found: dict[str, Any] = receipt
        return found


def _requested(log: dict[str, Any]) -> QueueOperation:
    is_deposit = log["topics"][0] == "0x" + DEPOSIT_QUEUED.hex()
    types = DEPOSIT_QUEUED_DATA if is_deposit else FULL_EXIT_QUEUED_DATA
    *_, record = decode(types, bytes.fromhex(log["data"][2:]))
    marker = (Op.DEPOSIT if is_deposit else Op.FULL_EXIT) << (CHUNK_BITS - OP_BITS)
    words = b"".join(word.to_bytes(WORD_BYTES, "big") for word in record)
    (operation,) = decode_streams(marker.to_bytes(CHUNK_BYTES, "big"), words)
    assert isinstance(operation, Deposit | FullExit)
    return operation
