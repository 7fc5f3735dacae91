"""What the API reads, off the event loop, and nothing that is not durable: the state between two batches of the
sequencer, the database as of its last commit, L1's heads as last seen.
"""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from anyio import CapacityLimiter, to_thread

from rollup.api.accounts import account_to_json, holdings_to_json, leaves_of
from rollup.api.answers import hash_text
from rollup.api.backend import Backend
from rollup.api.errors import AccountUnknown, TransactionUnknown
from rollup.api.limits import Limits
from rollup.api.submit import confirmed
from rollup.core.addresses import show_address
from rollup.core.errors.base import SluiceError
from rollup.core.state import State
from rollup.node.errors import NoFeeAccountError

T = TypeVar("T")

THREADS: Final = 8
"""That read at once; the database has connections for them and for the node's own threads."""


class Reads:
    """Answers in JSON values.

    Args:
        backend: What is read.
        limits: Of pages.
    """

    def __init__(self, backend: Backend, limits: Limits) -> None:
        self.backend = backend
        self.limits = limits
        self._threads = CapacityLimiter(THREADS)

    async def run(self, look: Callable[..., T], *arguments: Any) -> T:
        """Call what blocks in another thread."""
        return await to_thread.run_sync(look, *arguments, limiter=self._threads)

    def config(self) -> dict[str, Any]:
        """What a client must know once."""
        from importlib.metadata import version

        manifest = self.backend.manifest
        return {
            "version": version("sluice-rollup"),
            "chain_id": manifest.chain_id,
            "rollup": manifest.rollup,
            "contracts": {name: each.address for name, each in manifest.contracts.items()},
            "tokens": self.tokens(),
            "fee_tokens": list(manifest.fee_tokens),
            "block_sizes": manifest.block_sizes,
            "limits": self.limits.to_json(),
        }

    def not_ready(self) -> list[SluiceError]:
        """Why no operation is taken now; nothing if they are."""
        node = self.backend.node
        refusal = node.sequencer.read(lambda _: node.refusal())
        found: list[SluiceError] = [] if refusal is None else [refusal]
        if node.sequencer.read(lambda _: node.sequencer.ledger.fee_account) is None:
            found.append(NoFeeAccountError(show_address(self.backend.signer)))
        return found

    def tokens(self) -> list[dict[str, Any]]:
        """The listed tokens."""
        return [
            {"id": each.token_id, "symbol": each.symbol, "decimals": each.decimals, "address": each.address}
            for each in self.backend.manifest.tokens
        ]

    def account(self, account_id: int) -> dict[str, Any]:
        """An account. Raises: AccountUnknown."""
        return self.backend.node.sequencer.read(lambda state: self._account(state, account_id))

    def accounts_of(self, address: int) -> list[dict[str, Any]]:
        """All accounts of an address, oldest first."""

        def look(state: State) -> list[dict[str, Any]]:
            return [self._account(state, account_id) for account_id in state.find(address)]

        return self.backend.node.sequencer.read(look)

    def transaction(self, operation_hash: bytes) -> dict[str, Any]:
        """An operation that was taken. Raises: TransactionUnknown."""
        receipts = self.backend.node.sequencer.receipts(operation_hash)
        if not receipts:
            raise TransactionUnknown(hash_text(operation_hash))
        return confirmed(receipts[-1], self.backend.node.lander.heads)

    def _account(self, state: State, account_id: int) -> dict[str, Any]:
        account = state.account(account_id)
        if not account.exists:
            raise AccountUnknown(account_id)
        held = holdings_to_json(self.backend, account, leaves_of(state, account_id))
        return account_to_json(account_id, account) | {"confirmed": held}
