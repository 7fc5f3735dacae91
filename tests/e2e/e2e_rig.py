"""What the end-to-end tests share besides fixtures."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from rollup.core.operations import Operation
from rollup.demo.world import Person, World
from rollup.l1.reader import Reader, Rebuilt
from rollup.node.validator import Validator
from rollup.progress import Bars
from rollup.prover import BlockProver
from rollup.wallet.account import WalletAccount

STEPS = 3
"""The most that fit a domain of 2^17."""
ETHER = 10**18


def ignore_progress(*_: object) -> None:
    """A progress function that shows nothing."""


@contextmanager
def snapshot(world: World) -> Iterator[None]:
    """Take the chain back to where it was when the block ends; its clock, which goes back too, shows now again."""
    taken = world.sender.rpc("evm_snapshot")
    try:
        yield
    finally:
        assert world.sender.rpc("evm_revert", taken)
        behind = int(time.time()) - l1_time(world)
        if behind > 0:
            world.sender.rpc("evm_increaseTime", hex(behind))


def l1_time(world: World) -> int:
    """Timestamp of L1's latest block."""
    return int(world.sender.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)


def jump(world: World, to: int) -> None:
    """Mine an L1 block of this time, from which L1's clock goes on."""
    world.sender.rpc("evm_increaseTime", hex(to - l1_time(world)))
    world.sender.rpc("evm_mine")


def validator_of(world: World, prover: BlockProver, start: Rebuilt | None = None) -> Validator:
    """The world's validator, by default with an empty state."""
    return Validator(world.client, world.manifest, world.operator.account, prover, Bars(quiet=True), start)


def rebuilt(world: World) -> Rebuilt:
    """What L1 alone gives."""
    return Reader(world.sender.rpc, world.manifest.rollup, world.manifest.deployed_at).rebuild()


def wallet_of(validator: Validator, person: Person) -> WalletAccount:
    """The wallet of somebody whose account is in a block, with the key he began with."""
    address = int(person.address, 16)
    account_id = validator.accounts.find(address)
    assert account_id is not None
    assert person.key is not None
    nonce = validator.state.account(account_id).nonce
    return WalletAccount(account_id, address, person.key, validator.manifest.domain, nonce)


def local_account(person: Person) -> LocalAccount:
    """The person's Ethereum account, as eth-account has it."""
    assert person.account is not None
    account: LocalAccount = Account.from_key(person.account.private_key)
    return account


def l1_balance(world: World, owner: str, token: int) -> int:
    """What an address has on L1."""
    return int(world.sender.rpc("eth_getBalance", owner, "latest"), 16) if token == 0 else world.balance(owner)


def deposit_three(world: World) -> None:
    """The operator, alice and bob deposit one ETH each, in this order, with their keys."""
    for person in (world.operator, *world.people[:2]):
        assert person.key is not None
        world.client.deposit_eth(person.account, ETHER, key=person.key.public_key)


def assigned(validator: Validator, start: int = 0) -> list[Operation]:
    """The queue's entries from `start`, each with its account."""
    return [validator.accounts.assign(entry.operation) for entry in validator.client.queue(start)]


def data_of(error: Any) -> tuple[str, dict[str, Any]]:
    """Name and data of a contract's refusal."""
    return error.value.error, dict(error.value.data)
