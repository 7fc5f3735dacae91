"""ReadKind alone against the table in its own header: what a kind does not use is pinned, what it uses is free."""

import re
from collections.abc import Iterator
from itertools import pairwise

import pytest
from circuit_world import Inputs

from rollup._native import Circuit
from rollup.circuits import blocks
from rollup.circuits.compiler import compile_circuit
from rollup.core.constants import FIELD_MODULUS

KINDS = (
    "noop", "deposit", "full_exit", "transfer", "transfer_to_address", "withdraw", "change_pub_key", "forced_exit",
    "maker", "taker", "settlement", "cancel_order",
)  # fmt: skip
"""In the order of the table's columns."""
GROUPS = {
    "key": ("key[0]", "key[1]"),
    "counter_*": ("counter_token", "counter_amount_packed"),
    "valid_*": ("valid_from", "valid_until"),
}
"""Of the table's names those that are several inputs; that counter_amount is what is packed is Decode's to say."""
BOOLEANS = ("sender_is_owner", "refused", "is_batched")
EQUAL = {"to_id": "from_id", "to_slot": "token"}
ROW = re.compile(r"^ \*   ([a-z_*, ]*?)  +((?:[0=u!p]\*? +){11}[0=u!p]\*?)(?: .*)?$")
NAMES = re.compile(r"^ \*   ([a-z_, ]+),$")


def table() -> dict[str, dict[str, str]]:
    """What the header says of each input: by kind."""
    found: dict[str, dict[str, str]] = {}
    names = ""
    for line in (blocks.CIRCUITS / "lib" / "kind.circom").read_text().splitlines():
        if before := NAMES.match(line):
            names = before.group(1) + ", "
        elif row := ROW.match(line):
            for name in (names + row.group(1)).split(", "):
                for each in GROUPS.get(name, (name,)):
                    found[each] = dict(zip(KINDS, row.group(2).replace("*", "").split(), strict=True))
            names = ""
    return found


TABLE = table()


def step_of(kind: str, **changes: int) -> Inputs:
    """A step of that kind which uses all that it may, but for what another input allows."""
    fields = {name: 0 if row[kind] == "0" or name in BOOLEANS else 7 for name, row in TABLE.items()}
    fields |= {name: fields[other] for name, other in EQUAL.items() if TABLE[name][kind] == "="}
    fields |= {f"is_{each}": int(each == kind) for each in KINDS}
    fields |= {"counter_amount": 0, "link": 0, "batch_rest": 0}
    signed = TABLE["valid_from"][kind] == "u"
    fields |= {"signature_r[0]": 7 * signed, "signature_r[1]": 1 + 7 * signed, "signature_s": 7 * signed}
    fields = {name: value % FIELD_MODULUS for name, value in (fields | changes).items()}
    return {
        "op.key": [fields.pop("key[0]"), fields.pop("key[1]")],
        "op.signature_r": [fields.pop("signature_r[0]"), fields.pop("signature_r[1]")],
    } | {f"op.{name}": value for name, value in fields.items()}


@pytest.fixture(scope="module")
def circuit() -> Circuit:
    compiled = compile_circuit(blocks.CIRCUITS / "main" / "gadgets" / "read_kind.circom", blocks.BUILD)
    return Circuit(compiled.r1cs, compiled.sym)


def _accepts(circuit: Circuit, kind: str, **changes: int) -> bool:
    return circuit.check(circuit.witness(step_of(kind, **changes))) is None


def _of(*cells: str) -> Iterator[tuple[str, str]]:
    """(kind, input) of the cells that say one of these."""
    return ((kind, name) for name, row in TABLE.items() for kind, cell in row.items() if cell in cells)


def test_table_is_read_as_a_whole() -> None:
    assert len(TABLE) == 25
    assert {cell for row in TABLE.values() for cell in row.values()} == set("0u=p!")


@pytest.mark.parametrize("kind", KINDS)
def test_kind_that_uses_all_that_it_may_is_accepted(circuit: Circuit, kind: str) -> None:
    assert _accepts(circuit, kind)


def test_input_that_a_kind_does_not_use_is_refused(circuit: Circuit) -> None:
    for kind, name in _of("0"):
        for value in (1, -1) if name not in BOOLEANS else (1,):
            assert not _accepts(circuit, kind, **{name: value}), (kind, name)


def test_input_that_a_kind_uses_is_free(circuit: Circuit) -> None:
    for kind, name in _of("u", "p"):
        value = 1 if name in BOOLEANS else 8
        ties = {each: value for each, other in EQUAL.items() if other == name and TABLE[each][kind] == "="}
        if name == "refused":
            ties = {"from_id": 0, "to_id": 0}
        assert _accepts(circuit, kind, **{name: value}, **ties), (kind, name)


def test_input_that_equals_another_is_refused_with_another_value(circuit: Circuit) -> None:
    for kind, name in _of("="):
        assert not _accepts(circuit, kind, **{name: 8}), (kind, name)


def test_address_0_is_refused_where_somebody_is_meant(circuit: Circuit) -> None:
    for kind, _ in _of("!"):
        assert not _accepts(circuit, kind, address=0), kind
    assert not _accepts(circuit, "deposit", address=0)
    assert _accepts(circuit, "deposit", address=0, refused=1, from_id=0, to_id=0)
    assert _accepts(circuit, "full_exit", address=0)


def test_refused_deposit_from_an_account_is_refused(circuit: Circuit) -> None:
    assert not _accepts(circuit, "deposit", refused=1)


@pytest.mark.parametrize("kind", KINDS)
def test_link_and_rest_are_a_batchs_alone(circuit: Circuit, kind: str) -> None:
    batched = TABLE["is_batched"][kind] == "u"
    for name in ("link", "batch_rest"):
        assert not _accepts(circuit, kind, **{name: 7})
        assert _accepts(circuit, kind, is_batched=1, **{name: 7}) == batched


@pytest.mark.parametrize("kind", KINDS)
def test_signature_of_what_is_not_signed_is_the_one_that_is_always_accepted(circuit: Circuit, kind: str) -> None:
    signed = TABLE["valid_from"][kind] == "u"
    for name in ("signature_r[0]", "signature_r[1]", "signature_s"):
        assert _accepts(circuit, kind, **{name: 9}) == signed, name


def test_kinds_not_one_hot_are_refused(circuit: Circuit) -> None:
    for one, other in pairwise(KINDS):
        assert not _accepts(circuit, one, **{f"is_{one}": 0})
        assert not _accepts(circuit, one, **{f"is_{other}": 1})
        assert not _accepts(circuit, one, **{f"is_{one}": 2, f"is_{other}": -1})


def test_flags_that_are_no_booleans_are_refused(circuit: Circuit) -> None:
    for value in (2, -1):
        assert not _accepts(circuit, "deposit", sender_is_owner=value)
        assert not _accepts(circuit, "deposit", refused=value, from_id=0, to_id=0)
        assert not _accepts(circuit, "transfer", is_batched=value)
