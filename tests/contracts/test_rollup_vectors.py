"""The shared vectors of the protocol, and the core's own binding, on the contract: Python = circuit = contract."""

import json
import random
from dataclasses import astuple
from typing import Any

import pytest
from block_model import Block, NewBlock, as_requested, stream, withdraw_record
from contract_rig import BASE_FEE_GWEI, CAP, ETHER, FEE, Rig, address
from eth_hash.auto import keccak
from eth_utils import to_checksum_address

from rollup.core.binding import challenge, evaluation
from rollup.core.header import Header
from rollup.core.operations import domain
from rollup.toolchain import ROOT

VECTORS: dict[str, Any] = json.loads((ROOT / "tests/vectors/protocol.json").read_text())
HEADERS = [block["header"] for block in VECTORS["blocks"]]


def raw(text: str) -> bytes:
    return bytes.fromhex(text[2:])


def mapping_slot(key: int, slot: int) -> str:
    return "0x" + keccak(key.to_bytes(32, "big") + slot.to_bytes(32, "big")).hex()


def storage(rig: Rig, rollup: Any, slot: str) -> bytes:
    return raw(rig.rpc("eth_getStorageAt", address(rollup), slot, "latest"))


def find_mapping(rig: Rig, rollup: Any, value: bytes) -> int:
    """The slot number of the mapping that holds the value under key 0."""
    (found,) = (slot for slot in range(10) if storage(rig, rollup, mapping_slot(0, slot)) == value)
    return found


@pytest.fixture
def vector_rig(rig: Rig) -> Rig:
    """A rollup at the address of the vectors, with their queue: code and storage placed by anvil."""
    sizes = [header["block_size"] for header in HEADERS]
    governor = rig.owner.deploy(rig.project.Governor, rig.owner, CAP, [rig.validator.address])
    verifier = rig.owner.deploy(rig.project.AcceptAllVerifier, sizes)
    model = rig.owner.deploy(rig.project.Rollup, governor, governor, verifier, rig.exit_verifier, BASE_FEE_GWEI)
    rig.send(model, "depositETH", 1, rig.alice.address, 0, 0, sender=rig.alice, value=1 + FEE)
    entry = model.queueEntry(0)
    hashes = find_mapping(rig, model, Block().hash())
    entries = find_mapping(rig, model, bytes(entry.hash) + entry.expiry.to_bytes(5, "big"))

    place = to_checksum_address(VECTORS["domain"]["rollup_address"])
    rig.rpc("anvil_setCode", place, rig.rpc("eth_getCode", address(model), "latest"))
    # Something of the rig's own may be at this address.
    for slot in range(10):
        rig.rpc("anvil_setStorageAt", place, f"0x{slot:064x}", "0x" + bytes(32).hex())
    rig.rpc("anvil_setStorageAt", place, mapping_slot(0, hashes), "0x" + Block().hash().hex())
    for index, record in enumerate(queue_records()):
        entry = keccak(stream(as_requested(record)))[:27] + bytes(5)
        rig.rpc("anvil_setStorageAt", place, mapping_slot(index, entries), "0x" + entry.hex())
    rollup = rig.project.Rollup.at(place)
    return Rig(rig.project, rig.provider, rig.accounts, governor, verifier, rig.exit_verifier, rollup, rig.errors)


def queue_records() -> list[list[int]]:
    """Of all blocks, in order."""
    records = [[int(word, 16) for word in step["record"]] for block in VECTORS["blocks"] for step in block["steps"]]
    return [record for record in records if record and record[0] >> 200 in (1, 2)]


def published(vector: dict[str, Any]) -> NewBlock:
    return NewBlock(
        timestamp=vector["header"]["timestamp"],
        block_size=vector["header"]["block_size"],
        new_root=int(vector["header"]["new_root"], 16),
        fee_account=vector["header"]["fee_account"],
        fee_tokens=int(vector["header_words"][4], 16) & 2**96 - 1,
        commitment=int(vector["C"], 16),
        l2=raw(vector["l2"]),
        l1=raw(vector["l1"]),
        key_auth=raw(vector["key_auth"]),
    )


def test_blocks_of_the_vectors_are_committed_with_their_challenge_and_evaluation(vector_rig: Rig) -> None:
    rig = vector_rig
    assert rig.web3.eth.chain_id == VECTORS["domain"]["chain_id"]
    for number, vector in enumerate(VECTORS["blocks"], 1):
        rig.rpc("evm_setNextBlockTimestamp", vector["header"]["timestamp"] + 1)
        rig.commit(published(vector))
        assert (rig.last.challenge, rig.last.evaluation) == (int(vector["X"], 16), int(vector["Y"], 16))
        assert bytes(rig.rollup.blockHash(number)) == rig.last.hash()
        assert rig.rollup.verifyBlock(astuple(rig.last))


def test_queue_entries_of_the_vectors_are_what_the_contract_writes(rig: Rig) -> None:
    """An exit by each owner of the vectors: the record is theirs but for the fee."""
    rig.deposit_eth(1)
    for queued in VECTORS["queue"]:
        operation = queued["operation"]
        words = [int(word, 16) for word in queued["record_as_requested"]]
        assert words == list(as_requested(words))
        assert keccak(stream(words))[:27] == raw(queued["hash"])
        if operation["op"] != "FullExit":
            continue
        owner = to_checksum_address(operation["owner"])
        rig.rpc("anvil_impersonateAccount", owner)
        rig.rpc("anvil_setBalance", owner, hex(ETHER))
        args = (operation["account_id"], operation["token"])
        receipt = rig.send(rig.rollup, "requestFullExit", *args, sender=owner, value=FEE)
        (event,) = rig.events(receipt, "FullExitQueued")
        assert event["record"] == [words[0], BASE_FEE_GWEI << 128]


def test_binding_of_the_core_is_the_contracts(rig: Rig) -> None:
    source = random.Random(20)
    for chunks, records in ((0, 0), (1, 1), (2, 3), (77, 4), (100, 9)):
        l1 = stream(*(withdraw_record(f"0x{source.getrandbits(160):040x}", n) for n in range(records)))
        new = rig.new_block(l2=source.randbytes(15 * chunks), l1=l1, block_size=512)
        header = Header(
            domain=domain(rig.web3.eth.chain_id, int(address(rig.rollup), 16)),
            block_size=512,
            block_number=rig.last.number + 1,
            timestamp=new.timestamp,
            queue_start=0,
            queue_count=0,
            l2_chunks=chunks,
            l1_words=2 * records,
            old_root=rig.last.new_root,
            new_root=new.new_root,
            fee_account=new.fee_account,
            fee_tokens=tuple(range(8)),
        )
        rig.commit(new)
        x = challenge(header, new.l2, l1, new.commitment)
        y = evaluation(header, new.l2, l1, x)
        assert (rig.last.challenge, rig.last.evaluation) == (x, y)
        assert bytes(rig.rollup.blockHash(rig.last.number)) == rig.last.hash()
