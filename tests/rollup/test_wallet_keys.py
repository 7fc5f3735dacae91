"""L2 keys from an Ethereum account's signature (protocol 4, "Keys")."""

from typing import Any

import pytest
from core_users import DOMAIN, transfer
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from rollup._native import eddsa_verify, is_in_subgroup
from rollup.core.errors import FieldRuleError, SignerMismatchError, SignerNotDeterministicError, ValueRangeError
from rollup.wallet.keys import L2Key, derive_key, derive_local_key, key_typed_data, local_signer

ACCOUNT = Account.from_key(b"\x01" * 32)
ADDRESS = int(ACCOUNT.address, 16)


def test_derive_key_is_the_hash_of_r_and_s() -> None:
    key = derive_local_key(ACCOUNT, 31337, 0xC0FFEE)
    message = encode_typed_data(full_message=key_typed_data(31337, 0xC0FFEE))
    assert key.private_key == keccak(ACCOUNT.sign_message(message).signature[:64])
    assert is_in_subgroup(key.public_key)
    assert key == derive_local_key(ACCOUNT, 31337, 0xC0FFEE)


def test_derive_key_every_account_chain_and_rollup_has_its_own() -> None:
    other = Account.from_key(b"\x02" * 32)
    keys = [derive_local_key(*args) for args in ((ACCOUNT, 1, 5), (ACCOUNT, 2, 5), (ACCOUNT, 1, 6), (other, 1, 5))]
    assert len({key.public_key for key in keys}) == 4


def test_derive_key_every_index_has_its_own() -> None:
    keys = [derive_local_key(ACCOUNT, 1, 5, index) for index in (0, 1, 2, 2**32 - 1)]
    assert len({key.public_key for key in keys}) == 4
    assert keys[0] == derive_local_key(ACCOUNT, 1, 5)
    assert keys[2] == derive_local_key(ACCOUNT, 1, 5, 2)


def test_derive_key_recovery_id_does_not_matter() -> None:
    """Wallets write v as 0/1 or 27/28."""

    def sign(data: dict[str, Any]) -> bytes:
        signature = local_signer(ACCOUNT)(data)
        return signature[:64] + bytes([signature[64] - 27])

    assert derive_key(sign, ADDRESS, 1, 5) == derive_local_key(ACCOUNT, 1, 5)


def test_derive_key_signer_not_deterministic_refused() -> None:
    signatures = iter([local_signer(ACCOUNT)(key_typed_data(1, n)) for n in (5, 6)])
    with pytest.raises(SignerNotDeterministicError) as caught:
        derive_key(lambda _: next(signatures), ADDRESS, 1, 5)
    assert caught.value.address == ADDRESS


@pytest.mark.parametrize("signature", [None, b"", bytes(65), b"\xff" * 65, bytes(130)])
def test_derive_key_signature_of_another_or_none_refused(signature: bytes | None) -> None:
    other = Account.from_key(b"\x02" * 32)
    sign = local_signer(other) if signature is None else lambda _: signature
    with pytest.raises(SignerMismatchError) as caught:
        derive_key(sign, ADDRESS, 1, 5)
    assert (caught.value.address, caught.value.signer) == (ADDRESS, int(other.address, 16) if signature is None else 0)


def test_key_typed_data_out_of_range_refused() -> None:
    for chain_id, address, index in ((2**64, 0, 0), (1, 2**160, 0), (1, 0, 2**32), (1, 0, -1)):
        with pytest.raises(ValueRangeError):
            key_typed_data(chain_id, address, index)


def test_l2_key_signs_and_hides_its_secret() -> None:
    key = L2Key.from_private_key(b"\x07" * 32)
    signed = key.sign(transfer(), DOMAIN)
    assert signed.signature is not None
    assert eddsa_verify(key.public_key, signed.message_hash(DOMAIN), signed.signature.as_tuple())
    assert "private" not in repr(key)
    with pytest.raises(FieldRuleError) as caught:
        L2Key.from_private_key(bytes(31))
    assert caught.value.field == "private_key"
    assert "\\x07" not in str(caught.value)
