"""When blocks can be taken back, as the contract counts it (tests/contracts/test_rollup_reverting.py)."""

from dataclasses import replace

import pytest

from rollup.cli.receipt import _reverted
from rollup.core.constants import PROOF_DEADLINE_SECONDS, PROOF_GRACE_SECONDS, PROOF_LIMIT_SECONDS
from rollup.exits.status import Status
from rollup.l1.abi import L1Block
from rollup.l1.lookup import Reverting, Stage
from rollup.l1.promises import Verdict

COMMITTED_AT = 1_000_000
DUE, LIMIT = COMMITTED_AT + PROOF_DEADLINE_SECONDS, COMMITTED_AT + PROOF_LIMIT_SECONDS
MINE, OTHERS = "0x" + 20 * "aa", "0x" + 20 * "bb"


@pytest.mark.parametrize(
    ("committer", "proven_at", "turn_began_at", "due"),
    [
        (MINE, DUE - 1, 0, DUE),
        (MINE, 0, DUE - 1, DUE - 1 + PROOF_GRACE_SECONDS),
        (MINE, 0, LIMIT - 1, LIMIT),
        (OTHERS, 0, DUE - 1, DUE),
        (OTHERS, DUE - 1, 0, DUE - 1 + PROOF_GRACE_SECONDS),
        (OTHERS, LIMIT - 1, 0, LIMIT),
    ],
)
def test_revert_due_counts_the_turn_of_who_is_next(
    committer: str, proven_at: int, turn_began_at: int, due: int
) -> None:
    last = replace(L1Block.genesis(), committer=MINE)
    first = replace(last, number=1, committer=committer, committed_at=COMMITTED_AT)
    status = Status(DUE, 1, 0, 0, last, first, proven_at, turn_began_at, (), 0)
    assert status.revert_due == due
    assert replace(status, first_unproven=None).revert_due is None
    assert replace(status, exodus_root=1).revert_due is None


@pytest.mark.parametrize(
    ("suspended", "said"), [(MINE, f"{MINE} had not proven block 1"), ("0x" + 40 * "0", "still had grace")]
)
def test_receipt_of_blocks_taken_back_says_who_was_to_blame(suspended: str, said: str) -> None:
    taken = Reverting(1, 2, suspended, LIMIT)
    assert said in _reverted(Verdict(Stage.ABSENT, None, taken), LIMIT)
