"""Exodus on a fork of mainnet with the tokens that are out there: each harms its own holders at most, and a payment
that one of them refuses delays nobody. Proofs of exits are real; blocks need none.

The fork is of a stand-in, and of the real one where MAINNET_RPC_URL names a node.
"""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_abi.abi import encode
from eth_account import Account
from leaving_rig import ETHER, Leaving, exit_verifier_code, token_codes

from bench.accept_all import AcceptAll, creation_codes
from bench.unsigned_chain import UnsignedChain
from rollup.core import Deposit
from rollup.l1.abi import selector
from rollup.l1.anvil import Anvil
from rollup.l1.manifest import DeployedToken
from rollup.l1.rpc import JsonRpc

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("leaving")]
MAINNET = 1
SAFE = 0x5AFE
AMOUNT = 1_000
MODELS = {
    "NORETURN": "NoReturnToken",
    "FEE": "FeeOnTransferToken",
    "DOWN": "RebasingToken",
    "UP": "RebasingToken",
    "LIST": "BlockingToken",
    "REVERT": "BurningToken",
    "HOOK": "HookToken",
    "TOP": "FeeOnTopToken",
    "FALSE": "FalseToken",
}
"""By the symbol that they have here; ids from 1 up."""
IDS = {symbol: index for index, symbol in enumerate(MODELS, 1)}
OWNER, ALICE, BOB = range(3)
"""L1 accounts by index, and their accounts on L2."""


@pytest.fixture(scope="module", params=["stand-in", "real"])
def fork(request: pytest.FixtureRequest) -> Iterator[Anvil]:
    """A fork of chain 1."""
    url = os.environ.get("MAINNET_RPC_URL")
    if request.param == "real" and not url:
        pytest.skip("MAINNET_RPC_URL is not set")
    with Anvil(chain_id=MAINNET) as stand_in:
        stand_in.rpc("anvil_mine", "0x2")
        upstream = url if request.param == "real" else stand_in.url
        with Anvil(accounts=3, chain_id=MAINNET, flags=["--fork-url", str(upstream), "--no-rate-limit"]) as anvil:
            yield anvil


class Odd:
    """A rollup in which alice and bob have some of each token, all proven, and whose queue nobody serves."""

    def __init__(self, url: str, folder: Path) -> None:
        self.l1 = l1 = AcceptAll(JsonRpc(url), creation_codes(), exit_verifier_code())
        codes = token_codes()
        self.tokens = {symbol: l1.create(codes[model]) for symbol, model in MODELS.items()}
        l1.deposit([OWNER, ALICE, BOB], ETHER)
        for symbol, token in self.tokens.items():
            self._list_and_deposit(token, IDS[symbol])
        chain = UnsignedChain(l1.origin.chain_id, l1.rollup, l1.validator, l1.validator_set)
        indices = {int(account, 16): index for index, account in enumerate(l1.accounts)}
        entries = [entry for entry in l1.queue(0) if isinstance(entry, Deposit)]
        assigned = [replace(entry, account_id=indices[entry.owner]) for entry in entries]
        chain.seal(assigned, fee_account=OWNER, timestamp=l1.now, block_size=64)
        l1.commit(chain, 1, 1)
        l1.prove(chain, 1, 1)
        l1.request_exits([(ALICE, ALICE)])
        known = [DeployedToken(IDS[symbol], symbol, 0, token, 0) for symbol, token in self.tokens.items()]
        self.leaving = Leaving(l1, folder, known)

    def _list_and_deposit(self, token: str, token_id: int) -> None:
        l1, owner = self.l1, self.l1.accounts[OWNER]
        l1.call(owner, l1.governor, "addToken", ["address"], [token])
        l1.call(owner, l1.governor, "setDepositCap", ["uint16", "uint128"], [token_id, 10**9])
        for holder in (l1.accounts[ALICE], l1.accounts[BOB]):
            l1.call(holder, token, "mint", ["address", "uint256"], [holder, AMOUNT])
            l1.call(holder, token, "approve", ["address", "uint256"], [l1.rollup, AMOUNT])
            types = ["uint16", "uint128", "address", "uint256", "uint256"]
            l1.call(holder, l1.rollup, "depositERC20", types, [token_id, AMOUNT, holder, 0, 0], self.queue_fee())

    def queue_fee(self) -> int:
        return self.leaving_view("queueFee")

    def leaving_view(self, name: str) -> int:
        return int.from_bytes(self.l1.rpc.call(self.l1.rollup, selector(name, [])), "big")

    def set(self, symbol: str, name: str, *arguments: tuple[str, Any]) -> None:
        """Change how a token behaves."""
        types, values = [type_ for type_, _ in arguments], [value for _, value in arguments]
        self.l1.call(self.l1.accounts[OWNER], self.tokens[symbol], name, types, values)

    def balance(self, symbol: str, who: str) -> int:
        """What an address has of a token on L1."""
        call = selector("balanceOf", ["address"]) + encode(["address"], [who])
        return int.from_bytes(self.l1.rpc.call(self.tokens[symbol], call), "big")

    def accounted(self, symbol: str) -> int:
        return self.leaving.view("accounted", ("uint16", IDS[symbol]))

    def everyone(self) -> list[tuple[int, str]]:
        """Get everybody out; return which payments failed: whose, of which token."""
        said = self.leaving.sluice("exodus", "exit", "--everyone", "--json")
        failed = [step for step in said["steps"] if step["failure"]]
        assert {step["step"] for step in failed} <= {"paid"}
        symbols = {index: symbol for symbol, index in IDS.items()}
        indices = {account.lower(): index for index, account in enumerate(self.l1.accounts)}
        return sorted((indices[step["owner"].lower()], symbols[step["token"]]) for step in failed)


def test_exodus_with_odd_tokens_harms_their_own_holders_alone(fork: Anvil, tmp_path: Path) -> None:
    odd = Odd(fork.url, tmp_path)
    alice, bob = odd.l1.accounts[ALICE], odd.l1.accounts[BOB]
    odd.leaving.begin_exodus()
    odd.set("DOWN", "rebase", ("uint256", 50))
    odd.set("UP", "rebase", ("uint256", 200))
    odd.set("LIST", "setBlocked", ("address", alice), ("bool", True))
    odd.set("REVERT", "setBurning", ("bool", True))
    odd.set("TOP", "setCharging", ("bool", True))
    odd.set("FALSE", "setFailing", ("bool", True))
    types = ["address", "uint16"]
    call_back = selector("withdrawPending", types) + encode(types, [bob, IDS["HOOK"]])
    odd.set("HOOK", "setHook", ("address", odd.l1.rollup), ("bytes", call_back))

    failed = odd.everyone()
    (last,) = {who for who, symbol in failed if symbol == "DOWN"}  # what is left is the first one's
    refused = [(who, symbol) for who in (ALICE, BOB) for symbol in ("FALSE", "REVERT", "TOP")]
    assert failed == sorted([(last, "DOWN"), (ALICE, "LIST"), *refused])
    assert odd.leaving.view("accounted", ("uint16", 0)) == 0
    for holder in (alice, bob):
        assert [odd.balance(symbol, holder) for symbol in ("NORETURN", "UP", "HOOK")] == [AMOUNT] * 3
        assert odd.balance("FEE", holder) == 981  # a hundredth went on the way in, and one on the way out
    assert odd.balance("LIST", bob) == AMOUNT

    # Alice sends hers where the token lets it go
    Account.enable_unaudited_hdwallet_features()
    words = "test test test test test test test test test test test junk"
    key = bytes(Account.from_mnemonic(words, account_path=f"m/44'/60'/0'/0/{ALICE}").key)
    odd.leaving.sluice("withdraw", "--to", f"0x{SAFE:040x}", "--token", "LIST", key=key)
    assert odd.balance("LIST", f"0x{SAFE:040x}") == AMOUNT

    # Tokens that come to their senses pay too; one that shrank needs what is missing
    odd.set("REVERT", "setBurning", ("bool", False))
    odd.set("TOP", "setCharging", ("bool", False))
    odd.set("FALSE", "setFailing", ("bool", False))
    assert odd.everyone() == [(last, "DOWN")]
    assert odd.accounted("DOWN") == AMOUNT
    assert odd.balance("DOWN", odd.l1.rollup) == 0
    odd.set("DOWN", "mint", ("address", odd.l1.rollup), ("uint256", 2 * AMOUNT))
    assert odd.everyone() == []
    assert {symbol: odd.accounted(symbol) for symbol in IDS} == dict.fromkeys(IDS, 0)
    left = {symbol: odd.balance(symbol, odd.l1.rollup) for symbol in IDS}
    assert left == dict.fromkeys(IDS, 0) | {"UP": 2 * AMOUNT}  # what a token grew by is nobody's
