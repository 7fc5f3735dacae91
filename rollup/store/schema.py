"""The store's tables, and how values stand in them: numbers that may exceed 63 bits as big-endian bytes."""

from typing import Final

from rollup.core.account import Account
from rollup.core.constants import ADDRESS_BITS
from rollup.core.operations import NO_KEY
from rollup.core.streams import WORD_BYTES

APPLICATION_ID: Final = 0x534C5549
"""SLUI: tells the file from other SQLite files."""
FORMAT: Final = 1
ADDRESS_BYTES: Final = ADDRESS_BITS // 8

SCHEMA: Final = (
    # One row: whose blocks these are, and the last block that no L1 reorganisation can take back.
    "CREATE TABLE origin (chain_id TEXT, rollup TEXT, deployed_at INTEGER, l1_genesis TEXT, final INTEGER)",
    # preimage: the ABI encoding whose keccak256 is the hash; l1_block: where the commit was when it was read.
    "CREATE TABLE blocks (number INTEGER PRIMARY KEY, hash BLOB, preimage BLOB, l1_transaction TEXT, l1_block INTEGER)",
    # key: ax and ay, 32 bytes each, empty if there is none.
    "CREATE TABLE accounts (id INTEGER PRIMARY KEY, address BLOB, key BLOB, nonce INTEGER)",
    "CREATE INDEX accounts_by_address ON accounts (address)",
    # Money in slots below 2048, order slots above; what is not here is 0.
    "CREATE TABLE leaves (account_id INTEGER, slot INTEGER, leaf BLOB, PRIMARY KEY (account_id, slot)) WITHOUT ROWID",
    # What a block that is not final found where it changed something.
    """CREATE TABLE undo (block INTEGER, account_id INTEGER, slot INTEGER, leaf BLOB, address BLOB, key BLOB,
       nonce INTEGER, PRIMARY KEY (block, account_id, slot)) WITHOUT ROWID""",
)


def number_to_blob(number: int) -> bytes:
    """The shortest big-endian bytes; none for 0."""
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def account_to_row(account: Account) -> tuple[bytes, bytes, int]:
    """Address, key and nonce as columns."""
    key = b"".join(part.to_bytes(WORD_BYTES, "big") for part in account.key) if account.has_key else b""
    return account.address.to_bytes(ADDRESS_BYTES, "big"), key, account.nonce


def account_of_row(address: bytes, key: bytes, nonce: int) -> Account:
    """The account of its columns."""
    parts = (int.from_bytes(key[:WORD_BYTES], "big"), int.from_bytes(key[WORD_BYTES:], "big")) if key else NO_KEY
    return Account(parts, int.from_bytes(address, "big"), nonce)
