"""The operator is killed, wherever it is, and its database is gone: everybody gets out to the last wei."""

import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from e2e_rig import jump, l1_balance
from exodus_rig import POINTS, OperatorProcess, Sluice, check_nothing_is_left, owed

from rollup.demo.world import World
from rollup.exits.errors import NotDueError, NotInExodusError

pytestmark = pytest.mark.slow


def l1_balances(world: World) -> Counter[tuple[str, int]]:
    people = (world.operator, *world.people)
    return Counter({(p.user.name, token): l1_balance(world, p.address, token) for p in people for token in (0, 1)})


def begin_exodus(world: World, sluice: Sluice) -> None:
    """See that it cannot begin too early, wait, and begin it."""
    due = json.loads(sluice.done("exodus", "status", "--json"))["exodus_due"]
    jump(world, due - 60)
    early = sluice("exodus", "activate")
    assert isinstance(early.exception, NotDueError)
    assert early.exception.due == due
    jump(world, due)
    assert "exodus can begin now" in sluice.done("exodus", "status")
    assert "exodus has begun" in sluice.done("exodus", "activate")
    assert "has begun already" in sluice.done("exodus", "activate")


@pytest.mark.parametrize("point", POINTS)
def test_exodus_after_the_operator_was_killed_pays_everybody_to_the_last_wei(
    grown: World, sluice: Sluice, keys: Path, tmp_path: Path, point: str
) -> None:
    world, (alice, _, carol) = grown, grown.people
    operator = OperatorProcess(world, keys, tmp_path)
    operator.run_to(point)
    operator.kill()
    shutil.rmtree(operator.database)

    sluice.done("exit", "request", "--id", "1", "--token", "ETH", by=alice)
    sluice.done("deposit", "--amount", "0.2:ETH", by=carol)
    assert isinstance(sluice("exodus", "exit", "--all").exception, NotInExodusError)
    begin_exodus(world, sluice)
    before = l1_balances(world)
    said = json.loads(sluice.done("exodus", "exit", "--everyone", "--json"))

    assert said["ok"]
    kinds = Counter(step["step"] for step in said["steps"])
    assert kinds["executed"] == (point == "proven")
    assert kinds["exited"] == (5 if point in ("proven", "executed") else 6)
    assert kinds["refunded"] == (2 if point in ("proven", "executed") else 3)
    assert l1_balances(world) - before == owed(world, point in ("proven", "executed"))
    check_nothing_is_left(world)
    assert json.loads(sluice.done("exodus", "exit", "--everyone", "--json"))["steps"] == []
