"""Receipts (protocol 13): a validator's signed promise of what a block will hold, and where."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from functools import lru_cache
from typing import Any, Final, TypeAlias

from eth_hash.auto import keccak

from rollup._native import receipt_digests, receipt_texts
from rollup.core.addresses import parse_address, show_address
from rollup.core.checks import check_uint, unpack
from rollup.core.constants import (
    ADDRESS_BITS,
    BLOCK_NUMBER_BITS,
    CHAIN_ID_BITS,
    CHUNK_BYTES,
    COUNT_BITS,
    DOMAIN_BITS,
    TIMESTAMP_BITS,
)
from rollup.core.ecdsa import recover_signer
from rollup.core.eip712 import separator, type_hash, typed_data, words_digest
from rollup.core.errors import (
    FieldRuleError,
    ReceiptBrokenError,
    ReceiptForeignError,
    ReceiptSignerError,
    SluiceError,
    WireError,
)
from rollup.core.key_change import key_change_digest
from rollup.core.operations import (
    Batch,
    CancelOrder,
    ChangePubKey,
    ForcedExit,
    Operation,
    OwnerSignature,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    batch_chain,
    domain,
)
from rollup.core.streams import WORD_BYTES
from rollup.core.wire import WireOperation

_TYPE: Final = "Receipt"
_FIELDS: Final = {
    "blockNumber": "uint64",
    "chunkPosition": "uint32",
    "chunks": "bytes",
    "wordPosition": "uint32",
    "record": "bytes",
    "operationHash": "bytes32",
    "recipient": "address",
    "issuedAt": "uint40",
    "commitBy": "uint40",
    "validatorSet": "bytes32",
}
HASH_BYTES: Final = 32
_SHOWN_BYTES: Final = 64
"""Of streams in messages."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Block `block_number` will hold these bytes at these places, and will be committed by `commit_by`.

    Args:
        domain: `operations.domain(chain_id, rollup_address)`.
        block_number: 1 and up.
        chunk_position: index of the operation's first chunk in the block's L2 stream.
        chunks: its chunks, 15 bytes each.
        word_position: index of its first word in the L1 stream; where it would be if it has none.
        record: its words, 32 bytes each; mostly none.
        operation_hash: `operation_hash` of what was submitted, 32 bytes.
        recipient: the L1 address that the operation names, 0 if it names none or several.
        issued_at, commit_by: unix seconds.
        validator_set: of the contract when it was issued, 32 bytes.
        signature: the validator's over `digest`, `r 32 | s 32 | v 1`; none before.
        text: its JSON where that was made with it; follows from the rest.
    """

    domain: int
    block_number: int
    chunk_position: int
    chunks: bytes
    word_position: int
    record: bytes
    operation_hash: bytes
    recipient: int
    issued_at: int
    commit_by: int
    validator_set: bytes
    signature: bytes = b""
    text: bytes = field(default=b"", init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        if not self._is_in_range():
            self._check_ranges()

    def _is_in_range(self) -> bool:
        """All at once, as thousands are made a second; `_check_ranges` names what is wrong."""
        numbers = self.domain, self.block_number, self.chunk_position, self.word_position, self.recipient
        return (
            all(type(number) is int for number in (*numbers, self.issued_at, self.commit_by))
            and 0 <= self.domain < 1 << DOMAIN_BITS
            and 0 <= self.block_number < 1 << BLOCK_NUMBER_BITS
            and 0 <= self.chunk_position < 1 << COUNT_BITS
            and 0 <= self.word_position < 1 << COUNT_BITS
            and 0 <= self.recipient < 1 << ADDRESS_BITS
            and 0 <= self.issued_at < 1 << TIMESTAMP_BITS
            and 0 <= self.commit_by < 1 << TIMESTAMP_BITS
            and not len(self.chunks) % CHUNK_BYTES
            and not len(self.record) % WORD_BYTES
            and len(self.operation_hash) == len(self.validator_set) == HASH_BYTES
        )

    def _check_ranges(self) -> None:
        check_uint("domain", self.domain, DOMAIN_BITS)
        check_uint("block_number", self.block_number, BLOCK_NUMBER_BITS)
        check_uint("chunk_position", self.chunk_position, COUNT_BITS)
        check_uint("word_position", self.word_position, COUNT_BITS)
        check_uint("recipient", self.recipient, ADDRESS_BITS)
        check_uint("issued_at", self.issued_at, TIMESTAMP_BITS)
        check_uint("commit_by", self.commit_by, TIMESTAMP_BITS)
        _check_multiple("chunks", self.chunks, CHUNK_BYTES)
        _check_multiple("record", self.record, WORD_BYTES)
        for name in ("operation_hash", "validator_set"):
            if len(getattr(self, name)) != HASH_BYTES:
                raise FieldRuleError(name, getattr(self, name).hex(), f"it has {HASH_BYTES} bytes")

    @property
    def digest(self) -> bytes:
        """The 32 bytes to sign."""
        values = {
            "blockNumber": self.block_number,
            "chunkPosition": self.chunk_position,
            "chunks": int.from_bytes(keccak(self.chunks), "big"),
            "wordPosition": self.word_position,
            "record": int.from_bytes(keccak(self.record), "big"),
            "operationHash": int.from_bytes(self.operation_hash, "big"),
            "recipient": self.recipient,
            "issuedAt": self.issued_at,
            "commitBy": self.commit_by,
            "validatorSet": int.from_bytes(self.validator_set, "big"),
        }
        return words_digest(self.domain, _TYPE, _FIELDS, values)

    def typed_data(self) -> dict[str, Any]:
        """The EIP-712 data whole, as `eth_signTypedData_v4` takes it."""
        values = {
            "blockNumber": self.block_number,
            "chunkPosition": self.chunk_position,
            "chunks": "0x" + self.chunks.hex(),
            "wordPosition": self.word_position,
            "record": "0x" + self.record.hex(),
            "operationHash": "0x" + self.operation_hash.hex(),
            "recipient": f"0x{self.recipient:040x}",
            "issuedAt": self.issued_at,
            "commitBy": self.commit_by,
            "validatorSet": "0x" + self.validator_set.hex(),
        }
        return typed_data(self.domain, _TYPE, _FIELDS, values)

    def signer(self) -> int | None:
        """The address that signed it; None if it is no signature that protocol 13 takes."""
        return recover_signer(self.digest, OwnerSignature.from_bytes(self.signature)) if self.signature else None

    def check_signer(self, domain: int, validators: tuple[str, ...]) -> None:
        """Hold it to a rollup and its validators, addresses as text.

        Raises: ReceiptForeignError, ReceiptSignerError.
        """
        for what, expected, got in zip(("chain id", "address"), _split(domain), _split(self.domain), strict=True):
            if expected != got:
                raise ReceiptForeignError(what, expected, got)
        signer = self.signer()
        if signer is None or signer not in [int(address, 16) for address in validators]:
            raise ReceiptSignerError("" if signer is None else show_address(signer), validators)

    def check_kept(self, l2: bytes, l1: bytes) -> None:
        """Hold the block of its number, as L1 has it, to the receipt.

        Args:
            l2, l1: the block's streams.

        Raises: ReceiptBrokenError.
        """
        for stream, data, position, size, promised in (
            ("L2", l2, self.chunk_position, CHUNK_BYTES, self.chunks),
            ("L1", l1, self.word_position, WORD_BYTES, self.record),
        ):
            start = position * size
            published = data[start : start + len(promised)]
            if published != promised:
                shown = (_shown(promised), _shown(published))
                raise ReceiptBrokenError(self.block_number, stream, position, *shown)


Promise: TypeAlias = tuple[int, int, bytes, int, bytes, bytes, bytes, int, int, bytes]
"""A receipt's fields from `block_number` to `validator_set`, the recipient as 20 bytes."""


def digests(domain: int, promises: Sequence[Promise]) -> list[bytes]:
    """`Receipt.digest` of each, many at once."""
    return receipt_digests(separator(domain), type_hash(_TYPE, _FIELDS), promises)


def receipts_of(domain: int, promises: Sequence[Promise], signatures: Sequence[bytes]) -> list[Receipt]:
    """The signed receipts of promises, each with its text."""
    receipts = [receipt_of(domain, *each) for each in zip(promises, signatures, strict=True)]
    for receipt, text in zip(receipts, receipt_texts(_shown_rollup(domain), promises, signatures), strict=True):
        object.__setattr__(receipt, "text", text)
    return receipts


@lru_cache(8)
def _shown_rollup(domain: int) -> str:
    chain_id, rollup = _split(domain)
    return f'"chain_id":{chain_id},"rollup":"{rollup}"'


def receipt_of(domain: int, promise: Promise, signature: bytes) -> Receipt:
    """The receipt of a promise."""
    block_number, chunk_position, chunks, word_position, record, name, recipient, issued_at, commit_by, valid = promise
    return Receipt(
        domain, block_number, chunk_position, chunks, word_position, record, name, int.from_bytes(recipient, "big"),
        issued_at, commit_by, valid, signature,
    )  # fmt: skip


def operation_hash(operation: Operation, domain: int) -> bytes:
    """What names an operation: what its owner signed; of a batch its link, of a swap the hash of both orders' messages.

    Queue operations have none: L1 numbers them.
    """
    match operation:
        case Batch():
            return batch_chain(operation.operations)[0].to_bytes(HASH_BYTES, "big")
        case Swap():
            messages = (order.message_hash(domain) for order in (operation.maker, operation.taker))
            return keccak(b"".join(message.to_bytes(HASH_BYTES, "big") for message in messages))
        case ChangePubKey():
            return key_change_digest(operation, domain)
        case Transfer() | TransferToAddress() | Withdraw() | ForcedExit() | CancelOrder():
            return operation.message_hash(domain).to_bytes(HASH_BYTES, "big")
    raise FieldRuleError("operation", type(operation).__name__, "only what a user submits has a hash")


def recipient_of(operation: WireOperation) -> int:
    """The one L1 address that an operation names, else 0."""
    match operation:
        case Transfer() | TransferToAddress():
            return operation.to_address
        case Withdraw() | ForcedExit():
            return operation.address
        case ChangePubKey():
            return operation.owner
    return 0


# As JSON


def receipt_to_wire(receipt: Receipt) -> dict[str, Any]:
    """The signed receipt as JSON values: numbers, 0x-hex, and addresses with their checksum."""
    if not receipt.signature:
        raise FieldRuleError("signature", "", "a receipt is worth nothing before it is signed")
    chain_id, rollup = _split(receipt.domain)
    values: dict[str, Any] = {"chain_id": int(chain_id), "rollup": rollup}
    for name, (_, write) in _CODECS.items():
        values[name] = write(getattr(receipt, name))
    return values | {"signature": _write_hex(receipt.signature)}


def receipt_from_wire(values: object) -> Receipt:
    """The receipt of JSON values.

    Raises: WireError: a field is missing, unknown, or not of its form.
    """
    if not isinstance(values, dict):
        raise WireError("(all)", type(values).__name__, "a receipt is a JSON object")
    expected = {"chain_id", "rollup", "signature", *_CODECS}
    if values.keys() != expected:
        wrong = ", ".join(sorted(values.keys() ^ expected))
        raise WireError("(all)", f"wrong about {wrong}", f"a receipt has the fields {', '.join(sorted(expected))}")
    try:
        chain_id = check_uint("chain_id", values["chain_id"], CHAIN_ID_BITS)
        arguments = {name: read(values[name]) for name, (read, _) in _CODECS.items()}
        signature = bytes(OwnerSignature.from_bytes(_read_hex(values["signature"])))
        return Receipt(domain(chain_id, parse_address(values["rollup"])), signature=signature, **arguments)
    except (SluiceError, ValueError, TypeError) as error:
        raise WireError("(all)", "a receipt's fields", str(error)) from error


_HEX: Final = re.compile(r"0x((?:[0-9a-fA-F]{2})*)")


def _read_hex(text: str) -> bytes:
    match = _HEX.fullmatch(text)
    if match is None:
        raise ValueError(f"{text[:80]!r} is not 0x and pairs of hexadecimal digits")
    return bytes.fromhex(match[1])


def _write_hex(data: bytes) -> str:
    return "0x" + data.hex()


def _same(value: int) -> int:
    return value


_NUMBER, _BYTES, _ADDRESS = (_same, _same), (_read_hex, _write_hex), (parse_address, show_address)
_CODECS: Final[dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]] = {
    field.name: {"recipient": _ADDRESS}.get(field.name) or (_BYTES if field.type is bytes else _NUMBER)
    for field in fields(Receipt)
    if field.name not in ("domain", "signature", "text")
}


def _split(domain: int) -> tuple[str, str]:
    _, chain_id, rollup = unpack(domain, CHAIN_ID_BITS, ADDRESS_BITS)
    return str(chain_id), show_address(rollup)


def _check_multiple(name: str, data: bytes, size: int) -> None:
    if len(data) % size:
        raise FieldRuleError(name, f"{len(data)} bytes", f"its length is a multiple of {size}")


def _shown(data: bytes) -> str:
    return data.hex() if len(data) <= _SHOWN_BYTES else f"{data[:_SHOWN_BYTES].hex()}... ({len(data)} bytes)"
