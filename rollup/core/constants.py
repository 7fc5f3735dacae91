"""Every width and constant of the protocol, once.

The circuits and contracts get theirs generated from this file (`sluice build constants` writes
`circuits/generated/constants.circom` and `contracts/generated/Constants.sol`; a test holds them fresh).
`docs/protocol.md` names them in capitals.
"""

from enum import IntEnum
from typing import Final

# Fields
FIELD_MODULUS: Final = 21888242871839275222246405745257275088548364400416034343698204186575808495617
"""r, the order of BN254's scalar field: every word, leaf and hash is below it."""

# State (protocol 2)
ARITY_BITS: Final = 3
ARITY: Final = 1 << ARITY_BITS
ACCOUNT_LEVELS: Final = 8
SHARED_LEVELS: Final = 2
"""Of the account tree's levels, the upper ones that a block hashes twice in all, not in each step (protocol 15)."""
SHARED_NODES: Final = ARITY**SHARED_LEVELS
BALANCE_LEVELS: Final = 4
ACCOUNT_ID_BITS: Final = ARITY_BITS * ACCOUNT_LEVELS
SLOT_BITS: Final = ARITY_BITS * BALANCE_LEVELS
FIRST_ORDER_SLOT: Final = 1 << (SLOT_BITS - 1)
"""Slots below are tokens (0 is ETH); slots from here up are order slots and never money."""
BALANCE_BITS: Final = 128
DEPOSIT_CAP_BITS: Final = 120
"""Net deposits of a token stay below 2**120, so that no credit can overflow BALANCE_BITS."""
NONCE_BITS: Final = 32
ORDER_ID_BITS: Final = 32
"""An order slot holds `order_id 32 | filled 128`."""

# Amounts (protocol 3)
AMOUNT_MANTISSA_BITS: Final = 35
FEE_MANTISSA_BITS: Final = 11
EXPONENT_BITS: Final = 5
AMOUNT_BITS: Final = AMOUNT_MANTISSA_BITS + EXPONENT_BITS
FEE_BITS: Final = FEE_MANTISSA_BITS + EXPONENT_BITS
ORDER_AMOUNT_BITS: Final = 120
"""What an order sells and buys, exact: below 2**120, so that two of them fit a word."""

# Identity and time
CHAIN_ID_BITS: Final = 64
ADDRESS_BITS: Final = 160
DOMAIN_BITS: Final = CHAIN_ID_BITS + ADDRESS_BITS
TIMESTAMP_BITS: Final = 40
"""Unix seconds."""

# Header (protocol 5)
VERSION_BITS: Final = 8
VERSION_CALLDATA: Final = 1
BLOCK_SIZE_BITS: Final = 16
BLOCK_NUMBER_BITS: Final = 32
QUEUE_INDEX_BITS: Final = 40
QUEUE_COUNT_BITS: Final = 16
COUNT_BITS: Final = 20
FEE_TOKENS: Final = 8
HEADER_WORDS: Final = 5
L2_DEGREE_LOG2: Final = 20
L1_DEGREE_LOG2: Final = 21
CHALLENGE_BITS: Final = 128
PUBLIC_INPUTS: Final = 3
"""C, X, Y."""

# Streams (protocol 6)
OP_BITS: Final = 4
FLAG_BITS: Final = 4
CHUNK_BYTES: Final = 15
CHUNK_BITS: Final = 8 * CHUNK_BYTES
MAX_CHUNKS_PER_STEP: Final = 3
MAX_WORDS_PER_STEP: Final = 4
AUX_BITS: Final = 64
FLAG_SENDER_IS_OWNER: Final = 1
FLAG_REFUSED: Final = 2
SWAP_STEPS: Final = 3
"""Maker's order, taker's order, settlement."""

# L1 (protocol 8)
QUEUE_EXPIRY_SECONDS: Final = 7 * 24 * 3600
PROOF_DEADLINE_SECONDS: Final = 24 * 3600
PROOF_GRACE_SECONDS: Final = 3600
PROOF_LIMIT_SECONDS: Final = 48 * 3600
"""However many graces there are."""
MAX_QUEUE_FEE_GWEI: Final = 10**6
MAX_TIMESTAMP_AHEAD_SECONDS: Final = 15 * 60
MAX_TIMESTAMP_BEHIND_SECONDS: Final = 24 * 3600
MAX_L1_OPERATIONS_PER_BLOCK: Final = 256


class Op(IntEnum):
    """Operation codes, final. 10-12 are reserved for NFTs, 15 for longer codes."""

    NOOP = 0
    DEPOSIT = 1
    FULL_EXIT = 2
    TRANSFER = 3
    TRANSFER_TO_ADDRESS = 4
    WITHDRAW = 5
    CHANGE_PUB_KEY = 6
    FORCED_EXIT = 7
    SWAP = 8
    CANCEL_ORDER = 9
