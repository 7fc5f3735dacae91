"""The two streams a block publishes (protocol 6), both ways.

The decoder takes exactly what the encoder can produce: any other bytes are refused, with their position.
"""

from collections.abc import Iterable, Sequence

from rollup.core.amounts import unpack_amount, unpack_fee
from rollup.core.checks import unpack
from rollup.core.constants import (
    ACCOUNT_ID_BITS,
    ADDRESS_BITS,
    AMOUNT_BITS,
    AUX_BITS,
    BALANCE_BITS,
    CHUNK_BITS,
    CHUNK_BYTES,
    FEE_BITS,
    FIELD_MODULUS,
    FLAG_BITS,
    FLAG_REFUSED,
    FLAG_SENDER_IS_OWNER,
    OP_BITS,
    SLOT_BITS,
    Op,
)
from rollup.core.errors import EncodingError, StreamError
from rollup.core.operations import Deposit, FullExit, Operation, PublishedOperation, TransferData, WithdrawData

WORD_BYTES = 32
RECORD_WORDS = {Op.DEPOSIT: 4, Op.FULL_EXIT: 2, Op.WITHDRAW: 2}


def encode_streams(operations: Iterable[Operation | PublishedOperation]) -> tuple[bytes, bytes]:
    """The L2 and the L1 stream of these operations, in their order."""
    chunks: list[bytes] = []
    words: list[bytes] = []
    for operation in operations:
        chunk = operation.chunk()
        if chunk is not None:
            chunks.append(chunk.to_bytes(CHUNK_BYTES, "big"))
        words.extend(word.to_bytes(WORD_BYTES, "big") for word in operation.record())
    return b"".join(chunks), b"".join(words)


def decode_streams(l2: bytes, l1: bytes) -> list[PublishedOperation]:
    """The operations of a block, Noops left out.

    Raises:
        StreamError: not what `encode_streams` gives for any operations.
    """
    chunks, words = l2_chunks(l2), l1_words(l1)
    operations: list[PublishedOperation] = []
    next_word = 0
    for position, chunk in enumerate(chunks):
        code = chunk >> (CHUNK_BITS - OP_BITS)
        if code == Op.TRANSFER:
            operations.append(_transfer(chunk, position))
            continue
        fee = _marker_fee(chunk, position)
        record = words[next_word : next_word + RECORD_WORDS[Op(code)]]
        if len(record) < RECORD_WORDS[Op(code)]:
            raise StreamError("L1", len(words), f"ends before the record that chunk {position} announces")
        operations.append(_record(Op(code), record, fee, next_word))
        next_word += len(record)
    if next_word < len(words):
        raise StreamError("L1", next_word, "no chunk of the L2 stream announces this record")
    return operations


def l2_chunks(l2: bytes) -> list[int]:
    """The L2 stream as integers of 120 bits."""
    count, rest = divmod(len(l2), CHUNK_BYTES)
    if rest:
        raise StreamError("L2", count, f"{rest} bytes are left over: the length must be a multiple of {CHUNK_BYTES}")
    return [int.from_bytes(l2[i : i + CHUNK_BYTES], "big") for i in range(0, len(l2), CHUNK_BYTES)]


def l2_words(l2: bytes) -> list[int]:
    """The L2 stream as words of two chunks each, an odd last chunk filled up with zeros (protocol 7)."""
    padded = l2 + bytes(len(l2_chunks(l2)) % 2 * CHUNK_BYTES)
    return [int.from_bytes(padded[i : i + 2 * CHUNK_BYTES], "big") for i in range(0, len(padded), 2 * CHUNK_BYTES)]


def l1_words(l1: bytes) -> list[int]:
    """The L1 stream as words, each below the field's modulus."""
    count, rest = divmod(len(l1), WORD_BYTES)
    if rest:
        raise StreamError("L1", count, f"{rest} bytes are left over: the length must be a multiple of {WORD_BYTES}")
    words = [int.from_bytes(l1[i : i + WORD_BYTES], "big") for i in range(0, len(l1), WORD_BYTES)]
    for position, word in enumerate(words):
        if word >= FIELD_MODULUS:
            raise StreamError("L1", position, f"word {word:#x} is not below the field's modulus")
    return words


def _transfer(chunk: int, position: int) -> TransferData:
    _, _, token, from_id, to_id, amount, fee = unpack(
        chunk, OP_BITS, SLOT_BITS, ACCOUNT_ID_BITS, ACCOUNT_ID_BITS, AMOUNT_BITS, FEE_BITS
    )
    try:
        return TransferData(from_id, to_id, token, unpack_amount(amount), unpack_fee(fee))
    except EncodingError as error:
        raise StreamError("L2", position, error.message) from error


def _marker_fee(chunk: int, position: int) -> int:
    code, junk, fee_packed = unpack(chunk, CHUNK_BITS - OP_BITS - FEE_BITS, FEE_BITS)
    if code not in (Op.DEPOSIT, Op.FULL_EXIT, Op.WITHDRAW):
        raise StreamError("L2", position, f"operation code {code} is not in use")
    if junk:
        raise StreamError("L2", position, f"a marker has bits set outside code and fee ({junk:#x})")
    if fee_packed and code != Op.WITHDRAW:
        raise StreamError("L2", position, f"a queue operation pays no fee, got {fee_packed:#x}")
    try:
        return unpack_fee(fee_packed)
    except EncodingError as error:
        raise StreamError("L2", position, error.message) from error


def _record(op: Op, record: Sequence[int], fee: int, position: int) -> PublishedOperation:
    junk, code, flags, account_id, token, address = unpack(
        record[0], OP_BITS, FLAG_BITS, ACCOUNT_ID_BITS, SLOT_BITS, ADDRESS_BITS
    )
    if junk or code != op:
        raise StreamError("L1", position, f"the record of operation {op} starts with {record[0]:#x}")
    if flags & ~(FLAG_SENDER_IS_OWNER | FLAG_REFUSED if op == Op.DEPOSIT else 0):
        raise StreamError("L1", position, f"flags {flags:#x} are not in use with operation {op}")
    junk, aux, amount = unpack(record[1], AUX_BITS, BALANCE_BITS)
    if junk or (op == Op.WITHDRAW and aux):
        raise StreamError("L1", position + 1, f"bits are set outside the fields of operation {op} ({record[1]:#x})")
    if op == Op.WITHDRAW:
        return WithdrawData(account_id, token, amount, fee, address)
    if op == Op.FULL_EXIT:
        return FullExit(account_id, token, address, amount, aux)
    sender_is_owner, refused = bool(flags & FLAG_SENDER_IS_OWNER), bool(flags & FLAG_REFUSED)
    if refused and account_id:
        raise StreamError("L1", position, f"a refused deposit names account {account_id} instead of 0")
    return Deposit(account_id, token, amount, address, (record[2], record[3]), sender_is_owner, refused, aux)
