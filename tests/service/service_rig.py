"""A whole service on a real anvil, its users over HTTP, and what must be so on L1 in the end."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import httpx
from eth_account import Account as EthereumAccount

from bench.accept_all import AcceptAll
from rollup.core import TransferData, domain
from rollup.core.operations import Transfer
from rollup.core.receipt import Receipt, receipt_from_wire
from rollup.core.wire import to_wire
from rollup.l1.abi import selector
from rollup.l1.anvil import Anvil, free_port
from rollup.l1.manifest import DeployedContract, DeployedKey, DeployedToken, Manifest
from rollup.l1.reader import Reader
from rollup.l1.rpc import JsonRpc
from rollup.landing.keystore import create_keystore
from rollup.node.provers import LocalPool, Prove
from rollup.service.clock import Clock
from rollup.service.config import load_config
from rollup.service.folder import make_folder, write_private
from rollup.service.service import Service, open_database
from rollup.wallet.keys import L2Key

# The first two accounts of every anvil: who commits, and who signs receipts.
SENDER_KEY, SIGNER_KEY = (
    bytes.fromhex(key)
    for key in (
        "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80",
        "59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d",
    )
)
SIGNER = str(EthereumAccount.from_key(SIGNER_KEY).address)
USERS = (2, 3, 4)
"""Anvil's accounts that pay each other; of each the L2 key is its number + 1."""
BLOCK_SIZE = 8
DEPOSIT = 10**18
WAIT_SECONDS = 60.0
CHEAP = 2
"""Guessing these passwords costs nothing: the keys are published."""


def accepted(_: object) -> tuple[int, ...]:
    """A stand-in for a prover, in tests alone: the verifier here accepts anything."""
    return (1,) * 8


def until(condition: Callable[[], Any], seconds: float = WAIT_SECONDS) -> Any:
    """Wait for something, and return it."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came about"
        time.sleep(0.02)
    return found


class L1:
    """A chain with the contract."""

    def __init__(self, anvil: Anvil, contract: AcceptAll) -> None:
        self.anvil, self.contract = anvil, contract
        self.rpc = JsonRpc(anvil.url)
        contract.deposit([1, *USERS], DEPOSIT)

    def view(self, name: str) -> int:
        """What a view of the contract without arguments answers."""
        return int.from_bytes(self.rpc.call(self.contract.rollup, selector(name, [])), "big")

    def manifest(self) -> Manifest:
        origin = self.contract.origin
        contracts = {
            "Governor": DeployedContract(self.contract.governor, origin.deployed_at, 0),
            "Rollup": DeployedContract(origin.rollup, origin.deployed_at, 0),
        }
        return Manifest(
            origin.chain_id, origin.l1_genesis, self.contract.accounts[0], 1_000, contracts,
            keys=[DeployedKey(BLOCK_SIZE, 0, "none", "0x")], tokens=[DeployedToken(0, "ETH", 18, "0x" + 40 * "0", 0)],
            validators=[self.contract.accounts[0], SIGNER], complete=True,
        )  # fmt: skip


@dataclass
class Place:
    """A node's files.

    Args:
        folder: Where.
        l1: The chain.
        endpoints: How the node reaches it, if not directly.
        data: The data folder, if not in `folder`.
        more: Further lines of the configuration.
    """

    folder: Path
    l1: L1
    endpoints: Sequence[str] = ()
    data: Path | None = None
    more: str = ""
    port: int = field(default_factory=free_port)

    def __post_init__(self) -> None:
        self.l1.manifest().save(self.folder / "deployment.json")
        keys = make_folder(self.folder / "keys")
        for name, key in (("sender", SENDER_KEY), ("validator", SIGNER_KEY)):
            create_keystore(keys / f"{name}.json", key, "x", CHEAP)
            write_private(keys / f"{name}.password", "x\n")
        self.config.write_text(
            f"""
            manifest = "deployment.json"
            data = {json.dumps(str(self.data or self.folder / "data"))}
            listen = "127.0.0.1:{self.port}"
            [l1]
            endpoints = {json.dumps(list(self.endpoints or [self.l1.anvil.url]))}
            confirmations = 0
            has_finalized_tag = false
            timeout_seconds = 1.0
            poll_seconds = 0.05
            [sender]
            keystore = "keys/sender.json"
            password_file = "keys/sender.password"
            [validator]
            keystore = "keys/validator.json"
            password_file = "keys/validator.password"
            [policy]
            max_age_seconds = 1
            {self.more}
            """
        )

    @property
    def config(self) -> Path:
        return self.folder / "sluice.toml"

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def running(place: Place, prove: Prove = accepted, clock: Clock | None = None) -> Iterator[Service]:
    """A service in threads of this process; at the end it stops in order."""
    config = load_config(place.config)
    make_folder(config.data)
    codes: list[int] = []
    with open_database(config.database_url) as database:
        service = Service(config, database, LocalPool(prove, 2), clock)
        thread = threading.Thread(target=lambda: codes.append(service.run()))
        thread.start()
        try:
            yield service
        finally:
            service.stop()
            thread.join(WAIT_SECONDS)
    assert codes == [0]


class Users:
    """Who pays whom over HTTP, and keeps every receipt.

    Args:
        place: The node.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        contract = place.l1.contract
        self.domain = domain(contract.origin.chain_id, int(contract.rollup, 16))
        self.http = httpx.Client(base_url=place.api, timeout=WAIT_SECONDS)
        self.receipts: list[Receipt] = []
        self.ids: dict[int, int] = {}

    def is_ready(self) -> bool:
        try:
            return self.http.get("/ready", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def meet(self) -> None:
        """Wait until everybody has an account."""
        until(self.is_ready)
        for n in USERS:
            found = until(lambda n=n: self.accounts(self.place.l1.contract.accounts[n]))
            self.ids[n] = found[0]["id"]

    def accounts(self, address: str) -> list[dict[str, Any]]:
        answer: dict[str, Any] = self.http.get("/v1/accounts", params={"address": address}).json()
        found: list[dict[str, Any]] = answer["accounts"]
        return found

    def nonce(self, n: int) -> int:
        return int(self.http.get(f"/v1/accounts/{self.ids[n]}").json()["confirmed"]["nonce"])

    def payment(self, payer: int, payee: int, nonce: int) -> Transfer:
        """Of one payer no two payments have the same amount: each is known again on L1."""
        address = int(self.place.l1.contract.accounts[payee], 16)
        key = L2Key.from_private_key((payer + 1).to_bytes(32, "big"))
        return key.sign(Transfer(self.ids[payer], self.ids[payee], address, 0, 1000 + nonce, 1, nonce), self.domain)

    def post(self, operation: Transfer) -> httpx.Response:
        return self.http.post("/v1/transactions", json=to_wire(operation))

    def pay(self, payer: int = 2, payee: int = 3) -> Receipt:
        """One payment that is taken."""
        answer = self.post(self.payment(payer, payee, self.nonce(payer)))
        assert answer.status_code == 200, answer.text
        return self.keep(answer.json())

    def keep(self, answer: dict[str, Any]) -> Receipt:
        receipt = receipt_from_wire(answer["receipt"])
        self.receipts.append(receipt)
        return receipt

    def stage(self, receipt: Receipt) -> str:
        return str(self.http.get(f"/v1/transactions/0x{receipt.operation_hash.hex()}").json()["status"])

    def notices(self) -> dict[str, str]:
        """What the operator is told, by its code; nothing before it listens."""
        try:
            found = self.http.get("/v1/status").json()["notices"]
        except httpx.ConnectError:
            return {}
        return {each["code"]: each["message"] for each in found}

    def finish(self) -> None:
        """Wait until all that was promised is executed on L1."""
        last = max(receipt.block_number for receipt in self.receipts)
        until(lambda: self.place.l1.view("executedBlocks") >= last)


def check_kept(l1: L1, receipts: Sequence[Receipt]) -> None:
    """L1 has everything that was promised, once, and nobody's money is gone."""
    rebuilt = Reader(l1.rpc, l1.contract.rollup, l1.contract.origin.deployed_at).rebuild()
    streams = {block.block.number: (block.l2, block.l1) for block in rebuilt.blocks}
    rollup_domain = domain(31337, int(l1.contract.rollup, 16))
    different = set(receipts)
    for receipt in different:
        receipt.check_signer(rollup_domain, (SIGNER,))
        receipt.check_kept(*streams[receipt.block_number])
    # An operation has one receipt, a place has one operation.
    assert len({receipt.operation_hash for receipt in different}) == len(different)
    assert len({(receipt.block_number, receipt.chunk_position) for receipt in different}) == len(different)
    paid = [each for operations in rebuilt.operations for each in operations if isinstance(each, TransferData)]
    assert set(Counter((payment.from_id, payment.amount) for payment in paid).values()) <= {1}
    held = sum(rebuilt.state.balance(account_id, 0) for account_id, _ in rebuilt.state.accounts())
    assert held == (len(USERS) + 1) * DEPOSIT


class Zygote:
    """A process whose forks are lives of the service: so a life costs no start of the interpreter."""

    def __enter__(self) -> Self:
        command = [sys.executable, str(Path(__file__).parent / "service_child.py")]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()

    def begin(self, place: Place) -> int:
        """Begin a life; its process id."""
        self._say(str(place.config))
        return self._hear()

    def ended(self) -> int:
        """Wait for its end; how it came."""
        return self._hear()

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        print(line, file=self._process.stdin, flush=True)

    def _hear(self) -> int:
        assert self._process.stdout is not None
        return int(self._process.stdout.readline())
