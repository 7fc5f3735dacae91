"""Writes `circuits/generated/constants.circom` from `rollup.core.constants`, the one source of widths."""

from pathlib import Path

from rollup.core import constants
from rollup.core.constants import Op

_NAMES = (
    "ARITY_BITS",
    "ARITY",
    "ACCOUNT_LEVELS",
    "SHARED_LEVELS",
    "SHARED_NODES",
    "BALANCE_LEVELS",
    "ACCOUNT_ID_BITS",
    "SLOT_BITS",
    "BALANCE_BITS",
    "NONCE_BITS",
    "ORDER_ID_BITS",
    "AMOUNT_MANTISSA_BITS",
    "FEE_MANTISSA_BITS",
    "EXPONENT_BITS",
    "AMOUNT_BITS",
    "FEE_BITS",
    "ORDER_AMOUNT_BITS",
    "ADDRESS_BITS",
    "TIMESTAMP_BITS",
    "VERSION_BITS",
    "BLOCK_SIZE_BITS",
    "BLOCK_NUMBER_BITS",
    "QUEUE_INDEX_BITS",
    "QUEUE_COUNT_BITS",
    "COUNT_BITS",
    "FEE_TOKENS",
    "HEADER_WORDS",
    "L2_DEGREE_LOG2",
    "L1_DEGREE_LOG2",
    "OP_BITS",
    "FLAG_BITS",
    "CHUNK_BITS",
    "MAX_CHUNKS_PER_STEP",
    "MAX_WORDS_PER_STEP",
    "AUX_BITS",
    "FLAG_SENDER_IS_OWNER",
    "FLAG_REFUSED",
)

_HEADER = """\
// Generated from rollup/core/constants.py by rollup/circuits/constants.py. Do not edit.
pragma circom 2.2.0;

"""


def constants_source() -> str:
    """Returns the text of the generated file: one function without arguments per constant and operation code."""
    values = {name: int(getattr(constants, name)) for name in _NAMES}
    values |= {f"OP_{operation.name}": int(operation) for operation in Op}
    return _HEADER + "".join(f"function {name}() {{ return {value}; }}\n" for name, value in values.items())


def constants_path(repository: Path) -> Path:
    """Where the generated file lives."""
    return repository / "circuits" / "generated" / "constants.circom"


def write_constants(repository: Path) -> bool:
    """Writes the generated file if it is stale.

    Returns: whether it was.
    """
    path = constants_path(repository)
    source = constants_source()
    if path.exists() and path.read_text() == source:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source)
    return True
