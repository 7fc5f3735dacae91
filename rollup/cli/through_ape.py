"""ape as the command line needs it: a network, an account; what it refuses is a usage error and no traceback."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from ape.api import AccountAPI, ProviderAPI


@contextmanager
def ape_network(choice: str) -> "Iterator[ProviderAPI]":
    """Connect ape to a network; its own words on the way are errors only.

    Raises: click.BadParameter if ape knows no such network, or nothing answers there.
    """
    from ape import networks
    from ape.exceptions import ApeException
    from ape.logging import logger

    logger.set_level("ERROR")
    with ExitStack() as stack:
        try:
            provider: ProviderAPI = stack.enter_context(networks.parse_network_choice(choice))
        except (ApeException, OSError) as error:  # of a node that does not answer, a ConnectionError
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            way_out = "name a node that runs, such as http://127.0.0.1:8545"
            raise click.BadParameter(f"{choice!r}: {reason[:200]}; {way_out}", param_hint="--network") from error
        yield provider


def ape_account(alias: str) -> "AccountAPI":
    """Return ape's account of an alias.

    Raises: click.BadParameter if there is none.
    """
    from ape import accounts

    try:
        account: AccountAPI = accounts.load(alias)
    except KeyError as error:
        reason = f"ape has no account {alias!r}: `ape accounts list` shows what it has, `ape accounts import` adds one"
        raise click.BadParameter(reason, param_hint="--account") from error
    return account
