"""Judges mutants of the circuits one after the other, each by a process of its own (circuit_judge)."""

import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from circuit_judge import MAINS, is_asked, judge_alone
from circuit_mutants import Mutant

from rollup.toolchain import ROOT

HERE = Path(__file__).parent


def judge(mutants: Sequence[Mutant], results: Path) -> dict[str, str]:
    """Verdicts by the mutants' names.

    Args:
        results: where they are added as they come, a line of JSON each: [name, verdict, seconds, CPU seconds]. What is
            there already is judged again unless it is final.
    """
    results.parent.mkdir(parents=True, exist_ok=True)
    told = [json.loads(line) for line in results.read_text().splitlines()] if results.exists() else []
    verdicts = {name: verdict for name, verdict, *_ in told if is_final(verdict)}
    for number, mutant in enumerate(mutants):
        if mutant.name in verdicts:
            continue
        start, used = time.monotonic(), _cpu_seconds()
        verdicts[mutant.name] = verdict = _judge(mutant, results.with_suffix(".verdict"))
        line = [mutant.name, verdict, round(time.monotonic() - start, 1), round(_cpu_seconds() - used, 1)]
        with results.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(f"{number + 1}/{len(mutants)}", *line, flush=True)
    return {mutant.name: verdicts[mutant.name] for mutant in mutants}


def is_final(verdict: str) -> bool:
    """Whether more tests, or a quieter machine, can make no other verdict of it."""
    return not verdict.startswith(("lives", "crash"))


def _judge(mutant: Mutant, answer: Path) -> str:
    if mutant.is_weakened and mutant.file.startswith("lib/"):
        verdict = judge_alone(mutant, answer.with_suffix(".circuits"))
        if verdict:
            return verdict
    answer.unlink(missing_ok=True)
    environment = os.environ | {
        "PYTHONPATH": str(HERE),
        "SLUICE_MUTANT": mutant.name,
        "SLUICE_MUTANT_TO": str(answer),
    }
    judges = [str(HERE / f"{judge}.py") for judge in MAINS if is_asked(judge, mutant)]
    options = ["-q", "-p", "circuit_judge", "-p", "no:ape_test", "-p", "no:cacheprovider", "-o", "addopts="]
    command = [sys.executable, "-m", "pytest", *options, "-m", "not slow and not long", *judges]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if not answer.exists():
        raise RuntimeError(f"{mutant.name}: no verdict\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return answer.read_text()


def _cpu_seconds() -> float:
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)
