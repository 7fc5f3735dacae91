"""The two streams a block publishes (protocol 6), both ways.

The decoder takes exactly what the encoder can produce: any other bytes are refused, with their position.
"""

from collections.abc import Callable, Iterable
from typing import Final, get_args

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
    FLAG_REFUSED,
    FLAG_SENDER_IS_OWNER,
    NONCE_BITS,
    OP_BITS,
    ORDER_ID_BITS,
    SLOT_BITS,
    SWAP_STEPS,
    Op,
)
from rollup.core.errors import EncodingError, StreamError
from rollup.core.operations import (
    CancelOrderData,
    ChangePubKeyData,
    Deposit,
    FillData,
    ForcedExitData,
    FullExit,
    Operation,
    PublishedOperation,
    PublishedStep,
    QueueOperation,
    SwapData,
    TransferData,
    TransferToAddressData,
    WithdrawData,
    steps_of,
)
from rollup.core.operations.base import read_record_head
from rollup.core.operations.payments import ADDRESS_CHUNKS, ADDRESS_PADDING_BITS

WORD_BYTES = 32
_RECORD_WORDS: Final = {kind.OP: kind.RECORD_WORDS for kind in get_args(PublishedStep) if kind.RECORD_WORDS}
_QUEUED: Final = {kind.OP for kind in get_args(QueueOperation)}


def encode_streams(operations: Iterable[Operation | PublishedOperation]) -> tuple[bytes, bytes]:
    """The L2 and the L1 stream of these operations, in their order."""
    chunks: list[bytes] = []
    words: list[bytes] = []
    for operation in operations:
        for step in steps_of(operation):
            chunks.extend(chunk.to_bytes(CHUNK_BYTES, "big") for chunk in step.chunks())
            words.extend(word.to_bytes(WORD_BYTES, "big") for word in step.record())
    return b"".join(chunks), b"".join(words)


def decode_streams(l2: bytes, l1: bytes) -> list[PublishedOperation]:
    """The operations of a block, Noops left out; a Swap is one, a batch is its operations.

    Raises:
        StreamError: not what `encode_streams` gives for any operations.
    """
    source = _Source(l2_chunks(l2), l1_words(l1))
    operations = []
    while source.next_chunk < len(source.chunks):
        start = source.next_chunk
        code = source.chunks[start] >> (CHUNK_BITS - OP_BITS)
        if code not in _DECODERS:
            raise StreamError("L2", start, f"operation code {code} is not in use")
        try:
            operations.append(_DECODERS[code](source))
        except StreamError:
            raise
        except EncodingError as error:
            raise StreamError("L2", start, error.message) from error
    if source.next_word < len(source.words):
        raise StreamError("L1", source.next_word, "no chunk of the L2 stream announces this record")
    return operations


def count_queued(l1: bytes) -> int:
    """How many entries of L1's queue a block takes in, counted as the contract does it: by its records' first words.

    Raises:
        StreamError: the L1 stream is not one record after the other. What else is wrong with it is not looked for.
    """
    words = l1_words(l1)
    count = position = 0
    while position < len(words):
        junk, code = read_record_head(words[position])[:2]
        size = 0 if junk else _RECORD_WORDS.get(code, 0)
        if not size or position + size > len(words):
            raise StreamError("L1", position, f"no whole record starts with {words[position]:#x}")
        count += code in _QUEUED
        position += size
    return count


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


class _Source:
    """Both streams, and how far they are read."""

    def __init__(self, chunks: list[int], words: list[int]) -> None:
        self.chunks = chunks
        self.words = words
        self.next_chunk = 0
        self.next_word = 0

    def take_chunks(self, count: int) -> list[int]:
        """The operation's chunks."""
        start = self.next_chunk
        chunks = self.chunks[start : start + count]
        if len(chunks) < count:
            raise StreamError("L2", len(self.chunks), f"ends inside the {count} chunks that chunk {start} starts")
        self.next_chunk += count
        return chunks

    def take_record(self, count: int) -> list[int]:
        """The record that the chunk just taken announces."""
        record = self.words[self.next_word : self.next_word + count]
        if len(record) < count:
            reason = f"ends before the record that chunk {self.next_chunk - 1} announces"
            raise StreamError("L1", len(self.words), reason)
        self.next_word += count
        return record

    def refuse_chunk(self, back: int, reason: str) -> StreamError:
        """The error about a chunk, the last one taken being 1 back."""
        return StreamError("L2", self.next_chunk - back, reason)

    def refuse_word(self, back: int, reason: str) -> StreamError:
        """The error about a word, the last one taken being 1 back."""
        return StreamError("L1", self.next_word - back, reason)


def _fields(chunk: int) -> list[int]:
    """Token, from, to, amount as it stands, fee as it stands."""
    return unpack(chunk, OP_BITS, SLOT_BITS, ACCOUNT_ID_BITS, ACCOUNT_ID_BITS, AMOUNT_BITS, FEE_BITS)[2:]


def _transfer(source: _Source) -> TransferData:
    token, from_id, to_id, amount, fee = _fields(*source.take_chunks(1))
    return TransferData(from_id, to_id, token, unpack_amount(amount), unpack_fee(fee))


def _transfer_to_address(source: _Source) -> TransferToAddressData:
    first, high, low = source.take_chunks(1 + ADDRESS_CHUNKS)
    token, from_id, to_id, amount, fee = _fields(first)
    _, address, junk = unpack(high << CHUNK_BITS | low, ADDRESS_BITS, ADDRESS_PADDING_BITS)
    if junk:
        raise source.refuse_chunk(1, f"bits are set after the recipient's address ({junk:#x})")
    return TransferToAddressData(from_id, to_id, address, token, unpack_amount(amount), unpack_fee(fee))


def _swap(source: _Source) -> SwapData:
    maker, taker, settlement = source.take_chunks(SWAP_STEPS)
    for back, chunk in ((2, taker), (1, settlement)):
        if chunk >> (CHUNK_BITS - OP_BITS) != Op.SWAP:
            raise source.refuse_chunk(back, "a swap's three chunks start alike")
    body = settlement & (1 << CHUNK_BITS - OP_BITS) - 1
    junk, taker_order, maker_order = unpack(body, ORDER_ID_BITS, ORDER_ID_BITS)
    if junk:
        raise source.refuse_chunk(1, f"a settlement has bits set outside code and order ids ({junk:#x})")
    fills = []
    for back, chunk, order_id in ((3, maker, maker_order), (2, taker, taker_order)):
        token, account_id, slot, amount, fee = _fields(chunk)
        try:
            fills.append(FillData(account_id, slot, order_id, token, unpack_amount(amount), unpack_fee(fee)))
        except EncodingError as error:
            raise source.refuse_chunk(back, error.message) from error
    return SwapData(*fills)


def _cancel_order(source: _Source) -> CancelOrderData:
    fee_token, account_id, slot, first_order_id, fee = _fields(*source.take_chunks(1))
    return CancelOrderData(account_id, slot, first_order_id, fee_token, unpack_fee(fee))


def _forced_exit(source: _Source) -> ForcedExitData:
    fee_token, payer, to_id, amount_field, fee = _fields(*source.take_chunks(1))
    if to_id or amount_field:
        raise source.refuse_chunk(1, "the marker of a forced exit has bits set between payer and fee")
    record = source.take_record(ForcedExitData.RECORD_WORDS)
    account_id, token, address, _ = _record_head(source, ForcedExitData.OP, record)
    amount = _record_amount(source, record, 0)[1]
    return ForcedExitData(payer, account_id, address, token, fee_token, unpack_fee(fee), amount)


def _withdraw(source: _Source) -> WithdrawData:
    fee = _marker_fee(source)
    record = source.take_record(WithdrawData.RECORD_WORDS)
    account_id, token, address, _ = _record_head(source, WithdrawData.OP, record)
    return WithdrawData(account_id, token, _record_amount(source, record, 0)[1], fee, address)


def _change_pub_key(source: _Source) -> ChangePubKeyData:
    fee = _marker_fee(source)
    record = source.take_record(ChangePubKeyData.RECORD_WORDS)
    account_id, fee_token, owner, _ = _record_head(source, ChangePubKeyData.OP, record)
    nonce, amount = _record_amount(source, record, NONCE_BITS)
    if amount != fee:
        raise source.refuse_word(3, f"a key change's fee is {fee} in its marker and {amount} in its record")
    return ChangePubKeyData(account_id, owner, (record[2], record[3]), nonce, fee_token, fee)


def _full_exit(source: _Source) -> FullExit:
    _no_fee(source)
    record = source.take_record(FullExit.RECORD_WORDS)
    account_id, token, owner, _ = _record_head(source, FullExit.OP, record)
    queue_fee, amount = _record_amount(source, record, AUX_BITS)
    return FullExit(account_id, token, owner, amount, queue_fee)


def _deposit(source: _Source) -> Deposit:
    _no_fee(source)
    record = source.take_record(Deposit.RECORD_WORDS)
    flags_in_use = FLAG_SENDER_IS_OWNER | FLAG_REFUSED
    account_id, token, owner, flags = _record_head(source, Deposit.OP, record, flags_in_use)
    queue_fee, amount = _record_amount(source, record, AUX_BITS)
    sender_is_owner, refused = bool(flags & FLAG_SENDER_IS_OWNER), bool(flags & FLAG_REFUSED)
    if refused and account_id:
        raise source.refuse_word(4, f"a refused deposit names account {account_id} instead of 0")
    return Deposit(account_id, token, amount, owner, (record[2], record[3]), sender_is_owner, refused, queue_fee)


def _marker_fee(source: _Source) -> int:
    """The fee of a marker, which has nothing else."""
    (chunk,) = source.take_chunks(1)
    _, _, junk, fee = unpack(chunk, OP_BITS, CHUNK_BITS - OP_BITS - FEE_BITS, FEE_BITS)
    if junk:
        raise source.refuse_chunk(1, f"a marker has bits set outside code and fee ({junk:#x})")
    return unpack_fee(fee)


def _no_fee(source: _Source) -> None:
    fee = _marker_fee(source)
    if fee:
        raise source.refuse_chunk(1, f"a queue operation pays no fee, got {fee}")


def _record_head(source: _Source, op: Op, record: list[int], flags_in_use: int = 0) -> tuple[int, int, int, int]:
    """Account id, token, address, flags: W0."""
    junk, code, flags, account_id, token, address = read_record_head(record[0])
    if junk or code != op:
        raise source.refuse_word(len(record), f"the record of operation {op} starts with {record[0]:#x}")
    if flags & ~flags_in_use:
        raise source.refuse_word(len(record), f"flags {flags:#x} are not in use with operation {op}")
    return account_id, token, address, flags


def _record_amount(source: _Source, record: list[int], aux_bits: int) -> tuple[int, int]:
    """Aux, of which the operation uses so many bits, and amount: W1."""
    aux, amount = unpack(record[1], BALANCE_BITS)
    if aux >> aux_bits:
        raise source.refuse_word(len(record) - 1, f"bits are set outside the fields of the operation ({record[1]:#x})")
    return aux, amount


_DECODERS: dict[int, Callable[[_Source], PublishedOperation]] = {
    Op.DEPOSIT: _deposit,
    Op.FULL_EXIT: _full_exit,
    Op.TRANSFER: _transfer,
    Op.TRANSFER_TO_ADDRESS: _transfer_to_address,
    Op.WITHDRAW: _withdraw,
    Op.CHANGE_PUB_KEY: _change_pub_key,
    Op.FORCED_EXIT: _forced_exit,
    Op.SWAP: _swap,
    Op.CANCEL_ORDER: _cancel_order,
}
