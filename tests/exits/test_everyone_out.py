"""One command gets everybody out of a rollup, every exit proven; a stranger runs it, and the contract is empty."""

from pathlib import Path

import pytest
from leaving_rig import ETHER, Leaving, exit_verifier_code

from bench.accept_all import AcceptAll, creation_codes
from bench.restore import deposit_blocks, transfer_blocks
from bench.unsigned_chain import UnsignedChain
from rollup.l1.anvil import Anvil
from rollup.l1.rpc import JsonRpc

EXIT_GAS = 350_000
"""The most that one claim may cost."""


@pytest.mark.slow
@pytest.mark.xdist_group("leaving")
def test_everyone_out_of_a_small_rollup_in_one_run(tmp_path: Path) -> None:
    _everyone_out(12, tmp_path)


@pytest.mark.long
def test_everyone_out_of_a_rollup_of_1_000_users_in_one_run(tmp_path: Path) -> None:
    _everyone_out(1_000, tmp_path)


def _everyone_out(users: int, folder: Path) -> None:
    with Anvil(accounts=users) as anvil:
        l1 = AcceptAll(JsonRpc(anvil.url), creation_codes(), exit_verifier_code())
        chain = UnsignedChain(l1.origin.chain_id, l1.rollup, l1.validator, l1.validator_set)
        deposit_blocks(l1, chain, users)
        transfer_blocks(l1, chain, users, 2 * users, users)
        l1.request_exits([(1, 1)])
        leaving = Leaving(l1, folder)
        leaving.begin_exodus()
        held = int(l1.rpc("eth_getBalance", l1.rollup, "latest"), 16)
        before = [int(l1.rpc("eth_getBalance", account, "latest"), 16) for account in l1.accounts]
        pending = [leaving.view("pending", ("address", account), ("uint16", 0)) for account in l1.accounts]

        said = leaving.sluice("exodus", "exit", "--everyone", "--json")

        exits = [step for step in said["steps"] if step["step"] == "exited"]
        assert len(exits) == users
        assert max(step["gas"] for step in exits) <= EXIT_GAS
        got = [int(l1.rpc("eth_getBalance", a, "latest"), 16) - b for a, b in zip(l1.accounts, before, strict=True)]
        for index in range(2, users):  # account 0 gets the queue's fees too, account 1 its own back
            assert got[index] == chain.state.balance(index, 0) + pending[index]
        assert sum(got) == held > users * 900 * ETHER
        assert leaving.view("accounted", ("uint16", 0)) == 0
        assert int(l1.rpc("eth_getBalance", l1.rollup, "latest"), 16) == 0
        seconds = sorted(step["proof_seconds"] for step in exits)
        print(f"proofs: median {seconds[len(seconds) // 2]} s, longest {seconds[-1]} s; gas {exits[-1]['gas']:,}")
