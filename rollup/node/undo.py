"""What the state was: the database holds it after the last proven block, and L1 has executed less than that.

For each block that is proven here, what it found where it changed something; kept until L1 has executed it for good.
"""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import BigInteger, Connection, Integer, bindparam, delete, insert, select

from rollup.core.account import Account
from rollup.core.rules import Touch
from rollup.node.tables import accounts, leaves, meta, undo
from rollup.store.schema import account_of_row

AFTER: Final = "undo_after"
"""In `meta`: what was found is known of all blocks after this one."""


def keep_undo(connection: Connection, block: int, touches: Iterable[Touch]) -> None:
    """Note what a block is about to change."""
    places = [
        {"block_": block, "id_": account_id, "slot_": slot}
        for account_id, slot in {(touch.account_id, touch.slot) for touch in touches}
    ]
    if not places:
        return
    account_id, slot = bindparam("id_", type_=Integer), bindparam("slot_", type_=Integer)
    leaf = select(leaves.c.leaf).where(leaves.c.account_id == account_id, leaves.c.slot == slot).scalar_subquery()
    held = [select(accounts.c[name]).where(accounts.c.id == account_id).scalar_subquery() for name in _HELD]
    found = select(bindparam("block_", type_=BigInteger), account_id, slot, leaf, *held)
    connection.execute(insert(undo).from_select(["block", "account_id", "slot", "leaf", *_HELD], found), places)


def forget_undo(connection: Connection, last: int) -> None:
    """Give up the way back to before blocks up to `last`."""
    connection.execute(delete(undo).where(undo.c.block <= last))
    connection.execute(delete(meta).where(meta.c.key == AFTER))
    connection.execute(insert(meta).values(key=AFTER, value=str(last)))


def holdings_at(connection: Connection, account_id: int, block: int) -> tuple[Account, dict[int, int]] | None:
    """An account after a block, and what its slots held, without those that held nothing.

    Args:
        connection: Of a transaction.
        account_id: Which account; the empty one if it was not there yet.
        block: At most the last proven one.

    Returns: None if it is not known: the database was rebuilt later, or it was long ago.
    """
    # The present is read before the past: what is proven in between has its past kept, and so changes nothing.
    row = connection.execute(select(accounts).where(accounts.c.id == account_id)).first()
    account = Account() if row is None else account_of_row(row.address, row.key, row.nonce)
    query = select(leaves.c.slot, leaves.c.leaf).where(leaves.c.account_id == account_id)
    held: dict[int, bytes | None] = {row.slot: row.leaf for row in connection.execute(query)}
    later = select(undo).where(undo.c.account_id == account_id, undo.c.block > block).order_by(undo.c.block.desc())
    for found in connection.execute(later):
        held[found.slot] = found.leaf
        account = Account() if found.address is None else account_of_row(found.address, found.key, found.nonce)
    after = connection.execute(select(meta.c.value).where(meta.c.key == AFTER)).scalar()
    if block < int(after or 0):
        return None
    return account, {slot: int.from_bytes(leaf, "big") for slot, leaf in held.items() if leaf}


_HELD: Final = ("address", "key", "nonce")
