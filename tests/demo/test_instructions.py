"""Rows that ask for more than a payment: what they do to the books, and what is wrong with them."""

from pathlib import Path

import pytest

from rollup.demo.errors import PaymentsInvalid
from rollup.demo.payments import Payroll, read_payroll
from rollup.demo.tokens import USDS
from rollup.wallet.tokens import ETH

STRANGER = "0xFA11000000000000000000000000000000C0FFee"
CHARITY = "0x5afE00000000000000000000000000000c4a8171"
USERS = f"name,address,deposit_ETH,deposit_USDS\nacme,,1,1000\nada,,0.5,\nbela,,0.25,10\ncharity,{CHARITY},0.001,\n"
OPERATIONS = "payer,payee,token,amount,fee,operation,for_token,for_amount,batch\n"


def rows_of(folder: Path, rows: str) -> Payroll:
    (folder / "users.csv").write_text(USERS)
    (folder / "payments.csv").write_text(OPERATIONS + rows)
    return read_payroll(folder / "payments.csv", folder / "users.csv")


def test_read_payroll_trades_move_both_tokens_and_the_offer_shrinks(tmp_path: Path) -> None:
    read = rows_of(
        tmp_path,
        "acme,ada,USDS,100,1,swap,ETH,0.25\nacme,,USDS,400,4,order,ETH,0.4\nbela,acme,ETH,0.1,0.01,fill,USDS,100\n",
    )
    books = read.books
    assert [books.balance("acme", token) for token in (ETH, USDS)] == [135 * 10**16, 798 * 10**6]
    assert [books.balance("ada", token) for token in (ETH, USDS)] == [25 * 10**16, 100 * 10**6]
    assert [books.balance("bela", token) for token in (ETH, USDS)] == [14 * 10**16, 110 * 10**6]
    assert books.offers["acme"].left == 300 * 10**6


def test_read_payroll_better_price_than_offered_is_accepted(tmp_path: Path) -> None:
    assert rows_of(tmp_path, "acme,,USDS,100,,order,ETH,0.1\nada,acme,ETH,0.2,,fill,USDS,100\n").instructions


def test_read_payroll_new_offer_replaces_the_one_before(tmp_path: Path) -> None:
    read = rows_of(
        tmp_path, "acme,,USDS,9,,order,ETH,9\nacme,,USDS,100,,order,ETH,0.1\nada,acme,ETH,0.1,,fill,USDS,100\n"
    )
    assert read.books.offers["acme"].left == 0


def test_read_payroll_forced_exit_takes_all_of_the_token(tmp_path: Path) -> None:
    read = rows_of(
        tmp_path,
        f"acme,{STRANGER},USDS,5,,,,\nada,{STRANGER},ETH,,0.1,forced-exit,USDS\nada,charity,ETH,,0.1,forced-exit,ETH\n",
    )
    assert [(out.who, out.token_id, out.amount) for out in read.books.forced_out] == [
        (STRANGER, 1, 5 * 10**6),
        ("charity", 0, 10**15),
    ]
    assert read.books.balance("ada", ETH) == 3 * 10**17
    assert read.books.balance("charity", ETH) == 0


def test_units_batches_stay_together_and_others_are_alone(tmp_path: Path) -> None:
    read = rows_of(
        tmp_path,
        "acme,ada,ETH,0.1,,,,,\n"
        "acme,ada,ETH,0.1,,,,,one\nada,bela,ETH,0.1,,,,,one\n"
        "bela,ada,ETH,0.1,,,,,two\nada,charity,ETH,0.1,,,,,two\nada,charity,ETH,,,forced-exit,ETH,,two\n"
        "ada,ada,ETH,0.1,,,,,\n",
    )
    assert [len(unit) for unit in read.units()] == [1, 2, 3, 1]
    read.check_batches(3)
    with pytest.raises(PaymentsInvalid, match="a batch of 3 rows, a block has 2 steps"):
        read.check_batches(2)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("acme,ada,ETH,1,,buy,,", "operation", "no such operation"),
        ("acme,ada,ETH,0.1,,,USDS,", "for_token", "a payment has no for_token"),
        ("acme,ada,ETH,,,new-key,,", "payee", "new-key has no payee"),
        ("acme,,ETH,1,,new-key,,", "amount", "new-key has no amount"),
        ("acme,,ETH,,2,new-key,,", "fee", "acme has 1 ETH"),
        ("charity,,ETH,,,new-key,,", "payer", "no key"),
        ("acme,ada,ETH,0.1,,swap,ETH,1", "for_token", "the same token"),
        ("acme,ada,ETH,0,,swap,USDS,1", "amount", "nothing to trade"),
        ("acme,ada,ETH,0.1,,swap,USDS,0", "for_amount", "nothing to trade"),
        ("acme,ada,ETH,0.1,,swap,USDS,1", "for_amount", "ada has 0 USDS by then, needs 1"),
        ("ada,acme,USDS,1,,swap,ETH,1", "amount", "ada has 0 USDS by then, needs 1"),
        ("acme,acme,ETH,0.1,,swap,USDS,1", "payee", "nobody trades with himself"),
        ("acme,charity,ETH,0.1,,swap,USDS,1", "payee", "no key"),
        (f"acme,{STRANGER},ETH,0.1,,swap,USDS,1", "payee", "no key"),
        ("acme,,ETH,0,,order,USDS,1", "amount", "nothing to trade"),
        (f"acme,,ETH,{2**120},,order,USDS,1", "amount", "too large"),
        ("ada,acme,ETH,0.1,,fill,USDS,100", "payee", "acme offers nothing by then"),
        ("ada,bela,ETH,0.1,,fill,USDS,10", "for_token", "the offer of line 2 is of other tokens"),
        ("acme,bela,USDS,1,,fill,ETH,0.2", "for_amount", "0.1 ETH of the offer of line 2 are left"),
        ("acme,bela,USDS,0.9,,fill,ETH,0.1", "amount", "below the price of the offer of line 2"),
        ("acme,,ETH,,,cancel-order,,", "payer", "acme offers nothing by then"),
        ("bela,,ETH,,1,cancel-order,,", "fee", "bela has 0.25 ETH"),
        ("acme,ada,ETH,,,forced-exit,ETH,", "payee", "this user has a key"),
        ("acme,charity,ETH,,,forced-exit,USDS,", "for_token", "charity has no USDS by then"),
        (f"acme,{STRANGER},ETH,,,forced-exit,USDS,", "for_token", "has no USDS by then"),
        ("acme,charity,ETH,,2,forced-exit,ETH,", "fee", "acme has 1 ETH"),
        ("acme,ada,ETH,0.1,,swap,USDS,1,group", "batch", "swap cannot be part of a batch"),
        ("acme,ada,ETH,0.1,,,,,alone", "batch", "a batch of one row"),
    ],
)
def test_read_payroll_bad_operation_names_column_and_reason(tmp_path: Path, row: str, column: str, reason: str) -> None:
    with pytest.raises(PaymentsInvalid) as caught:
        rows_of(tmp_path, f"bela,,ETH,0.1,,order,USDS,1\n{row}\n")
    (first, *_) = caught.value.problems
    assert (first.line, first.column) == (3, column)
    assert reason in first.reason
    assert first.way_out


@pytest.mark.parametrize("end", ["acme,,ETH,,,cancel-order", "acme,,ETH,,,new-key", "acme,,ETH,,,new-key-on-l1"])
def test_read_payroll_fill_of_an_offer_that_ended_is_refused(tmp_path: Path, end: str) -> None:
    with pytest.raises(PaymentsInvalid, match="acme offers nothing by then"):
        rows_of(tmp_path, f"acme,,USDS,9,,order,ETH,0.1\n{end}\nada,acme,ETH,0.1,,fill,USDS,9\n")


def test_read_payroll_batch_taken_up_again_is_refused(tmp_path: Path) -> None:
    pay = "acme,ada,ETH,0.1,,,,"
    with pytest.raises(PaymentsInvalid, match=r"payments.csv:5: batch = 'a': a batch of this name ended above"):
        rows_of(tmp_path, f"{pay},a\n{pay},a\n{pay},\n{pay},a\n{pay},a\n")
