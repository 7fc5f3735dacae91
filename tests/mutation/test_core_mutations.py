"""Break the state machine on purpose: of small mistakes in the functions of `rollup/core`, 90% kill a test at least.

By hand, some files, with every verdict: SLUICE_MUTATE=streams.py,state.py pytest tests/mutation -m long -k core_kill -s
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from rollup.toolchain import ROOT

HERE = Path(__file__).parent
CORE = ROOT / "rollup" / "core"
JUDGES = ROOT / "tests" / "rollup"
WORDS = {"errors", "times.py", "wire_schema.py"}
"""What people read; judged by tests of the API and the command line."""
FILES = sorted(path for path in CORE.rglob("*.py") if not WORDS & set(path.relative_to(CORE).parts))
LEAST_KILLED = 0.9
SECONDS = 40
"""For the tests of one mutant; what lives so long is taken for alive."""

SAMPLE, SAMPLE_SEED = 24, 2
SAMPLED = [CORE / "amounts.py", CORE / "streams.py", CORE / "rules" / "payments.py", CORE / "rules" / "base.py"]
SAMPLE_JUDGES = [
    JUDGES / f"test_core_{name}.py" for name in ("amounts", "streams", "payments", "signed", "state", "block")
]


def _verdicts(tmp_path: Path, files: Sequence[Path], judges: Sequence[Path], sample: int = 0) -> list[tuple[str, str]]:
    """(mutant, the test that it killed or "") of all mutants of some files, or of a sample."""
    verdicts = tmp_path / "verdicts.json"
    order = {"files": [str(path) for path in files], "sample": sample, "seed": SAMPLE_SEED, "seconds": SECONDS}
    environment = os.environ | {
        "PYTHONPATH": str(HERE),
        "SLUICE_MUTANTS": json.dumps(order),
        "SLUICE_MUTANTS_TO": str(verdicts),
    }
    options = ["-q", "-p", "mutation_loop", "-p", "no:ape_test", "-p", "no:cacheprovider", "-o", "addopts="]
    command = [sys.executable, "-m", "pytest", *options, *map(str, judges)]
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    return [(mutant, killed) for mutant, killed in json.loads(verdicts.read_text())]


def _survivors(verdicts: Sequence[tuple[str, str]]) -> list[str]:
    return [mutant for mutant, killed in verdicts if not killed]


@pytest.mark.slow
def test_sample_of_mistakes_kills_a_test_each(tmp_path: Path) -> None:
    verdicts = _verdicts(tmp_path, SAMPLED, SAMPLE_JUDGES, SAMPLE)
    assert len(verdicts) == SAMPLE
    assert _survivors(verdicts) == []


@pytest.mark.long
def test_mistakes_in_the_core_kill_tests(tmp_path: Path) -> None:
    wanted = os.environ.get("SLUICE_MUTATE", "").split(",")
    files = [path for path in FILES if wanted == [""] or path.name in wanted]
    verdicts = _verdicts(tmp_path, files, [JUDGES])
    survivors = _survivors(verdicts)
    print(f"{len(verdicts) - len(survivors)} of {len(verdicts)} killed; alive:", *survivors, sep="\n  ")
    assert len(survivors) <= (1 - LEAST_KILLED) * len(verdicts)
