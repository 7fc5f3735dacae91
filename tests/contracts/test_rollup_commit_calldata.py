"""commitBlocks takes its calldata in one form only: what is hashed and proven is what everybody reads."""

from dataclasses import astuple, fields
from typing import Any

import pytest
from block_model import Block, stream, withdraw_record, word
from contract_rig import PROOF, Refusal, Rig, address
from eth_abi import encode

NEW_BLOCK = "(uint16,uint64,bytes32,uint32,uint96,bytes32,bytes,bytes,bytes)"
BLOCK = (
    "(uint64,bytes32,uint256,uint256,uint64,uint16,uint8,uint256,uint256,uint256,"
    "bytes32,bytes32,uint64,uint64,address,bytes32,uint40)"
)


def _commit_data(rig: Rig, l2: bytes = bytes(15)) -> bytes:
    return rig.data(rig.rollup, "commitBlocks", *rig.commit_arguments(rig.new_block(l2=l2)))


def test_commit_calldata_is_the_plain_encoding(rig: Rig) -> None:
    new = rig.new_block(l2=bytes(15))
    plain = encode([BLOCK, NEW_BLOCK + "[]", "bytes"], [astuple(Block()), [new.arguments()], b""])
    data = rig.data(rig.rollup, "commitBlocks", *rig.commit_arguments(new))
    assert data[4:] == plain


@pytest.mark.parametrize("tail", [b"\0", bytes(32), b"\1"])
def test_commit_trailing_bytes_are_refused(rig: Rig, tail: bytes) -> None:
    data = _commit_data(rig) + tail
    assert rig.refused_data(rig.rollup, data, sender=rig.validator) == Refusal("CalldataNotCanonical", ())


def test_commit_dirty_padding_is_refused(rig: Rig) -> None:
    """The 17 bytes after a chunk of 15: a place to hide data in."""
    data = bytearray(_commit_data(rig, l2=b"\x11" * 15))
    at = data.index(b"\x11" * 15) + 15
    data[at] = 1
    assert rig.refused_data(rig.rollup, bytes(data), sender=rig.validator) == Refusal("CalldataNotCanonical", ())


def test_commit_non_canonical_offsets_are_refused(rig: Rig) -> None:
    """The same arguments to a decoder, with each dynamic part moved by a word."""
    data = _commit_data(rig)
    head, body = data[:4], data[4:]
    blocks_at = len(fields(Block)) * 32
    gap = blocks_at + 2 * 32
    offset = int.from_bytes(body[blocks_at : blocks_at + 32], "big")
    assert offset == gap
    auth = int.from_bytes(body[blocks_at + 32 : blocks_at + 64], "big")
    moved = body[:blocks_at] + word(offset + 32) + word(auth + 32) + bytes(32) + body[gap:]
    assert rig.refused_data(rig.rollup, head + moved, sender=rig.validator) == Refusal("CalldataNotCanonical", ())


def test_commit_streams_in_the_other_order_are_refused(rig: Rig) -> None:
    """l1 before l2 decodes to the same block."""
    new = rig.new_block(l2=b"\x22" * 15, l1=stream(withdraw_record(address(rig.bob), 1)))
    data = rig.data(rig.rollup, "commitBlocks", *rig.commit_arguments(new))
    l2 = word(15) + new.l2 + bytes(17)
    l1 = word(64) + new.l1
    at = data.index(l2 + l1)
    swapped = bytearray(data[:at] + l1 + l2 + data[at + len(l1 + l2) :])
    offsets = data.index(word(9 * 32) + word(9 * 32 + len(l2)))
    swapped[offsets : offsets + 64] = word(9 * 32 + len(l1)) + word(9 * 32)
    assert rig.refused_data(rig.rollup, bytes(swapped), sender=rig.validator) == Refusal("CalldataNotCanonical", ())


def test_commit_shared_streams_are_refused(rig: Rig) -> None:
    """Both streams empty, at one place."""
    data = bytearray(rig.data(rig.rollup, "commitBlocks", *rig.commit_arguments(rig.new_block())))
    at = data.index(word(9 * 32) + word(10 * 32))
    data[at + 32 : at + 64] = word(9 * 32)
    assert rig.refused_data(rig.rollup, bytes(data), sender=rig.validator) == Refusal("CalldataNotCanonical", ())


def test_commit_prove_execute_trailing_bytes_and_dirty_padding_are_refused(rig: Rig) -> None:
    arguments = [astuple(Block()), rig.new_block(l2=b"\x33" * 15).arguments(), PROOF, b""]
    data = rig.data(rig.rollup, "commitProveExecute", *arguments)
    dirty = bytearray(data)
    dirty[data.index(b"\x33" * 15) + 20] = 1
    for wrong in (data + bytes(32), bytes(dirty)):
        assert rig.refused_data(rig.rollup, wrong, sender=rig.validator) == Refusal("CalldataNotCanonical", ())


def test_commit_every_flipped_byte_is_refused_or_another_block(rig: Rig) -> None:
    """Nothing in the calldata is without effect (the calldata binding hazard)."""
    new = rig.new_block(l2=bytes(15), l1=stream(withdraw_record(address(rig.bob), 1)))
    data = rig.data(rig.rollup, "commitBlocks", *rig.commit_arguments(new))
    honest = _hash_after(rig, data)
    assert honest == rig.model(new).hash()
    for position in range(4, len(data)):
        flipped = bytearray(data)
        flipped[position] ^= 1
        assert _hash_after(rig, bytes(flipped)) != honest, position


def _hash_after(rig: Rig, data: bytes) -> Any:
    """Hash of block 1 had this been sent, or None: the log of a simulated call."""
    block = {
        "calls": [
            {
                "from": rig.validator.address,
                "to": address(rig.rollup),
                "input": "0x" + data.hex(),
                "gas": hex(10**7),
            }
        ]
    }
    answer = rig.rpc("eth_simulateV1", {"blockStateCalls": [block]}, "latest")
    (call,) = answer[0]["calls"]
    if call["status"] != "0x1":
        return None
    return bytes.fromhex(call["logs"][0]["data"][2:66])
