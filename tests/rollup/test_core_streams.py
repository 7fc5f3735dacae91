"""Streams both ways, the header and the data binding (protocol 5, 6, 7)."""

import dataclasses
import random
from collections.abc import Callable

import pytest
from core_users import FEE_TOKENS
from eth_hash.auto import keccak

from rollup._native import poseidon
from rollup.core import (
    CancelOrderData,
    ChangePubKeyData,
    Deposit,
    FillData,
    ForcedExitData,
    FullExit,
    Header,
    Noop,
    SwapData,
    TransferToAddressData,
    decode_streams,
    encode_streams,
    header_from_words,
)
from rollup.core import TransferData as T
from rollup.core import WithdrawData as W
from rollup.core.amounts import floor_amount, floor_fee
from rollup.core.binding import challenge, commitment, evaluate, evaluation
from rollup.core.constants import FIELD_MODULUS, Op
from rollup.core.errors import FeeTokensError, FieldRuleError, StreamError, ValueRangeError
from rollup.core.operations import PublishedOperation
from rollup.core.streams import count_queued, l1_words, l2_words

HEADER = Header(
    domain=7, block_size=4, block_number=9, timestamp=11, queue_start=13, queue_count=1, l2_chunks=3, l1_words=6,
    old_root=17, new_root=19, fee_account=23, fee_tokens=FEE_TOKENS,
)  # fmt: skip
OPERATIONS: list[PublishedOperation] = [
    T(1, 2, 3, 400, 5),
    Deposit(1, 2, 3, 4, (5, 6), True, False, 7),
    W(1, 2, 2**128 - 1, 4, 5),
]


CHUNKS = {TransferToAddressData: 3, SwapData: 3}


def random_operation(rng: random.Random) -> PublishedOperation:
    """Any operation that can be published, the extremes more often than chance gives them."""

    def uint(bits: int) -> int:
        return rng.choice([0, 2**bits - 1, rng.randrange(2**bits), rng.randrange(2 ** rng.randrange(1, bits + 1))])

    amount, fee = floor_amount(uint(128)), floor_fee(uint(114))
    makers: list[Callable[[], PublishedOperation]] = [
        lambda: T(uint(24), uint(24), uint(12), amount, fee),
        lambda: W(uint(24), uint(12), uint(128), fee, uint(160)),
        lambda: FullExit(uint(24), uint(12), uint(160), uint(128), uint(64)),
        lambda: Deposit(uint(24), uint(12), uint(128), uint(160), (uint(253), uint(253)), rng.random() < 0.5),
        lambda: Deposit(0, uint(12), uint(128), uint(160), (uint(253), FIELD_MODULUS - 1), True, True, uint(64)),
        lambda: TransferToAddressData(uint(24), uint(24), uint(160), uint(12), amount, fee),
        lambda: ForcedExitData(uint(24), uint(24), uint(160), uint(12), uint(12), fee, uint(128)),
        lambda: ChangePubKeyData(uint(24), uint(160), (uint(253), FIELD_MODULUS - 1), uint(32), uint(12), fee),
        lambda: SwapData(
            FillData(uint(24), uint(12), uint(32), uint(12), amount, fee),
            FillData(uint(24), uint(12), uint(32), uint(12), floor_amount(uint(128)), floor_fee(uint(114))),
        ),
        lambda: CancelOrderData(uint(24), uint(12), uint(32), uint(12), fee),
    ]
    return rng.choice(makers)()


def test_decode_random_operations_round_trip() -> None:
    rng = random.Random(6)
    for _ in range(200):
        operations = [random_operation(rng) for _ in range(rng.randrange(12))]
        l2, l1 = encode_streams(operations)
        assert decode_streams(l2, l1) == operations
        assert len(l2) == 15 * sum(CHUNKS.get(type(operation), 1) for operation in operations)


def test_count_queued_random_operations_counts_deposits_and_full_exits() -> None:
    rng = random.Random(7)
    for _ in range(200):
        operations = [random_operation(rng) for _ in range(rng.randrange(12))]
        _, l1 = encode_streams(operations)
        assert count_queued(l1) == sum(isinstance(operation, Deposit | FullExit) for operation in operations)


def test_count_queued_stream_that_is_no_row_of_records_is_refused() -> None:
    _, l1 = encode_streams([Deposit(1, 2, 3, 4), FullExit(1, 2, 3, 4)])
    exit_alone = l1[128:]
    for stream, position in (
        (l1[:-32], 4),
        (l1[32:], 0),
        (exit_alone + bytes(32), 2),
        (b"\x01" + exit_alone[1:], 0),
        ((int(Op.TRANSFER) << 200).to_bytes(32, "big"), 0),
    ):
        with pytest.raises(StreamError) as caught:
            count_queued(stream)
        assert (caught.value.stream, caught.value.position) == ("L1", position)


def test_encode_noop_publishes_nothing() -> None:
    assert encode_streams([Noop(), *OPERATIONS, Noop()]) == encode_streams(OPERATIONS)


def test_decode_damaged_streams_refused_or_another_valid_block() -> None:
    """Whatever is accepted is what the encoder gives: no two byte strings mean the same."""
    rng = random.Random(8)
    refused = 0
    for _ in range(4000):
        l2, l1 = encode_streams([random_operation(rng) for _ in range(rng.randrange(1, 6))])
        streams = [bytearray(l2), bytearray(l1)]
        stream = rng.choice(streams)
        for _ in range(rng.randrange(1, 3)):
            damage = rng.randrange(4)
            at = rng.randrange(len(stream) + 1)
            if damage == 0 and at < len(stream):
                stream[at] ^= 1 << rng.randrange(8)
            elif damage == 1:
                del stream[at : at + rng.choice([1, 15, 32])]
            elif damage == 2:
                stream[at:at] = rng.randbytes(rng.choice([1, 15, 32]))
            else:
                stream[at : at + 1] = bytes([rng.choice([0, 255])])
        try:
            operations = decode_streams(bytes(streams[0]), bytes(streams[1]))
        except StreamError as error:
            refused += f"{error.stream} stream" in str(error)
        else:
            assert encode_streams(operations) == (bytes(streams[0]), bytes(streams[1]))
    assert 1000 < refused < 4000


def test_decode_random_bytes_never_another_error() -> None:
    rng = random.Random(9)
    for _ in range(2000):
        l2 = b"".join(
            bytes([rng.choice([*(code << 4 for code in range(1, 10)), rng.randrange(256)])])
            + rng.choice([bytes(14), rng.randbytes(14)])
            for _ in range(rng.randrange(4))
        )
        l1 = b"".join(bytes(rng.randrange(8, 20)) + rng.randbytes(32) for _ in range(rng.randrange(4)))
        try:
            operations = decode_streams(l2, l1[: rng.choice([len(l1), len(l1) // 32 * 32])])
        except StreamError:
            continue
        assert encode_streams(operations)[0] == l2


MARKER = bytes([0x50]) + bytes(14)
DEPOSIT_WORDS = Deposit(1, 2, 3, 4).record()


def words(*values: int) -> bytes:
    return b"".join(value.to_bytes(32, "big") for value in values)


def chunk(code: int, rest: int = 0) -> bytes:
    """A chunk of this code, with the rest of its 120 bits."""
    return (code << 116 | rest).to_bytes(15, "big")


@pytest.mark.parametrize(
    ("l2", "l1", "stream", "position", "reason"),
    [
        (bytes(14), b"", "L2", 0, "left over"),
        (MARKER + bytes(1), b"", "L2", 1, "left over"),
        (bytes(15), b"", "L2", 0, "code 0"),
        *((bytes([code << 4]) + bytes(14), b"", "L2", 0, f"code {code}") for code in (10, 11, 12, 13, 15)),
        (bytes([0x51]) + bytes(14), b"", "L2", 0, "outside code and fee"),
        (bytes([0x50]) + bytes(11) + b"\1" + bytes(2), b"", "L2", 0, "outside code and fee"),
        (bytes([0x10]) + bytes(13) + b"\x20", b"", "L2", 0, "pays no fee"),
        (bytes([0x50]) + bytes(13) + b"\x01", b"", "L2", 0, "not canonical"),
        (bytes([0x30]) + bytes(13) + b"\x01", b"", "L2", 0, "not canonical"),
        (bytes([0x30]) + bytes(11) + b"\x01\0\0", b"", "L2", 0, "not canonical"),
        (MARKER, b"", "L1", 0, "announces"),
        (MARKER, words(5 << 200), "L1", 1, "announces"),
        (MARKER, bytes(31), "L1", 0, "left over"),
        (MARKER, words(5 << 200, FIELD_MODULUS), "L1", 1, "modulus"),
        (MARKER, words(5 << 200, 2**254 - 1), "L1", 1, "modulus"),
        (MARKER, words(2 << 200, 0), "L1", 0, "record of operation 5"),
        (MARKER, words(1 << 204 | 5 << 200, 0), "L1", 0, "record of operation 5"),
        (MARKER, words(5 << 200 | 1 << 196, 0), "L1", 0, "flags"),
        (MARKER, words(5 << 200, 1 << 128), "L1", 1, "outside the fields"),
        (MARKER, words(5 << 200, 1 << 192), "L1", 1, "outside the fields"),
        (MARKER, words(5 << 200, 0, 0), "L1", 2, "no chunk"),
        (bytes([0x20]) + bytes(14), words(2 << 200 | 1 << 196, 0), "L1", 0, "flags"),
        (bytes([0x10]) + bytes(14), words(DEPOSIT_WORDS[0] | 4 << 196, *DEPOSIT_WORDS[1:]), "L1", 0, "flags"),
        (bytes([0x10]) + bytes(14), words(DEPOSIT_WORDS[0] | 2 << 196, *DEPOSIT_WORDS[1:]), "L1", 0, "instead of 0"),
        (bytes([0x10]) + bytes(14), words(*DEPOSIT_WORDS[:2]), "L1", 2, "announces"),
        # TransferToAddress: three chunks, the last half empty
        (chunk(4), b"", "L2", 1, "3 chunks"),
        (chunk(3) + chunk(4) + bytes(15), b"", "L2", 3, "3 chunks that chunk 1 starts"),
        (chunk(4) + bytes(15) + chunk(0, 1), b"", "L2", 2, "after the recipient"),
        (chunk(4) + bytes(15) + chunk(0, 1 << 79), b"", "L2", 2, "after the recipient"),
        (chunk(4, 1) + bytes(30), b"", "L2", 0, "not canonical"),
        # Swap: three chunks of its code
        (chunk(8) + chunk(8), b"", "L2", 2, "3 chunks"),
        (chunk(8) + chunk(3) + chunk(8), b"", "L2", 1, "start alike"),
        (chunk(8) + chunk(8) + chunk(3), b"", "L2", 2, "start alike"),
        (chunk(8) + chunk(8) + chunk(8, 1 << 64), b"", "L2", 2, "outside code and order ids"),
        (chunk(8) + chunk(8) + chunk(8, 1 << 115), b"", "L2", 2, "outside code and order ids"),
        (chunk(8, 4096 << 56) + chunk(8) + chunk(8), b"", "L2", 0, "slot is 4096"),
        (chunk(8) + chunk(8, 4096 << 56) + chunk(8), b"", "L2", 1, "slot is 4096"),
        (chunk(8) + chunk(8, 1 << 16) + chunk(8), b"", "L2", 1, "not canonical"),
        (chunk(8, 1) + chunk(8) + chunk(8), b"", "L2", 0, "not canonical"),
        # CancelOrder: a slot of 12 bits, an id of 32
        (chunk(9, 4096 << 56), b"", "L2", 0, "slot is 4096"),
        (chunk(9, 1 << 48), b"", "L2", 0, "first_valid_order_id is"),
        (chunk(9, 1), b"", "L2", 0, "not canonical"),
        # ForcedExit: fee token and payer in the marker, nothing else
        (chunk(7, 1 << 56), words(7 << 200, 1), "L2", 0, "between payer and fee"),
        (chunk(7, 1 << 16), words(7 << 200, 1), "L2", 0, "between payer and fee"),
        (chunk(7, 1), words(7 << 200, 1), "L2", 0, "not canonical"),
        (chunk(7), words(7 << 200), "L1", 1, "announces"),
        (chunk(7), words(5 << 200, 1), "L1", 0, "record of operation 7"),
        (chunk(7), words(7 << 200 | 1 << 196, 1), "L1", 0, "flags"),
        (chunk(7), words(7 << 200, 1 << 128), "L1", 1, "outside the fields"),
        # ChangePubKey: the fee twice alike, a nonce of 32 bits
        (chunk(6), words(6 << 200, 1, 0, 0), "L1", 1, "0 in its marker and 1"),
        (chunk(6, 1 << 5), words(6 << 200, 0, 0, 0), "L1", 1, "1 in its marker and 0"),
        (chunk(6), words(6 << 200, 1 << 160, 0, 0), "L1", 1, "outside the fields"),
        (chunk(6), words(6 << 200, 0), "L1", 2, "announces"),
        (chunk(6), words(6 << 200, 0, 0, FIELD_MODULUS), "L1", 3, "modulus"),
        (chunk(6, 1 << 16), words(6 << 200, 0, 0, 0), "L2", 0, "outside code and fee"),
        (chunk(6), words(6 << 200 | 1 << 196, 0, 0, 0), "L1", 0, "flags"),
    ],
)
def test_decode_malformed_names_stream_and_position(
    l2: bytes, l1: bytes, stream: str, position: int, reason: str
) -> None:
    with pytest.raises(StreamError) as caught:
        decode_streams(l2, l1)
    assert (caught.value.stream, caught.value.position) == (stream, position)
    assert reason in str(caught.value)


# Header


def test_header_words_fields_at_their_offsets() -> None:
    h1 = 1 << 184 | 4 << 168 | 9 << 136 | 11 << 96 | 13 << 56 | 1 << 40 | 3 << 20 | 6
    h4 = 23 << 96 | sum(j << 12 * j for j in range(8))
    assert HEADER.words() == (7, h1, 17, 19, h4)
    assert HEADER.fee_tokens_word() == h4 & (2**96 - 1)
    assert header_from_words(HEADER.words()) == HEADER


@pytest.mark.parametrize(
    ("field", "limit"),
    [
        ("domain", 2**224), ("block_size", 2**16), ("block_number", 2**32), ("timestamp", 2**40),
        ("queue_start", 2**40), ("queue_count", 2**16), ("l2_chunks", 2**20), ("l1_words", 2**20),
        ("old_root", FIELD_MODULUS), ("new_root", FIELD_MODULUS), ("fee_account", 2**24),
    ],
)  # fmt: skip
def test_header_field_at_limit_refused(field: str, limit: int) -> None:
    edge = dataclasses.replace(HEADER, **{field: limit - 1})
    assert header_from_words(edge.words()) == edge
    with pytest.raises(ValueRangeError) as caught:
        dataclasses.replace(HEADER, **{field: limit})
    assert (caught.value.field, caught.value.value, caught.value.limit) == (field, limit, limit)


@pytest.mark.parametrize(
    "tokens",
    [(), (0,) * 8, (0, 1, 2, 3, 4, 5, 6), tuple(range(9)), (0, 1, 2, 3, 4, 5, 6, 6), (1, 0, 2, 3, 4, 5, 6, 7),
     (0, 1, 2, 3, 4, 5, 6, 2048), (-1, 0, 1, 2, 3, 4, 5, 6)],
)  # fmt: skip
def test_header_fee_tokens_not_eight_increasing_refused(tokens: tuple[int, ...]) -> None:
    with pytest.raises(FeeTokensError) as caught:
        dataclasses.replace(HEADER, fee_tokens=tokens)
    assert caught.value.fee_tokens == tokens


def test_header_from_words_junk_refused() -> None:
    good = list(HEADER.words())
    for i, bits in ((0, 224), (1, 192), (4, 120)):
        with pytest.raises(ValueRangeError):
            header_from_words([*good[:i], good[i] | 1 << bits, *good[i + 1 :]])
    with pytest.raises(FieldRuleError):
        header_from_words(good[:4])
    with pytest.raises(FieldRuleError):
        header_from_words([good[0], good[1] + (1 << 184), *good[2:]])


# Binding


def test_commitment_chain_as_the_page_says() -> None:
    (chunk,) = OPERATIONS[0].chunks()
    c = poseidon(list(HEADER.words()))
    c = poseidon([c, chunk + (1 << 120), 0, 0, 0, 0, 0, 0])
    c = poseidon([c, (1 << 116) + (1 << 120) + (4 << 122), 0, 0, *OPERATIONS[1].record()])
    c = poseidon([c, OPERATIONS[2].chunks()[0] + (1 << 120) + (2 << 122), 0, 0, *OPERATIONS[2].record(), 0, 0])
    c = poseidon([c, 0, 0, 0, 0, 0, 0, 0])
    assert commitment(HEADER, [*OPERATIONS, Noop()]) == c


def test_commitment_each_step_takes_its_chunks_and_words() -> None:
    """A TransferToAddress is one step of three chunks, a Swap three steps of one."""
    to_address = TransferToAddressData(1, 2, 3, 4, 500, 6)
    swap = SwapData(FillData(1, 2, 3, 4, 500, 6), FillData(7, 8, 9, 10, 1100, 12))
    steps = swap.steps()
    assert [len(step.chunks()) for step in steps] == [1, 1, 1]
    change = ChangePubKeyData(1, 2, (3, 4), 5, 6, 7)
    c = poseidon(list(HEADER.words()))
    first, high, low = to_address.chunks()
    c = poseidon([c, first + (3 << 120), high, low, 0, 0, 0, 0])
    for step in steps:
        c = poseidon([c, step.chunks()[0] + (1 << 120), 0, 0, 0, 0, 0, 0])
    c = poseidon([c, change.chunks()[0] + (1 << 120) + (4 << 122), 0, 0, *change.record()])
    assert commitment(HEADER, [to_address, swap, change]) == c


def test_challenge_as_the_page_says_and_every_input_counts() -> None:
    """Fiat-Shamir: change each absorbed value and the challenge changes."""
    l2, l1 = encode_streams(OPERATIONS)
    x = challenge(HEADER, l2, l1, 29)
    preimage = words(*HEADER.words()) + keccak(l2) + keccak(l1) + words(29)
    assert x == int.from_bytes(keccak(preimage)[16:], "big")
    others = {x, challenge(HEADER, l2 + bytes(15), l1, 29), challenge(HEADER, l2, l1 + bytes(32), 29)}
    others.add(challenge(HEADER, l2, l1, 30))
    fields = [field.name for field in dataclasses.fields(Header) if field.name not in {"version", "fee_tokens"}]
    for field in fields:
        others.add(challenge(dataclasses.replace(HEADER, **{field: getattr(HEADER, field) + 1}), l2, l1, 29))
    others.add(challenge(dataclasses.replace(HEADER, fee_tokens=(0, 1, 2, 3, 4, 5, 6, 8)), l2, l1, 29))
    assert len(others) == 4 + len(fields) + 1


def test_evaluation_as_the_page_says() -> None:
    l2, l1 = encode_streams(OPERATIONS)
    x = 0x1234567890ABCDEF
    r = FIELD_MODULUS

    def polynomial(values: list[int]) -> int:
        return sum(value * pow(x, len(values) - 1 - i, r) for i, value in enumerate(values)) % r

    expected = polynomial(list(HEADER.words()))
    expected += pow(x, 2**20, r) * polynomial(l2_words(l2)) + pow(x, 2**21, r) * polynomial(l1_words(l1))
    assert evaluation(HEADER, l2, l1, x) == expected % r
    assert evaluate([], x) == 0


def test_l2_words_odd_last_chunk_is_the_high_half() -> None:
    assert l2_words(b"") == []
    assert l2_words(bytes(14) + b"\1") == [1 << 120]
    assert l2_words(bytes(14) + b"\1" + bytes(14) + b"\2") == [1 << 120 | 2]


def test_evaluation_changed_data_with_recomputed_challenge_differs() -> None:
    """A value only hashed into X would look bound and be bound to nothing: change it, take the new X, compare Y."""
    l2, l1 = encode_streams(OPERATIONS)
    for i in range(len(l2)):
        changed = l2[:i] + bytes([l2[i] ^ 1]) + l2[i + 1 :]
        x = challenge(HEADER, changed, l1, 29)
        assert evaluation(HEADER, changed, l1, x) != evaluation(HEADER, l2, l1, x)
    for i in range(31, len(l1), 32):
        changed = l1[:i] + bytes([l1[i] ^ 1]) + l1[i + 1 :]
        x = challenge(HEADER, l2, changed, 29)
        assert evaluation(HEADER, l2, changed, x) != evaluation(HEADER, l2, l1, x)
    for field in ("domain", "block_number", "timestamp", "queue_start", "old_root", "new_root", "fee_account"):
        header = dataclasses.replace(HEADER, **{field: getattr(HEADER, field) + 1})
        x = challenge(header, l2, l1, 29)
        assert evaluation(header, l2, l1, x) != evaluation(HEADER, l2, l1, x)
