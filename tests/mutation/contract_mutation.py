"""Runs the forge tests on mutants of the contracts, one after the other, in a copy of the sources.

`.venv/bin/python tests/mutation/contract_mutation.py --help` says how to run a sample, or those of some files.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from solidity_mutants import Mutant, mutants_of

from rollup.toolchain import ROOT, require_tool, tool_environment

HERE = Path(__file__).parent
REVIEWED: dict[str, str] = json.loads((HERE / "contract_survivors.json").read_text())
"""Why a mutant may live: by its name."""
NOT_OURS = ("generated", "interfaces", "mocks")
INVARIANTS, PROPERTIES = "Rollup.t.sol", "properties"
"""Of tests/forge."""
TIMEOUT_SECONDS = 900
"""On a busy machine; a loop that never ends is ended by the gas."""
SETTINGS = {
    "FOUNDRY_OPTIMIZER": "false",
    "FOUNDRY_FUZZ_RUNS": "64",
    "FOUNDRY_FUZZ_SEED": "1",
    "FOUNDRY_INVARIANT_RUNS": "12",
    "FOUNDRY_INVARIANT_DEPTH": "250",
    "FOUNDRY_INVARIANT_SHRINK_RUN_LIMIT": "0",
}
"""Unoptimised, as that compiles four times as fast; the optimiser has tests of its own: all others run optimised."""


def all_mutants() -> list[Mutant]:
    """Of every contract and library of ours."""
    paths = sorted(path.relative_to(ROOT) for path in (ROOT / "contracts").rglob("*.sol"))
    ours = [path for path in paths if path.parts[1] not in NOT_OURS]
    return [mutant for path in ours for mutant in mutants_of(str(path), (ROOT / path).read_text())]


class Copy:
    """A copy of contracts and forge tests. Left out of it: files of tests/forge."""

    def __init__(self, folder: Path, environment: dict[str, str], left_out: tuple[str, ...] = ()) -> None:
        self.folder, self.environment = folder, environment
        for part in ("contracts", "tests/forge", "tests/contracts/sources"):
            ignored = shutil.ignore_patterns("__pycache__", ".cache", *left_out)
            shutil.copytree(ROOT / part, folder / part, ignore=ignored)
        (folder / "node_modules").symlink_to(ROOT / "node_modules")
        (folder / "tools").mkdir()
        shutil.copy(HERE / "warm_solc.py", folder / "tools" / "solc")
        shutil.copy(ROOT / "foundry.toml", folder)
        said = self.forge()
        assert "passed" in said, said
        assert not self.fails(said), f"the sources as they are fail\n{said}"

    @contextmanager
    def holding(self, mutant: Mutant) -> Iterator[None]:
        path = self.folder / mutant.path
        before = path.read_text()
        path.write_text(mutant.mutated)
        try:
            yield
        finally:
            path.write_text(before)

    def forge(self) -> str:
        """What all tests of the copy say. No filter: forge would compile everything once more, to know its names."""
        command = [str(require_tool("forge")), "test", "--dynamic-test-linking", "--fail-fast", "--threads", "1"]
        done = subprocess.run(
            [*command, "--color", "never"],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=TIMEOUT_SECONDS,
        )
        return f"{done.stdout}{done.stderr}\nexit {done.returncode}"

    def fails(self, said: str) -> bool:
        """Whether a test fails; anything else that goes wrong kills no mutant."""
        if said.endswith("exit 0"):
            return False
        if "[FAIL" not in said:
            raise RuntimeError(f"forge ran no test\n{said}")
        return True

    def writers(self) -> set[str]:
        """Functions that write: of them test_rollup_has_no_function_of_the_governors has the whole list."""
        names: set[str] = set()
        for contract in ("Rollup", "Governor"):
            artefact: dict[str, Any] = json.loads(
                (self.folder / "build" / "forge" / "out" / f"{contract}.sol" / f"{contract}.json").read_text()
            )
            names |= {
                f"{contract}.{item['name']}"
                for item in artefact["abi"]
                if item["type"] == "function" and item["stateMutability"] not in ("view", "pure")
            }
        return names


class Sandbox:
    """Where mutants are compiled and tested, under build/: nine in ten die of the tests that compile fast."""

    def __init__(self, folder: Path, warm: dict[str, str]) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        environment = tool_environment() | SETTINGS | warm
        self.units = Copy(folder / "units", environment, (INVARIANTS, PROPERTIES))
        self.whole = Copy(folder / "whole", environment)
        self.writers = self.units.writers()

    def verdict(self, mutant: Mutant) -> str:
        """How a mutant dies: "invalid" if it does not compile, "lives" if it does not."""
        try:
            with self.units.holding(mutant):
                said = self.units.forge()
                if "Compiler run failed" in said:
                    return "invalid"
                if self.units.fails(said):
                    return "unit"
                if self.units.writers() != self.writers:
                    return "ABI"
            with self.whole.holding(mutant):
                said = self.whole.forge()
                return ("invariant" if "RollupTest" in said else "property") if self.whole.fails(said) else "lives"
        except subprocess.TimeoutExpired:
            return "timeout"


@contextmanager
def warm_solc(socket: Path) -> Iterator[dict[str, str]]:
    """The environment of warm_solc.py, while a compiler that is loaded once answers at a socket in the checkout."""
    socket.parent.mkdir(parents=True, exist_ok=True)
    socket.unlink(missing_ok=True)
    environment = tool_environment() | {"NODE_PATH": str(ROOT / "node_modules")}
    version = subprocess.run([str(ROOT / "tools" / "solc"), "--version"], capture_output=True, text=True, check=True)
    command = ["node", "--stack-size=4000", str(HERE / "warm_solc.cjs"), os.path.relpath(socket, ROOT)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        assert server.stdout.readline() == "ready\n"
        yield {"WARM_SOLC": str(socket), "WARM_SOLC_VERSION": version.stdout}
    finally:
        server.terminate()
        server.wait()
        socket.unlink(missing_ok=True)


@contextmanager
def sandbox(name: str) -> Iterator[Sandbox]:
    """A sandbox with its compiler."""
    folder = ROOT / "build" / "mutants" / name
    with warm_solc(folder.parent / f"{name}.sock") as warm:
        yield Sandbox(folder, warm)


def run(
    mutants: Sequence[Mutant], place: Sandbox, *, until: float = float("inf"), verbose: bool = False
) -> dict[str, str]:
    """Verdicts by the mutants' names; of those that were reached before `until`, on time.monotonic."""
    verdicts: dict[str, str] = {}
    for mutant in mutants:
        if time.monotonic() > until:
            break
        verdicts[mutant.name] = verdict = place.verdict(mutant)
        if verbose:
            print(f"{verdict:9} {mutant.operator:18} {mutant.name}", flush=True)
    return verdicts


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", nargs="*", default=[], help="only of paths with one of these in them")
    parser.add_argument("--sample", type=int, help="so many, drawn by --seed")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--part", default="1/1", help="i/n: every n-th from the i-th on, for several processes")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="stop after")
    options = parser.parse_args()
    mutants = [m for m in all_mutants() if not options.files or any(name in m.path for name in options.files)]
    if options.sample is not None:
        drawn = random.Random(options.seed).sample(range(len(mutants)), min(options.sample, len(mutants)))
        # In the order of the files: what was compiled for one is of use for the next.
        mutants = [mutants[index] for index in sorted(drawn)]
    part, parts = map(int, options.part.split("/"))
    with sandbox(f"part-{part}") as place:
        until = time.monotonic() + 60 * options.minutes
        verdicts = run(mutants[part - 1 :: parts], place, until=until, verbose=True)
    counts = Counter(verdicts.values())
    survivors = [name for name, verdict in verdicts.items() if verdict == "lives"]
    unexplained = [name for name in survivors if name not in REVIEWED]
    valid = len(verdicts) - counts["invalid"]
    print(
        json.dumps(
            {"mutants": valid, **counts, "killed": 1 - len(survivors) / max(valid, 1), "unexplained": unexplained},
            indent=1,
        )
    )
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
