"""The block that is measured: as many signed Transfers as it has steps, between a few accounts."""

from rollup._native import eddsa_public_key, eddsa_sign
from rollup.core import BlockBuilder, Deposit, SealedBlock, Signature, State, Transfer, domain

ACCOUNTS = 64
ETH = 0
DOMAIN = domain(31337, 0x5155)
FEE_TOKENS = tuple(range(8))
TIMESTAMP = 1_800_000_000


def account_key(account_id: int) -> bytes:
    """An account's L2 private key."""
    return account_id.to_bytes(32, "big")


def account_address(account_id: int) -> int:
    """Its owner's L1 address."""
    return 0xACC0000 + account_id


def funded_state() -> State:
    """ACCOUNTS accounts with keys and money, made by one block of deposits."""
    state = State()
    builder = _builder(state, number=1, size=ACCOUNTS, queue_start=0, witness=False)
    for account_id in range(ACCOUNTS):
        key = eddsa_public_key(account_key(account_id))
        builder.add(Deposit(account_id, ETH, 10**20, account_address(account_id), key, sender_is_owner=True))
    builder.seal()
    return state


def transfers(count: int) -> list[Transfer]:
    """`count` signed Transfers, each account paying in turn the one seven ids on."""
    signed = []
    for index in range(count):
        payer = index % ACCOUNTS
        payee = (payer + 7) % ACCOUNTS
        transfer = Transfer(payer, payee, account_address(payee), ETH, (index + 1) * 10**12, 10**9, index // ACCOUNTS)
        signature = eddsa_sign(account_key(payer), transfer.message_hash(DOMAIN))
        signed.append(transfer.signed(Signature(*signature)))
    return signed


def block_of_transfers(size: int, witness: bool = True) -> SealedBlock:
    """A sealed block of `size` Transfers."""
    builder = _builder(funded_state(), number=2, size=size, queue_start=ACCOUNTS, witness=witness)
    for transfer in transfers(size):
        builder.add(transfer)
    return builder.seal()


def _builder(state: State, *, number: int, size: int, queue_start: int, witness: bool) -> BlockBuilder:
    return BlockBuilder(
        state,
        domain=DOMAIN,
        block_number=number,
        timestamp=TIMESTAMP,
        fee_account=0,
        fee_tokens=FEE_TOKENS,
        block_size=size,
        queue_start=queue_start,
        witness=witness,
    )
