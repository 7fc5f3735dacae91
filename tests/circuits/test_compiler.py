"""Compiling: kept by content, and errors that say what to do."""

from pathlib import Path
from uuid import uuid4

import pytest

from rollup.circuits.compiler import BUILD, compile_circuit, source_closure, source_digest
from rollup.circuits.errors import CompilerError, LibraryMissingError

COPIES = """pragma circom 2.2.0;
template Copies() { signal input a; signal input b; signal output c; signal output d; c <== a; d <== b * b; }
component main = Copies();
"""
SUM = """pragma circom 2.2.0;
template Sum() { signal input a; signal input b; signal output c; c <== a + b; }
component main = Sum();
"""


@pytest.fixture
def folder() -> Path:
    """The compiler sees only files of the checkout."""
    path = BUILD / "tests" / uuid4().hex
    path.mkdir(parents=True)
    return path


def write(folder: Path, text: str) -> Path:
    path = folder / "main.circom"
    path.write_text(text)
    return path


def test_compile_names_an_input_that_is_an_output_by_its_wire(folder: Path) -> None:
    compiled = compile_circuit(write(folder, COPIES), folder)
    wires = {fields[3]: fields[1] for fields in (line.split(",") for line in compiled.sym.read_text().split())}
    assert wires["main.a"] == wires["main.c"] == "1"
    assert wires["main.b"] not in ("-1", "2")


def test_compile_input_lost_in_a_sum_is_refused(folder: Path) -> None:
    """Its value would determine nothing, and the witness be another one than was asked for."""
    with pytest.raises(CompilerError, match="it must stay a wire of its own"):
        compile_circuit(write(folder, SUM), folder)


def test_compile_again_finds_what_is_there(folder: Path) -> None:
    first = compile_circuit(write(folder, COPIES), folder)
    made = first.r1cs.stat().st_mtime_ns
    assert compile_circuit(folder / "main.circom", folder) == first
    assert first.r1cs.stat().st_mtime_ns == made
    assert compile_circuit(write(folder, COPIES + "// other"), folder).digest != first.digest


def test_compile_bad_source_shows_what_circom_says(folder: Path) -> None:
    with pytest.raises(CompilerError, match=r"main\.circom") as caught:
        compile_circuit(write(folder, "pragma circom 2.2.0;\ntemplate A() { nonsense }\ncomponent main = A();"), folder)
    assert "\x1b" not in caught.value.output
    assert "error" in caught.value.output
    assert not list(folder.glob("main-*[0-9a-f]"))


def test_include_that_is_nowhere_is_named(folder: Path) -> None:
    main = write(folder, 'include "circomlib/circuits/nowhere.circom";')
    with pytest.raises(LibraryMissingError, match="make setup") as caught:
        source_closure(main)
    assert caught.value.values == {"source": str(main), "include": "circomlib/circuits/nowhere.circom"}


def test_digest_covers_what_is_included(folder: Path) -> None:
    main = write(folder, 'include "part.circom";')
    (folder / "part.circom").write_text("// one")
    digest = source_digest(main)
    (folder / "part.circom").write_text("// two")
    assert source_digest(main) != digest
