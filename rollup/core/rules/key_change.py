"""ChangePubKey: by the owner's Ethereum account, with the old key or without."""

from rollup._native import is_in_subgroup
from rollup.core.account import Account
from rollup.core.errors import (
    AddressZeroError,
    KeyChangeNotAuthorisedError,
    KeyUnusableError,
    NonceMismatchError,
    OutsideValidityError,
    OwnerMismatchError,
)
from rollup.core.key_change import key_change_digest, recover_owner
from rollup.core.operations import ChangePubKey, ChangePubKeyData
from rollup.core.rules.base import Context, Step, Touch, View, charged, existing, next_nonce

_IDENTITY = (0, 1)


def change_pub_key(view: View, data: ChangePubKeyData, fee_tokens: tuple[int, ...]) -> Step:
    """The fee's debit, then the new key."""
    account = existing(view, data.account_id)
    if not data.owner:
        raise AddressZeroError("owner")
    if account.address != data.owner:
        raise OwnerMismatchError(data.account_id, data.owner, account.address)
    if data.nonce != account.nonce:
        raise NonceMismatchError(data.account_id, account.nonce, data.nonce)
    counted = next_nonce(data.account_id, account)
    rest = charged(view, data.account_id, data.fee_token, 0, data.fee, fee_tokens)
    first = Touch(data.account_id, data.fee_token, counted, rest)
    second = Touch(data.account_id, data.fee_token, Account(data.key, counted.address, counted.nonce), rest)
    return Step(data, first, second, data.fee_token, data.fee)


def check_key_change(operation: ChangePubKey, context: Context) -> None:
    """The key can sign, the change is not too late, and the owner wants it.

    L1 takes any key on the curve; one outside the prime-order subgroup would sign nothing and only lock its owner out.
    """
    if operation.key == _IDENTITY or not is_in_subgroup(operation.key):
        raise KeyUnusableError(operation.account_id, operation.key)
    if context.timestamp > operation.valid_until:
        raise OutsideValidityError(context.timestamp, 0, operation.valid_until)
    digest = key_change_digest(operation, context.domain)
    signer = recover_owner(operation, context.domain)
    approved = operation.authorisation is None and (operation.owner, digest) in context.key_approvals
    if not approved and signer != operation.owner:
        raise KeyChangeNotAuthorisedError(operation.account_id, operation.owner, signer, digest)
