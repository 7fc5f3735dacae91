"""What the end-to-end tests share besides fixtures."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rollup.core.operations import Operation
from rollup.demo.world import World
from rollup.node.validator import Validator
from rollup.progress import Bars
from rollup.prover import BlockProver

STEPS = 3
"""The most that fit a domain of 2^17."""
ETHER = 10**18


def ignore_progress(*_: object) -> None:
    """A progress function that shows nothing."""


@contextmanager
def snapshot(world: World) -> Iterator[None]:
    """Take the chain back to where it was when the block ends."""
    taken = world.sender.rpc("evm_snapshot")
    try:
        yield
    finally:
        assert world.sender.rpc("evm_revert", taken)


def validator_of(world: World, prover: BlockProver) -> Validator:
    """The world's validator, with an empty state."""
    return Validator(world.client, world.manifest, world.operator.account, prover, Bars(quiet=True))


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
