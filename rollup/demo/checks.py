"""What must hold at the end: the state that L1 gives is the operator's, and the contract owes no more than it holds."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from eth_abi.abi import decode

from rollup.core.constants import FEE_TOKENS
from rollup.core.errors import SignatureInvalidError
from rollup.core.operations import Deposit
from rollup.core.rules import Context
from rollup.core.state import State
from rollup.demo.errors import DemoFailed
from rollup.demo.world import World
from rollup.l1.abi import PENDING_CREDITED
from rollup.l1.reader import Reader, Rebuilt
from rollup.wallet.account import WalletAccount
from rollup.wallet.keys import L2Key
from rollup.wallet.tokens import ETH, Token

WEI_PER_GWEI: Final = 10**9


@dataclass(frozen=True, slots=True)
class Account:
    """Per token, in smallest units: what the contract says it owes, what that is made of, and what it holds."""

    token: Token
    accounted: int
    on_l2: int
    in_queue: int
    pending: int
    holdings: int


@dataclass(frozen=True, slots=True)
class Checked:
    """What was compared and found equal."""

    root: int
    accounts: int
    balances: int
    ledger: tuple[Account, ...]


def check_rebuild(world: World, state: State, progress: Callable[[int, int], None]) -> Rebuilt:
    """Rebuild from L1 alone and compare root, every account and every balance with the operator's state.

    Raises: DemoFailed, ReaderError.
    """
    manifest = world.manifest
    rebuilt = Reader(world.sender.rpc, manifest.rollup, manifest.deployed_at).rebuild(progress)
    if rebuilt.state.root != state.root:
        raise DemoFailed(f"the root rebuilt from L1 is {rebuilt.state.root:#x}, the operator's {state.root:#x}")
    mine, theirs = dict(state.accounts()), dict(rebuilt.state.accounts())
    if mine != theirs:
        raise DemoFailed("the accounts rebuilt from L1 are not the operator's")
    for account_id in mine:
        if state.balances(account_id) != rebuilt.state.balances(account_id):
            raise DemoFailed(f"the balances of account {account_id} rebuilt from L1 are not the operator's")
    return rebuilt


def check_old_keys(state: State, retired: Sequence[tuple[WalletAccount, L2Key]]) -> int:
    """See that keys which were replaced sign nothing any more; return how many.

    Raises: DemoFailed.
    """
    for wallet, old_key in retired:
        forged = replace(wallet, key=old_key, nonce=state.account(wallet.account_id).nonce)
        payment = forged.sign(forged.pay(wallet.address, wallet.account_id, ETH.token_id, 0))
        try:
            state.copy().apply(payment, Context(wallet.domain, int(time.time()), tuple(range(FEE_TOKENS))))
        except SignatureInvalidError:
            continue
        raise DemoFailed(f"account {wallet.account_id} still takes signatures of a key that was replaced")
    return len(retired)


def check_accounting(world: World, rebuilt: Rebuilt, tokens: Sequence[Token]) -> Checked:
    """Compare, per token, what the contract accounts for with what it owes, and that it holds at least that.

    Raises: DemoFailed.
    """
    ledger = tuple(_account(world, rebuilt, token) for token in tokens)
    for entry in ledger:
        owed = entry.on_l2 + entry.in_queue + entry.pending
        if entry.accounted != owed:
            raise DemoFailed(f"{entry.token.symbol}: the contract accounts for {entry.accounted}, it owes {owed}")
        if entry.holdings < entry.accounted:
            raise DemoFailed(f"{entry.token.symbol}: the contract holds {entry.holdings} and owes {entry.accounted}")
    accounts = [account_id for account_id, _ in rebuilt.state.accounts()]
    balances = sum(len(rebuilt.state.balances(account_id)) for account_id in accounts)
    return Checked(rebuilt.state.root, len(accounts), balances, ledger)


def _account(world: World, rebuilt: Rebuilt, token: Token) -> Account:
    state = rebuilt.state
    return Account(
        token=token,
        accounted=world.client.accounted(token.token_id),
        on_l2=sum(state.balance(account_id, token.token_id) for account_id, _ in state.accounts()),
        in_queue=_in_queue(world, rebuilt, token),
        pending=sum(world.client.pending(owner, token.token_id) for owner in _creditors(world)),
        holdings=world.holdings(token.token_id),
    )


def _in_queue(world: World, rebuilt: Rebuilt, token: Token) -> int:
    """Deposits that no block has taken in, and, in ETH, the fees of all open entries."""
    total = 0
    for entry in world.client.queue(rebuilt.last.queue_end):
        operation = entry.operation
        if isinstance(operation, Deposit) and operation.token == token.token_id:
            total += operation.amount
        if token is ETH:
            total += operation.queue_fee_gwei * WEI_PER_GWEI
    return total


def _creditors(world: World) -> set[str]:
    """Everybody who was ever credited a pending balance, by the contract's events."""
    manifest = world.manifest
    logs = world.sender.rpc.logs(manifest.rollup, [PENDING_CREDITED], manifest.deployed_at)
    return {decode(["address"], bytes.fromhex(log["topics"][1][2:]))[0] for log in logs}
