"""Who acts in `protocol.json`, and what they do and sign.

Everything is fixed: Ethereum keys 0x01.., 0x02.., the L2 keys derived from them, chain 31337.
"""

from typing import Any

from eth_account import Account as EthereumAccount
from vector_formats import address, describe, published, word

from rollup.core import (
    Batch,
    BlockBuilder,
    CancelOrder,
    ChangePubKey,
    Deposit,
    ForcedExit,
    FullExit,
    Order,
    SealedBlock,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    domain,
    key_change_digest,
    key_change_typed_data,
    linked,
    queue_entry,
    queue_hash,
)
from rollup.core.operations import NO_KEY
from rollup.core.queue import queue_expiry, requested
from rollup.wallet.key_change import authorise
from rollup.wallet.keys import derive_local_key, key_typed_data, local_signer

CHAIN_ID = 31337
ROLLUP = 0x5FBDB2315678AFECB367F032D93F642F64180AA3
DOMAIN = domain(CHAIN_ID, ROLLUP)
TIME = 1_800_000_000
ETHEREUM = [EthereumAccount.from_key(bytes([n]) * 32) for n in (1, 2, 3, 4)]
OWNER = [int(account.address, 16) for account in ETHEREUM]
KEYS = [derive_local_key(account, CHAIN_ID, ROLLUP) for account in ETHEREUM]
ETHER = 10**18
MAX_AMOUNT, MAX_FEE = 34028236692 * 10**28, 2047 * 10**31
STRANGER = 0x1234567890ABCDEF


def messages() -> list[dict[str, Any]]:
    """What is signed: words, hash, signature; and what of it is published, an order's fills apart."""
    last_id, last_account, last_token, last_address = 2**32 - 1, 2**24 - 1, 2047, 2**160 - 1
    alone: list[tuple[int, Any]] = [
        (0, Transfer(0, 1, OWNER[1], 1, 25 * ETHER, 10**15, 0)),
        (1, Transfer(last_account, last_account - 1, last_address, last_token, MAX_AMOUNT, MAX_FEE, last_id, 1, 2)),
        (2, Transfer(0, 0, 1, 0, 0, 0, 0, TIME, TIME)),
        (0, Withdraw(0, OWNER[0], 0, ETHER + 1, 2050, 7, 0, TIME)),
        (1, Withdraw(last_account, last_address, last_token, 2**128 - 1, 0, last_id)),
        (0, TransferToAddress(0, 5, OWNER[3], 1, 10 * ETHER, 10**14, 4)),
        (1, TransferToAddress(last_account, 0, last_address, last_token, MAX_AMOUNT, MAX_FEE, last_id, 1, 2)),
        (2, ForcedExit(2, 4097, STRANGER, 2047, 1, 10**14, 3, 0, TIME, amount=7)),
        (1, ForcedExit(last_account, last_account, last_address, last_token, 0, MAX_FEE, last_id, amount=2**128 - 1)),
        (0, CancelOrder(0, 2048, 1, 1, 2047, 5)),
        (1, CancelOrder(last_account, 4095, last_id, last_token, MAX_FEE, last_id, 1, 2)),
        (0, Order(0, 2048, 0, 2, 1, 5 * 10**11, 5 * ETHER + 1, 2040)),
        (1, Order(last_account, 4095, last_id, last_token, 0, 2**120 - 1, 2**120 - 1, MAX_FEE, 1, 2)),
    ]
    together = linked([Transfer(0, 1, OWNER[1], 1, ETHER, 0, 8), Withdraw(1, OWNER[1], 1, ETHER, 10**15, 3)])
    together += linked([CancelOrder(2, 2049, 9, 1, 0, 0), ForcedExit(2, 4097, STRANGER, 2, 1, 0, 1, amount=1)])
    return [_message(signer, unsigned) for signer, unsigned in [*alone, *zip((0, 1, 2, 2), together, strict=True)]]


def _message(signer: int, unsigned: Any) -> dict[str, Any]:
    signed = KEYS[signer].sign(unsigned, DOMAIN)
    return {
        "operation": describe(signed),
        "signer": signer,
        "message": [word(value) for value in signed.message_words(DOMAIN)],
        "message_hash": word(signed.message_hash(DOMAIN)),
        **({} if isinstance(signed, Order) else published(signed)),
    }


def key_changes() -> list[dict[str, Any]]:
    """What an owner signs or approves, and what of it stands in keyAuth."""
    changes = [
        ChangePubKey(5, OWNER[3], KEYS[3].public_key, 0, 1, 10**14, TIME + 3600),
        ChangePubKey(2**24 - 1, OWNER[0], KEYS[1].public_key, 2**32 - 1, 2047, MAX_FEE, 2**40 - 1),
        ChangePubKey(0, OWNER[1], KEYS[2].public_key, 0, 0, 0, 0),
    ]
    vectors = []
    for change in changes:
        signed = authorise(change, DOMAIN, local_signer(ETHEREUM[OWNER.index(change.owner)]))
        vectors.append(
            {
                "operation": describe(signed),
                "typed_data": key_change_typed_data(signed, DOMAIN)["message"],
                "digest": "0x" + key_change_digest(signed, DOMAIN).hex(),
                "key_auth": "0x" + signed.key_auth().hex(),
                "key_auth_if_approved": "0x" + change.key_auth().hex(),
                **published(signed),
            }
        )
    return vectors


def queue() -> list[dict[str, Any]]:
    """Queue entries: the record as requested, its hash, the slot."""
    operations = [
        Deposit(0, 1, 100 * ETHER, OWNER[0], KEYS[0].public_key, True, queue_fee_gwei=20_000),
        Deposit(5, 1, 100 * ETHER, OWNER[0], KEYS[0].public_key, True, queue_fee_gwei=20_000),
        Deposit(0, 1, 100 * ETHER, OWNER[0], KEYS[0].public_key, True, refused=True, queue_fee_gwei=20_000),
        Deposit(0, 2047, 2**128 - 1, 2**160 - 1, NO_KEY, queue_fee_gwei=2**64 - 1),
        FullExit(1, 1, OWNER[1], 77, 20_000),
        FullExit(1, 1, OWNER[1], 0, 20_000),
    ]
    return [
        {
            "operation": describe(operation),
            "requested_at": TIME,
            "record_as_requested": [word(value) for value in requested(operation).record()],
            "hash": "0x" + queue_hash(operation).hex(),
            "expiry": queue_expiry(TIME),
            "entry": word(queue_entry(operation, TIME)),
        }
        for operation in operations
    ]


def wallet() -> list[dict[str, Any]]:
    """L2 keys of the users."""
    return [
        {
            "ethereum_private_key": "0x" + (bytes([n + 1]) * 32).hex(),
            "ethereum_address": address(OWNER[n]),
            "signature": "0x" + local_signer(ETHEREUM[n])(key_typed_data(CHAIN_ID, ROLLUP)).hex(),
            "l2_private_key": "0x" + KEYS[n].private_key.hex(),
            "l2_public_key": [word(coordinate) for coordinate in KEYS[n].public_key],
        }
        for n in range(len(KEYS))
    ]


def first_block(builder: BlockBuilder) -> SealedBlock:
    """Deposits, payments and exits, from the empty tree; account 2 takes the fees."""
    for n in range(3):
        amount = (100 * ETHER, 50 * ETHER + 1, 0)[n]
        builder.add(Deposit(n, 1, amount, OWNER[n], KEYS[n].public_key, True, queue_fee_gwei=20_000 + n))
    builder.add(KEYS[0].sign(Transfer(0, 1, OWNER[1], 1, 25 * ETHER, 10**15, 0), DOMAIN))
    builder.add(KEYS[0].sign(Transfer(0, 0, OWNER[0], 1, 75 * ETHER - 10**15 - 2 * 10**14, 2 * 10**14, 1), DOMAIN))
    builder.add(KEYS[0].sign(Withdraw(0, 0xDEADBEEF, 1, 12345678901234567890, 10**14, 2), DOMAIN))
    builder.add(Deposit(0, 0, 5 * ETHER, OWNER[2], NO_KEY, False, refused=True, queue_fee_gwei=20_003))
    builder.add(FullExit(1, 1, OWNER[1], queue_fee_gwei=20_004))
    builder.add(FullExit(1, 1, OWNER[0], queue_fee_gwei=20_005))
    return builder.seal()


def second_block(builder: BlockBuilder) -> SealedBlock:
    """From there on: a stranger's deposit creates an account without key; the owner's own does not replace his key."""
    builder.add(Deposit(4097, 2047, 7, STRANGER, KEYS[1].public_key, False, queue_fee_gwei=1))
    builder.add(Deposit(0, 2, 10**12, OWNER[0], KEYS[1].public_key, True, queue_fee_gwei=2))
    builder.add(KEYS[0].sign(Transfer(0, 4097, STRANGER, 2, 10**11, 2047, 3), DOMAIN))
    return builder.seal()


def third_block(builder: BlockBuilder) -> SealedBlock:
    """Everything else. Account 5 is made by a payment to an address, and gets its key from that address."""
    builder.add(KEYS[0].sign(TransferToAddress(0, 5, OWNER[3], 1, 10 * ETHER, 10**14, 4), DOMAIN))
    builder.add(KEYS[0].sign(TransferToAddress(0, 1, OWNER[1], 1, 20 * ETHER, 10**14, 5), DOMAIN))
    builder.add(KEYS[1].sign(ForcedExit(1, 4097, STRANGER, 2047, 1, 10**14, 0), DOMAIN))
    builder.add(authorise(_first_key(), DOMAIN, local_signer(ETHEREUM[3])))

    # Account 0 sells 5 * 10^11 of token 2 for 5 ether of token 1 or better: to account 1, then to account 5.
    maker = KEYS[0].sign(Order(0, 2048, 1, 2, 1, 5 * 10**11, 5 * ETHER, 2040), DOMAIN)
    one = KEYS[1].sign(Order(1, 4095, 7, 1, 2, 3 * ETHER, 3 * 10**11, 10**15), DOMAIN)
    five = KEYS[3].sign(Order(5, 2049, 0, 1, 2, 8 * ETHER, 3 * 10**11, 0, TIME, TIME + 3600), DOMAIN)
    builder.add(Swap(maker, one, 3 * 10**11, 3 * ETHER, 1224, 10**15))
    builder.add(Swap(maker, five, 10**11, ETHER + 10**17, 408, 0))
    builder.add(KEYS[0].sign(CancelOrder(0, 2048, 2, 1, 10**14, 6), DOMAIN))

    together = linked([Transfer(1, 5, OWNER[3], 2, 10**11, 0, 1), Withdraw(5, OWNER[3], 1, ETHER // 3, 10**14, 1)])
    signed = (key.sign(operation, DOMAIN) for key, operation in zip((KEYS[1], KEYS[3]), together, strict=True))
    builder.add(Batch(tuple(signed)))
    return builder.seal()


def _first_key() -> ChangePubKey:
    return ChangePubKey(5, OWNER[3], KEYS[3].public_key, 0, 1, 10**14, TIME + 3600)
