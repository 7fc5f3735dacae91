"""The contracts' invariants under forge's fuzzer: the *.sol beside this; numbers of runs and calls in foundry.toml."""

import pytest
from forge import forge

# Both compile to the same place.
pytestmark = pytest.mark.xdist_group("forge")


@pytest.mark.slow
def test_invariants_random_calls_hold() -> None:
    _run("default")


@pytest.mark.long
def test_invariants_many_random_calls_hold() -> None:
    _run("long")


def _run(profile: str) -> None:
    said = forge("test", "--match-contract", "RollupTest", place="optimised", profile=profile)
    assert "1 passed" in said, f"no invariant ran\n{said}"
