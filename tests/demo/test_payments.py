"""The demo's input: what is right is read exactly, and each thing that is wrong is named with the way out."""

import re
from pathlib import Path

import pytest

from rollup.demo.errors import InputFileError, PaymentsInvalid, Problem
from rollup.demo.instructions import Kind
from rollup.demo.payments import Payroll, read_payroll
from rollup.demo.tokens import USDS
from rollup.demo.users import find_users_file
from rollup.toolchain import ROOT
from rollup.wallet.tokens import ETH

STRANGER = "0xFA11000000000000000000000000000000C0FFee"
CHARITY = "0x5afE00000000000000000000000000000c4a8171"
USERS = f"name,address,deposit_ETH,deposit_USDS\nacme,,1,1000\nada,,0.5,\nbela,,0.25,10\ncharity,{CHARITY},0.001,\n"
HEADER = "payer,payee,token,amount,fee,memo\n"


def payroll(folder: Path, rows: str, users: str = USERS) -> Payroll:
    (folder / "users.csv").write_text(users)
    (folder / "payments.csv").write_text(HEADER + rows)
    return read_payroll(folder / "payments.csv", folder / "users.csv")


def problems(folder: Path, rows: str, users: str = USERS) -> list[Problem]:
    with pytest.raises(PaymentsInvalid) as caught:
        payroll(folder, rows, users)
    return list(caught.value.problems)


def test_read_payroll_example_has_forty_payments_and_every_operation() -> None:
    example = read_payroll(ROOT / "examples" / "payments.csv", ROOT / "examples" / "users.csv")
    rows = example.instructions
    assert example.payments >= 40
    assert {row.kind for row in rows} == set(Kind)
    assert {row.token for row in rows if row.kind is Kind.PAY} == {ETH, USDS}
    assert any(row.payer == row.payee for row in rows)
    assert any(row.payee.startswith("0x") for row in rows)
    assert any(len(unit) > 1 for unit in example.units())
    assert sum(row.payer == "acme" and row.kind is Kind.PAY for row in rows) > 10


def test_read_payroll_good_rows_reads_exact_amounts(tmp_path: Path) -> None:
    read = payroll(tmp_path, f'acme,ada,USDS,12.5,0.05,"a, b"\n\n# a remark\nada,{CHARITY},ETH,0.1,,\n')
    first, second = read.instructions
    assert (first.row.line, first.amount, first.fee, first.row["memo"]) == (2, 12_500_000, 50_000, "a, b")
    assert (second.row.line, second.payee, second.amount, second.fee) == (5, "charity", 10**17, 0)


def test_read_payroll_self_transfer_is_accepted(tmp_path: Path) -> None:
    assert payroll(tmp_path, "ada,ada,ETH,0.5,0,\n").instructions[0].payee == "ada"


def test_read_payroll_received_money_can_be_spent(tmp_path: Path) -> None:
    assert payroll(tmp_path, "acme,ada,USDS,1000,0,\nada,bela,USDS,999,1,\n").payments == 2


def test_read_payroll_row_without_its_optional_cells_is_accepted(tmp_path: Path) -> None:
    assert payroll(tmp_path, "acme,ada,ETH,1,0\n").payments == 1


def test_read_payroll_unknown_address_is_paid_and_is_somebody_from_then_on(tmp_path: Path) -> None:
    read = payroll(tmp_path, f"acme,{STRANGER.lower()},ETH,0.5,0\nada,{STRANGER},ETH,0.25,0\n")
    assert [row.payee for row in read.instructions] == [STRANGER, STRANGER]
    assert read.books.balance(STRANGER, ETH) == 75 * 10**16


@pytest.mark.parametrize(
    ("row", "column", "reason", "way_out"),
    [
        ("acme,eve,ETH,1,0,", "payee", "unknown user", "users.csv"),
        ("eve,acme,ETH,1,0,", "payer", "unknown user", "users.csv"),
        ("acme,0x12,ETH,1,0,", "payee", "not an address", "40 hexadecimal"),
        (f"acme,{CHARITY[:-1]}2,ETH,1,0,", "payee", "checksum", "check"),
        (f"acme,{CHARITY.replace('afE', 'aFE')},ETH,1,0,", "payee", "checksum", CHARITY),
        (f"acme,0x{'0' * 40},ETH,1,0,", "payee", "zero address", "address"),
        ("acme,ada,ETH,-1,0,", "amount", "negative", "sign"),
        ("acme,ada,ETH,one,0,", "amount", "not a decimal number", "digits"),
        ("acme,ada,ETH,1e3,0,", "amount", "not a decimal number", "digits"),
        ("acme,ada,ETH,,0,", "amount", "not a decimal number", "digits"),
        ("acme,ada,USDS,0.0000001,0,", "amount", "finer than USDS", "6 digits"),
        ("acme,ada,ETH,0.123456789012,0,", "amount", "35 bits", "0.12345678901 ETH and 0.12345678902 ETH"),
        ("acme,ada,ETH,1,0.12345,", "fee", "11 bits", "0.1234 ETH and 0.1235 ETH"),
        (f"acme,ada,ETH,{10**30},0,", "amount", "too large", "the most is"),
        ("acme,ada,DAI,1,0,", "token", "unknown token", "ETH, USDS"),
        ("acme,ada,eth,1,0,", "token", "unknown token", "ETH, USDS"),
        ("ada,acme,ETH,0.6,0,", "amount", "ada has 0.5 ETH by then, needs 0.6", "deposit 0.1 ETH more"),
        ("ada,acme,ETH,0.5,0.1,", "amount", "needs 0.6", "use less"),
        ("ada,acme,USDS,1,0,", "amount", "ada has 0 USDS", "deposit 1 USDS"),
        ("ada,acme,ETH,0.1,2,", "fee", "ada has 0.5 ETH by then", "use less"),
        ("charity,ada,ETH,0.001,0,", "payer", "no key", "users.csv"),
        ("acme,ada,ETH,1", "(row)", "4 fields, the header has 6", "quote"),
    ],
)
def test_read_payroll_bad_row_names_column_reason_and_way_out(
    tmp_path: Path, row: str, column: str, reason: str, way_out: str
) -> None:

    (problem,) = problems(tmp_path, f"acme,bela,ETH,0.1,0,\n{row}\n")
    assert (problem.path, problem.line, problem.column) == (str(tmp_path / "payments.csv"), 3, column)
    assert re.search(reason, problem.reason)
    assert re.search(way_out, problem.way_out)
    assert f":3: {column} = " in str(problem)


def test_read_payroll_many_bad_rows_are_reported_together(tmp_path: Path) -> None:
    found = problems(tmp_path, "eve,ada,DAI,-1,0,\nacme,ada,ETH,x,y,\n", USERS + "dora,0x1,,\n")
    assert [(problem.line, problem.column) for problem in found] == [
        (2, "payer"),
        (2, "token"),
        (3, "amount"),
        (3, "fee"),
        (6, "address"),
        (6, "deposit_ETH"),
    ]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("ada,,1,", "name", "already"),
        (",,1,", "name", "not a user's name"),
        ("operator,,1,", "name", "not a user's name"),
        ("dora,,,", "deposit_ETH", "no deposit"),
        ("dora,,0,0", "deposit_ETH", "no deposit"),
        ("dora,,-1,", "deposit_ETH", "negative"),
        (f"dora,{CHARITY},1,", "address", "another user"),
        (f"dora,,{10**30},", "deposit_ETH", "too large"),
    ],
)
def test_read_payroll_bad_user_names_column_and_reason(tmp_path: Path, row: str, column: str, reason: str) -> None:
    (problem,) = problems(tmp_path, "acme,ada,ETH,1,0,\n", USERS + row + "\n")
    assert (problem.line, problem.column) == (6, column)
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("payer,payee,token,amount\n", "lacks fee"),
        ("payer,payee,token,amount,fee,colour\n", "unknown or repeated"),
        (HEADER, "no payment"),
        (HEADER + 'acme,"ada,ETH,1,0,\n', "not a CSV"),
    ],
)
def test_read_payroll_unusable_file_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "users.csv").write_text(USERS)
    (tmp_path / "payments.csv").write_text(text)
    with pytest.raises(InputFileError, match=reason):
        read_payroll(tmp_path / "payments.csv", tmp_path / "users.csv")


def test_read_payroll_missing_or_binary_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text(USERS)
    with pytest.raises(InputFileError, match="No such file"):
        read_payroll(tmp_path / "payments.csv", tmp_path / "users.csv")
    (tmp_path / "payments.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(InputFileError, match="UTF-8"):
        read_payroll(tmp_path / "payments.csv", tmp_path / "users.csv")


def test_find_users_file_prefers_the_one_beside(tmp_path: Path) -> None:
    assert find_users_file(tmp_path / "p.csv", ROOT / "examples") == ROOT / "examples" / "users.csv"
    (tmp_path / "users.csv").write_text(USERS)
    assert find_users_file(tmp_path / "p.csv", ROOT / "examples") == tmp_path.resolve() / "users.csv"
