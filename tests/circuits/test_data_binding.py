"""What L1 sees is what the circuit took in: other data, with the challenge drawn anew for it, gives another Y (I-08).

A value that were hashed into X but not a coefficient would pass a test that keeps the old X. So each test plays the
contract: it changes the published data, computes X and Y of that, and asks the circuit, which has its own data, for Y.
"""

from collections.abc import Callable

import pytest
from circuit_world import ALICE, BOB, NOBODY, World, following
from eth_hash.auto import keccak

from rollup.circuits.blocks import Pieces
from rollup.core.binding import evaluate, join_evaluations
from rollup.core.block import SealedBlock
from rollup.core.constants import CHUNK_BITS, CHUNK_BYTES, FIELD_MODULUS
from rollup.core.operations import Deposit, FullExit

HEADER_WORDS = 5


@pytest.fixture
def sealed(world: World) -> SealedBlock:
    """Odd and even chunks, records of two and four words, a Noop, fees."""
    return world.block(
        [
            world.transfer(ALICE, BOB, 0, 12 * 10**17, 21 * 10**14),
            Deposit(7, 5, 12345, 0xD00D, NOBODY.key, True, queue_fee_gwei=3),
            FullExit(ALICE.account_id, 5, ALICE.address, queue_fee_gwei=9),
            world.withdraw(BOB, 0xBEEF, 0, 10**17 + 1, 10**14),
            world.transfer(BOB, ALICE, 0, 1, 0, nonce=1),
        ],
        6,
    )


class Published:
    """The data as the contract gets it, word by word, and what it computes of it."""

    def __init__(self, sealed: SealedBlock) -> None:
        self.header = list(sealed.header.words())
        self.chunks = [sealed.l2[i : i + CHUNK_BYTES] for i in range(0, len(sealed.l2), CHUNK_BYTES)]
        self.words = [int.from_bytes(sealed.l1[i : i + 32], "big") for i in range(0, len(sealed.l1), 32)]
        self.commitment = sealed.commitment

    def challenge(self) -> int:
        head = b"".join(word.to_bytes(32, "big") for word in self.header)
        streams = keccak(b"".join(self.chunks)) + keccak(b"".join(word.to_bytes(32, "big") for word in self.words))
        return int.from_bytes(keccak(head + streams + self.commitment.to_bytes(32, "big")), "big") % (1 << 128)

    def evaluation(self, x: int) -> int:
        padded = b"".join(self.chunks) + bytes(len(self.chunks) % 2 * CHUNK_BYTES)
        l2 = [int.from_bytes(padded[i : i + 30], "big") for i in range(0, len(padded), 30)]
        return join_evaluations(evaluate(self.header, x), evaluate(l2, x), evaluate(self.words, x), x)


def accepts(pieces: Pieces, sealed: SealedBlock, x: int, y: int) -> bool:
    """Whether the circuits hold for (C, x, y) with the block's own data."""
    inputs = sealed.witness
    assert inputs is not None
    witness = pieces.open.witness(inputs.open.signals() | {"X": x})
    assert pieces.open.check(witness) is None
    header_eval = witness.outputs()["header_eval"]
    for step in inputs.steps:
        witness = pieces.step.witness(step.signals() | following(witness.outputs()) | {"X": x})
        assert pieces.step.check(witness) is None
    own = inputs.close.signals() | following(witness.outputs())
    close = pieces.close.witness(own | {"X": x, "Y": y, "header_eval": header_eval})
    return pieces.close.check(close) is None


def test_untouched_data_is_accepted_at_any_challenge(pieces: Pieces, sealed: SealedBlock) -> None:
    published = Published(sealed)
    assert (published.challenge(), published.evaluation(sealed.challenge)) == (sealed.challenge, sealed.evaluation)
    for x in (sealed.challenge, 0, 1, (1 << 128) - 1):
        assert accepts(pieces, sealed, x, published.evaluation(x))
        assert not accepts(pieces, sealed, x, published.evaluation(x) + 1)


def _refuses(pieces: Pieces, sealed: SealedBlock, published: Published) -> None:
    x = published.challenge()
    assert x != sealed.challenge
    assert not accepts(pieces, sealed, x, published.evaluation(x))


@pytest.mark.parametrize("bit", [0, 95])
@pytest.mark.parametrize("word", range(HEADER_WORDS))
def test_header_word_changed_is_refused(pieces: Pieces, sealed: SealedBlock, word: int, bit: int) -> None:
    published = Published(sealed)
    published.header[word] ^= 1 << bit
    _refuses(pieces, sealed, published)


@pytest.mark.parametrize("bit", [0, 15, 16, 60, CHUNK_BITS - 1])
@pytest.mark.parametrize("position", range(5))
def test_chunk_changed_is_refused(pieces: Pieces, sealed: SealedBlock, position: int, bit: int) -> None:
    published = Published(sealed)
    chunk = int.from_bytes(published.chunks[position], "big") ^ 1 << bit
    published.chunks[position] = chunk.to_bytes(CHUNK_BYTES, "big")
    _refuses(pieces, sealed, published)


@pytest.mark.parametrize("bit", [0, 130, 200])
@pytest.mark.parametrize("position", range(8))
def test_record_word_changed_is_refused(pieces: Pieces, sealed: SealedBlock, position: int, bit: int) -> None:
    published = Published(sealed)
    published.words[position] = (published.words[position] ^ 1 << bit) % FIELD_MODULUS
    _refuses(pieces, sealed, published)


SHAPES: dict[str, Callable[[Published], object]] = {
    "chunk_dropped": lambda p: p.chunks.pop(),
    "zero_chunk_behind": lambda p: p.chunks.append(bytes(CHUNK_BYTES)),
    "zero_chunk_in_front": lambda p: p.chunks.insert(0, bytes(CHUNK_BYTES)),
    "zero_word_in_front_of_chunks": lambda p: p.chunks.__setitem__(slice(0, 0), [bytes(CHUNK_BYTES)] * 2),
    "chunks_reversed": lambda p: p.chunks.reverse(),
    "word_dropped": lambda p: p.words.pop(),
    "zero_word_behind": lambda p: p.words.append(0),
    "zero_word_in_front": lambda p: p.words.insert(0, 0),
    "words_reversed": lambda p: p.words.reverse(),
    "nothing_left": lambda p: (p.chunks.clear(), p.words.clear()),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_streams_of_another_shape_are_refused(pieces: Pieces, sealed: SealedBlock, shape: str) -> None:
    """Zeros in front, or behind an odd chunk, leave the polynomial as it is: the counts in H1 tell them apart."""
    published = Published(sealed)
    SHAPES[shape](published)
    published.header[1] = published.header[1] >> 40 << 40 | len(published.chunks) << 20 | len(published.words)
    _refuses(pieces, sealed, published)


def test_commitment_changed_is_refused(pieces: Pieces, sealed: SealedBlock) -> None:
    inputs = sealed.witness
    assert inputs is not None
    close = inputs.close.signals() | {"C": (sealed.commitment + 1) % FIELD_MODULUS}
    assert pieces.close.check(pieces.close.witness(close)) is not None
