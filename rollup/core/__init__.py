"""The pure core of the rollup: formats, semantics, blocks, rebuild. No chain, no files, no database."""

from rollup.core.account import Account, empty_balances_root, empty_root
from rollup.core.amounts import floor_amount, floor_fee, pack_amount, pack_fee, unpack_amount, unpack_fee
from rollup.core.block import BlockBuilder, SealedBlock
from rollup.core.constants import Op
from rollup.core.errors import BlockError, EncodingError, KeyDerivationError, OperationError, SluiceError
from rollup.core.header import Header, header_from_words
from rollup.core.operations import (
    Deposit,
    FullExit,
    Noop,
    Operation,
    PublishedOperation,
    QueueOperation,
    Signature,
    SignedOperation,
    Transfer,
    TransferData,
    Withdraw,
    WithdrawData,
    domain,
)
from rollup.core.queue import queue_entry, queue_hash
from rollup.core.rebuild import apply_block_data
from rollup.core.rules import Applied, Context
from rollup.core.state import State
from rollup.core.streams import decode_streams, encode_streams

__all__ = [
    "Account",
    "Applied",
    "BlockBuilder",
    "BlockError",
    "Context",
    "Deposit",
    "EncodingError",
    "FullExit",
    "Header",
    "KeyDerivationError",
    "Noop",
    "Op",
    "Operation",
    "OperationError",
    "PublishedOperation",
    "QueueOperation",
    "SealedBlock",
    "Signature",
    "SignedOperation",
    "SluiceError",
    "State",
    "Transfer",
    "TransferData",
    "Withdraw",
    "WithdrawData",
    "apply_block_data",
    "decode_streams",
    "domain",
    "empty_balances_root",
    "empty_root",
    "encode_streams",
    "floor_amount",
    "floor_fee",
    "header_from_words",
    "pack_amount",
    "pack_fee",
    "queue_entry",
    "queue_hash",
    "unpack_amount",
    "unpack_fee",
]
