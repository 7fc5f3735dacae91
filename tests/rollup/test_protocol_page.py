"""The protocol page says of constants what the code says."""

import re
from pathlib import Path

from rollup.core import constants

PAGE = Path(__file__).parents[2] / "docs" / "protocol.md"


def test_constants_table_of_the_page_equals_the_code() -> None:
    rows = dict(re.findall(r"^\| ([A-Z][A-Z0-9_]+) \| (\d+) \|$", PAGE.read_text(), re.MULTILINE))
    assert len(rows) >= 6
    assert rows == {name: str(getattr(constants, name)) for name in rows}
