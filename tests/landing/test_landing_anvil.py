"""The sender on a real node: stuck transactions, replacement, reorganisations, a nonce race, a reverting contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_account import Account

from rollup.l1.anvil import Anvil
from rollup.l1.refusals import Refusals
from rollup.l1.rpc import JsonRpc
from rollup.landing.calls import Call
from rollup.landing.config import SenderConfig
from rollup.landing.endpoints import Endpoints
from rollup.landing.journal import Journal
from rollup.landing.model import Action, Kind, Outcome, State
from rollup.landing.sender import L1Sender
from rollup.landing.signing import Fees, LocalSigner, Unsigned

pytestmark = pytest.mark.xdist_group("landing-anvil")

CHAIN_ID = 31337
GWEI = 10**9
SIGNER = LocalSigner(Account.from_key(b"\7" * 32))
SINK = "0x" + 20 * "5e"
REVERTS = bytes.fromhex("6005600c60003960056000f3" + "60006000fd")


class Chain:
    """An anvil without automatic blocks, and a sender on it."""

    def __init__(self, anvil: Anvil, path: Path) -> None:
        self.rpc = JsonRpc(anvil.url)
        self.journal = Journal(path, CHAIN_ID)
        endpoints = Endpoints([self.rpc], CHAIN_ID)
        self.sender = L1Sender(self.journal, endpoints, SIGNER, Refusals(), SenderConfig(reserve_transactions=0))

    def mine(self, count: int = 1, base_fee: int | None = None) -> None:
        if base_fee is not None:
            self.rpc("anvil_setNextBlockBaseFeePerGas", hex(base_fee))
        self.rpc("anvil_mine", hex(count))

    def step(self, blocks: int = 0) -> None:
        self.sender.step()
        for _ in range(blocks):
            self.mine()
            self.sender.step()

    def place(self, key: str) -> tuple[State, Outcome | None]:
        action = self.sender.status(key)
        return action.state, action.place and action.place.outcome

    def told(self, key: str) -> list[Kind]:
        return [event.kind for event in self.sender.events() if event.key == key]


def pay(number: int, **fields: int) -> Call:
    return Call(f"payment {number}", SINK, b"", number + 1, **fields)


def offers(action: Action) -> list[tuple[int, int]]:
    return [(attempt.fees.max_fee, attempt.fees.tip) for attempt in action.attempts]


@pytest.fixture(scope="module")
def anvil() -> Iterator[Anvil]:
    with Anvil(accounts=1, flags=["--no-mining", "--order", "fees"]) as running:
        yield running


@pytest.fixture
def chain(anvil: Anvil, tmp_path: Path) -> Iterator[Chain]:
    taken = anvil.rpc("evm_snapshot")
    anvil.rpc("anvil_setBalance", SIGNER.address, hex(10**21))
    anvil.rpc("anvil_mine", "0x2")
    made = Chain(anvil, tmp_path / "journal.db")
    yield made
    made.journal.close()
    anvil.rpc("anvil_dropAllTransactions")
    assert anvil.rpc("evm_revert", taken)


def test_anvil_lands_is_mined_then_final(chain: Chain) -> None:
    chain.sender.submit("a", pay(1))
    chain.step(blocks=1)
    assert chain.place("a") == (State.MINED, Outcome.SUCCEEDED)
    chain.mine(64)
    chain.step()
    assert chain.place("a") == (State.FINAL, Outcome.SUCCEEDED)
    assert int(chain.rpc("eth_getBalance", SINK, "latest"), 16) == 2


def test_anvil_base_fee_jumps_twentyfold_transaction_is_replaced_and_lands(chain: Chain) -> None:
    chain.sender.submit("a", pay(1))
    chain.step()
    (first,) = offers(chain.sender.status("a"))
    base_fee = int(chain.rpc("eth_getBlockByNumber", "latest", False)["baseFeePerGas"], 16)
    chain.mine(base_fee=20 * max(base_fee, first[0]))
    chain.step()
    assert chain.place("a") == (State.PENDING, None)
    chain.step(blocks=2)
    assert chain.place("a") == (State.MINED, Outcome.SUCCEEDED)
    old, new = offers(chain.sender.status("a"))
    assert all(8 * after >= 9 * before for before, after in zip(old, new, strict=True))
    assert chain.told("a") == [Kind.QUEUED, Kind.SENT, Kind.REPLACED, Kind.MINED]


@pytest.mark.parametrize("depth", [1, 5])
def test_anvil_reorganised_lands_again_with_the_same_nonces(chain: Chain, depth: int) -> None:
    for number in range(3):
        chain.sender.submit(f"{number}", pay(number))
    chain.step(blocks=1)
    chain.mine(depth - 1)
    chain.step()
    chain.rpc("anvil_reorg", depth, [])
    chain.rpc("anvil_dropAllTransactions")
    chain.mine()
    chain.step()
    assert {chain.place(f"{number}")[0] for number in range(3)} == {State.PENDING}
    chain.step(blocks=1)
    actions = [chain.sender.status(f"{number}") for number in range(3)]
    assert [(action.state, action.nonce) for action in actions] == [(State.MINED, number) for number in range(3)]
    assert chain.told("1") == [Kind.QUEUED, Kind.SENT, Kind.MINED, Kind.TAKEN_BACK, Kind.MINED]
    assert int(chain.rpc("eth_getBalance", SINK, "latest"), 16) == 1 + 2 + 3


def test_anvil_foreign_transaction_is_named_and_ours_lands_after_it(chain: Chain) -> None:
    chain.sender.submit("a", pay(1))
    chain.step()
    signed = SIGNER.sign(Unsigned(CHAIN_ID, 0, pay(98), 21_000, Fees(500 * GWEI, 20 * GWEI)))
    assert chain.rpc("eth_sendRawTransaction", "0x" + signed.raw.hex()) == signed.hash
    chain.step(blocks=1)
    assert chain.place("a") == (State.MINED, Outcome.DISPLACED)
    (notice,) = chain.sender.notices.standing()
    assert notice.values == {"address": SIGNER.address, "nonce": 0, "transaction": signed.hash}
    chain.mine(64)
    chain.step(blocks=1)
    assert chain.place("a") == (State.MINED, Outcome.SUCCEEDED)
    assert int(chain.rpc("eth_getBalance", SINK, "latest"), 16) == 99 + 2


def test_anvil_foreign_transaction_that_outbids_in_the_mempool_is_outbid(chain: Chain) -> None:
    chain.sender.submit("a", pay(1))
    chain.step()
    (first,) = offers(chain.sender.status("a"))
    rival = Fees(first[0] * 2, first[1] * 2)
    signed = SIGNER.sign(Unsigned(CHAIN_ID, 0, pay(98), 21_000, rival))
    chain.rpc("eth_sendRawTransaction", "0x" + signed.raw.hex())
    chain.rpc("anvil_setNextBlockBaseFeePerGas", hex(rival.max_fee * 2))
    chain.mine()
    for _ in range(12):
        chain.sender.step()
    chain.step(blocks=1)
    assert chain.place("a") == (State.MINED, Outcome.SUCCEEDED)


def test_anvil_cancelled_while_pending_lands_nothing(chain: Chain) -> None:
    chain.sender.submit("a", pay(1))
    chain.step()
    chain.sender.cancel("a")
    chain.step(blocks=1)
    assert chain.place("a") == (State.MINED, Outcome.CANCELLED)
    assert int(chain.rpc("eth_getBalance", SINK, "latest"), 16) == 0


def test_anvil_call_that_would_revert_is_refused_and_one_that_does_says_so(chain: Chain) -> None:
    chain.sender.submit("create", Call("the creation", None, REVERTS))
    chain.step(blocks=1)
    place = chain.sender.status("create").place
    assert place is not None
    contract = chain.rpc("eth_getTransactionReceipt", place.transaction)["contractAddress"]
    chain.sender.submit("asked", Call("the call", contract))
    chain.sender.submit("blind", Call("the call", contract, gas_limit=60_000))
    chain.step(blocks=1)
    assert chain.place("asked") == (State.REFUSED, None)
    assert chain.place("blind") == (State.MINED, Outcome.FAILED)
    assert chain.sender.status("blind").reason["code"] == "reverted"


def test_anvil_call_over_eip_7825_is_refused_before_it_is_sent(chain: Chain) -> None:
    chain.sender.submit("a", pay(1, gas_limit=(1 << 24) + 1))
    chain.sender.submit("b", pay(2, gas_limit=1 << 24))
    chain.step(blocks=1)
    assert chain.sender.status("a").reason["code"] == "gas_limit_exceeded"
    assert chain.place("b") == (State.MINED, Outcome.SUCCEEDED)
