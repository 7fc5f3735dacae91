"""A pytest plugin that runs the chosen tests on mutants instead of once.

Each mutant lives in a fork of a process that has everything imported, which puts its code into the function it belongs
to. It is judged by the tests that call the function, the fastest first, until one fails.

Environment:
    SLUICE_MUTANTS: JSON: `files` to mutate, `sample` (0 all), `seed`, `seconds` (a mutant's tests may take, in all).
    SLUICE_MUTANTS_TO: where the verdicts go, as JSON: [[mutant, killer or ""], ...].
"""

import gc
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import FrameType, FunctionType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol
from python_mutants import Mutant, mutants

LONGEST_TEST_SECONDS = 20


def pytest_runtestloop(session: pytest.Session) -> bool:
    order = json.loads(os.environ["SLUICE_MUTANTS"])
    paths = [Path(path).resolve() for path in order["files"]]
    callers = _callers(session.items, {str(path) for path in paths})
    chosen = [mutant for path in paths for mutant in mutants(path)]
    if order["sample"]:
        chosen = random.Random(order["seed"]).sample(chosen, order["sample"])
    verdicts = []
    for number, mutant in enumerate(chosen):
        judges = callers.get((str(mutant.path), mutant.function), [])
        verdict = _verdict(mutant, judges, order["seconds"])
        verdicts.append((str(mutant), verdict))
        print(f"{number + 1}/{len(chosen)} {mutant}: {verdict or 'SURVIVED'}", flush=True)
    Path(os.environ["SLUICE_MUTANTS_TO"]).write_text(json.dumps(verdicts))
    return True


Place = tuple[str, str]
"""File and qualified name of a function."""


def _callers(items: Sequence[pytest.Item], files: set[str]) -> dict[Place, list[pytest.Item]]:
    """The tests that call each function, the fastest first."""

    def run(send: Callable[[Any], None]) -> None:
        for index, item in enumerate(items):
            called: set[Place] = set()

            def note(frame: FrameType, event: str, _: Any, called: set[Place] = called) -> None:
                code = frame.f_code
                if event == "call" and code.co_filename in files:
                    called.add((code.co_filename, code.co_qualname))

            start = time.perf_counter()
            sys.setprofile(note)
            passed = _passes(item)
            sys.setprofile(None)
            send([index if passed else -1, time.perf_counter() - start, sorted(called)])

    told = sorted(_forked(run), key=lambda each: each[1])
    if [each[0] for each in told].count(-1) or len(told) != len(items):
        raise pytest.UsageError("a test fails without a mutant: mend it first")
    found: dict[Place, list[pytest.Item]] = {}
    for index, _, called in told:
        for path, function in called:
            found.setdefault((path, function), []).append(items[index])
    return found


def _verdict(mutant: Mutant, judges: Sequence[pytest.Item], seconds: float) -> str:
    """Name of the test that killed it, empty if it lives."""

    def run(send: Callable[[Any], None]) -> None:
        _put(mutant)
        start = time.perf_counter()
        for item in judges:
            if time.perf_counter() - start > seconds:
                break
            send(item.name)
            signal.alarm(LONGEST_TEST_SECONDS)
            if not _passes(item):
                return
            signal.alarm(0)
        send("")

    *_, last = _forked(run)
    return str(last)


def _passes(item: pytest.Item) -> bool:
    return not any(report.failed for report in runtestprotocol(item, log=False))


def _put(mutant: Mutant) -> None:
    """Into every function made of that code, those inside it too, which an import may have made already."""
    codes = {code.co_qualname: code for code in mutant.codes()}
    for function in [each for each in gc.get_objects() if isinstance(each, FunctionType)]:
        code = function.__code__
        if code.co_filename == str(mutant.path) and code.co_qualname in codes:
            function.__code__ = codes[code.co_qualname]


def _forked(run: Callable[[Callable[[Any], None]], None]) -> Iterator[Any]:
    """Do something in a process of its own, and yield what it sends. It may die of it."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        with open(os.devnull, "w") as nowhere, os.fdopen(writing, "w", buffering=1) as pipe:
            sys.stdout = sys.stderr = nowhere
            try:
                run(lambda value: print(json.dumps(value), file=pipe))
            except BaseException as error:
                print(json.dumps(f"{type(error).__name__}: {error}"), file=pipe)
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        yield from map(json.loads, pipe)
    os.waitpid(child, 0)
