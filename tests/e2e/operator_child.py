"""An operator for tests that kill it: it seals, commits, proves and executes one block, and before each next step says
where it is and waits to be told to go on. Its database is a folder: the state, and what users have signed."""

import sys
from pathlib import Path

from e2e_rig import STEPS
from eth_account import Account

from rollup.core.wire import loads
from rollup.l1.abi import NewBlock
from rollup.l1.client import RollupClient
from rollup.l1.feed import Feed, Origin
from rollup.l1.key_sender import KeySender
from rollup.l1.manifest import load_manifest
from rollup.l1.node import Node
from rollup.l1.reader import Reader
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.node.validator import Validator
from rollup.progress import Bars
from rollup.prover import BlockProver
from rollup.restore import restore
from rollup.store import Store

POOL = "signed.jsonl"


def reach(point: str) -> None:
    print(point, flush=True)
    sys.stdin.readline()


def main(url: str, manifest_path: str, keys: str, database: str) -> None:
    manifest, rpc, folder = load_manifest(Path(manifest_path)), JsonRpc(url), Path(database)
    with Store(folder / "state.db", Origin.of(manifest)) as store:
        restore(store, Feed(Node(rpc), Origin.of(manifest)))
    client = RollupClient(KeySender(rpc, Refusals.of_contracts()), manifest.rollup, manifest.deployed_at)
    start = Reader(rpc, manifest.rollup, manifest.deployed_at).rebuild()
    account, prover = Account.from_key(sys.stdin.readline().strip()), BlockProver(Path(keys))
    validator = Validator(client, manifest, account, prover, Bars(quiet=True), start)
    signed = [loads(line) for line in (folder / POOL).read_text().splitlines()]
    queued = [entry.operation for entry in client.queue(start.last.queue_end)]
    sealed = validator.seal([validator.accounts.assign(each) for each in (*signed, *queued)], STEPS)
    reach("sealed")
    (event,) = client.committed(client.commit(account, start.last, [NewBlock.of(sealed)]))
    reach("committed")
    block = validator.following(sealed, event)
    client.prove(account, [block], [prover.prove(sealed).proof])
    reach("proven")
    client.execute(account, [block], [sealed.l1])
    reach("executed")


if __name__ == "__main__":
    main(*sys.argv[1:])
