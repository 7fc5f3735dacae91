"""Plants the mistakes of planted_mistakes.py in a copy of the checkout, one by one, and runs the test that must see it.

`.venv/bin/python tests/mutation/planting.py` does so for those that docs/planted_mistakes.json lacks, and writes it.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from contract_mutation import HERE, warm_solc
from planted_mistakes import PLANTS, Plant

from rollup.toolchain import ROOT, tool_environment

RESULTS: Final = ROOT / "docs" / "planted_mistakes.json"
TREE: Final = ROOT / "build" / "planted" / "tree"
BINARY: Final = Path("rollup") / "_native.abi3.so"
GENERATED: Final = Path("contracts") / "generated"
TIMEOUT_SECONDS: Final = 1800
AS_DEPLOYED: Final = ("contracts/test_rollup_gas.py", "tools/")
"""Tests of what the optimiser makes; all others take contracts without it, which compile four times as fast."""
NEEDS_APE: Final = ("contracts/", "tools/", "e2e/")
Entry = dict[str, str]


def entry(plant: Plant, commit: str) -> Entry:
    """As docs/planted_mistakes.json has it."""
    before, after = (" ".join(text.split()) for text in (plant.before, plant.after))
    mistake = f"{before} => {after}".rstrip()
    return {"row": plant.row, "file": plant.path, "mistake": mistake, "test": plant.test, "seen_failing_at": commit}


class NotSeen(AssertionError):
    """A test that passes with its mistake, fails without one, or does not run."""

    def __init__(self, plant: Plant, said: str) -> None:
        super().__init__(f"{plant.test} on {plant.path}, {plant.row}:\n{said[-4000:]}")


class Tree:
    """A copy of the checkout with what is built: large folders are linked, since nothing there is changed in place."""

    def __init__(self, warm: dict[str, str], folder: Path = TREE) -> None:
        self.folder = folder
        shutil.rmtree(folder, ignore_errors=True)
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
        for name in filter(None, listed.stdout.split("\0")):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name, follow_symlinks=False)
        shutil.copy(ROOT / BINARY, folder / BINARY)
        # The verifiers of this checkout's keys, which git does not have.
        shutil.copytree(ROOT / GENERATED, folder / GENERATED, dirs_exist_ok=True)
        for part in ("node_modules", "build/circuits", "build/keys"):
            shutil.copytree(ROOT / part, folder / part, copy_function=os.link, symlinks=True)
        # ape looks through all nodes that it has ever started, at the end of every run.
        (folder / "build" / "ape").mkdir(parents=True)
        packages = Path.home() / ".ape" / "packages"
        if packages.exists():
            (folder / "build" / "ape" / "packages").symlink_to(packages)
        self.environment = tool_environment() | {
            "PYTHONPATH": str(folder),
            "PYTHONDONTWRITEBYTECODE": "1",
            "APE_DATA_FOLDER": str(folder / "build" / "ape"),
            "CARGO_TARGET_DIR": str(folder / "native" / "target"),
            "SLUICE_ANVIL_FLAGS": "--disable-code-size-limit",
            **warm,
        }

    def check_without(self, plants: Sequence[Plant]) -> None:
        """All their tests, with no mistake anywhere.

        Raises: NotSeen.
        """
        groups: dict[tuple[bool, bool], set[str]] = {}
        for plant in plants:
            kind = plant.test.startswith(NEEDS_APE), plant.test.startswith(AS_DEPLOYED)
            groups.setdefault(kind, set()).add(plant.test)
        for tests in groups.values():
            if not _passed(said := self._run(*sorted(tests))):
                raise NotSeen(plants[0], f"without any mistake:\n{said}")

    def check(self, plant: Plant) -> None:
        """Raises: NotSeen."""
        path = self.folder / plant.path
        source = path.read_text()
        assert source.count(plant.before) == 1, f"the line of a plant has changed: {plant}"
        path.write_text(source.replace(plant.before, plant.after))
        try:
            self._build(plant)
            said = self._run(plant.test)
        finally:
            path.write_text(source)
            shutil.copy(ROOT / BINARY, self.folder / BINARY)
        if not _failed(said):
            raise NotSeen(plant, said)

    def _compile_as(self, deployed: bool) -> None:
        config = (ROOT / "ape-config.yaml").read_text()
        solc = self.folder / "tools" / "solc"
        if not deployed:
            config = config.replace("  optimize: true\n", "  optimize: false\n")
        (self.folder / "ape-config.yaml").write_text(config)
        shutil.copy(ROOT / "tools" / "solc" if deployed else HERE / "warm_solc.py", solc)

    def _run(self, *tests: str) -> str:
        self._compile_as(deployed=tests[0].startswith(AS_DEPLOYED))
        apart = [] if tests[0].startswith(NEEDS_APE) else ["-p", "no:ape_test", "-o", "addopts="]
        options = ["-q", "-x", "-p", "no:cacheprovider", *apart]
        command = [sys.executable, "-m", "pytest", *options, *(f"tests/{test}" for test in tests)]
        done = subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS
        )
        return f"{done.stdout}{done.stderr}"

    def _build(self, plant: Plant) -> None:
        """The native extension, if that is where the mistake is."""
        if not plant.path.endswith(".rs"):
            return
        target = self.folder / "native" / "target"
        if not target.exists():
            shutil.copytree(ROOT / "native" / "target" / "release", target / "release", symlinks=True)
        command = ["cargo", "build", "--release", "--locked", "--lib", "--features", "pyo3/extension-module"]
        subprocess.run(command, cwd=self.folder / "native", env=self.environment, check=True)
        shutil.copy(target / "release" / "lib_native.so", self.folder / BINARY)


def _passed(said: str) -> bool:
    return bool(re.search(r"\b\d+ passed", said)) and not re.search(r"\b\d+ (?:failed|errors?)\b", said)


def _failed(said: str) -> bool:
    """A test itself, not what it needs: a mistake that does not compile is none."""
    return bool(re.search(r"\b\d+ failed", said)) and not re.search(r"\b\d+ errors?\b", said)


def read() -> list[Entry]:
    """What docs/planted_mistakes.json has."""
    entries: list[Entry] = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    return entries


def write(entries: Sequence[Entry]) -> None:
    """Those of the plants as they are, in their order."""
    by_plant = {tuple(each.values())[:-1]: each for each in entries}
    names = [tuple(entry(plant, "").values())[:-1] for plant in PLANTS]
    found = [by_plant[name] for name in names if name in by_plant]
    RESULTS.write_text(json.dumps(found, indent=1) + "\n")


def _plant(tree: Tree, plants: Sequence[Plant], commit: str, is_trusting: bool) -> int:
    """How many were not seen."""
    unseen = 0
    if not is_trusting:
        tree.check_without(plants)
    for plant in plants:
        try:
            tree.check(plant)
        except (NotSeen, subprocess.SubprocessError) as error:
            unseen += 1
            print(f"NOT SEEN {error}", flush=True)
            continue
        write([*read(), entry(plant, commit)])
        print(f"seen {plant.test}", flush=True)
    return unseen


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="of files or tests with this in them")
    parser.add_argument("--tree", default="tree", help="name of the copy")
    parser.add_argument("--commit", default="HEAD", help="whose sources these are")
    parser.add_argument("--trusting", action="store_true", help="that the tests pass without a mistake")
    options = parser.parse_args()
    done = subprocess.run(
        ["git", "rev-parse", "--short", options.commit], cwd=ROOT, capture_output=True, text=True, check=True
    )
    known = [{**each, "seen_failing_at": ""} for each in read()]
    wanted = [each for each in PLANTS if entry(each, "") not in known and options.only in f"{each.path} {each.test}"]
    rows = Counter(each["row"] for each in known)
    ranked = [(rows.update([each.row]) or rows[each.row], each) for each in wanted]
    wanted = [each for _, each in sorted(ranked, key=lambda one: one[0])]  # rows that have none yet come first
    with warm_solc(TREE.with_name(f"{options.tree}.sock")) as warm:
        unseen = _plant(Tree(warm, TREE.with_name(options.tree)), wanted, done.stdout.strip(), options.trusting)
    print(f"{len(wanted) - unseen} of {len(wanted)} seen")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
