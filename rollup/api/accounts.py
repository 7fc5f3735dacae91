"""Accounts as users see them."""

from typing import Any

from rollup.api.backend import Backend
from rollup.core.account import Account, OrderSlot
from rollup.core.addresses import show_address
from rollup.core.constants import FIRST_ORDER_SLOT
from rollup.core.state import State


def account_to_json(account_id: int, account: Account) -> dict[str, Any]:
    """Whose it is, and its key as a signature's words are written."""
    key = [f"0x{word:064x}" for word in account.key] if account.has_key else None
    return {"id": account_id, "address": show_address(account.address), "has_key": account.has_key, "key": key}


def holdings_to_json(backend: Backend, account: Account, leaves: dict[int, int]) -> dict[str, Any]:
    """Nonce, balances and order slots, of what the slots hold."""
    balances = {backend.symbol(slot): str(leaf) for slot, leaf in sorted(leaves.items()) if slot < FIRST_ORDER_SLOT}
    used = {slot: OrderSlot.of_leaf(leaf) for slot, leaf in sorted(leaves.items()) if slot >= FIRST_ORDER_SLOT}
    orders = [{"slot": slot, "order_id": each.order_id, "filled": str(each.filled)} for slot, each in used.items()]
    return {"nonce": account.nonce, "balances": balances, "orders": orders}


def leaves_of(state: State, account_id: int) -> dict[int, int]:
    """All slots of an account that hold something."""
    orders = {slot: each.leaf for slot, each in state.order_slots(account_id).items()}
    return state.balances(account_id) | orders
