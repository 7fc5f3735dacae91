"""A node's database from L1: where it was lost, or is older than what L1 has.

What was promised and is not on L1 comes from the journal, at the next start. Operations of blocks that L1 has are not
brought back as submitted: their signatures were never published.
"""

from rollup.core.rules import Touch
from rollup.core.state import State
from rollup.l1.feed import Feed, Origin
from rollup.l1.lookup import Lookup
from rollup.l1.node import Node
from rollup.l1.published import Published
from rollup.l1.rpc import JsonRpc
from rollup.node.database import Database
from rollup.node.entries import BlockRecord
from rollup.node.errors import ForeignBlockError
from rollup.node.sealing import header_to_blob, words_to_blob
from rollup.node.tables import Status
from rollup.restore import restore
from rollup.store.store import IN_MEMORY, Store


def rebuild(database: Database, rpc: JsonRpc, origin: Origin) -> int:
    """Bring a database to the last block that is proven on L1.

    Args:
        database: Empty, or behind L1; what it has beyond L1 stays.
        rpc: A node of L1.
        origin: Which rollup.

    Returns: The block's number; nothing is changed if the database is there already.
    Raises: ForeignBlockError: L1 has another block than was promised. StoreError, L1Error, DatabaseUnusable.
    """
    with Store(IN_MEMORY, origin) as store:
        restore(store, Feed(Node(rpc), origin))
        number = store.tip.block.number
        if number <= database.base:
            return database.base
        state = store.load()
    lookup = Lookup(rpc, origin.rollup, origin.deployed_at)
    known = {record.number for record in database.blocks(database.base + 1, number)}
    for promised in sorted(known):
        _compare(database, lookup.find(promised))
    tip = lookup.find(number)
    if number not in known:
        database.accept([_record(tip)], [], [])
    database.replace_state(number, _touches(state))
    for done in sorted(known | {number}):
        found = lookup.find(done)
        header, commitment = header_to_blob(found.header), words_to_blob([found.block.commitment])
        # What an old copy does not know of a block's end counts before its start: the next block follows L1's queue.
        taken = sum(entry.queue_index is not None for entry in database.entries(done))
        places = {
            "size": found.header.block_size,
            "fee_account": found.header.fee_account,
            "queue_start": found.block.queue_end - taken,
        }
        database.set_block(done, status=Status.PROVEN, header=header, commitment=commitment, **places)
    return number


def _compare(database: Database, found: Published) -> None:
    """The block is what was promised, as far as it was."""
    entries = database.entries(found.block.number)
    l2, l1 = b"".join(entry.chunks for entry in entries), b"".join(entry.record for entry in entries)
    if not (found.l2.startswith(l2) and found.l1.startswith(l1)):
        raise ForeignBlockError(found.block.number, l2[:32], found.l2[:32])


def _record(found: Published) -> BlockRecord:
    """A block whose operations are not known as submitted: it counts as without any, after the queue that it took."""
    block = found.block
    return BlockRecord(
        block.number, Status.OPEN, block.timestamp, block.timestamp, block.validator_set, block.queue_end
    )


def _touches(state: State) -> list[Touch]:
    return [
        Touch(account_id, slot, account, state.leaf(account_id, slot))
        for account_id, account in state.accounts()
        for slot in [*state.balances(account_id), *state.order_slots(account_id)] or [0]
    ]
