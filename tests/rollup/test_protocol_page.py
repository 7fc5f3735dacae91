"""The protocol page says of constants what the code says."""

import re
from pathlib import Path

from rollup.core import constants

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_constants_table_of_the_page_equals_the_code() -> None:
    rows = dict(re.findall(r"^\| ([A-Z][A-Z0-9_]+) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE))
    assert len(rows) >= 6
    assert rows == {name: str(getattr(constants, name)) for name in rows}


def test_tests_named_by_the_security_page_exist() -> None:
    tests = Path(__file__).parents[1]
    page = (PAGE.parent / "security.md").read_text()
    named = re.findall(r"`([a-z0-9_]+/[a-z0-9_]+\.py)::([A-Za-z0-9_]+)`", page)
    assert len(named) > 40
    assert [f"{file}::{test}" for file, test in named if f"def {test}(" not in (tests / file).read_text()] == []
