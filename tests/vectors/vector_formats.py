"""How values stand in `protocol.json`: words and addresses in hex, amounts as decimal strings, the rest as numbers."""

from typing import Any

from rollup.core.constants import CHUNK_BYTES
from rollup.core.errors import AmountNotCanonicalError, AmountNotRepresentableError
from rollup.core.operations import Order, OwnerSignature, Signature, Swap


def word(value: int) -> str:
    """32 bytes in hex."""
    return f"0x{value:064x}"


def address(value: int) -> str:
    """20 bytes in hex."""
    return f"0x{value:040x}"


def chunk(value: int) -> str:
    """15 bytes in hex."""
    return "0x" + value.to_bytes(CHUNK_BYTES, "big").hex()


def amounts(pack: Any, values: list[int], others: list[int], encodings: list[int], unpack: Any) -> dict[str, Any]:
    """Packed values, values that cannot be packed with their neighbours, encodings that are refused."""
    refused = []
    for value in others:
        try:
            pack(value)
        except AmountNotRepresentableError as error:
            upper = None if error.upper is None else str(error.upper)
            refused.append({"value": str(value), "lower": str(error.lower), "upper": upper})
    not_canonical = []
    for packed in encodings:
        try:
            unpack(packed)
        except AmountNotCanonicalError:
            not_canonical.append(packed)
    assert (len(refused), len(not_canonical)) == (len(others), len(encodings))
    return {
        "packed": [{"value": str(value), "packed": pack(value)} for value in values],
        "not_representable": refused,
        "not_canonical": not_canonical,
    }


def describe(operation: Any) -> dict[str, Any]:
    """An operation's fields, for reading and for building it again; a settlement's are in the two steps before it."""
    described: dict[str, Any] = {"op": type(operation).__name__}
    for name in operation.__dataclass_fields__:
        value = getattr(operation, name)
        if value is not None and not (name == "link" and not value) and not isinstance(value, Swap):
            described[name] = _described(name, value)
    return described


def _described(name: str, value: Any) -> Any:
    match value:
        case Signature():
            return {"r8": [word(value.r8x), word(value.r8y)], "s": word(value.s)}
        case OwnerSignature():
            return "0x" + bytes(value).hex()
        case Order():
            return describe(value)
        case tuple():
            return [word(coordinate) for coordinate in value]
        case bool():
            return value
    if name in {"owner", "address", "to_address"}:
        return address(value)
    if name == "link":
        return word(value)
    return str(value) if "amount" in name or name in {"fee", "maker_fee", "taker_fee"} else value


def published(operation: Any) -> dict[str, Any]:
    """Chunks and record of a step."""
    return {
        "chunks": [chunk(value) for value in operation.chunks()],
        "record": [word(value) for value in operation.record()],
    }
