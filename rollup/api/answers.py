"""How everything is said in JSON: errors with their status, hashes, addresses, amounts."""

from collections.abc import Mapping
from typing import Any, Final

import orjson

from rollup.api.errors import ApiError
from rollup.core.addresses import show_address
from rollup.core.errors import EncodingError, NonceMismatchError, OperationError, SluiceError
from rollup.node.errors import FeeTooLowError, OperationTooLargeError

JSON_HEADER: Final = (b"content-type", b"application/json")
_EXACT: Final = (1 << 53) - 1
"""Integers up to here are exact in every reader of JSON."""
_AMOUNTS: Final = frozenset(
    [
        "amount",
        "balance",
        "balance_wei",
        "buy_amount",
        "fee",
        "filled",
        "gets",
        "lower",
        "needed_wei",
        "reserve_wei",
        "sell_amount",
        "sells",
        "upper",
    ]
)
_ADDRESSES: Final = frozenset(["address", "owner", "signed", "signer", "stated"])
_HASHES: Final = frozenset({"message_hash"})
_STATUS: Final[tuple[tuple[type[SluiceError], int], ...]] = (
    (EncodingError, 400),
    (NonceMismatchError, 409),
    (OperationError, 422),
    (OperationTooLargeError, 422),
    (FeeTooLowError, 422),
)
RETRY_SECONDS: Final = 1.0
"""What is not possible now may be then."""


def status_of(error: SluiceError) -> int:
    """HTTP's status: the client's mistakes are 4xx, all that the node cannot do now is 503."""
    if isinstance(error, ApiError):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 503)


def retry_after(error: SluiceError) -> float | None:
    """Seconds until trying again makes sense; None: it does not."""
    found: float | None = getattr(error, "retry_after", None)
    return RETRY_SECONDS if found is None and status_of(error) == 503 else found


def error_to_json(error: SluiceError) -> dict[str, Any]:
    """Code, message and values."""
    values = {name: _plain(name, value) for name, value in error.values.items()}
    return {"error": {"code": error.code, "message": error.message, "values": values}}


def dump(values: object) -> bytes:
    """JSON text."""
    return orjson.dumps(values)


def hash_text(value: bytes) -> str:
    """0x and 64 digits."""
    return "0x" + value.hex()


def _plain(name: str, value: object) -> Any:
    match value:
        case None | bool() | str() | float():
            return value
        case int():
            return _number(name, value)
        case bytes():
            return "0x" + value.hex()
        case Mapping():
            return {str(key): _plain(str(key), each) for key, each in value.items()}
        case tuple() | list():
            return [_plain(name, each) for each in value]
    return str(value)


def _number(name: str, value: int) -> int | str:
    if name in _AMOUNTS:
        return str(value)
    if name in _ADDRESSES and 0 <= value < 1 << 160:
        return show_address(value)
    if name in _HASHES:
        return f"0x{value:064x}"
    return value if abs(value) <= _EXACT else str(value)
