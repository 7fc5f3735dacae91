"""The two shells on real sockets: slow, endless and broken answers, and what L1 says beside the node."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from client_rig import ANNA, BEN, DEPLOYMENT, ETHER, SIGNER, Told, Town

from rollup.client import AsyncSluiceClient, SluiceClient
from rollup.client.errors import FinalityDenied, NodeNotAnswering, NodeOfAnother
from rollup.client.flow import MAX_ANSWER_BYTES
from rollup.client.trust import Watch, check_signed_by_validator
from rollup.core.errors import ReceiptSignerError
from rollup.l1.abi import selector
from rollup.l1.errors import WrongChain, WrongContract

CENT = ETHER // 100
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


@contextmanager
def server(talk: Callable[[socket.socket], None]) -> Iterator[str]:
    """Listens, and does with every connection what the test says."""
    listening = socket.create_server(("127.0.0.1", 0))
    listening.settimeout(0.1)
    is_over = threading.Event()

    def serve() -> None:
        while not is_over.is_set():
            try:
                connection, _ = listening.accept()
            except TimeoutError:
                continue
            with connection:
                connection.settimeout(5)
                try:
                    connection.recv(65_536)
                    talk(connection)
                except OSError:
                    pass

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        is_over.set()
        thread.join()
        listening.close()


def trickle(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"content-length: 1000\r\n\r\n")
    for _ in range(100):
        connection.sendall(b" ")
        time.sleep(0.02)


def endless(connection: socket.socket) -> None:
    connection.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    part = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    for _ in range(2 * MAX_ANSWER_BYTES // 0x10000):
        connection.sendall(part)


WIRES: list[tuple[str, Callable[[socket.socket], None], str]] = [
    ("silence", lambda connection: time.sleep(0.5), "timed out|TimeOut|ReadTimeout|timeout"),
    ("a byte now and then", trickle, "not whole after 0.3 s"),
    ("without end", endless, "longer than"),
    ("cut off", lambda connection: connection.sendall(HEAD + b'content-length: 99\r\n\r\n{"a"'), "incomplete|closed"),
    ("no HTTP", lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n"), ""),
    ("closed at once", lambda connection: None, ""),
]


@pytest.mark.parametrize(("talk", "reason"), [wire[1:] for wire in WIRES], ids=[wire[0] for wire in WIRES])
def test_answer_that_does_not_come_whole_is_given_up_in_time(
    talk: Callable[[socket.socket], None], reason: str
) -> None:
    async def ask(url: str) -> None:
        async with AsyncSluiceClient(url, DEPLOYMENT, attempts=1, seconds=0.3) as client:
            await client.status()

    with server(talk) as url:
        for run in (
            lambda: SluiceClient(url, DEPLOYMENT, attempts=1, seconds=0.3).status(),
            lambda: asyncio.run(ask(url)),
        ):
            start = time.monotonic()
            with pytest.raises(NodeNotAnswering, match=f"(?i){reason}"):
                run()
            assert time.monotonic() - start < 5


def test_wait_hears_of_finality_over_a_websocket_and_without_one(town: Town) -> None:
    confirmed = town.wallet(ANNA).transfer(BEN.address, CENT, fee=0)
    client = town.client()
    assert client.wait(confirmed.hash, "confirmed").status == "confirmed"
    seen: list[str] = []
    waiting = threading.Thread(target=lambda: client.wait(confirmed.hash, tell=lambda each: seen.append(each.status)))
    waiting.start()
    town.rig.node.sequencer.close()
    waiting.join(30)
    assert seen[-1] == "final"
    town.liar.has_sockets = False
    assert client.wait(confirmed.hash).is_final
    assert ("GET", f"/v1/transactions/{confirmed.hash}") in town.liar.seen


def test_wait_with_asyncio_hears_of_finality(town: Town) -> None:
    async def run() -> bool:
        async with town.async_client() as client:
            confirmed = await town.async_wallet(client, ANNA).transfer(BEN.address, CENT, fee=0)
            town.rig.node.sequencer.close()
            return (await client.wait(confirmed.hash, seconds=30)).is_final

    assert asyncio.run(run())


def test_cancelled_payment_is_remembered_and_the_next_one_goes(town: Town) -> None:
    taken = threading.Event()

    def slowly(told: Told) -> Told:
        if told.method == "POST":
            taken.set()
            time.sleep(0.3)
        return told

    async def run() -> None:
        async with town.async_client() as client:
            wallet = town.async_wallet(client, ANNA)
            await wallet.open()
            town.liar.lie = slowly
            task = asyncio.create_task(wallet.transfer(BEN.address, CENT, fee=0))
            while not taken.is_set():
                await asyncio.sleep(0.005)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            town.liar.lie = lambda told: told
            assert len(await wallet.settle()) == 1
            await wallet.transfer(BEN.address, CENT, fee=0)

    asyncio.run(run())
    assert town.balance(BEN) == ETHER + 2 * CENT


# L1 beside the node


class FakeL1:
    """Answers the views that are asked."""

    name = "http://l1"

    def __init__(self, validators: list[int], executed: int = 0) -> None:
        self.validators, self.executed = validators, executed
        self.chain, self.contract = DEPLOYMENT.chain_id, b"\x01"

    def __call__(self, method: str, *params: object) -> Any:
        return {"hash": DEPLOYMENT.l1_genesis}

    def chain_id(self) -> int:
        return self.chain

    def code(self, address: str) -> bytes:
        return self.contract

    def call(self, to: str, data: bytes) -> bytes:
        if data[:4] == selector("isValidator", ["address"]):
            return int(int.from_bytes(data[4:], "big") in self.validators).to_bytes(32, "big")
        if data[:4] == selector("governor", []):
            return bytes(32)
        return self.executed.to_bytes(32, "big")


def client_with(town: Town, l1: Any) -> SluiceClient:
    return town.client(l1=l1)


def test_validator_that_l1_does_not_know_is_sent_nothing(town: Town) -> None:
    from rollup.client import Wallet

    wallet = Wallet(client_with(town, FakeL1([])), ANNA.account)
    with pytest.raises(NodeOfAnother) as caught:
        wallet.transfer(BEN.address, CENT, fee=0)
    assert caught.value.what == "validator"
    assert town.balance(BEN) == ETHER


@pytest.mark.parametrize(("chain", "contract", "error"), [(1, b"\x01", WrongChain), (31337, b"", WrongContract)])
def test_l1_node_of_another_chain_is_believed_nothing(
    town: Town, chain: int, contract: bytes, error: type[Exception]
) -> None:
    from rollup.client import Wallet

    l1 = FakeL1([SIGNER.address])
    l1.chain, l1.contract = chain, contract
    with pytest.raises(error):
        Wallet(client_with(town, l1), ANNA.account).transfer(BEN.address, CENT, fee=0)
    assert town.balance(BEN) == ETHER


def test_signer_is_who_l1_says_whatever_the_manifest_has(town: Town) -> None:
    from dataclasses import replace

    receipt = town.wallet(ANNA).transfer(BEN.address, CENT, fee=0).receipt
    none = replace(DEPLOYMENT, validators=())
    check_signed_by_validator(receipt, none, Watch(FakeL1([SIGNER.address]), none))  # type: ignore[arg-type]
    with pytest.raises(ReceiptSignerError):
        check_signed_by_validator(receipt, DEPLOYMENT, Watch(FakeL1([]), DEPLOYMENT))  # type: ignore[arg-type]
    with pytest.raises(ReceiptSignerError):
        check_signed_by_validator(receipt, none, None)


def test_final_that_l1_does_not_know_is_denied(town: Town) -> None:
    confirmed = town.wallet(ANNA).transfer(BEN.address, CENT, fee=0)
    town.rig.node.sequencer.close()
    town.client().wait(confirmed.hash)
    with pytest.raises(FinalityDenied) as caught:
        client_with(town, FakeL1([SIGNER.address])).wait(confirmed.hash)
    assert caught.value.stage == "not there"
