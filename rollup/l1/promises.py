"""What L1 shows of a receipt (protocol 13): kept, not due yet, late, broken, or taken back with somebody's block.

Blocks above one that is not proven in time are taken back with it, whoever they are by. A receipt whose block was on L1
in time is not broken by that; one whose block could not get there, because the blocks below it were taken back
before it was due, may not be. L1 shows whose block it was; that he is not who signed the receipt, it shows only of
another address, as a validator may sign and send with keys of their own.
"""

from dataclasses import dataclass

from rollup.core.errors import ReceiptBrokenError, ReceiptLateError
from rollup.core.receipt import Receipt
from rollup.l1.lookup import Lookup, Reverting, Stage
from rollup.l1.published import Commit


@dataclass(frozen=True, slots=True)
class Verdict:
    """What L1 shows.

    Args:
        stage: How far the block of the receipt's number is now.
        committed_at: When L1 took the block that holds what was promised, in unix seconds; None if it never has.
        reverted: What took that block back, or kept it from L1; None if nothing has.
    """

    stage: Stage
    committed_at: int | None = None
    reverted: Reverting | None = None

    @property
    def is_kept(self) -> bool:
        """L1 has the block, in time, with what was promised in it."""
        return self.stage != Stage.ABSENT and self.reverted is None


def judge(receipt: Receipt, lookup: Lookup) -> Verdict:
    """Hold L1 to a receipt whose signature was checked.

    Raises:
        ReceiptBrokenError: the block holds something else, and nothing was taken back that could be why.
        ReceiptLateError: likewise, it is not there or came too late.
        ReaderError, NodeUnreachable.
    """
    number, stage = receipt.block_number, lookup.stage(receipt.block_number)
    if stage != Stage.ABSENT:
        published = lookup.find(number)
        try:
            receipt.check_kept(published.l2, published.l1)
        except ReceiptBrokenError as error:
            return _excused(receipt, lookup, stage, error)
        committed_at = published.block.committed_at
        if committed_at <= receipt.commit_by:
            return Verdict(stage, committed_at)
        return _excused(receipt, lookup, stage, ReceiptLateError(number, receipt.commit_by, committed_at))
    late = ReceiptLateError(number, receipt.commit_by, None)
    now = int(lookup.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    return _excused(receipt, lookup, stage, late if now > receipt.commit_by else None)


def _excused(
    receipt: Receipt, lookup: Lookup, stage: Stage, fault: ReceiptBrokenError | ReceiptLateError | None
) -> Verdict:
    """What was taken back of it, or the fault."""
    below = [each for each in lookup.revertings() if each.first <= receipt.block_number]
    for commit in lookup.commits(receipt.block_number) if below else ():
        if commit.committed_at <= receipt.commit_by and _holds(receipt, lookup, commit):
            taken = next((each for each in below if each.time >= commit.committed_at), None)
            if taken is not None:
                return Verdict(stage, commit.committed_at, taken)
    if fault is None:
        return Verdict(stage)
    for each in below:
        is_before = receipt.issued_at <= each.time <= receipt.commit_by
        if is_before and int(each.suspended, 16) != receipt.signer():
            return Verdict(stage, None, each)
    raise fault


def _holds(receipt: Receipt, lookup: Lookup, commit: Commit) -> bool:
    published = lookup.published(commit)
    try:
        receipt.check_kept(published.l2, published.l1)
    except ReceiptBrokenError:
        return False
    return True
