"""docs/integrators.md, run as it stands against a node."""

import re
import shlex

import pytest
from api_rig import MANIFEST
from click.testing import CliRunner
from client_rig import ANNA, BEN, Town

from rollup.cli.main import cli
from rollup.client.errors import ClientError
from rollup.landing.keystore import create_keystore
from rollup.toolchain import ROOT

PAGE = (ROOT / "docs" / "integrators.md").read_text()


def test_examples_in_python_run(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(town.folder)
    MANIFEST.save(town.folder / "deployment.json")
    names = {"NODE": town.url, "ACCOUNT": ANNA.account, "BOB": BEN.address, "BOBS_ACCOUNT": BEN.account}
    examples = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    assert len(examples) == 3
    for example in examples:
        exec(compile(example, "docs/integrators.md", "exec"), names)
    assert [type(each).__name__ for each in names["done"]] == ["Confirmed", "Confirmed"]  # type: ignore[attr-defined]
    assert town.client().accounts(ANNA.address)[0].confirmed.nonce == 1 + 2 + 2 + 5
    names["client"].close()  # type: ignore[attr-defined]


def test_commands_typed_as_they_stand(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    (section,) = re.findall(r"```console\n(.*?)```", PAGE, re.S)
    keystore = town.folder / "home" / "wallets" / "main" / "keystore.json"
    keystore.parent.mkdir(parents=True)
    create_keystore(keystore, bytes(ANNA.account.key), "x", iterations=2)
    (town.folder / "password").write_text("x\n")
    (town.folder / "password").chmod(0o600)
    MANIFEST.save(town.folder / "deployment.json")
    environment = {
        "SLUICE_HOME": str(town.folder / "home"), "SLUICE_NODE": town.url, "SLUICE_MANIFEST": "deployment.json",
        "SLUICE_PASSWORD_FILE": "password",
    }  # fmt: skip
    monkeypatch.chdir(town.folder)
    said = ""
    for line in section.splitlines():
        _, sluice, *words = shlex.split(line.replace("$BOB", BEN.address))
        assert sluice == "sluice"
        done = CliRunner().invoke(cli, words, env=environment)
        assert done.exit_code == 0, (line, done.output, done.exception)
        said += done.output
    assert "confirmed (not final)" in said


def test_codes_that_the_page_names_are_those_of_errors() -> None:
    from rollup.client import errors
    from rollup.core.errors import ReceiptBrokenError, ReceiptForeignError, ReceiptSignerError

    known = {each.code for each in vars(errors).values() if isinstance(each, type) and issubclass(each, Exception)}
    known |= {each.code for each in (ReceiptBrokenError, ReceiptForeignError, ReceiptSignerError)}
    (table,) = re.findall(r"(\| what a node may do.*?)\n\n", PAGE, re.S)
    named = {code for line in table.splitlines()[2:] for code in re.findall("`([a-z_]+)`", line.split("|")[3])}
    assert named
    assert named <= known


def test_errors_form_one_tree_as_drawn() -> None:
    from rollup.client import errors
    from rollup.core.errors import ReceiptError

    assert errors.__doc__ is not None
    ours = [each for each in vars(errors).values() if isinstance(each, type) and each.__module__ == errors.__name__]
    assert all(issubclass(each, ClientError | ReceiptError) for each in ours)
    drawn = re.findall(r"[├└]── (\w+)", errors.__doc__)
    assert {each.__name__ for each in ours} - {"ReceiptUnfit"} == set(drawn) - {"ReceiptError"}
