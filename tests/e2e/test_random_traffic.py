"""A hundred random operations of all kinds through real proofs and L1; a failure prints its seed.

Run again with SLUICE_SEED=<seed>; SLUICE_E2E_OPERATIONS=<count> makes a longer run.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from e2e_rig import ignore_progress, validator_of
from random_traffic import ALL_KINDS, Traffic

from rollup.demo.checks import check_accounting, check_rebuild
from rollup.demo.tokens import TOKENS
from rollup.demo.users import User
from rollup.demo.world import World, build_world
from rollup.l1.anvil import Anvil
from rollup.l1.project import ape_on, built_keys, compiled_contracts
from rollup.prover import BlockProver

pytestmark = pytest.mark.slow
OPERATIONS = int(os.environ.get("SLUICE_E2E_OPERATIONS", "100"))
PEOPLE = [User(name, None, {}) for name in ("alice", "bob", "carol", "dora", "emil")]


@pytest.fixture
def large(tmp_path: Path) -> Iterator[World]:
    """A deployment with the keys and the verifier that `make setup` built, for blocks of many steps."""
    with Anvil() as anvil, ape_on(anvil.url) as provider:
        manifest = tmp_path / "manifest.json"
        yield build_world(provider, compiled_contracts(), PEOPLE, built_keys(), manifest, ignore_progress)


def test_random_operations_of_all_kinds_state_model_and_l1_agree(large: World) -> None:
    seed = int(os.environ.get("SLUICE_SEED", random.SystemRandom().randrange(2**32)))
    print(f"SLUICE_SEED={seed}")
    validator = validator_of(large, BlockProver())
    traffic = Traffic(large, validator, random.Random(seed))
    small, *_, most = large.manifest.block_sizes
    operations, steps = traffic.open(), most
    while operations or traffic.made.total() < OPERATIONS or len(traffic.made) < ALL_KINDS or not traffic.batches:
        operations += traffic.make(steps - len(operations))
        validator.run(operations)
        traffic.compare()
        traffic.pay_out()
        operations, steps = [], most if OPERATIONS - traffic.made.total() > 2 * small else small
    print(traffic.made, traffic.batches)
    rebuilt = check_rebuild(large, validator.state, ignore_progress)
    check_accounting(large, rebuilt, TOKENS)
