"""The wire form as JSON schemas, made from what reads it: for the API's description and for who writes a client."""

from dataclasses import MISSING, fields
from typing import Any, Final, get_args

from rollup.core.constants import (
    ACCOUNT_ID_BITS,
    FIRST_ORDER_SLOT,
    NONCE_BITS,
    ORDER_ID_BITS,
    SLOT_BITS,
    TIMESTAMP_BITS,
)
from rollup.core.operations import Signature, SignedOperation
from rollup.core.operations.batch import MIN_BATCH
from rollup.core.wire import DECIMAL, TYPES, VALIDATORS_PART

Schema = dict[str, Any]


def operation_schemas(prefix: str) -> dict[str, Schema]:
    """A schema for each type of operation, by the type's name in capitals (Transfer, Swap, ...).

    Args:
        prefix: Of references between them, such as `#/components/schemas/`.
    """
    return {kind.__name__: _schema(name, kind, prefix) for name, kind in TYPES.items()}


def submittable() -> list[str]:
    """The names of the schemas of what can be submitted: all but an order, which only a swap can hold."""
    return [kind.__name__ for name, kind in TYPES.items() if name != "order"]


def _schema(name: str, kind: Any, prefix: str) -> Schema:
    blanks = VALIDATORS_PART.get(kind, {})
    known = [field for field in fields(kind) if field.name not in blanks]
    properties = {field.name: _field(field.name, prefix) for field in known}
    required = [field.name for field in known if field.default is MISSING]
    return {
        "type": "object",
        "description": (kind.__doc__ or "").partition("\n")[0],
        "properties": {"type": {"type": "string", "const": name}, **properties},
        "required": ["type", *required],
        "additionalProperties": False,
    }


def _uint(bits: int) -> Schema:
    return {"type": "integer", "minimum": 0, "maximum": (1 << bits) - 1}


def _digits(count: int) -> Schema:
    return {"type": "string", "pattern": f"^0x[0-9a-fA-F]{{{count}}}$"}


_AMOUNT: Final[Schema] = {
    "type": "string",
    "pattern": f"^({DECIMAL.pattern})$",
    "description": "In the token's smallest unit, in decimal digits. Where it is packed it has few significant digits.",
}
_ADDRESS: Final[Schema] = _digits(40) | {"description": "An L1 address, in one case or with EIP-55's checksum."}
_WORD: Final[Schema] = _digits(64)
_SIGNATURE: Final[Schema] = {
    "type": "object",
    "description": "EdDSA over Baby Jubjub with Poseidon, by the account's L2 key.",
    "properties": {field.name: _WORD for field in fields(Signature)},
    "required": [field.name for field in fields(Signature)],
    "additionalProperties": False,
}
_ID: Final = _uint(ACCOUNT_ID_BITS)
_TOKEN: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": FIRST_ORDER_SLOT - 1}
_FIELDS: Final[dict[str, Schema]] = {
    **dict.fromkeys(("account_id", "from_id", "to_id"), _ID),
    **dict.fromkeys(("token", "fee_token", "sell_token", "buy_token"), _TOKEN),
    **dict.fromkeys(("valid_from", "valid_until"), _uint(TIMESTAMP_BITS)),
    **dict.fromkeys(("amount", "fee", "sell_amount", "buy_amount"), _AMOUNT),
    **dict.fromkeys(("maker_amount", "taker_amount", "maker_fee", "taker_fee"), _AMOUNT),
    **dict.fromkeys(("order_id", "first_valid_order_id"), _uint(ORDER_ID_BITS)),
    **dict.fromkeys(("to_address", "address", "owner"), _ADDRESS),
    "nonce": _uint(NONCE_BITS),
    "slot": {"type": "integer", "minimum": FIRST_ORDER_SLOT, "maximum": (1 << SLOT_BITS) - 1},
    "link": _WORD,
    "key": {"type": "array", "items": _WORD, "minItems": 2, "maxItems": 2},
    "signature": _SIGNATURE,
    "authorisation": _digits(130)
    | {"description": "The owner's signature, r 32 | s 32 | v 1; left out: approved on L1."},
}


def _field(name: str, prefix: str) -> Schema:
    if name in ("maker", "taker"):
        return {"$ref": f"{prefix}Order"}
    if name == "operations":
        items = [{"$ref": f"{prefix}{kind.__name__}"} for kind in get_args(SignedOperation)]
        return {"type": "array", "items": {"oneOf": items}, "minItems": MIN_BATCH}
    return _FIELDS[name]
