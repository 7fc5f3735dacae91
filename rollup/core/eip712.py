"""EIP-712 data that an Ethereum account signs for one rollup: domain (name "Sluice", version "1", chain, contract)."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from eth_hash.auto import keccak

from rollup.core.checks import check_uint, unpack
from rollup.core.constants import ADDRESS_BITS, CHAIN_ID_BITS, DOMAIN_BITS

_NAME, _VERSION = "Sluice", "1"
_DOMAIN_FIELDS = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}


def typed_data(domain: int, primary_type: str, fields: Mapping[str, str], message: Mapping[str, Any]) -> dict[str, Any]:
    """The data whole, as `eth_signTypedData_v4` takes it.

    Args:
        domain: for which rollup, `operations.domain(chain_id, rollup_address)`.
        primary_type, fields: the struct's name, and its fields' types in order.
        message: their values.
    """
    chain_id, rollup_address = _chain_and_rollup(domain)
    return {
        "types": {"EIP712Domain": _declared(_DOMAIN_FIELDS), primary_type: _declared(fields)},
        "primaryType": primary_type,
        "domain": {
            "name": _NAME,
            "version": _VERSION,
            "chainId": chain_id,
            "verifyingContract": f"0x{rollup_address:040x}",
        },
        "message": dict(message),
    }


def words_digest(domain: int, primary_type: str, fields: Mapping[str, str], message: Mapping[str, int]) -> bytes:
    """The 32 bytes to sign of a struct given as words: the arguments are `typed_data`'s, but for bytes their hash."""
    struct = _hash_struct(type_hash(primary_type, fields), [message[name] for name in fields])
    return keccak(b"\x19\x01" + separator(domain) + struct)


def type_hash(primary_type: str, fields: Mapping[str, str]) -> bytes:
    """The hash of a struct's declaration."""
    return _type_hash(_declaration(primary_type, fields))


@lru_cache(64)
def separator(domain: int) -> bytes:
    """The hash of the domain."""
    name_and_version = [int.from_bytes(keccak(text.encode()), "big") for text in (_NAME, _VERSION)]
    return _hash_struct(type_hash("EIP712Domain", _DOMAIN_FIELDS), [*name_and_version, *_chain_and_rollup(domain)])


def _chain_and_rollup(domain: int) -> tuple[int, int]:
    _, chain_id, rollup_address = unpack(check_uint("domain", domain, DOMAIN_BITS), CHAIN_ID_BITS, ADDRESS_BITS)
    return chain_id, rollup_address


def _declaration(name: str, fields: Mapping[str, str]) -> str:
    return f"{name}({','.join(f'{type_} {field}' for field, type_ in fields.items())})"


@lru_cache(64)
def _type_hash(declaration: str) -> bytes:
    return keccak(declaration.encode())


def _hash_struct(hash_of_type: bytes, words: list[int]) -> bytes:
    return keccak(hash_of_type + b"".join(word.to_bytes(32, "big") for word in words))


def _declared(fields: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": type_} for name, type_ in fields.items()]
