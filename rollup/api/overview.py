"""What the API says of the rollup and the node as a whole: configuration, status, tokens, fees."""

import time
from importlib.metadata import version
from typing import Any

from rollup.api.answers import error_to_json, hash_text
from rollup.api.backend import Backend
from rollup.api.errors import BaseFeeUnknown, TokenUnknown, TokenUnpriced
from rollup.api.limits import Limits
from rollup.api.pricing import PRICED, quote
from rollup.api.queries import Queries
from rollup.core.addresses import show_address
from rollup.core.constants import (
    AMOUNT_MANTISSA_BITS,
    EXPONENT_BITS,
    FEE_MANTISSA_BITS,
    FIRST_ORDER_SLOT,
    MAX_L1_OPERATIONS_PER_BLOCK,
    MAX_TIMESTAMP_BEHIND_SECONDS,
    ORDER_AMOUNT_BITS,
    PROOF_DEADLINE_SECONDS,
    QUEUE_EXPIRY_SECONDS,
    SLOT_BITS,
)
from rollup.core.errors.base import SluiceError
from rollup.node.errors import NoFeeAccountError
from rollup.node.tables import Status

PROTOCOL = {
    "amount_mantissa_bits": AMOUNT_MANTISSA_BITS,
    "fee_mantissa_bits": FEE_MANTISSA_BITS,
    "exponent_bits": EXPONENT_BITS,
    "order_amount_bits": ORDER_AMOUNT_BITS,
    "first_order_slot": FIRST_ORDER_SLOT,
    "order_slots": (1 << SLOT_BITS) - FIRST_ORDER_SLOT,
    "max_l1_operations_per_block": MAX_L1_OPERATIONS_PER_BLOCK,
    "receipt_window_seconds": MAX_TIMESTAMP_BEHIND_SECONDS,
    "proof_deadline_seconds": PROOF_DEADLINE_SECONDS,
    "queue_expiry_seconds": QUEUE_EXPIRY_SECONDS,
}
"""What a client must know of the protocol to form operations, and to say how long things may take."""


class Overview:
    """Args:
    backend: What is shown.
    limits: What is told of them.
    queries: Of its database.
    """

    def __init__(self, backend: Backend, limits: Limits, queries: Queries) -> None:
        self._backend, self._limits, self._queries = backend, limits, queries
        self._version = version("sluice-rollup")

    def config(self) -> dict[str, Any]:
        """What a client must know once."""
        backend, manifest = self._backend, self._backend.manifest
        return {
            "version": self._version,
            "chain_id": manifest.chain_id,
            "rollup": manifest.rollup,
            "deployed_at": manifest.deployed_at,
            "contracts": {name: each.address for name, each in manifest.contracts.items()},
            "tokens": self.tokens(),
            "fee_tokens": [backend.symbol(token) for token in manifest.fee_tokens if self._is_listed(token)],
            "block_sizes": manifest.block_sizes,
            "validator": show_address(backend.signer),
            "validator_set": hash_text(backend.node.validator_set()),
            "confirmations": backend.confirmations,
            "protocol": PROTOCOL,
            "limits": self._limits.to_json(),
        }

    def tokens(self) -> list[dict[str, Any]]:
        """The listed tokens."""
        return [
            {
                "id": each.token_id,
                "symbol": self._backend.symbol(each.token_id),
                "decimals": each.decimals,
                "address": each.address,
            }
            for each in self._backend.manifest.tokens
        ]

    def not_ready(self) -> list[SluiceError]:
        """Why no operation is taken now; nothing if they are. Waits for nobody, the sequencer included."""
        node = self._backend.node
        refusal = node.refusal()
        found: list[SluiceError] = [] if refusal is None else [refusal]
        if node.sequencer.ledger.fee_account is None:
            found.append(NoFeeAccountError(show_address(self._backend.signer)))
        return found

    def status(self) -> dict[str, Any]:
        """How the node is doing."""
        backend, node = self._backend, self._backend.node
        heads, reasons = node.lander.heads, self.not_ready()
        last = backend.database.last_block()
        is_open = last is not None and last.status == Status.OPEN
        l1 = backend.l1_status()
        balance, base_fee = l1.sender_balance_wei, l1.base_fee_wei
        return {
            "accepting": not reasons,
            "reasons": [error_to_json(each)["error"] for each in reasons],
            "blocks": {
                "open": last.number if last is not None and is_open else None,
                "closed": self._queries.last(Status.CLOSED, Status.SEALED, Status.PROVEN) or 0,
                "sealed": self._queries.last(Status.SEALED, Status.PROVEN) or 0,
                "ready": self._queries.last(Status.PROVEN) or 0,
                "committed": heads.committed,
                "proven": heads.proven,
                "final": heads.executed,
            },
            "backlog": node.pipeline.waiting,
            "seconds_a_block": round(node.pipeline.seconds_a_block, 3),
            "queue": {"next_index": node.sequencer.queue_end},
            "l1": {
                "head": l1.head,
                "base_fee_wei": None if base_fee is None else str(base_fee),
                "sender": l1.sender,
                "sender_balance_wei": None if balance is None else str(balance),
                "seen_at": l1.seen_at,
            },
            "faults": self._faults(),
            "notices": [error_to_json(each)["error"] for each in backend.notices()],
            "time": int(time.time()),
        }

    def fee(self, kind: str, symbol: str) -> dict[str, Any]:
        """What to pay for an operation of this type, in this token.

        Raises: TokenUnknown, TokenUnpriced, BaseFeeUnknown.
        """
        backend = self._backend
        token = self._token(symbol)
        price, base_fee = backend.pricing.price(token), backend.l1_status().base_fee_wei
        if price is None or token not in backend.manifest.fee_tokens:
            priced = [each.token_id for each in backend.manifest.tokens if backend.pricing.price(each.token_id)]
            accepted = tuple(backend.symbol(each) for each in priced if each in backend.manifest.fee_tokens)
            raise TokenUnpriced(symbol, accepted)
        if base_fee is None:
            raise BaseFeeUnknown()
        until = int(time.time()) + backend.pricing.valid_seconds
        least = backend.node.policy.least_fees.get(token, 0)
        found = quote(backend.pricing, PRICED[kind], price, base_fee, backend.manifest.block_sizes[-1], least)
        return {"type": kind, "token": symbol, **found, "valid_until": until}

    def _token(self, symbol: str) -> int:
        for token in self._backend.manifest.tokens:
            if self._backend.symbol(token.token_id) == symbol:
                return token.token_id
        raise TokenUnknown(symbol, tuple(each["symbol"] for each in self.tokens()))

    def _is_listed(self, token: int) -> bool:
        return any(each.token_id == token for each in self._backend.manifest.tokens)

    def _faults(self) -> dict[str, str | None]:
        """What is wrong now, by part of the node; null where nothing is."""
        node = self._backend.node
        return {
            "node": None if node.fault is None else node.fault.message,
            "l1": node.l1_fault,
            "storage": node.storage_fault,
            "proving": node.pipeline.fault,
        }
