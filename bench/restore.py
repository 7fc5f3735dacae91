"""`sluice restore` as a user runs it, from the real contract on a local anvil: operations a second, memory, disk."""

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.accept_all import AcceptAll, creation_codes
from bench.unsigned_chain import UnsignedChain
from rollup.core import Deposit, TransferData
from rollup.l1.anvil import Anvil
from rollup.l1.feed import REORG_DEPTH
from rollup.l1.manifest import DeployedContract, Manifest
from rollup.l1.rpc import JsonRpc
from rollup.toolchain import ROOT

USERS = 1_000
BLOCK_OPERATIONS = 153
"""Steps of the largest block that was measured (2^22)."""
DEPOSITS_PER_BLOCK = 250
COMMIT_BYTES = 100_000
"""As much as nodes take in one transaction, with a margin."""
TRANSFER_BYTES = 15


def deposit_blocks(rollup: AcceptAll, chain: UnsignedChain, users: int) -> None:
    """Commit and prove blocks by which users 0 to `users` - 1 have an account each, with a key and 1,000 ETH."""
    rollup.deposit(range(users), 10**21)
    entries = rollup.queue(0)
    for start in range(0, users, DEPOSITS_PER_BLOCK):
        taken = entries[start : start + DEPOSITS_PER_BLOCK]
        owners = {int(rollup.accounts[index], 16): index for index in range(users)}
        assigned = [_with_account(entry, owners) for entry in taken]
        chain.seal(assigned, fee_account=0, timestamp=rollup.now, block_size=1024)
        number = chain.chain[-1].number
        rollup.commit(chain, number, number)
    rollup.prove(chain, 1, chain.chain[-1].number)


def transfer_blocks(rollup: AcceptAll, chain: UnsignedChain, users: int, operations: int, per_block: int) -> None:
    """Commit and prove blocks of Transfers between random users: `operations` in all, the last block full."""
    rng = random.Random(1)
    done = 0
    while done < operations:
        first = chain.chain[-1].number + 1
        while (chain.chain[-1].number + 1 - first) * per_block * TRANSFER_BYTES < COMMIT_BYTES and done < operations:
            block = [_transfer(rng, users) for _ in range(per_block)]
            chain.seal(block, fee_account=0, timestamp=rollup.now, block_size=1024)
            done += per_block
        last = chain.chain[-1].number
        rollup.commit(chain, first, last)
        rollup.prove(chain, first, last)


def measure(operations: int, users: int = USERS, per_block: int = BLOCK_OPERATIONS) -> dict[str, Any]:
    """Make a chain, and restore it in a process of its own."""
    codes = creation_codes()
    with tempfile.TemporaryDirectory() as folder, Anvil(accounts=users) as anvil:
        rollup = AcceptAll(JsonRpc(anvil.url), codes)
        chain = UnsignedChain(rollup.origin.chain_id, rollup.rollup, rollup.validator, rollup.validator_set)
        deposit_blocks(rollup, chain, users)
        transfer_blocks(rollup, chain, users, operations, per_block)
        rollup.mine(REORG_DEPTH)  # a chain's history is final, but for its end
        said, usage = restore(rollup, anvil.url, Path(folder))
        store_mb = sum(path.stat().st_size for path in Path(folder).glob("sluice.db*")) / 1e6
    assert int(said["root"], 16) == chain.state.root
    return {
        "operations": said["new_operations"],
        "users": users,
        "operations_per_block": per_block,
        "seconds": said["seconds"],
        "operations_per_second": round(said["new_operations"] / said["seconds"]),
        "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 2),
        "peak_mb": round(usage.ru_maxrss / 1024, 1),
        "store_mb": round(store_mb, 1),
    }


def restore(rollup: AcceptAll, url: str, folder: Path) -> tuple[dict[str, Any], resource.struct_rusage]:
    """Run `sluice restore`; return what it says, and what it used."""
    manifest = folder / "deployment.json"
    origin = rollup.origin
    contracts = {"Rollup": DeployedContract(origin.rollup, origin.deployed_at, 1)}
    Manifest(origin.chain_id, origin.l1_genesis, rollup.validator, 1, contracts).save(manifest)
    command = [sys.executable, "-m", "rollup.cli.main", "restore", "--json", "--rpc", url]
    command += ["--manifest", str(manifest), "--store", str(folder / "sluice.db")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT)
    assert process.stdout is not None
    said = json.loads(process.stdout.read())
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return said, usage


def _transfer(rng: random.Random, users: int) -> TransferData:
    return TransferData(rng.randrange(users), rng.randrange(users), 0, rng.randrange(2**34), 10**6)


def _with_account(entry: Any, owners: dict[int, int]) -> Deposit:
    return Deposit(
        owners[entry.owner], entry.token, entry.amount, entry.owner, entry.key, True, False, entry.queue_fee_gwei
    )
