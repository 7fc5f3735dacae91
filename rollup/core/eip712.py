"""EIP-712 data that an Ethereum account signs for one rollup: domain (name "Sluice", version "1", chain, contract)."""

from collections.abc import Mapping
from typing import Any

from rollup.core.checks import check_uint
from rollup.core.constants import ADDRESS_BITS, CHAIN_ID_BITS

_DOMAIN_FIELDS = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}


def typed_data(
    chain_id: int, rollup_address: int, primary_type: str, fields: Mapping[str, str], message: Mapping[str, Any]
) -> dict[str, Any]:
    """The data whole, as `eth_signTypedData_v4` takes it.

    Args:
        chain_id, rollup_address: for which rollup.
        primary_type, fields: the struct's name, and its fields' types in order.
        message: their values.
    """
    check_uint("chain_id", chain_id, CHAIN_ID_BITS)
    check_uint("rollup_address", rollup_address, ADDRESS_BITS)
    return {
        "types": {"EIP712Domain": _declared(_DOMAIN_FIELDS), primary_type: _declared(fields)},
        "primaryType": primary_type,
        "domain": {
            "name": "Sluice",
            "version": "1",
            "chainId": chain_id,
            "verifyingContract": f"0x{rollup_address:040x}",
        },
        "message": dict(message),
    }


def _declared(fields: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": type_} for name, type_ in fields.items()]
