"""What several commands are given: the deployment, amounts, private keys."""

import os
import re
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import click

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


class Address(click.ParamType):
    """An L1 address; its checksum is checked if it has one."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return the address as an integer."""
        from rollup.core.addresses import parse_address
        from rollup.core.errors import AddressTextError

        try:
            return value if isinstance(value, int) else parse_address(value)
        except AddressTextError as error:
            self.fail(str(error), param, ctx)


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


def token_of(manifest: "Manifest", symbol: str, option: str) -> "Token":
    """Return the deployment's token of a symbol.

    Raises: click.BadParameter.
    """
    from rollup.wallet.tokens import Token

    for token in manifest.tokens:
        if token.symbol == symbol:
            return Token(token.token_id, token.symbol, token.decimals)
    known = ", ".join(token.symbol for token in manifest.tokens)
    raise click.BadParameter(f"{symbol!r} is no token of this deployment: {known}", param_hint=option)


def amount_of(text: str, token: "Token", option: str) -> int:
    """Return an amount in decimal units as smallest units.

    Raises: click.BadParameter.
    """
    from rollup.wallet.tokens import AmountTextError, parse_amount

    try:
        return parse_amount(text, token)
    except AmountTextError as error:
        raise click.BadParameter(f"{text!r} is {error}", param_hint=option) from error


def money_of(manifest: "Manifest", text: str, option: str) -> tuple["Token", int]:
    """Read AMOUNT:SYMBOL, such as 12.5:USDS.

    Returns: The token, and the amount in smallest units.
    Raises: click.BadParameter.
    """
    amount, colon, symbol = text.partition(":")
    if not colon:
        raise click.BadParameter(f"{text!r}: write AMOUNT:SYMBOL, such as 12.5:ETH", param_hint=option)
    token = token_of(manifest, symbol, option)
    return token, amount_of(amount, token, option)


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
