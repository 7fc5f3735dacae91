"""L1 addresses as people write them."""

import re
from functools import lru_cache

from eth_utils.address import is_checksum_formatted_address, to_checksum_address

from rollup.core.errors import AddressTextError

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def parse_address(text: str) -> int:
    """Read an address: 0x and 40 hexadecimal digits, in one case, or with EIP-55's checksum, which then must be right.

    Raises: AddressTextError.
    """
    if not _ADDRESS.fullmatch(text):
        raise AddressTextError(text, "not an address", "write 0x and 40 hexadecimal digits")
    checksummed = str(to_checksum_address(text))
    if is_checksum_formatted_address(text) and text != checksummed:
        way_out = f"check each digit; if they are right, write {checksummed}"
        raise AddressTextError(text, "the address's checksum is wrong, so a digit may be", way_out)
    return int(text, 16)


@lru_cache(1 << 16)
def show_address(address: int) -> str:
    """Write an address with its checksum."""
    return str(to_checksum_address(f"0x{address:040x}"))
