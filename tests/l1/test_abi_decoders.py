"""What reads the bytes of a node that may lie: any bytes are read, or refused with the one error that is promised."""

import random

from eth_abi.abi import encode

from rollup.l1.abi import (
    BLOCK_COMMITTED_DATA,
    BLOCK_TYPE,
    COMMIT,
    COMMIT_PROVE_EXECUTE,
    COMMIT_PROVE_EXECUTE_TYPES,
    COMMIT_TYPES,
    NEW_BLOCK_TYPE,
    Committed,
    L1Block,
    decode_commit,
    decode_publication,
    selector,
)
from rollup.l1.errors import L1Error
from rollup.l1.refusals import Refusals

ROUNDS = 8_000
WORDS = (0, 1, 31, 32, 2**31, 2**63, 2**64, 2**160, 2**255, 2**256 - 1)
PARENT = L1Block.genesis()
NEW = (8, 1, bytes(32), 1, 1, bytes(32), bytes(15), bytes(64), b"")
INPUTS = (
    COMMIT + encode(COMMIT_TYPES, [PARENT.as_tuple(), [NEW, NEW], b""]),
    COMMIT_PROVE_EXECUTE + encode(COMMIT_PROVE_EXECUTE_TYPES, [PARENT.as_tuple(), NEW, [1] * 8, b""]),
)


def damaged(rng: random.Random, data: bytes, head: int = 4) -> bytes:
    """The data with one thing changed: a word, its length, or some bits; the first bytes stay as long as they last."""
    changed = bytearray(data)
    match rng.randrange(4):
        case 0:
            at = head + 32 * rng.randrange((len(data) - head) // 32)
            word = rng.choice((*WORDS, rng.randrange(len(data))))
            changed[at : at + 32] = word.to_bytes(32, "big")
        case 1:
            del changed[rng.randrange(len(data)) :]
        case 2:
            changed += bytes(rng.randrange(1, 70))
        case 3:
            for _ in range(rng.randrange(1, 4)):
                changed[rng.randrange(head, len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def test_decode_publication_of_damaged_input_is_read_exactly_or_a_value_error() -> None:
    rng = random.Random(7)
    refused = 0
    for _ in range(ROUNDS):
        data = damaged(rng, rng.choice(INPUTS))
        try:
            parent, blocks = decode_publication(data)
        except ValueError:
            refused += 1
            continue
        assert decode_commit(data) == blocks
        assert encode([BLOCK_TYPE], [parent.as_tuple()]) == data[4 : 4 + len(PARENT.as_tuple()) * 32]
        assert all(encode([NEW_BLOCK_TYPE], [block.as_tuple()])[32:] in data for block in blocks)
    assert ROUNDS // 2 < refused < ROUNDS


def test_committed_of_damaged_log_is_read_or_a_value_error() -> None:
    rng = random.Random(8)
    whole = encode(BLOCK_COMMITTED_DATA, [bytes(32), "0x" + 40 * "1", bytes(32), 5])
    refused = 0
    for _ in range(ROUNDS):
        data = damaged(rng, whole, 0)
        texts = [(b"x" * 32).hex(), damaged(rng, bytes(32), 0).hex(), bytes(32).hex()]
        log = {"topics": ["0x" + text for text in texts[: rng.randrange(4)]], "data": "0x" + data.hex()}
        if rng.random() < 0.1:
            log["data"] = "0x" + data.hex()[:-1] + rng.choice(["", "g"])
        try:
            committed = Committed.of_json(log)
        except ValueError:
            refused += 1
            continue
        assert (len(log["topics"]), len(data)) == (2, 128)
        assert 0 <= committed.committed_at < 2**256
    assert ROUNDS // 2 < refused < ROUNDS


def test_refusal_of_any_bytes_is_an_error_of_ours() -> None:
    """A token chooses them, or a node."""
    rng = random.Random(9)
    refusals = Refusals.of_contracts()
    heads = [*refusals._errors, selector("Error", ["string"]), selector("Panic", ["uint256"])]
    for _ in range(ROUNDS):
        body = encode(["string", "uint256"], ["no", 3])
        assert isinstance(refusals.decode("it", damaged(rng, rng.choice(heads) + body)), L1Error)
