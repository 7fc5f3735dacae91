"""The queue flooded: what that costs, what draining it costs, and that it is drained long before it expires.

On an anvil of its own: ape's keeps every step of every transaction.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from eth_abi.abi import encode

from bench.accept_all import QUEUE_FEE_GWEI, AcceptAll, creation_codes
from bench.unsigned_chain import UnsignedChain
from rollup.core import Deposit, FullExit
from rollup.core.constants import MAX_L1_OPERATIONS_PER_BLOCK, PROOF_DEADLINE_SECONDS, QUEUE_EXPIRY_SECONDS
from rollup.l1.abi import BLOCK_TYPE, selector
from rollup.l1.anvil import Anvil
from rollup.l1.rpc import JsonRpc

pytestmark = pytest.mark.slow

REQUESTS = 10_000
PER_CALL = 250
"""What fits EIP-7825's limit of a transaction."""
EIP_7825_LIMIT = 2**24
FIRST_OWNER = 0xABABABAB << 128
HOUR = 3600
VERIFY_GAS = 206_000
"""What a real verifier adds to proveBlocks: `verify, a transaction` of gas.json, less 21,000 and its calldata."""
Entry = Deposit | FullExit


class Flood:
    """A deployment whose queue somebody fills: refused deposits for new owners and full exits, the dearest to serve."""

    def __init__(self, url: str, codes: dict[str, bytes]) -> None:
        self.l1 = AcceptAll(JsonRpc(url), codes)
        self.chain = UnsignedChain(self.l1.origin.chain_id, self.l1.rollup, self.l1.validator, self.l1.validator_set)
        self.stranger = self.l1.accounts[5]
        self.flooder = str(self.l1.send(self.stranger, None, codes["Flooder"])["contractAddress"])
        self.l1.rpc("anvil_setBalance", self.flooder, hex(2**100))
        self.entries: list[Entry] = []
        self.served = 0

    def flood(self, entries: int) -> int:
        """Calls of both kinds by turns; return the gas."""
        gas = 0
        for first in range(len(self.entries), len(self.entries) + entries, PER_CALL):
            many = range(first, first + PER_CALL)
            if first // PER_CALL % 2:
                name, types, values = "requestMany", ["address", "uint256"], [self.l1.rollup, PER_CALL]
                owner = int(self.flooder, 16)
                self.entries += [FullExit(i - first, 0, owner, 10**18, fee_gwei(i)) for i in many]
            else:
                name, types = "depositForMany", ["address", "uint256", "uint256"]
                values = [self.l1.rollup, FIRST_OWNER + first, PER_CALL]
                self.entries += [
                    Deposit(0, 0, 1, FIRST_OWNER + i, refused=True, queue_fee_gwei=fee_gwei(i)) for i in many
                ]
            data = selector(name, types) + encode(types, values)
            gas += int(self.l1.send(self.stranger, self.flooder, data)["gasUsed"], 16)
        return gas

    def serve(self, count: int) -> list[int]:
        """A block of the next entries, committed, proven, executed; return the gas of the three."""
        taken = self.entries[self.served : self.served + count]
        self.chain.seal(taken, timestamp=self.l1.now, replay=False, block_size=256)
        self.served += count
        number = self.chain.chain[-1].number
        commit = self.l1.commit(self.chain, number, number)
        types = [f"{BLOCK_TYPE}[]", "uint256[8][]"]
        values = [[self.chain.chain[number].as_tuple()], [(1,) * 8]]
        prove = self.l1.send(self.l1.validator, self.l1.rollup, selector("proveBlocks", types) + encode(types, values))
        return [int(receipt["gasUsed"], 16) for receipt in (commit, prove, self.l1.execute(self.chain, number))]

    def pass_time(self, seconds: int) -> None:
        self.l1.rpc("evm_increaseTime", hex(seconds))
        self.l1.rpc("evm_mine")

    def ask(self, view: str, types: list[str], values: list[Any]) -> int:
        return int.from_bytes(
            self.l1.rpc.call(self.l1.rollup, selector(view, types) + encode(types, values))[-32:], "big"
        )

    def pending_gwei(self, owner: str) -> int:
        return self.ask("pending", ["address", "uint16"], [owner, 0]) // 10**9


def fee_gwei(open_entries: int) -> int:
    return QUEUE_FEE_GWEI * (1 + open_entries // MAX_L1_OPERATIONS_PER_BLOCK)


def fees_gwei(entries: list[Entry]) -> int:
    return sum(entry.queue_fee_gwei for entry in entries)


@pytest.fixture
def flood() -> Iterator[Flood]:
    with Anvil() as anvil:
        yield Flood(anvil.url, creation_codes())


def test_flood_of_10_000_requests_is_drained_before_it_expires_at_bounded_gas(flood: Flood) -> None:
    """A block an hour will do, each call within half of what a transaction may cost; the flood costs more."""
    flooded = flood.flood(REQUESTS)
    began, expiry = flood.l1.now, flood.ask("queueEntry", ["uint64"], [0])
    drained, most, blocks = 0, 0, 0
    while flood.served < REQUESTS:
        flood.pass_time(HOUR)
        gas = flood.serve(min(MAX_L1_OPERATIONS_PER_BLOCK, REQUESTS - flood.served))
        drained, most, blocks = drained + sum(gas) + VERIFY_GAS, max(most, *gas), blocks + 1
    assert flood.ask("queueExecuted", [], []) == flood.ask("queueTotal", [], []) == REQUESTS
    assert flood.l1.now < expiry

    paid = fees_gwei(flood.entries)
    hours = (flood.l1.now - began) / HOUR
    print(f"flood: {flooded / REQUESTS:,.0f} gas and {paid / REQUESTS:,.0f} gwei of fees a request")
    print(f"drain: {drained / REQUESTS:,.0f} gas a request, {blocks} blocks, at most {most:,} gas a transaction")
    print(f"drained in {hours:.0f} of {QUEUE_EXPIRY_SECONDS / HOUR:.0f} hours")
    assert most < EIP_7825_LIMIT / 2
    assert drained < flooded
    assert flood.pending_gwei(flood.l1.validator) == paid


def test_flood_pays_more_for_each_block_that_it_fills(flood: Flood) -> None:
    """n entries at once cost about n (1 + n / 512) base fees: twice the flood, nearly four times the price."""
    flood.flood(4 * PER_CALL)
    held = int(flood.l1.rpc("eth_getBalance", flood.l1.rollup, "latest"), 16)
    deposited = 2 * PER_CALL
    assert (held - deposited) // 10**9 == QUEUE_FEE_GWEI * (256 * 1 + 256 * 2 + 256 * 3 + 232 * 4)


def test_flood_that_ends_in_exodus_pays_for_all_that_was_served(flood: Flood) -> None:
    """Fees come back for what no proven block serves, and for that alone; the rest is the validator's."""
    flood.flood(2 * PER_CALL)
    flood.serve(PER_CALL)
    flood.pass_time(QUEUE_EXPIRY_SECONDS + PROOF_DEADLINE_SECONDS)
    activate = selector("activateExodus", [BLOCK_TYPE]) + encode([BLOCK_TYPE], [flood.chain.chain[1].as_tuple()])
    flood.l1.send(flood.stranger, flood.l1.rollup, activate)
    types = ["uint64", "uint256[]"]
    for index in range(PER_CALL, 2 * PER_CALL):
        w0, w1 = flood.entries[index].record()
        data = selector("refundQueued", types) + encode(types, [index, [w0, w1 >> 128 << 128]])
        flood.l1.send(flood.stranger, flood.l1.rollup, data)
    assert flood.pending_gwei(flood.flooder) == fees_gwei(flood.entries[PER_CALL:])
    assert flood.pending_gwei(flood.l1.validator) == fees_gwei(flood.entries[:PER_CALL])
