"""The store by itself: what it takes for a store, what it finds damaged, and that readers need not wait."""

import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from restore_rig import Direct, Rig

from rollup.core.account import Account
from rollup.restore import restore
from rollup.store import Store
from rollup.store.errors import StoreDamaged, StoreOfAnother, StoreUnusable
from rollup.store.store import IN_MEMORY


def test_store_gives_accounts_by_id_and_by_address(rig: Rig) -> None:
    rig.blocks(12)
    rig.restore()
    state = rig.operator.state
    with Store(rig.path) as store:
        assert store.count_accounts() == len(dict(state.accounts()))
        for account_id, account in state.accounts():
            assert store.account(account_id) == account
            assert sorted(store.find(account.address)) == sorted(state.find(account.address))
            leaves = store.leaves(account_id)
            assert {slot: leaf for slot, leaf in leaves.items() if slot < 2048} == state.balances(account_id)
            assert set(leaves) - set(state.balances(account_id)) == set(state.order_slots(account_id))
        assert store.account(2**24 - 1) == Account()
        assert store.find(1) == []
        assert store.leaves(2**24 - 1) == {}


def test_store_state_has_the_operators_paths(rig: Rig) -> None:
    """What an exit is proven from."""
    rig.blocks(10)
    rig.restore()
    with Store(rig.path) as store:
        state = store.load()
    for account_id, _ in rig.operator.state.accounts():
        assert state.account_path(account_id) == rig.operator.state.account_path(account_id)
        for token in rig.operator.state.balances(account_id):
            assert state.balance_path(account_id, token) == rig.operator.state.balance_path(account_id, token)


def test_store_has_every_block_and_where_it_was_found(rig: Rig) -> None:
    rig.blocks(5)
    rig.restore()
    with Store(rig.path) as store:
        assert [store.block(number).block for number in range(6)] == rig.operator.chain
        for number in range(1, 6):
            stored = store.block(number)
            assert stored.hash == rig.operator.chain[number].hash()
            (log,) = rig.l1.blocks[stored.l1_block].logs
            assert (int(log["topics"][1], 16), log["transactionHash"]) == (number, stored.transaction)
        with pytest.raises(StoreUnusable, match="it has no block 6"):
            store.block(6)


def test_store_in_memory_works_as_a_file(rig: Rig) -> None:
    rig.blocks(3)
    with Store(IN_MEMORY, rig.l1.origin) as store:
        restored = restore(store, rig.feed())
        assert (restored.tip, restored.state.root) == (rig.operator.chain[-1], rig.operator.state.root)


def test_store_is_read_while_it_is_written(rig: Rig) -> None:
    """A reader sees a block and the state after it, and no writer waits for him."""
    rig.blocks(6)
    seen = []

    def answer(method: str, *params: Any) -> Any:
        if method == "eth_getTransactionByHash":
            with Store(rig.path) as store:
                seen.append(store.tip.block.number)
                store.load()
        return rig.l1.answer(method, *params)

    with Store(rig.path, rig.l1.origin) as reader:
        reader.load()
        rig.restore(Direct(answer), checkpoint_operations=1)
        assert reader.tip.block.number == 6
    assert len(seen) == 6


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE leaves SET leaf = x'01' WHERE (account_id, slot) = (SELECT account_id, slot FROM leaves LIMIT 1)",
        "DELETE FROM leaves WHERE (account_id, slot) = (SELECT account_id, slot FROM leaves LIMIT 1)",
        "UPDATE accounts SET nonce = nonce + 1 WHERE id = (SELECT max(id) FROM accounts)",
        "UPDATE accounts SET key = x'' WHERE id = (SELECT id FROM accounts WHERE key != x'' LIMIT 1)",
        "DELETE FROM accounts WHERE id = (SELECT min(id) FROM accounts)",
        "DELETE FROM blocks WHERE number = 4",
    ],
)
def test_store_changed_by_others_is_damaged(rig: Rig, change: str) -> None:
    rig.blocks(4)
    rig.restore()
    with sqlite3.connect(rig.path) as database:
        assert database.execute(change).rowcount == 1
    database.close()
    with pytest.raises(StoreDamaged) as error:
        rig.restore()
    assert error.value.block_number == (3 if "blocks" in change else 4)
    assert "delete it and run `sluice restore` again" in str(error.value)


@pytest.mark.parametrize("field", ["chain_id", "rollup", "l1_genesis"])
def test_store_of_another_rollup_is_refused(rig: Rig, field: str) -> None:
    rig.restore()
    got = getattr(rig.l1.origin, field)
    other: Any = 1 if field == "chain_id" else "0x" + "22" * ((len(got) - 2) // 2)
    with pytest.raises(StoreOfAnother) as error:
        Store(rig.path, replace(rig.l1.origin, **{field: other}))
    assert (error.value.what, error.value.expected, error.value.got) == (field, str(other), str(got))


def test_store_file_of_another_kind_is_refused_and_left_alone(rig: Rig, tmp_path: Path) -> None:
    text, other = tmp_path / "text", tmp_path / "other.db"
    text.write_text("hello" * 1000)
    with sqlite3.connect(other) as database:
        database.execute("CREATE TABLE mine (value)")
    database.close()
    before = text.read_bytes(), other.read_bytes()
    with pytest.raises(StoreUnusable, match="file is not a database"):
        Store(text, rig.l1.origin)
    with pytest.raises(StoreUnusable, match="an SQLite file of another kind"):
        Store(other, rig.l1.origin)
    with pytest.raises(StoreUnusable, match="an SQLite file of another kind"):
        Store(other)
    assert (text.read_bytes(), other.read_bytes()) == before


def test_store_of_a_later_format_is_refused(rig: Rig) -> None:
    rig.restore()
    with sqlite3.connect(rig.path) as database:
        database.execute("PRAGMA user_version = 2")
    database.close()
    with pytest.raises(StoreUnusable, match="version 2"):
        rig.restore()


def test_store_in_a_folder_that_is_not_there_is_refused(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "none" / "store.db"
    with pytest.raises(StoreUnusable, match="unable to open database file") as error:
        Store(path, rig.l1.origin)
    assert (error.value.path, "name another file with --store" in str(error.value)) == (str(path), True)


def test_store_empty_file_is_a_new_store(rig: Rig) -> None:
    """A process killed while it made the store leaves no more than that."""
    rig.path.touch()
    rig.blocks(1)
    rig.restore()
    rig.check(1)
