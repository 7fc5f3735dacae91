"""ChangePubKey: only the owner's Ethereum account sets a key (I-03), once, here, in time; then the old key is dead."""

from dataclasses import replace
from typing import Any

import pytest
from core_users import (
    ALICE,
    BOB,
    CAROL,
    DOMAIN,
    DORA,
    FEE_TOKENS,
    TIME,
    ethereum_account,
    key_change,
    owner_signed,
    refused,
    snapshot,
    transfer,
)
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from rollup._native import BASE8
from rollup.core import ChangePubKey, ChangePubKeyData, Context, Deposit, OwnerSignature, State
from rollup.core.account import Account
from rollup.core.constants import FIELD_MODULUS
from rollup.core.errors import (
    AccountMissingError,
    AddressZeroError,
    BalanceTooLowError,
    FeeTokenNotListedError,
    FieldRuleError,
    KeyChangeNotAuthorisedError,
    KeyUnusableError,
    NonceExhaustedError,
    NonceMismatchError,
    OutsideValidityError,
    OwnerMismatchError,
    SignatureInvalidError,
    TokenNotMoneyError,
    ValueRangeError,
)
from rollup.core.key_change import key_change_digest, key_change_typed_data, recover_owner
from rollup.core.rules import Touch

SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
GENERATOR = (
    995203441582195749578291179787384436505546430278305826713579947235728471134,
    5472060717959818805561601436314318772137091100104008585924551046643952123905,
)
"""Of the whole curve, of 8 times the subgroup's order (EIP-2494)."""
UNAUTHORISED = KeyChangeNotAuthorisedError


def unsigned(**changes: Any) -> ChangePubKey:
    return replace(key_change(**changes), authorisation=None)


def approving(*approvals: tuple[int, ChangePubKey]) -> Context:
    digests = {(owner, key_change_digest(operation, DOMAIN)) for owner, operation in approvals}
    return Context(DOMAIN, TIME, FEE_TOKENS, digests)


# What it does


def test_key_change_first_key(state: State, context: Context) -> None:
    state.apply(key_change(), context)
    assert state.account(4) == Account(DORA.key.public_key, DORA.address, 1)
    state.apply(transfer(DORA, token=3, amount=7, fee=0, nonce=1), context)
    assert state.balance(1, 3) == 7


def test_key_change_replaces_a_key_and_the_old_one_signs_nothing(state: State, context: Context) -> None:
    state.apply(key_change(), context)
    state.apply(key_change(nonce=1, key=CAROL.key.public_key), context)
    old = transfer(DORA, token=3, amount=7, fee=0, nonce=2)
    refused(state, old, context, error=SignatureInvalidError, account_id=4)
    state.apply(CAROL.key.sign(old, DOMAIN), context)


def test_key_change_pays_its_fee(state: State, context: Context) -> None:
    applied = state.apply(key_change(fee=77), context)
    assert (applied.fees, state.balance(4, 3)) == (((3, 77),), 0)
    refused(
        state, key_change(nonce=1, fee=1), context, error=BalanceTooLowError, account_id=4, balance=0, amount=0, fee=1
    )  # fmt: skip


def test_key_change_signed_before_it_is_dead_after_it(state: State, context: Context) -> None:
    """The nonce is one for operations and key changes."""
    state.apply(key_change(), context)
    waiting = transfer(DORA, token=3, amount=7, fee=0, nonce=1)
    state.apply(key_change(nonce=1), context)
    refused(state, waiting, context, error=NonceMismatchError, expected=2, got=1)


def test_key_change_needs_no_usable_old_key(state: State, context: Context) -> None:
    """A deposit put a key there that can sign nothing: the way out."""
    state.apply(Deposit(4, 3, 0, DORA.address, (5, 7), True), context)
    state.apply(key_change(), context)
    assert state.account(4).key == DORA.key.public_key


# Conditions


def test_key_change_replayed_refused(state: State, context: Context) -> None:
    operation = key_change()
    state.apply(operation, context)
    refused(state, operation, context, error=NonceMismatchError, account_id=4, expected=1, got=0)


@pytest.mark.parametrize("nonce", [1, 2**32 - 1])
def test_key_change_ahead_of_the_nonce_refused(state: State, context: Context, nonce: int) -> None:
    refused(state, key_change(nonce=nonce), context, error=NonceMismatchError, expected=0, got=nonce)


def test_key_change_at_last_nonce_refused(state: State, context: Context) -> None:
    last = 2**32 - 1
    state.touch(Touch(4, 3, Account(address=DORA.address, nonce=last - 1), 77))
    mark = state.mark()
    state.apply(key_change(nonce=last - 1), context)
    assert state.account(4).nonce == last
    state.rollback(mark)
    state.touch(Touch(4, 3, Account(address=DORA.address, nonce=last), 77))
    refused(state, key_change(nonce=last), context, error=NonceExhaustedError, nonce=last)


def test_key_change_in_time_only(state: State, context: Context) -> None:
    refused(
        state, key_change(valid_until=TIME - 1), context, error=OutsideValidityError,
        timestamp=TIME, valid_from=0, valid_until=TIME - 1,
    )  # fmt: skip
    state.apply(key_change(valid_until=TIME), context)


def test_key_change_of_anothers_account_refused(state: State, context: Context) -> None:
    refused(
        state, key_change(account_id=0), context, error=OwnerMismatchError,
        account_id=0, stated=DORA.address, address=ALICE.address,
    )  # fmt: skip
    refused(state, key_change(account_id=9), context, error=AccountMissingError, account_id=9)
    refused(state, key_change(account_id=9, owner=0), context, error=AccountMissingError, account_id=9)
    refused(state, key_change(owner=0), approving((0, unsigned(owner=0))), error=AddressZeroError, field="owner")
    refused(state, key_change(account_id=64), context, error=ValueRangeError, value=64)


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"fee_token": 9, "fee": 1}, FeeTokenNotListedError), ({"fee_token": 32}, TokenNotMoneyError)],
)
def test_key_change_fee_token_refused(state: State, context: Context, changes: Any, error: Any) -> None:
    refused(state, key_change(**changes), context, error=error, token=changes["fee_token"])


@pytest.mark.parametrize(
    "key",
    [
        (0, 0),
        (0, 1),
        (0, FIELD_MODULUS - 1),
        (5, 7),
        (0, 5),
        (BASE8[0], FIELD_MODULUS - BASE8[1]),
        (FIELD_MODULUS - BASE8[0], FIELD_MODULUS - BASE8[1]),
        GENERATOR,
    ],
)
def test_key_change_to_a_key_that_cannot_sign_refused(state: State, context: Context, key: tuple[int, int]) -> None:
    """None, of small order, off the curve, or with a part of small order."""
    refused(state, key_change(key=key), context, error=KeyUnusableError, account_id=4, key=key)


# Whose will it is


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("account_id", 5), ("nonce", 1), ("key", CAROL.key.public_key), ("fee_token", 5), ("fee", 1),
        ("valid_until", TIME + 1),
    ],
)  # fmt: skip
def test_key_change_changed_after_signing_refused(state: State, context: Context, field: str, value: Any) -> None:
    """By the owner's signature it is somebody else's; the state is made to fit the change."""
    state.apply(Deposit(5, 5, 10, DORA.address), context)
    state.apply(Deposit(4, 5, 10, DORA.address), context)
    if field == "nonce":
        state.touch(Touch(4, 3, Account(address=DORA.address, nonce=1), 77))
    changed = replace(key_change(), **{field: value})
    refused(state, changed, context, error=UNAUTHORISED, account_id=changed.account_id, owner=DORA.address)
    state.apply(owner_signed(changed), context)


@pytest.mark.parametrize("other", [DOMAIN + 1, DOMAIN + (1 << 160)])
def test_key_change_on_another_deployment_refused(state: State, other: int) -> None:
    digest = key_change_digest(key_change(), other)
    refused(state, key_change(), Context(other, TIME, FEE_TOKENS), error=UNAUTHORISED, digest=digest)


def test_key_change_signed_by_another_refused(state: State, context: Context) -> None:
    stranger = ethereum_account(7)
    forged = owner_signed(unsigned(), stranger)
    refused(
        state, forged, context, error=UNAUTHORISED,
        account_id=4, owner=DORA.address, signer=int(stranger.address, 16), digest=key_change_digest(forged, DOMAIN),
    )  # fmt: skip


def forms(signature: OwnerSignature) -> list[OwnerSignature]:
    """The same in forms that L1 does not take, and what is no signature."""
    r, s, v = signature.r, signature.s, signature.v
    return [
        OwnerSignature(r, SECP256K1_ORDER - s, 55 - v),
        *(OwnerSignature(r, s, other) for other in (0, 1, v - 27, 55 - v, 29, 35, 255)),
        OwnerSignature(0, s, v),
        OwnerSignature(r, 0, v),
        OwnerSignature(SECP256K1_ORDER, s, v),
        OwnerSignature(r + SECP256K1_ORDER, s, v) if r + SECP256K1_ORDER < 2**256 else OwnerSignature(2**256 - 1, s, v),
        OwnerSignature(r, s ^ 1, v),
        OwnerSignature(r ^ 1, s, v),
        OwnerSignature(5, s, v),
    ]


@pytest.mark.parametrize("form", range(15))
def test_key_change_other_form_of_the_signature_refused(state: State, context: Context, form: int) -> None:
    """High s, other v, out of range: L1 would not take the block."""
    good = key_change()
    assert good.authorisation is not None
    assert len(forms(good.authorisation)) == 15
    forged = replace(good, authorisation=forms(good.authorisation)[form])
    assert recover_owner(forged, DOMAIN) != DORA.address
    refused(state, forged, context, error=UNAUTHORISED, account_id=4)
    state.apply(good, context)


def test_key_change_without_signature_refused(state: State, context: Context) -> None:
    refused(
        state, unsigned(), context, error=UNAUTHORISED, signer=None, digest=key_change_digest(unsigned(), DOMAIN)
    )  # fmt: skip


def test_key_change_approved_on_l1_by_its_owner(state: State) -> None:
    state.apply(unsigned(), approving((DORA.address, unsigned())))
    assert state.account(4).key == DORA.key.public_key


def test_key_change_approved_by_another_refused(state: State) -> None:
    """Anybody can approve any digest, for himself."""
    refused(state, unsigned(), approving((ALICE.address, unsigned())), error=UNAUTHORISED, signer=None)


@pytest.mark.parametrize(
    ("field", "value"), [("key", BOB.key.public_key), ("fee", 1), ("valid_until", TIME + 1), ("fee_token", 5)]
)
def test_key_change_other_than_approved_refused(state: State, field: str, value: Any) -> None:
    refused(state, replace(unsigned(), **{field: value}), approving((DORA.address, unsigned())), error=UNAUTHORISED)


def test_key_change_approval_dies_with_the_nonce(state: State) -> None:
    context = approving((DORA.address, unsigned()))
    state.apply(unsigned(), context)
    refused(state, unsigned(), context, error=NonceMismatchError, expected=1, got=0)
    refused(state, unsigned(nonce=1), context, error=UNAUTHORISED)


def test_key_change_with_a_wrong_signature_is_not_saved_by_an_approval(state: State) -> None:
    """The signature goes to L1, which looks at nothing else then."""
    forged = owner_signed(unsigned(), ethereum_account(7))
    refused(state, forged, approving((DORA.address, unsigned())), error=UNAUTHORISED)


# Formats


def test_digest_is_that_of_the_typed_data() -> None:
    """As any wallet computes it."""
    operation = key_change(fee=5, valid_until=2**40 - 1, nonce=7)
    message = encode_typed_data(full_message=key_change_typed_data(operation, DOMAIN))
    assert key_change_digest(operation, DOMAIN) == keccak(b"\x19\x01" + message.header + message.body)


def test_digest_as_the_page_says() -> None:
    operation = key_change(fee=5)

    def words(*values: int) -> bytes:
        return b"".join(value.to_bytes(32, "big") for value in values)

    domain_type = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    separator = keccak(keccak(domain_type) + keccak(b"Sluice") + keccak(b"1") + words(31337, 0xC0FFEE))
    struct_type = (
        b"ChangePubKey(uint32 accountId,uint32 nonce,uint256 ax,uint256 ay,uint16 feeToken,uint128 fee,"
        b"uint40 validUntil)"
    )
    struct = keccak(keccak(struct_type) + words(4, 0, *DORA.key.public_key, 3, 5, TIME))
    assert key_change_digest(operation, DOMAIN) == keccak(b"\x19\x01" + separator + struct)


def test_key_auth_as_the_page_says() -> None:
    operation = key_change()
    signature = operation.authorisation
    assert signature is not None
    assert OwnerSignature.from_bytes(bytes(signature)) == signature
    expected = f"{signature.r:064x}{signature.s:064x}{signature.v:02x}{TIME:010x}"
    assert operation.key_auth().hex() == expected
    assert unsigned().key_auth() == bytes(65) + TIME.to_bytes(5, "big")


@pytest.mark.parametrize("data", [b"", bytes(64), bytes(66), bytes(65)])
def test_owner_signature_of_other_bytes_refused(data: bytes) -> None:
    """All zeros are no signature: on L1 they say that an approval is there."""
    with pytest.raises(FieldRuleError) as caught:
        OwnerSignature.from_bytes(data)
    assert caught.value.field == "signature"


@pytest.mark.parametrize(
    ("field", "value", "limit"),
    [
        ("account_id", 2**24, 2**24), ("owner", 2**160, 2**160), ("nonce", 2**32, 2**32), ("fee_token", 2**12, 2**12),
        ("fee", 2**128, 2**128), ("valid_until", 2**40, 2**40), ("key", (FIELD_MODULUS, 0), FIELD_MODULUS),
        ("key", (0, FIELD_MODULUS), FIELD_MODULUS),
    ],
)  # fmt: skip
def test_key_change_field_out_of_range_refused(field: str, value: Any, limit: int) -> None:
    with pytest.raises(ValueRangeError) as caught:
        replace(unsigned(), **{field: value})
    assert caught.value.limit == limit


# As published


def test_published_key_change_has_the_same_effect(state: State, context: Context) -> None:
    other = state.copy()
    state.apply(key_change(fee=5), context)
    other.apply_published(key_change(fee=5).published(), FEE_TOKENS)
    assert other.root == state.root


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"account_id": 0}, OwnerMismatchError),
        ({"account_id": 9}, AccountMissingError),
        ({"owner": 0}, AddressZeroError),
        ({"nonce": 1}, NonceMismatchError),
        ({"fee": 78}, BalanceTooLowError),
        ({"fee_token": 32}, TokenNotMoneyError),
    ],
)
def test_published_key_change_that_no_circuit_allows_refused(state: State, changes: Any, error: Any) -> None:
    data = ChangePubKeyData(4, DORA.address, DORA.key.public_key, 0, 3, 5)
    before = snapshot(state)
    with pytest.raises(error):
        state.apply_published(replace(data, **changes), FEE_TOKENS)
    assert snapshot(state) == before


def test_published_key_change_to_any_key_is_taken(state: State) -> None:
    """Whether it is on the curve L1 has checked, before there was a block to rebuild."""
    state.apply_published(ChangePubKeyData(4, DORA.address, (5, 7), 0, 3, 0), FEE_TOKENS)
    assert state.account(4).key == (5, 7)
