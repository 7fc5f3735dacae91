"""README and docs name only what is there: files, and the tests that keep a claim."""

import re
from pathlib import Path

import pytest

from rollup.toolchain import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_of_a_page_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_tests_that_a_page_names_exist(page: Path) -> None:
    named = re.findall(r"`(?:tests/)?([\w/]+\.(?:py|sol))::(\w+)", page.read_text())
    missing = [f"{file}::{name}" for file, name in named if not _has(file, name)]
    assert missing == []


def _has(file: str, name: str) -> bool:
    """Whether a test file, by the end of its path, defines a test, by the start of its name."""
    found = [path for path in (ROOT / "tests").rglob(Path(file).name) if path.as_posix().endswith(f"/{file}")]
    return any(re.search(rf"(?:def|function) {name}\w*\(", path.read_text()) for path in found)
