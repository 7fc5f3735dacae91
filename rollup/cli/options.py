"""What several commands are given: the deployment, amounts, private keys."""

import os
import re
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar
from urllib.parse import urlsplit

import click

from rollup.core.amounts import pack_fee
from rollup.core.checks import check_uint
from rollup.core.constants import ACCOUNT_ID_BITS, BALANCE_BITS

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from rollup.l1.manifest import Manifest
    from rollup.wallet.keys import L2Key
    from rollup.wallet.tokens import Token

DEFAULT_MANIFEST = Path("deployment.json")
KEY_VARIABLE = "SLUICE_PRIVATE_KEY"
_KEY = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_Command = TypeVar("_Command", bound=Callable[..., Any])

manifest_option = click.option(
    "--manifest", type=click.Path(path_type=Path), default=DEFAULT_MANIFEST, show_default=True, help="The deployment."
)
key_file_option = click.option(
    "--key-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"File with the Ethereum account's private key in hex, readable by you alone.  [default: ${KEY_VARIABLE}]",
)
key_index_option = click.option(
    "--key-index", type=click.IntRange(0), default=0, show_default=True, help="Which of the account's L2 keys."
)


def double_fee_option(default: bool) -> Callable[[_Command], _Command]:
    """How much is sent for an entry of L1's queue."""
    return click.option(
        "--double-fee/--exact-fee",
        default=default,
        show_default=True,
        help="Send twice the queue fee, as it may rise meanwhile; what is over it is yours, pending on L1 at once.",
    )


ACCOUNT_ID = click.IntRange(0, (1 << ACCOUNT_ID_BITS) - 1)


class TokenList(Protocol):
    """A deployment, as far as its tokens go: each with `token_id`, `symbol`, `decimals`."""

    @property
    def tokens(self) -> Sequence[Any]: ...


class Address(click.ParamType):
    """An L1 address, not 0, which can own nothing; its checksum is checked if it has one."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the address as an integer."""
        from rollup.core.addresses import parse_address
        from rollup.core.errors import AddressTextError

        try:
            address = value if isinstance(value, int) else parse_address(value)
        except AddressTextError as error:
            self.fail(str(error), param, ctx)
        if not address:
            self.fail("the zero address can own nothing: name a real one", param, ctx)
        return address


class NodeUrl(click.ParamType):
    """Where a node's JSON-RPC is: http:// or https:// and a host."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the address as it was given."""
        try:
            parts = urlsplit(value)
            is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:  # a port that is no number, brackets that do not match
            is_one = False
        if not is_one:
            self.fail("write http:// or https:// and the host, such as http://127.0.0.1:8545", param, ctx)
        return str(value)


def rpc_option(required: bool = True, then: str = "") -> Callable[[_Command], _Command]:
    """Return the option --rpc; `then` is the rest of its help."""
    words = f"JSON-RPC address of an L1 node, such as http://127.0.0.1:8545{then}."
    return click.option("--rpc", type=NodeUrl(), required=required, help=words)


def token_of(manifest: TokenList, symbol: str, option: str) -> "Token":
    """Return the deployment's token of a symbol.

    Raises: click.BadParameter.
    """
    from rollup.wallet.tokens import Token

    for token in manifest.tokens:
        if token.symbol == symbol:
            return Token(token.token_id, token.symbol, token.decimals)
    known = ", ".join(token.symbol for token in manifest.tokens)
    is_close = any(token.symbol.lower() == symbol.lower() for token in manifest.tokens)
    note = "; symbols are case-sensitive" if is_close else ""
    raise click.BadParameter(f"{symbol!r} is no token of this deployment: {known}{note}", param_hint=option)


def exact(units: int) -> int:
    """Return an amount that is published as it is.

    Raises: ValueRangeError: no balance can hold it.
    """
    return check_uint("amount", units, BALANCE_BITS)


def amount_of(text: str, token: "Token", option: str, fits: Callable[[int], object] = exact) -> int:
    """Return an amount in decimal units as smallest units.

    Args:
        fits: Raises ValueRangeError or AmountNotRepresentableError if it cannot be published, as `pack_fee` does.

    Raises: click.BadParameter.
    """
    from rollup.core.errors import AmountNotRepresentableError, ValueRangeError
    from rollup.wallet.tokens import AmountTextError, parse_amount

    try:
        units = parse_amount(text, token)
        fits(units)
    except AmountTextError as error:
        reason = f"is {error}"
    except ValueRangeError as error:
        reason = f"is too much: use less than {token.show(error.limit)}"
    except AmountNotRepresentableError as error:
        near = " or ".join(token.show(value) for value in (error.lower, error.upper) if value is not None)
        reason = f"has too many significant digits for what is published of it: use {near}"
    else:
        return units
    raise click.BadParameter(f"{text!r} {reason}", param_hint=option)


def fee_of(text: str, token: "Token", manifest: TokenList, option: str = "--fee") -> int:
    """Return the fee of an operation that pays it in the token it moves: AMOUNT:SYMBOL, or AMOUNT alone.

    Raises: click.BadParameter.
    """
    if ":" not in text:
        return amount_of(text, token, option, pack_fee)
    named, units = money_of(manifest, text, option, pack_fee)
    if named != token:
        reason = f"{text!r}: this fee is paid in the token that is paid or sold, {token.symbol}"
        raise click.BadParameter(reason, param_hint=option)
    return units


def money_of(manifest: TokenList, text: str, option: str, fits: Callable[[int], object] = exact) -> tuple["Token", int]:
    """Read AMOUNT:SYMBOL, such as 12.5:USDS.

    Args:
        fits: As `amount_of` says.

    Returns: The token, and the amount in smallest units.
    Raises: click.BadParameter.
    """
    amount, colon, symbol = text.partition(":")
    if not colon:
        raise click.BadParameter(f"{text!r}: write AMOUNT:SYMBOL, such as 12.5:ETH", param_hint=option)
    token = token_of(manifest, symbol, option)
    return token, amount_of(amount, token, option, fits)


def owner_account(key_file: Path | None) -> "LocalAccount":
    """Return the Ethereum account whose private key the file or the environment variable holds.

    Raises: click.UsageError, which never shows the key.
    """
    from eth_account import Account

    match = _KEY.fullmatch(_key_text(key_file))
    try:
        if match is not None:
            account: LocalAccount = Account.from_key(bytes.fromhex(match[1]))
            return account
    except Exception:  # noqa: S110  # 0, or not below the curve's order; nothing of it may be shown
        pass
    raise click.UsageError(f"{key_file or KEY_VARIABLE} does not hold a private key: 64 hexadecimal digits")


def l2_key(owner: "LocalAccount", manifest: "Manifest", index: int) -> "L2Key":
    """Return the owner's L2 key of this number on this deployment."""
    from rollup.wallet.keys import derive_local_key

    return derive_local_key(owner, manifest.chain_id, int(manifest.rollup, 16), index)


def _key_text(key_file: Path | None) -> str:
    if key_file is None:
        text = os.environ.get(KEY_VARIABLE)
        if text is None:
            raise click.UsageError(f"whose key? Name a file with --key-file, or set {KEY_VARIABLE}")
        return text.strip()
    try:
        if key_file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO):
            raise click.UsageError(f"{key_file} is readable by others, so no place for a key: chmod 600 {key_file}")
        return key_file.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise click.UsageError(f"{key_file}: {reason}: give the path of a file with the key") from error
