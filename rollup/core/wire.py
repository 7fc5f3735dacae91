"""Operations as JSON: what a wallet hands to a validator. One form, read strictly.

An object with `type` and the operation's fields under their names in `operations`. By name of the field:

    amounts, fees, what an order sells and buys   decimal digits in a string: JSON numbers are not exact everywhere
    addresses                                     "0x" and 40 hexadecimal digits, with EIP-55's checksum, or in one case
    link                                          "0x" and 64 hexadecimal digits
    key                                           [ax, ay], each like a link
    signature                                     {"r8x": word, "r8y": word, "s": word}, each like a link
    authorisation                                 "0x" and 130 hexadecimal digits, r | s | v
    maker, taker, operations                      operations again
    all others                                    integers

What has a default may be left out; null is never written. What a validator fills in has no place in it: a
TransferToAddress has no `to_id`, a ForcedExit no `amount`. Whether the operation can be included is not judged here.
"""

import json
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any, Final, TypeAlias, get_args

from rollup.core.addresses import parse_address, show_address
from rollup.core.constants import BALANCE_BITS
from rollup.core.errors import AddressTextError, EncodingError, WireError
from rollup.core.operations import (
    Batch,
    CancelOrder,
    ChangePubKey,
    ForcedExit,
    Order,
    OwnerSignature,
    Signature,
    SignedOperation,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
)
from rollup.core.operations.batch import BATCH_RULE

WireOperation: TypeAlias = SignedOperation | ChangePubKey | Order | Swap | Batch

TYPES: Final[dict[str, Any]] = {
    "transfer": Transfer,
    "transfer_to_address": TransferToAddress,
    "withdraw": Withdraw,
    "forced_exit": ForcedExit,
    "change_pub_key": ChangePubKey,
    "order": Order,
    "cancel_order": CancelOrder,
    "swap": Swap,
    "batch": Batch,
}
_NAMES: Final = {kind: name for name, kind in TYPES.items()}
VALIDATORS_PART: Final[dict[type, dict[str, Any]]] = {TransferToAddress: {"to_id": 0}, ForcedExit: {"amount": None}}
_MAX_BRACKETS: Final = 2_000
"""In one text; the largest batch has fewer. Python's JSON reader overflows the stack where they are nested deep."""
_MAX_DIGITS: Final = len(str(1 << BALANCE_BITS))
DECIMAL: Final = re.compile(rf"0|[1-9][0-9]{{0,{_MAX_DIGITS - 1}}}")


def to_wire(operation: WireOperation) -> dict[str, Any]:
    """The operation as JSON values. The validator's part is left out."""
    kind = type(operation)
    values: dict[str, Any] = {"type": _NAMES[kind]}
    for field in fields(operation):
        value = getattr(operation, field.name)
        if value is not None and field.name not in VALIDATORS_PART.get(kind, {}):
            values[field.name] = _CODECS[field.name].write(value)
    return values


def from_wire(values: object, path: str = "") -> WireOperation:
    """The operation of JSON values.

    Args:
        values: as `json.loads` gives them.
        path: where they stand, for messages.

    Raises:
        WireError: a field is missing, unknown, or not of its form; with its path.
    """
    if not isinstance(values, dict):
        raise WireError(path or "(all)", _shown(values), "an operation is a JSON object")
    name = values.get("type")
    if not isinstance(name, str) or name not in TYPES:
        raise WireError(_below(path, "type"), _shown(name), f"one of {', '.join(TYPES)}")
    kind = TYPES[name]
    blanks = VALIDATORS_PART.get(kind, {})
    known = {field.name: field for field in fields(kind) if field.name not in blanks}
    for key in values.keys() - known.keys() - {"type"}:
        raise WireError(_below(path, key), _shown(values[key]), f"a {name} has the fields {', '.join(known)}")
    arguments: dict[str, Any] = dict(blanks)
    for key, field in known.items():
        if key in values:
            arguments[key] = _CODECS[key].read(_below(path, key), values[key])
        elif field.default is MISSING:
            raise WireError(_below(path, key), "nothing", f"a {name} needs it")
    try:
        operation: WireOperation = kind(**arguments)
    except EncodingError as error:
        raise WireError(path or name, name, error.message) from error
    return operation


def dumps(operation: WireOperation) -> str:
    """The operation as one line of JSON."""
    return json.dumps(to_wire(operation))


def loads(text: str | bytes) -> WireOperation:
    """The operation of JSON text.

    Raises:
        WireError: it is no JSON, names a field twice, or `from_wire` refuses it.
    """
    return from_wire(loads_values(text))


def loads_values(text: str | bytes, most_brackets: int = _MAX_BRACKETS) -> object:
    """The values of JSON text, for `from_wire`.

    Args:
        text: JSON.
        most_brackets: lists and objects in it.

    Raises:
        WireError: it is no JSON, or names a field twice.
    """
    try:
        text = text if isinstance(text, str) else text.decode()
        if text.count("[") + text.count("{") > most_brackets:
            raise ValueError(f"more than {most_brackets} lists and objects")
        return json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:  # UnicodeDecodeError is a ValueError
        raise WireError("(all)", _shown(text), f"not JSON ({error})") from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        raise ValueError(f"a field stands twice among {[name for name, _ in pairs]}")
    return values


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _below(path: str, name: object) -> str:
    return f"{path}.{name}" if path else str(name)


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


# The forms of fields


@dataclass(frozen=True, slots=True)
class _Codec:
    read: Callable[[str, Any], Any]
    write: Callable[[Any], Any]


def _read_integer(path: str, value: Any) -> int:
    if type(value) is not int:
        raise WireError(path, _shown(value), "an integer")
    return value


def _read_decimal(path: str, value: Any) -> int:
    if not isinstance(value, str) or not DECIMAL.fullmatch(value):
        raise WireError(path, _shown(value), "an amount in smallest units, as decimal digits in a string")
    return int(value)


def _hexadecimal(digits: int) -> Callable[[str, Any], str]:
    pattern = re.compile(rf"0x[0-9a-fA-F]{{{digits}}}")

    def read(path: str, value: Any) -> str:
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise WireError(path, _shown(value), f"0x and {digits} hexadecimal digits in a string")
        return value

    return read


_read_word_text = _hexadecimal(64)
_read_owner_signature_text = _hexadecimal(130)


def _read_address(path: str, value: Any) -> int:
    try:
        return parse_address(value if isinstance(value, str) else "")
    except AddressTextError as error:
        raise WireError(path, _shown(value), f"{error.reason}; {error.way_out}") from error


def _read_word(path: str, value: Any) -> int:
    return int(_read_word_text(path, value), 16)


def _write_word(value: int) -> str:
    return f"0x{value:064x}"


def _read_key(path: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or len(value) != 2:
        raise WireError(path, _shown(value), "a list of two words, [ax, ay]")
    return tuple(_read_word(f"{path}[{index}]", word) for index, word in enumerate(value))


def _read_signature(path: str, value: Any) -> Signature:
    names = [field.name for field in fields(Signature)]
    if not isinstance(value, dict) or sorted(value) != sorted(names):
        raise WireError(path, _shown(value), f"an object with the words {', '.join(names)}")
    words = {name: _read_word(_below(path, name), value[name]) for name in names}
    try:
        return Signature(**words)
    except EncodingError as error:
        raise WireError(path, _shown(value), error.message) from error


def _write_signature(value: Signature) -> dict[str, str]:
    return {field.name: _write_word(getattr(value, field.name)) for field in fields(value)}


def _read_owner_signature(path: str, value: Any) -> OwnerSignature:
    text = _read_owner_signature_text(path, value)
    try:
        return OwnerSignature.from_bytes(bytes.fromhex(text[2:]))
    except EncodingError as error:
        raise WireError(path, text, error.message) from error


def _read_order(path: str, value: Any) -> Order:
    order = from_wire(value, path)
    if not isinstance(order, Order):
        raise WireError(path, type(order).__name__, "an order")
    return order


def _read_operations(path: str, value: Any) -> tuple[Any, ...]:
    if not isinstance(value, list):
        raise WireError(path, _shown(value), "a list of operations")
    operations = tuple(from_wire(each, f"{path}[{index}]") for index, each in enumerate(value))
    for index, operation in enumerate(operations):
        if not isinstance(operation, get_args(SignedOperation)):
            raise WireError(f"{path}[{index}]", type(operation).__name__, BATCH_RULE)
    return operations


_INTEGER = _Codec(_read_integer, int)
_DECIMALS = _Codec(_read_decimal, str)
_ADDRESS = _Codec(_read_address, show_address)
_ORDER = _Codec(_read_order, to_wire)
_CODECS: Final = {
    **dict.fromkeys(("account_id", "from_id", "to_id", "nonce", "valid_from", "valid_until"), _INTEGER),
    **dict.fromkeys(("token", "fee_token", "sell_token", "buy_token"), _INTEGER),
    **dict.fromkeys(("slot", "order_id", "first_valid_order_id"), _INTEGER),
    **dict.fromkeys(("amount", "fee", "sell_amount", "buy_amount"), _DECIMALS),
    **dict.fromkeys(("maker_amount", "taker_amount", "maker_fee", "taker_fee"), _DECIMALS),
    **dict.fromkeys(("to_address", "address", "owner"), _ADDRESS),
    "link": _Codec(_read_word, _write_word),
    "key": _Codec(_read_key, lambda key: [_write_word(word) for word in key]),
    "signature": _Codec(_read_signature, _write_signature),
    "authorisation": _Codec(_read_owner_signature, lambda signature: "0x" + bytes(signature).hex()),
    "maker": _ORDER,
    "taker": _ORDER,
    "operations": _Codec(_read_operations, lambda operations: [to_wire(each) for each in operations]),
}
"""By the field's name: one that is not here has no form, and to read or write it is a KeyError."""
