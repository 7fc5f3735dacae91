"""What a wallet writes down: append-only, for its owner's eyes, whole after any crash."""

from pathlib import Path

import pytest
from client_rig import ANNA, DOMAIN, SIGNER

from rollup.client.errors import RecordsUnusable
from rollup.client.records import Records, nonces_of
from rollup.core.operations import Order, Transfer
from rollup.core.receipt import Receipt, operation_hash
from rollup.wallet.batches import make_batch

NOW = 1_800_000_000


def payment(nonce: int = 0, valid_until: int = NOW) -> Transfer:
    return ANNA.key().sign(Transfer(4, 5, 6, 0, 100, 1, nonce, valid_until=valid_until), DOMAIN)


def name_of(operation: Transfer) -> str:
    return "0x" + operation_hash(operation, DOMAIN).hex()


def receipt(operation: Transfer) -> Receipt:
    from dataclasses import replace

    given = Receipt(DOMAIN, 1, 0, bytes(15), 0, b"", operation_hash(operation, DOMAIN), 6, NOW, NOW + 9, bytes(32))
    return replace(given, signature=SIGNER.sign([given.digest])[0])


def test_records_are_there_again_in_another_process(tmp_path: Path) -> None:
    first, second = payment(0), payment(1)
    records = Records(tmp_path / "a", lambda: NOW)
    records.keep([(name_of(first), first), (name_of(second), second)])
    records.answer(name_of(first), receipt(first))
    again = Records(tmp_path / "a", lambda: NOW)
    assert [(each.hash, each.operation, each.receipt) for each in again.all()] == [
        (name_of(first), first, receipt(first)),
        (name_of(second), second, None),
    ]
    assert [each.hash for each in again.outstanding()] == [name_of(second)]
    assert (tmp_path / "a" / "receipts.jsonl").stat().st_mode & 0o777 == 0o600


def test_receipt_is_kept_when_the_operation_is_sent_again(tmp_path: Path) -> None:
    records = Records(tmp_path, lambda: NOW)
    for _ in range(2):
        records.keep([(name_of(payment()), payment())])
        records.answer(name_of(payment()), receipt(payment()))
    assert Records(tmp_path, lambda: NOW).outstanding() == []


def test_outstanding_ends_when_another_has_a_receipt_for_its_nonce(tmp_path: Path) -> None:
    records = Records(tmp_path, lambda: NOW)
    refused, done, later = payment(3, NOW + 1), payment(3), payment(4)
    records.keep([(name_of(each), each) for each in (refused, later)])
    assert [each.hash for each in records.outstanding()] == [name_of(refused), name_of(later)]
    records.keep([(name_of(done), done)])
    records.answer(name_of(done), receipt(done))
    assert [each.hash for each in records.outstanding()] == [name_of(later)]


def test_outstanding_ends_a_day_after_the_operation_does(tmp_path: Path) -> None:
    now = [NOW + 86_400]
    records = Records(tmp_path, lambda: now[0])
    records.keep([(name_of(payment()), payment())])
    assert len(records.outstanding()) == 1
    now[0] += 1
    assert records.outstanding() == []


def test_line_cut_off_by_a_crash_is_passed_over_and_the_next_is_whole(tmp_path: Path) -> None:
    records = Records(tmp_path, lambda: NOW)
    records.keep([(name_of(payment(0)), payment(0))])
    path = tmp_path / "receipts.jsonl"
    whole = path.read_bytes()
    for cut in (1, len(whole) // 2, len(whole) - 2):
        path.write_bytes(whole + whole[:cut])
        again = Records(tmp_path, lambda: NOW)
        again.keep([(name_of(payment(1)), payment(1))])
        assert [each.operation for each in Records(tmp_path, lambda: NOW).all()] == [payment(0), payment(1)]


@pytest.mark.parametrize("line", [b'{"sent": 1}', b"[]", b'{"answered": "0x12", "receipt": {}}'])
def test_line_that_is_no_record_is_refused(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "receipts.jsonl"
    path.write_bytes(line + b"\n")
    path.chmod(0o600)
    with pytest.raises(RecordsUnusable):
        Records(tmp_path)


def test_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    Records(tmp_path).keep([(name_of(payment()), payment())])
    (tmp_path / "receipts.jsonl").chmod(0o640)
    with pytest.raises(RecordsUnusable, match="chmod 600"):
        Records(tmp_path)


def test_disk_that_cannot_be_written_stops_the_sending(tmp_path: Path) -> None:
    (tmp_path / "receipts.jsonl").mkdir()
    with pytest.raises(RecordsUnusable):
        Records(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordsUnusable):
        Records(tmp_path / "file" / "below")


def test_slots_of_orders_that_may_be_filled_are_taken(tmp_path: Path) -> None:
    records = Records(tmp_path, lambda: NOW)
    standing, over = (Order(4, slot, 1, 0, 1, 10, 10, 0, valid_until=until) for slot, until in ((2048, NOW), (2049, 9)))
    records.keep([("0x01", standing), ("0x02", over)])
    assert Records(tmp_path, lambda: NOW).standing_slots(4) == {2048}
    assert records.standing_slots(5) == set()
    assert (records.next_order_id(4), records.next_order_id(5)) == (2, 1)
    assert records.outstanding() == []


def test_nonces_of_an_account_in_a_batch_are_its_own() -> None:
    batch = make_batch([payment(3), Transfer(9, 5, 6, 0, 1, 0, 7), payment(4)])
    assert nonces_of(batch, 4) == [3, 4]
    assert nonces_of(batch, 9) == [7]
