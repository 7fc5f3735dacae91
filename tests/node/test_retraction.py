"""Blocks that L1 can never have are taken back, and what was in them is done in new ones."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
from click.testing import CliRunner
from node_rig import ALICE, BOB, CAROL, OPERATOR, Rig, deposits

from rollup.cli.database import database as database_command
from rollup.core.receipt import Receipt
from rollup.core.wire import from_wire
from rollup.node.errors import QueueChangedError, RetractionRefused
from rollup.node.retraction import RETRACTED, retract


def anew(rig: Rig, file: Path, first: int, committed: int) -> list[object]:
    """Take back, start again, and submit what was in the blocks, as the commands do."""
    count = retract(rig.database, rig.folder / "journal", first, committed, file)
    lines = file.read_text().splitlines()
    assert len(lines) == count
    rig.restart()
    rig.receipts.clear()
    return [rig.submit(from_wire(json.loads(line)))[0] for line in lines]


def test_retract_blocks_of_a_changed_queue_are_sequenced_anew(tmp_path: Path, url: str) -> None:
    rig = Rig(tmp_path, url)
    rig.deposit(OPERATOR, ALICE)
    rig.finish()
    rig.deposit(BOB, CAROL)
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(9)), BOB.pay(ALICE, 0))
    rig.node.sequencer.close()
    rig.prove()
    rig.promised(ALICE.pay(BOB, 9))
    assert rig.database.base == 3
    rig.chain.entries = rig.chain.entries[:2] + deposits(CAROL, BOB, first=2)
    rig.node.look()
    assert isinstance(rig.submit(ALICE.pay(BOB, 10))[0], QueueChangedError)
    outcomes = anew(rig, tmp_path / "operations", 2, rig.chain.heads().committed)
    # Bob and Carol have changed places, so what names account 2 as Bob's is no more what was signed.
    assert all(not isinstance(outcome, Receipt) for outcome in outcomes[:9])
    state = rig.node.sequencer.ledger.state
    assert [account_id for owner in (CAROL, BOB) for account_id in state.find(owner.address)] == [2, 3]
    assert len(list((tmp_path / "journal" / RETRACTED).iterdir())) == 3
    rig.finish()
    rig.check()


def test_retract_everything_that_is_not_on_l1_is_done_again(tmp_path: Path, url: str) -> None:
    """Proven, sealed, closed and open blocks: the state is as it was before them, and every operation is done once."""
    rig = Rig(tmp_path, url)
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.promised(*(ALICE.pay(BOB, nonce) for nonce in range(6)))
    rig.finish()
    rig.deposit(CAROL)
    rig.promised(*(BOB.pay(ALICE, nonce) for nonce in range(15)))
    rig.prove()
    rig.promised(*(ALICE.pay(CAROL, nonce) for nonce in range(6, 12)))
    outcomes = anew(rig, tmp_path / "operations", 3, 2)
    assert all(isinstance(outcome, Receipt) for outcome in outcomes)
    assert len(outcomes) == 21
    again = [rig.submit(from_wire(json.loads(line)))[0] for line in (tmp_path / "operations").read_text().splitlines()]
    assert again == outcomes
    rig.finish()
    rig.check()
    nonces = [rig.chain.state().account(who.account_id).nonce for who in (ALICE, BOB)]
    assert nonces == [12, 15]


def test_retract_what_l1_has_or_is_not_there_is_refused(tmp_path: Path) -> None:
    rig = Rig(tmp_path, f"sqlite:///{tmp_path / 'node.db'}")
    rig.deposit(OPERATOR, ALICE, BOB)
    rig.finish()
    rig.promised(ALICE.pay(BOB, 0))
    journal, file = tmp_path / "journal", tmp_path / "operations"
    for first, reason in ((1, "L1 has the blocks up to 1"), (3, "the last block is 2")):
        with pytest.raises(RetractionRefused, match=reason):
            retract(rig.database, journal, first, 1, file)
    file.touch()
    with pytest.raises(RetractionRefused, match="may hold what was taken back before"):
        retract(rig.database, journal, 2, 1, file)
    file.unlink()
    rig.database.forget_undo(1)
    with pytest.raises(RetractionRefused, match="before block 2 is not kept"):
        retract(rig.database, journal, 1, 0, file)


def test_resubmit_posts_each_line_in_order_and_shows_the_answers(tmp_path: Path) -> None:
    class Handler(BaseHTTPRequestHandler):
        got: ClassVar[list[tuple[str, bytes]]] = []

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.got.append((self.path, body.strip()))
            self.send_response(409)
            self.end_headers()
            self.wfile.write(b'{"answer": %d}' % len(self.got))

        def log_message(self, *_: object) -> None:
            pass

    file = tmp_path / "operations"
    file.write_text('{"a": 1}\n{"b": 2}\n')
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}"
        done = CliRunner().invoke(database_command, ["resubmit", "--node", address, str(file)])
        server.shutdown()
    assert done.exit_code == 0, done.output
    assert Handler.got == [("/v1/transactions", b'{"a": 1}'), ("/v1/transactions", b'{"b": 2}')]
    assert done.output.splitlines() == ['{"answer": 1}', '{"answer": 2}']
