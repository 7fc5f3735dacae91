"""Users of the core's tests, and how they sign.

Each builder makes an operation that is valid on the fixture `state` at nonce 0; changes are made before signing.
"""

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

import pytest
from eth_account import Account as EthereumAccount
from eth_account.signers.local import LocalAccount

from rollup.core import (
    Batch,
    CancelOrder,
    ChangePubKey,
    Context,
    Deposit,
    ForcedExit,
    FullExit,
    Operation,
    Order,
    OrderSlot,
    OwnerSignature,
    SignedOperation,
    State,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    domain,
    key_change_typed_data,
    linked,
)
from rollup.wallet.keys import L2Key, local_signer

DOMAIN = domain(31337, 0xC0FFEE)
TIME = 1_800_000_000
FEE_TOKENS = tuple(range(8))
ORDER_SLOT = 32
"""The first order slot of a balance tree of two levels."""


@dataclass(frozen=True)
class User:
    """An account of the state under test."""

    account_id: int
    address: int
    key: L2Key


def make_user(account_id: int) -> User:
    """User n: key of n + 1 repeated, address 0xA000 + n."""
    return User(account_id, 0xA000 + account_id, L2Key.from_private_key(bytes([account_id + 1]) * 32))


def ethereum_account(n: int) -> LocalAccount:
    """Ethereum account n: key of n + 1 repeated."""
    return EthereumAccount.from_key(bytes([n + 1]) * 32)


ALICE, BOB, CAROL = (make_user(n) for n in range(3))
OWNER = ethereum_account(4)
"""Dora's Ethereum account: she changes keys."""
DORA = User(4, int(OWNER.address, 16), L2Key.from_private_key(bytes([5]) * 32))
"""Her account has no key yet; this one she would set."""


def transfer(sender: User = ALICE, receiver: User = BOB, **changes: Any) -> Transfer:
    """A payment of 100 with fee 1 of token 1."""
    fields = {"token": 1, "amount": 100, "fee": 1, "nonce": 0, "to_id": receiver.account_id}
    fields |= {"to_address": receiver.address} | changes
    return sender.key.sign(Transfer(**{"from_id": sender.account_id, **fields}), DOMAIN)


def transfer_to_address(sender: User = ALICE, **changes: Any) -> TransferToAddress:
    """A payment of 100 with fee 1 of token 1 to a new account, 9."""
    fields = {"token": 1, "amount": 100, "fee": 1, "nonce": 0, "to_id": 9, "to_address": 0x99} | changes
    return sender.key.sign(TransferToAddress(**{"from_id": sender.account_id, **fields}), DOMAIN)


def withdraw(sender: User = ALICE, **changes: Any) -> Withdraw:
    """A withdrawal of 100 with fee 1 of token 1."""
    fields = {"token": 1, "amount": 100, "fee": 1, "nonce": 0, "address": 0xBEEF} | changes
    return sender.key.sign(Withdraw(**{"from_id": sender.account_id, **fields}), DOMAIN)


def forced_exit(sender: User = ALICE, **changes: Any) -> ForcedExit:
    """Dora's 77 of token 3 leave, for a fee of 1 of token 1."""
    fields = {"account_id": DORA.account_id, "address": DORA.address, "token": 3, "fee_token": 1, "fee": 1, "nonce": 0}
    return sender.key.sign(ForcedExit(**{"from_id": sender.account_id, **fields, **changes}), DOMAIN)


def cancel_order(sender: User = ALICE, **changes: Any) -> CancelOrder:
    """Orders below 5 of the first order slot end, for a fee of 1 of token 1."""
    fields = {"slot": ORDER_SLOT, "first_valid_order_id": 5, "fee_token": 1, "fee": 1, "nonce": 0} | changes
    return sender.key.sign(CancelOrder(**{"account_id": sender.account_id, **fields}), DOMAIN)


def order(sender: User = ALICE, **changes: Any) -> Order:
    """Alice sells 200 of token 1 for 100 of token 2, for a fee of at most 20; anyone else the other way round."""
    fields = {"slot": ORDER_SLOT, "order_id": 1, "sell_token": 1, "buy_token": 2, "sell_amount": 200, "buy_amount": 100}
    if sender is not ALICE:
        fields |= {"sell_token": 2, "buy_token": 1, "sell_amount": 100, "buy_amount": 200}
    return sender.key.sign(Order(**{"account_id": sender.account_id, "fee": 20, **fields, **changes}), DOMAIN)


def swap(maker: Order | None = None, taker: Order | None = None, **changes: Any) -> Swap:
    """Half of both orders: Alice sells 100 for Bob's 50, each for a fee of 10."""
    amounts = {"maker_amount": 100, "taker_amount": 50, "maker_fee": 10, "taker_fee": 10} | changes
    return Swap(maker or order(), taker or order(BOB), **amounts)


def owner_signed(operation: ChangePubKey, by: LocalAccount = OWNER, domain: int = DOMAIN) -> ChangePubKey:
    """The key change with this Ethereum account's signature, whoever the owner is."""
    signature = local_signer(by)(key_change_typed_data(operation, domain))
    return replace(operation, authorisation=OwnerSignature.from_bytes(signature))


def key_change(**changes: Any) -> ChangePubKey:
    """Dora sets her key, for nothing; her Ethereum account signs."""
    fields = {"account_id": DORA.account_id, "owner": DORA.address, "key": DORA.key.public_key, "nonce": 0}
    fields |= {"fee_token": 3, "fee": 0, "valid_until": TIME} | changes
    return owner_signed(ChangePubKey(**fields))


def batch(*members: tuple[User, SignedOperation]) -> Batch:
    """These operations as one batch, each signed by its user."""
    operations = linked([operation for _, operation in members])
    signed = (user.key.sign(operation, DOMAIN) for (user, _), operation in zip(members, operations, strict=True))
    return Batch(tuple(signed))


def payments(**changes: Any) -> Batch:
    """Alice pays Bob 100 of token 1 and Bob pays her 50 of token 2, for Alice's fee of 1; changes are of Alice's."""
    return batch((ALICE, transfer(**changes)), (BOB, transfer(BOB, ALICE, token=2, amount=50, fee=0)))


def every_operation() -> list[Operation]:
    """Every kind, valid on the fixture one after the other: 14 steps, 8 L1 records."""
    return [
        Deposit(3, 2, 70, 0x33, (5, 7), True, False, 4),
        transfer(),
        Deposit(0, 2, 70, 0x34, refused=True),
        transfer_to_address(nonce=1),
        withdraw(nonce=2, fee=2),
        FullExit(3, 2, 0x33),
        forced_exit(BOB, fee_token=2),
        key_change(),
        swap(),
        cancel_order(nonce=3),
        payments_after(),
    ]


def payments_after() -> Batch:
    """`payments`, after what `every_operation` has before it."""
    alice, bob = transfer(nonce=4), transfer(BOB, ALICE, token=2, amount=50, fee=0, nonce=1)
    return batch((ALICE, alice), (BOB, bob))


def held(state: State, user: User = ALICE, slot: int = ORDER_SLOT) -> OrderSlot | None:
    """What an order slot holds; None if it was never used."""
    return state.order_slots(user.account_id).get(slot)


def money(state: State) -> Counter[int]:
    """By token, what all accounts have together."""
    return sum((Counter(state.balances(account_id)) for account_id, _ in state.accounts()), Counter())


def snapshot(state: State) -> Any:
    """All that a refusal must leave as it is."""
    accounts = {i: (account, state.balances(i), state.order_slots(i)) for i, account in state.accounts()}
    return state.root, accounts, state.mark()


def refused(state: State, operation: Any, context: Context, **values: Any) -> None:
    """The operation is refused with these values, and the state is as before."""
    error = values.pop("error")
    before = snapshot(state)
    with pytest.raises(error) as caught:
        state.apply(operation, context)
    assert type(caught.value) is error
    assert caught.value.message == str(caught.value)
    assert {name: getattr(caught.value, name) for name in values} == values
    assert snapshot(state) == before
