"""Who gets a block's fees: the validator's own account, once it is there; nothing waits for it that pays none."""

from pathlib import Path

from node_rig import (
    ALICE,
    BOB,
    CAROL,
    DOMAIN,
    ETHER,
    OPERATOR,
    ORIGIN,
    SIZES,
    TOKENS,
    Rig,
    User,
    fake_prove,
    user,
)

from rollup.core import Deposit
from rollup.l1.client import Queued
from rollup.node.core import Node, Rollup
from rollup.node.database import Database
from rollup.node.errors import NoFeeAccountError
from rollup.node.journal import Journal
from rollup.node.provers import LocalPool
from rollup.node.signing import LocalSigner


def test_close_before_the_validators_own_deposit_does_not_stop_the_node(tmp_path: Path) -> None:
    """35 deposits of others ahead of it: blocks close on the first account there is, and hold no fees."""
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    strangers = [user(100 + n) for n in range(35)]
    rig.deposit(*strangers)
    (refused,) = rig.submit(strangers[0].pay(strangers[1], 0))
    assert isinstance(refused, NoFeeAccountError)
    rig.finish()
    assert [block.fee_account for block in rig.chain.data] == [0] * 5
    rig.restart()
    rig.deposit(OPERATOR)
    payer = User(0, strangers[0].address, strangers[0].key)
    rig.promised(payer.pay(User(1, strangers[1].address, strangers[1].key), 0))
    rig.finish()
    assert rig.chain.data[-1].fee_account == 35
    assert rig.chain.state().balance(35, 0) == ETHER + 1
    rig.check()


def test_restart_with_another_validator_key_closes_open_promises_as_they_were(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(6)))
    assert rig.node.pipeline.waiting == 1
    rig.crash()
    signer = LocalSigner(bytes([8]) * 32)
    owner = User(3, signer.address, CAROL.key)
    rollup = Rollup(DOMAIN, TOKENS, SIZES)
    rig.database, rig.journal = Database(rig.url, ORIGIN), Journal(tmp_path / "journal", DOMAIN)
    pool = LocalPool(fake_prove)
    rig.node = Node(rig.database, rig.journal, rollup, signer, rig.chain, pool, rig.policy, 0.02, rig.clock)
    rig.node.connect()
    rig.deposit(owner)
    rig.finish()
    assert [block.fee_account for block in rig.chain.data] == [0, 3]


def test_close_while_nobody_has_an_account_waits_for_one(tmp_path: Path) -> None:
    """Only deposits that cannot be credited: no account is there that a block could close on."""
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    far = int(rig.clock.now) + 10**6
    rig.chain.entries.append(Queued(0, Deposit(0, 0, 5, 0xD00D, refused=True), far))
    rig.node.look()
    assert not rig.node.sequencer.close()
    rig.deposit(ALICE)
    rig.finish()
    assert [block.fee_account for block in rig.chain.data] == [0]
    rig.check()
