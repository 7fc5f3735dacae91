"""A project of some sources: exactly those, and written only where they differ."""

from pathlib import Path

from rollup.l1.project import contract_sources, mirror_project
from rollup.toolchain import ROOT

ONE, TWO = Path("contracts/One.sol"), Path("contracts/deep/Two.sol")


def test_mirror_project_holds_exactly_the_sources(tmp_path: Path) -> None:
    assert mirror_project(tmp_path, {ONE: "1", TWO: "2"})
    assert {path.relative_to(tmp_path): path.read_text() for path in contract_sources(tmp_path)} == {ONE: "1", TWO: "2"}
    assert (tmp_path / "ape-config.yaml").read_text() == (ROOT / "ape-config.yaml").read_text()
    assert (tmp_path / "node_modules").resolve() == (ROOT / "node_modules").resolve()
    written = (tmp_path / ONE).stat().st_mtime_ns
    assert not mirror_project(tmp_path, {ONE: "1", TWO: "2"})
    assert mirror_project(tmp_path, {ONE: "1"}, "name: other\n")
    assert contract_sources(tmp_path) == [tmp_path / ONE]
    assert (tmp_path / ONE).stat().st_mtime_ns == written
    assert (tmp_path / "ape-config.yaml").read_text() == "name: other\n"


def test_contract_sources_leave_apes_copies_out(tmp_path: Path) -> None:
    mirror_project(tmp_path, {ONE: "1"})
    for folder in ("contracts/.cache", ".build"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "Copy.sol").write_text("")
    assert contract_sources(tmp_path) == [tmp_path / ONE]
