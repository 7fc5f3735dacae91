"""The contracts' invariants under forge's fuzzer: the *.sol beside this; numbers of runs and calls in foundry.toml."""

import pytest
from forge import forge

# Both compile to the same place.
pytestmark = pytest.mark.xdist_group("forge")


@pytest.mark.slow
def test_invariants_random_calls_hold() -> None:
    _run("default", endings_rarer=1)


@pytest.mark.long
def test_invariants_many_random_calls_hold() -> None:
    """Runs of 10,000 calls, of which most are not to be after the last validator is gone, or in exodus."""
    _run("long", endings_rarer=40)


def _run(profile: str, endings_rarer: int) -> None:
    environment = {"FOUNDRY_PROFILE": profile, "ENDINGS_RARER": str(endings_rarer)}
    said = forge("test", "--match-contract", "RollupTest", place="optimised", environment=environment)
    assert "1 passed" in said, f"no invariant ran\n{said}"
