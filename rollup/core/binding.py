"""Data binding (protocol 7): commitment chain C, challenge X, evaluation Y."""

from collections.abc import Iterable, Sequence
from typing import Final

from eth_hash.auto import keccak

from rollup._native import poseidon
from rollup.core.checks import check_word
from rollup.core.constants import (
    CHALLENGE_BITS,
    CHUNK_BITS,
    CHUNK_BYTES,
    FIELD_MODULUS,
    L1_DEGREE_LOG2,
    L2_DEGREE_LOG2,
    MAX_CHUNKS_PER_STEP,
    MAX_WORDS_PER_STEP,
)
from rollup.core.header import Header, HeaderFields
from rollup.core.operations import Noop, Operation, PublishedOperation, PublishedStep, StepOperation, steps_of
from rollup.core.streams import WORD_BYTES, l1_words, l2_words

_COUNT_BITS_IN_CHAIN = 2


def commit_header(header: Header) -> int:
    """C_0 = Poseidon(5)(H0..H4)."""
    return poseidon(list(header.words()))


def commit_step(commitment: int, step: StepOperation | PublishedStep) -> int:
    """C after one more step, Noop too.

    Poseidon(8)(C, c0 + 2^120 * chunks + 2^122 * words, c1, c2, w0, w1, w2, w3).
    """
    return poseidon([commitment, *_step_words(step)])


def _step_words(step: StepOperation | PublishedStep) -> tuple[int, ...]:
    chunks, words = step.chunks(), step.record()
    counts = len(chunks) | len(words) << _COUNT_BITS_IN_CHAIN
    first, *others = chunks or (0,)
    padding = [0] * (MAX_CHUNKS_PER_STEP - 1 - len(others))
    words += (0,) * (MAX_WORDS_PER_STEP - len(words))
    return first + (counts << CHUNK_BITS), *others, *padding, *words


def chain_words(step: StepOperation | PublishedStep) -> bytes:
    """What `commit_step` hashes of a step besides C, for `commit_chains`: seven words of 32 bytes."""
    return b"".join(word.to_bytes(WORD_BYTES, "big") for word in _step_words(step))


def chain_word(chunk: bytes) -> bytes:
    """`chain_words` of a step that publishes one chunk and no record."""
    return _ONE_CHUNK + chunk + _NOTHING_ELSE


NOOP_WORDS: Final = chain_words(Noop())
_ONE_CHUNK: Final = (1).to_bytes(WORD_BYTES - CHUNK_BYTES, "big")
_NOTHING_ELSE: Final = bytes((MAX_CHUNKS_PER_STEP - 1 + MAX_WORDS_PER_STEP) * WORD_BYTES)


def commitment(header: Header, operations: Iterable[Operation | PublishedOperation]) -> int:
    """C of a block: the header, then all `block_size` steps, the Noops that pad it included."""
    value = commit_header(header)
    for operation in operations:
        for step in steps_of(operation):
            value = commit_step(value, step)
    return value


def challenge(header: HeaderFields, l2: bytes, l1: bytes, commitment: int) -> int:
    """X: the low 128 bits of keccak256(H0..H4, keccak256(L2 stream), keccak256(L1 stream), C)."""
    head = b"".join(word.to_bytes(32, "big") for word in header.words())
    tail = check_word("commitment", commitment).to_bytes(32, "big")
    digest = keccak(head + keccak(l2) + keccak(l1) + tail)
    return int.from_bytes(digest[-CHALLENGE_BITS // 8 :], "big")


def evaluate(words: Sequence[int], x: int, start: int = 0) -> int:
    """E(words) at x by Horner's rule, mod r: `start * x^n + words[0] * x^(n-1) + ... + words[n-1]`."""
    value = start
    for word in words:
        value = (value * x + word) % FIELD_MODULUS
    return value


def join_evaluations(header_eval: int, l2_eval: int, l1_eval: int, x: int) -> int:
    """Y = E(header) + X^(2^20) * E(L2) + X^(2^21) * E(L1) mod r."""
    l2_power = pow(x, 1 << L2_DEGREE_LOG2, FIELD_MODULUS)
    l1_power = pow(x, 1 << L1_DEGREE_LOG2, FIELD_MODULUS)
    return (header_eval + l2_power * l2_eval + l1_power * l1_eval) % FIELD_MODULUS


def evaluation(header: HeaderFields, l2: bytes, l1: bytes, x: int) -> int:
    """Y of a block at the challenge X."""
    return join_evaluations(evaluate(header.words(), x), evaluate(l2_words(l2), x), evaluate(l1_words(l1), x), x)
