"""A wallet's account: right nonces, right signatures, batches of several signers, key changes."""

import time
from dataclasses import replace
from typing import Any

import pytest
from core_users import DOMAIN, TIME
from eth_account import Account
from eth_account.messages import encode_typed_data

from rollup._native import eddsa_verify
from rollup.core import Context, Deposit, State
from rollup.core.constants import FIRST_ORDER_SLOT
from rollup.core.errors import (
    CancelTooLowError,
    FieldRuleError,
    KeyChangeNotAuthorisedError,
    LinkMismatchError,
    NonceMismatchError,
    OrderReplacedError,
    SignatureInvalidError,
    SignatureMissingError,
    SignerMismatchError,
)
from rollup.core.key_change import key_change_digest, key_change_typed_data
from rollup.core.operations import FOREVER, Batch, Swap, Transfer, TransferToAddress
from rollup.wallet.account import WalletAccount
from rollup.wallet.batches import make_batch, missing_signers, sign_batch
from rollup.wallet.key_change import authorise
from rollup.wallet.keys import L2Key, derive_local_key, local_signer

CHAIN_ID, ROLLUP = 31337, 0xC0FFEE
OWNERS = [Account.from_key(bytes([n]) * 32) for n in (1, 2)]
NEW = 0xDEAD
CONTEXT = Context(DOMAIN, TIME, tuple(range(8)))


@pytest.fixture
def accounts() -> list[WalletAccount]:
    """Two accounts, by their owners' keys number 0."""
    return [
        WalletAccount(n, int(owner.address, 16), derive_local_key(owner, CHAIN_ID, ROLLUP), DOMAIN, valid_until=FOREVER)
        for n, owner in enumerate(OWNERS)
    ]


@pytest.fixture
def state(accounts: list[WalletAccount]) -> State:
    """Each has 1000 of tokens 0 and 1."""
    state = State()
    for account in accounts:
        for token in (0, 1):
            state.apply(
                Deposit(account.account_id, token, 1000, account.address, account.key.public_key, True), CONTEXT
            )
    return state


def test_sign_every_operation_in_turn_is_accepted(accounts: list[WalletAccount], state: State) -> None:
    alice, bob = accounts
    for operation in (
        alice.pay(bob.address, 1, 0, 10, 1),
        replace(alice.pay(NEW, None, 1, 20, 2), to_id=7),
        alice.withdraw(0, 30, 3),
        alice.cancel_orders(0, 4),
    ):
        state.apply(alice.sign(operation), CONTEXT)
    assert state.account(0).nonce == alice.nonce == 4
    assert state.balance(0, 0) == 1000 - 10 - 1 - 30 - 3 - 4


def test_pay_known_and_unknown_address_picks_the_operation(accounts: list[WalletAccount]) -> None:
    alice, bob = accounts
    assert isinstance(alice.pay(bob.address, 1, 0, 10), Transfer)
    unknown = alice.pay(NEW, None, 0, 10)
    assert isinstance(unknown, TransferToAddress)
    assert (unknown.to_address, unknown.nonce) == (NEW, 1)


def test_withdraw_goes_to_the_owner_by_default(accounts: list[WalletAccount]) -> None:
    assert accounts[0].withdraw(0, 1).address == accounts[0].address
    assert accounts[0].withdraw(0, 1, to_address=NEW).address == NEW


def test_force_exit_of_an_account_without_key_is_accepted(accounts: list[WalletAccount], state: State) -> None:
    state.apply(Deposit(5, 1, 77, NEW), CONTEXT)
    alice = accounts[0]
    applied = state.apply(alice.sign(alice.force_exit(5, NEW, 1, 0, 2)), CONTEXT)
    assert applied.operation.amount == 77
    assert state.balance(0, 0) == 998


def test_order_and_cancel_orders_each_replace_what_was_before(accounts: list[WalletAccount], state: State) -> None:
    alice, bob = accounts
    first = alice.sign(alice.order(0, 100, 1, 50, fee=10))
    with pytest.raises(FieldRuleError, match="an order of yours stands there"):
        alice.order(0, 100, 1, 50, fee=10)
    second = alice.sign(alice.order(0, 100, 1, 50, fee=10, replacing=True))
    assert (first.order_id, second.order_id, first.slot) == (1, 2, FIRST_ORDER_SLOT)
    taker = bob.sign(bob.order(1, 50, 0, 100))
    state.apply(Swap(second, taker, 50, 25, 5, 0), CONTEXT)
    with pytest.raises(OrderReplacedError):
        state.apply(Swap(first, taker, 50, 25, 5, 0), CONTEXT)
    state.apply(alice.sign(alice.cancel_orders(0)), CONTEXT)
    with pytest.raises(OrderReplacedError):
        state.apply(Swap(second, taker, 50, 25, 5, 0), CONTEXT)
    third = alice.sign(alice.order(0, 50, 1, 25, replacing=True))
    state.apply(Swap(third, taker, 50, 25), CONTEXT)


def test_batch_of_two_signers_each_signs_his_own_and_it_is_accepted(
    accounts: list[WalletAccount], state: State
) -> None:
    alice, bob = accounts
    payments = [replace(alice.pay(NEW, None, 0, 5), to_id=7), bob.pay(alice.address, 0, 1, 7, 1), alice.withdraw(1, 7)]
    batch = make_batch(payments)
    assert missing_signers(batch) == {0, 1}
    half = alice.sign(batch)
    assert missing_signers(half) == {1}
    with pytest.raises(SignatureMissingError):
        state.apply(half, CONTEXT)
    state.apply(bob.sign(half), CONTEXT)
    assert (state.account(0).nonce, state.account(1).nonce) == (2, 1)


def test_sign_batch_of_another_list_is_refused(accounts: list[WalletAccount]) -> None:
    alice, bob = accounts
    batch = make_batch([alice.pay(bob.address, 1, 0, 5), bob.pay(alice.address, 0, 1, 7)])
    shown = Batch((*batch.operations[:1], bob.pay(alice.address, 0, 1, 8)))
    with pytest.raises(LinkMismatchError):
        sign_batch(shown, 0, alice.key, DOMAIN)


def test_make_batch_of_an_order_or_one_operation_is_refused(accounts: list[WalletAccount]) -> None:
    alice, _ = accounts
    order: Any = alice.order(0, 1, 1, 1)
    for operations in ([alice.withdraw(0, 1)], [alice.withdraw(0, 1), order]):
        with pytest.raises(FieldRuleError) as caught:
            make_batch(operations)
        assert caught.value.field == "operations"


def test_change_key_signed_by_the_owner_is_accepted_and_the_old_key_is_dead(
    accounts: list[WalletAccount], state: State
) -> None:
    alice, bob = accounts
    new = derive_local_key(OWNERS[0], CHAIN_ID, ROLLUP, index=1)
    change = authorise(alice.change_key(new.public_key, 0, 3), DOMAIN, local_signer(OWNERS[0]))
    standing = alice.sign(alice.order(0, 100, 1, 50))
    state.apply(change, CONTEXT)
    payment = alice.pay(bob.address, 1, 0, 10)
    with pytest.raises(SignatureInvalidError):
        state.apply(alice.sign(payment), CONTEXT)
    with pytest.raises(SignatureInvalidError):
        state.apply(Swap(standing, bob.sign(bob.order(1, 50, 0, 100)), 10, 5), CONTEXT)
    alice.key = new
    state.apply(alice.sign(payment), CONTEXT)


def test_authorise_recovery_id_counted_from_zero_is_made_l1s(accounts: list[WalletAccount]) -> None:
    def sign(data: dict[str, Any]) -> bytes:
        signature = local_signer(OWNERS[0])(data)
        return signature[:64] + bytes([signature[64] - 27])

    change = accounts[0].change_key((1, 2), 0)
    assert authorise(change, DOMAIN, sign) == authorise(change, DOMAIN, local_signer(OWNERS[0]))


def test_authorise_by_somebody_else_is_refused(accounts: list[WalletAccount]) -> None:
    change = accounts[0].change_key((1, 2), 0)
    with pytest.raises(SignerMismatchError) as caught:
        authorise(change, DOMAIN, local_signer(OWNERS[1]))
    assert caught.value.signer == int(OWNERS[1].address, 16)


def test_authorise_by_no_signature_is_refused(accounts: list[WalletAccount]) -> None:
    change = accounts[0].change_key((1, 2), 0)
    with pytest.raises(SignerMismatchError) as caught:
        authorise(change, DOMAIN, lambda _: b"\xff" * 64 + b"\x1b")
    assert caught.value.signer == 0
    with pytest.raises(FieldRuleError):
        authorise(change, DOMAIN, lambda _: b"a contract wallet's own bytes")


def test_key_change_digest_is_what_wallets_sign(accounts: list[WalletAccount]) -> None:
    """eth_account hashes the typed data as MetaMask does; the digest is what a contract wallet approves on L1."""
    change = accounts[0].change_key((1, 2), 3, 4)
    data = encode_typed_data(full_message=key_change_typed_data(change, DOMAIN))
    signature = OWNERS[0].sign_message(data)
    assert Account._recover_hash(key_change_digest(change, DOMAIN), signature=signature.signature) == OWNERS[0].address


def test_change_key_approved_on_l1_is_accepted_without_a_signature(accounts: list[WalletAccount], state: State) -> None:
    change = accounts[0].change_key(L2Key.from_private_key(b"\x07" * 32).public_key, 0)
    with pytest.raises(KeyChangeNotAuthorisedError):
        state.apply(change, CONTEXT)
    approved = Context(DOMAIN, TIME, CONTEXT.fee_tokens, {(change.owner, key_change_digest(change, DOMAIN))})
    state.apply(change, approved)
    assert state.account(0).key == change.key


def test_sign_signature_is_the_accounts_own(accounts: list[WalletAccount]) -> None:
    signed = accounts[0].sign(accounts[0].withdraw(0, 1))
    assert signed.signature is not None
    assert eddsa_verify(accounts[0].key.public_key, signed.message_hash(DOMAIN), signed.signature.as_tuple())


def test_replace_order_cancels_the_old_one_and_the_new_one_can_be_filled(
    accounts: list[WalletAccount], state: State
) -> None:
    alice, bob = accounts
    old = alice.sign(alice.order(0, 100, 1, 50))
    cancel, new = alice.replace_order(0, 200, 1, 100)
    assert cancel.first_valid_order_id == new.order_id
    taker = bob.sign(bob.order(1, 50, 0, 100))
    state.apply(alice.sign(cancel), CONTEXT)
    with pytest.raises(OrderReplacedError):
        state.apply(Swap(old, taker, 20, 10), CONTEXT)
    state.apply(Swap(alice.sign(new), taker, 20, 10), CONTEXT)


def test_release_nonce_of_a_cancellation_that_came_too_late_lets_later_operations_in(
    accounts: list[WalletAccount], state: State
) -> None:
    alice, bob = accounts
    cancel, new = alice.replace_order(0, 200, 1, 100)
    later = alice.sign(alice.withdraw(0, 1))
    state.apply(Swap(alice.sign(new), bob.sign(bob.order(1, 50, 0, 100)), 20, 10), CONTEXT)
    with pytest.raises(CancelTooLowError):
        state.apply(alice.sign(cancel), CONTEXT)
    with pytest.raises(NonceMismatchError):
        state.apply(later, CONTEXT)
    state.apply(alice.sign(alice.release_nonce(cancel.nonce, 0)), CONTEXT)
    state.apply(later, CONTEXT)


def test_valid_until_by_default_is_soon(accounts: list[WalletAccount]) -> None:
    alice = accounts[0]
    alice.valid_until = None
    now = time.time()
    for operation, hours in (
        (alice.withdraw(0, 1), 24),
        (alice.pay(NEW, None, 0, 1), 24),
        (alice.order(0, 1, 1, 1), 24),
        (alice.change_key((1, 2), 0), 72),
    ):
        assert 0 <= operation.valid_until - int(now) - hours * 3600 <= 60


@pytest.mark.parametrize(
    ("make", "field"),
    [
        (lambda wallet: wallet.pay(0, None, 0, 1), "to_address"),
        (lambda wallet: wallet.pay(0, 1, 0, 1), "to_address"),
        (lambda wallet: wallet.withdraw(0, 1, to_address=0), "address"),
        (lambda wallet: wallet.force_exit(5, 0, 0, 0), "address"),
        (lambda wallet: wallet.force_exit(wallet.account_id, NEW, 0, 0), "account_id"),
        (lambda wallet: wallet.order(0, 0, 1, 1), "sell_amount"),
        (lambda wallet: wallet.order(0, 1, 1, 0), "buy_amount"),
        (lambda wallet: wallet.order(0, 1, 1, 1, slot=FIRST_ORDER_SLOT - 1), "slot"),
        (lambda wallet: wallet.order(0, 1, 1, 1, slot=2 * FIRST_ORDER_SLOT), "slot"),
        (lambda wallet: wallet.replace_order(0, 1, 1, 0), "buy_amount"),
        (lambda wallet: wallet.cancel_orders(0, slot=1), "slot"),
    ],
)
def test_wallet_makes_nothing_that_no_block_takes(accounts: list[WalletAccount], make: Any, field: str) -> None:
    alice, _ = accounts
    with pytest.raises(FieldRuleError) as refused:
        make(alice)
    assert refused.value.field == field
    assert (alice.nonce, alice.next_order_id) == (0, 1)


def test_wallet_whose_time_is_over_makes_nothing(accounts: list[WalletAccount]) -> None:
    alice, _ = accounts
    alice.valid_until = int(time.time()) - 1
    with pytest.raises(FieldRuleError, match="no block can take it in"):
        alice.withdraw(0, 1)
