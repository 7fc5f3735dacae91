"""`sluice sign`: any L2 operation, signed offline, as one line of JSON for a validator."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import click

from rollup.cli.options import (
    ACCOUNT_ID,
    Address,
    fee_of,
    key_file_option,
    key_index_option,
    l2_key,
    manifest_option,
    money_of,
    owner_account,
    token_of,
)
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.checks import check_uint
from rollup.core.constants import FIRST_ORDER_SLOT, NONCE_BITS, ORDER_AMOUNT_BITS, ORDER_ID_BITS, SLOT_BITS
from rollup.core.errors import FieldRuleError
from rollup.wallet.lifetimes import KEY_CHANGE_LIFETIME_SECONDS, LIFETIME_SECONDS

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

    from rollup.core.operations import Batch
    from rollup.core.wire import WireOperation
    from rollup.l1.manifest import Manifest
    from rollup.wallet.account import WalletAccount

SECONDS_PER_HOUR = 3600
HOURS_HELP = (
    f"How long it can be included.  [default: {LIFETIME_SECONDS // SECONDS_PER_HOUR}, "
    f"of a new key {KEY_CHANGE_LIFETIME_SECONDS // SECONDS_PER_HOUR}]"
)
MAX_HOURS = 10 * 365 * 24
NONCE = click.IntRange(0, (1 << NONCE_BITS) - 1)
ORDER_ID = click.IntRange(0, (1 << ORDER_ID_BITS) - 1)
OPTIONS = {"sell_amount": "--sell", "buy_amount": "--for", "account_id": "--leaving-id"}
"""Where a user gives what a wallet refuses, by the field."""


@click.group()
def sign() -> None:
    """Sign an L2 operation offline and print it as JSON, amounts as AMOUNT:SYMBOL, such as 12.5:ETH.

    The key is that of an Ethereum account, from a file or the environment; its L2 key is derived for the deployment.
    What is printed can be handed to any validator, and included until its time ends. Something else with its nonce, or
    a cancelled order, stops it only once that is in a block, and a validator may choose which to include.
    """


@dataclass(frozen=True, slots=True)
class Signing:
    """What every operation is signed with."""

    manifest: "Manifest"
    wallet: "WalletAccount"
    owner: "LocalAccount"
    is_unsigned: bool

    def show(self, operation: Any) -> None:
        """Sign and print."""
        self.print(operation if self.is_unsigned else self.wallet.sign(operation))

    def print(self, operation: "WireOperation") -> None:
        """Print an operation as it is."""
        from rollup.core.wire import dumps

        click.echo(dumps(operation))


def _signs(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all that is signed, joined in `signing`."""
    from functools import wraps

    @wraps(command)
    def run(
        manifest: Path, account_id: int, key_file: Path | None, key_index: int, hours: float | None, for_ever: bool,
        unsigned: bool, nonce: int = 0, **others: Any,
    ) -> None:  # fmt: skip
        signing = _signing(manifest, account_id, key_file, key_index, _until(hours, for_ever), unsigned, nonce)
        try:
            command(signing, **others)
        except FieldRuleError as error:
            if error.field not in OPTIONS:
                raise
            raise click.BadParameter(error.rule, param_hint=OPTIONS[error.field]) from error

    for option in (
        click.option(
            "--unsigned",
            is_flag=True,
            help="Leave the signature out, for `sluice sign batch`; the key still names the owner.",
        ),
        click.option("--for-ever", is_flag=True, help="It never ends."),
        click.option(
            "--hours",
            type=float,
            help=HOURS_HELP,
        ),
        key_index_option,
        key_file_option,
        click.option("--id", "account_id", type=ACCOUNT_ID, required=True, help="The L2 account that signs."),
        manifest_option,
    ):
        run = option(run)
    return run


def _until(hours: float | None, for_ever: bool) -> int | None:
    from rollup.core.operations import FOREVER

    if for_ever and hours is not None:
        raise click.UsageError("--for-ever and --hours exclude each other")
    if for_ever:
        return FOREVER
    if hours is None:
        return None
    if not 0 < hours < MAX_HOURS:  # nan is none of it
        reason = f"{hours} hours: more than 0, less than {MAX_HOURS:,}; for longer there is --for-ever"
        raise click.BadParameter(reason, param_hint="--hours")
    return int(time.time() + hours * SECONDS_PER_HOUR)


def _signing(
    manifest: Path, account_id: int, key_file: Path | None, key_index: int, until: int | None, unsigned: bool,
    nonce: int,
) -> Signing:  # fmt: skip
    from rollup.l1.manifest import load_manifest
    from rollup.wallet.account import WalletAccount

    deployed, owner = load_manifest(manifest), owner_account(key_file)
    key = l2_key(owner, deployed, key_index)
    wallet = WalletAccount(account_id, int(owner.address, 16), key, deployed.domain, nonce, until)
    return Signing(deployed, wallet, owner, unsigned)


nonce_option = click.option("--nonce", type=NONCE, required=True, help="The account's next nonce.")
fee_option = click.option(
    "--fee", default="0", show_default=True, metavar="AMOUNT[:SYMBOL]", help="In the token paid, such as 0.05."
)
fee_money_option = click.option("--fee", required=True, metavar="AMOUNT:SYMBOL", help="Such as 0.05:ETH, or 0:ETH.")
slot_option = click.option(
    "--slot",
    type=click.IntRange(FIRST_ORDER_SLOT, (1 << SLOT_BITS) - 1),
    default=FIRST_ORDER_SLOT,
    show_default=True,
    help="Order slot.",
)


@sign.command()
@_signs
@nonce_option
@click.option("--to", type=Address(), required=True, help="L1 address of the payee.")
@click.option("--to-id", type=ACCOUNT_ID, help="His L2 account.  [default: none known; one is made if needed]")
@click.option("--amount", required=True, metavar="AMOUNT:SYMBOL")
@fee_option
def transfer(signing: Signing, to: int, to_id: int | None, amount: str, fee: str) -> None:
    """Pay an L1 address on L2."""
    token, units = money_of(signing.manifest, amount, "--amount", pack_amount)
    signing.show(signing.wallet.pay(to, to_id, token.token_id, units, fee_of(fee, token, signing.manifest)))


@sign.command()
@_signs
@nonce_option
@click.option("--amount", required=True, metavar="AMOUNT:SYMBOL")
@fee_option
@click.option("--to", type=Address(), help="L1 address.  [default: the account's owner]")
def withdraw(signing: Signing, amount: str, fee: str, to: int | None) -> None:
    """Take money out to L1."""
    token, units = money_of(signing.manifest, amount, "--amount")
    signing.show(signing.wallet.withdraw(token.token_id, units, fee_of(fee, token, signing.manifest), to))


@sign.command("forced-exit")
@_signs
@nonce_option
@click.option("--leaving-id", type=ACCOUNT_ID, required=True, help="L2 account without a key that leaves.")
@click.option("--address", type=Address(), required=True, help="Its owner's L1 address.")
@click.option("--token", required=True, metavar="SYMBOL", help="What leaves, all that the account has of it.")
@fee_money_option
def forced_exit(signing: Signing, leaving_id: int, address: int, token: str, fee: str) -> None:
    """Have all that another account without a key has of a token sent to its owner on L1."""
    leaving = token_of(signing.manifest, token, "--token").token_id
    fee_token, units = money_of(signing.manifest, fee, "--fee", pack_fee)
    signing.show(signing.wallet.force_exit(leaving_id, address, leaving, fee_token.token_id, units))


@sign.command()
@_signs
@click.option("--order-id", type=ORDER_ID, required=True, help="Greater than any used in the slot.")
@slot_option
@click.option("--sell", required=True, metavar="AMOUNT:SYMBOL", help="At most this is sold.")
@click.option("--for", "buy", required=True, metavar="AMOUNT:SYMBOL", help="At least this for all of it.")
@click.option(
    "--fee",
    default="0",
    show_default=True,
    metavar="AMOUNT[:SYMBOL]",
    help="In the token sold, at most, for all of it.",
)
def order(signing: Signing, order_id: int, slot: int, sell: str, buy: str, fee: str) -> None:
    """Offer one token for another, at a price or better, in any number of parts."""
    sold, sell_units = money_of(signing.manifest, sell, "--sell", _order_amount)
    bought, buy_units = money_of(signing.manifest, buy, "--for", _order_amount)
    signing.wallet.next_order_id = order_id
    units = fee_of(fee, sold, signing.manifest)
    signing.show(signing.wallet.order(sold.token_id, sell_units, bought.token_id, buy_units, units, slot))


def _order_amount(units: int) -> int:
    return check_uint("amount", units, ORDER_AMOUNT_BITS)


@sign.command("cancel-order")
@_signs
@nonce_option
@click.option(
    "--first-valid-id", type=click.IntRange(1, ORDER_ID.max), required=True, help="Orders with smaller ids end."
)
@slot_option
@fee_money_option
def cancel_order(signing: Signing, first_valid_id: int, slot: int, fee: str) -> None:
    """End the orders of a slot."""
    token, units = money_of(signing.manifest, fee, "--fee", pack_fee)
    signing.wallet.next_order_id = first_valid_id
    signing.show(signing.wallet.cancel_orders(token.token_id, units, slot))


@sign.command("new-key")
@_signs
@nonce_option
@fee_money_option
@click.option("--owner", type=Address(), help="A contract wallet that owns the account.  [default: the key's account]")
def new_key(signing: Signing, fee: str, owner: int | None) -> None:
    """Make the key number --key-index the account's key. The old one is not needed.

    The owner signs it. A contract wallet leaves it unsigned and calls approveKeyChange, as `sluice approve-key` does.
    """
    from rollup.wallet.key_change import authorise
    from rollup.wallet.keys import local_signer

    token, units = money_of(signing.manifest, fee, "--fee", pack_fee)
    wallet = signing.wallet
    if owner not in (None, wallet.address) and not signing.is_unsigned:
        reason = f"the key is of another account, 0x{wallet.address:040x}, and a contract wallet has none"
        raise click.BadParameter(f"{reason}: add --unsigned and use `sluice approve-key`", param_hint="--owner")
    wallet.address = wallet.address if owner is None else owner
    change = wallet.change_key(wallet.key.public_key, token.token_id, units)
    if not signing.is_unsigned:
        change = authorise(change, wallet.domain, local_signer(signing.owner))
    signing.print(change)


@sign.command()
@_signs
@click.option("--mine", multiple=True, type=click.File("rb"), help="File with an operation of yours; repeat.")
@click.argument("files", nargs=-1, required=True, type=click.File("rb"))
def batch(signing: Signing, files: tuple[Any, ...], mine: tuple[Any, ...]) -> None:
    """Join operations into one batch, or sign in one that others have joined.

    FILES hold one operation each, signed or not, in their order; or one batch. Signs those of account
    --id, each of which must be named with --mine, so that nothing slips in.
    """
    from rollup.core.operations import Batch
    from rollup.core.wire import loads
    from rollup.wallet.batches import make_batch, missing_signers

    operations: list[Any] = [loads(file.read()) for file in files]
    joined = operations[0] if isinstance(operations[0], Batch) and len(files) == 1 else make_batch(operations)
    if not signing.is_unsigned:
        _check_mine(joined, signing.wallet.account_id, [loads(file.read()) for file in mine])
        joined = signing.wallet.sign(joined)
    signing.print(joined)
    missing = sorted(missing_signers(joined))
    if missing:
        click.echo(f"still to be signed by account {', '.join(map(str, missing))}", err=True)


def _check_mine(batch: "Batch", account_id: int, mine: list[Any]) -> None:
    """All operations of the account are among those it named, and the other way round."""
    from rollup.core.operations import SignedOperation
    from rollup.core.wire import dumps
    from rollup.wallet.batches import signer_of

    for operation in mine:
        if not isinstance(operation, get_args(SignedOperation)):
            kind = type(operation).__name__
            raise click.UsageError(f"a file named with --mine holds {kind}: name each operation by a file of its own")

    def bare(operation: Any) -> Any:
        return replace(operation, link=0, signature=None)

    named = [bare(operation) for operation in mine]
    for operation in batch.operations:
        if signer_of(operation) != account_id:
            continue
        if bare(operation) not in named:
            text = dumps(bare(operation))
            raise click.UsageError(f"account {account_id} did not name this operation with --mine: {text}")
        named.remove(bare(operation))
    if named:
        raise click.UsageError(f"this operation named with --mine is not in the batch: {dumps(named[0])}")
