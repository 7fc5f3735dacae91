"""What `sluice node init` and `trace` say to mistakes."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from rollup.cli.main import cli
from rollup.service.folder import make_folder


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """`sluice node init` in a folder whose keystores are not made anew."""
    make_folder(tmp_path / "data")
    return ["node", "init", "--config", str(tmp_path / "sluice.toml"), "--data", str(tmp_path / "data")]


def test_init_with_an_address_that_is_none_is_refused_before_anything_is_made(words: list[str], tmp_path: Path) -> None:
    for option in ("--rpc", "--l1"):
        done = CliRunner().invoke(cli, [*words, option, "nonsense"])
        assert done.exit_code == 2
        assert "write http:// or https://" in done.output
    assert not (tmp_path / "sluice.toml").exists()


def test_init_over_a_configuration_names_the_option_to_mend_it(words: list[str], tmp_path: Path) -> None:
    (tmp_path / "sluice.toml").write_text("mine")
    done = CliRunner().invoke(cli, words)
    said = str(done.exception)
    assert "it is there already; name another file with --config" in said
    assert "--data" not in said
    assert (tmp_path / "sluice.toml").read_text() == "mine"


def test_trace_without_a_node_names_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLUICE_NODE", "http://127.0.0.1:1")
    for more in ([], ["--node", "http://127.0.0.1:1/"], ["--api", "http://127.0.0.1:1"]):
        done = CliRunner().invoke(cli, ["node", "trace", "0x12/../..", *more])
        assert done.exit_code == 1
        assert "http://127.0.0.1:1" in done.output
        assert "does not answer" in done.output
