"""Every mistake and guarantee of docs/security.md has a mistake planted against it, and the test that fails on it."""

import re
from collections.abc import Iterator

import pytest
from contract_mutation import warm_solc
from planted_mistakes import NOT_SEEN_YET, PLANTS, Plant
from planting import TREE, Tree, entry, read

from rollup.toolchain import ROOT

SECTIONS = ("Circuits and proofs", "Contracts", "Operator", "When validators fail", "What a user's node can do to him")
"""Headings whose first table has a row for each mistake or guarantee."""

pytestmark = pytest.mark.xdist_group("planted")


def _rows() -> list[str]:
    """The first columns, and behind them the tests that a row names."""
    page = (ROOT / "docs" / "security.md").read_text()
    found: list[str] = []
    for section in SECTIONS:
        (text,) = re.findall(rf"^#+ {re.escape(section)}\n(.*?)(?=^#|\Z)", page, re.MULTILINE | re.DOTALL)
        table = re.search(r"^\|[^\n]*\|\n\|[-|]*\|\n((?:\|[^\n]*\n)+)", text, re.MULTILINE)
        assert table is not None, section
        found += [line.removeprefix("| ") for line in table.group(1).splitlines()]
    return found


def test_every_row_has_a_plant_and_names_its_test() -> None:
    rows = _rows()
    assert len(rows) > 60
    for row in rows:
        assert [plant for plant in PLANTS if row.startswith(plant.row)], f"nothing is planted for: {row[:90]}"
    for plant in PLANTS:
        (row,) = (row for row in rows if row.startswith(plant.row))
        assert f"`{plant.test}`" in row, f"the row does not name the test of its plant: {row[:90]}"


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.row[:40]}-{plant.test.split('::')[1]}")
def test_plant_is_of_a_line_that_stands_there_once(plant: Plant) -> None:
    assert (ROOT / plant.path).read_text().count(plant.before) == 1
    assert plant.after != plant.before


def test_each_plant_was_seen_failing_at_a_commit() -> None:
    entries = read()
    seen = [plant for plant in PLANTS if plant.test not in NOT_SEEN_YET]
    assert [{**each, "seen_failing_at": ""} for each in entries] == [entry(plant, "") for plant in seen], (
        "`.venv/bin/python tests/mutation/planting.py` runs those that are not listed"
    )
    assert all(re.fullmatch("[0-9a-f]{7,40}", each["seen_failing_at"]) for each in entries)
    assert set(NOT_SEEN_YET) <= {plant.test for plant in PLANTS}


@pytest.fixture(scope="module")
def tree() -> Iterator[Tree]:
    with warm_solc(TREE.parent / "solc.sock") as warm:
        tree = Tree(warm)
        tree.check_without(PLANTS)
        yield tree


@pytest.mark.long
@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: f"{plant.row[:40]}-{plant.test.split('::')[1]}")
def test_planted_mistake_fails_its_test(tree: Tree, plant: Plant) -> None:
    tree.check(plant)
