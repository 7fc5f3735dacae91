"""The short way of the plain Transfer (rollup/node/plain.py, native/src/transfers.rs) against the rules."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_keys import keys
from node_rig import ALICE, BOB, CAROL, DOMAIN, NOW, OPERATOR, SIGNER, SIZES, TOKENS, Rig, User, as_plain

from rollup._native import (
    EcdsaKey,
    EddsaKey,
    eddsa_verify,
    parse_transfer,
    parse_transfers,
    prepare_transfers,
    receipt_digests,
    receipt_texts,
)
from rollup.core.account import Account, AccountTree, Shape
from rollup.core.binding import NOOP_WORDS, chain_word, chain_words, commit_step
from rollup.core.constants import BALANCE_BITS, FIELD_MODULUS
from rollup.core.eip712 import separator, type_hash
from rollup.core.errors import SluiceError, WireError
from rollup.core.operations import NO_KEY, Noop, Transfer, Withdraw
from rollup.core.receipt import Receipt, digests, receipt_of, receipt_to_wire, receipts_of
from rollup.core.rules import Context, plan
from rollup.core.state import State
from rollup.core.wire import dumps, loads, to_wire
from rollup.node.plain import effect_of, transfer_of

NONE = object()
ACCOUNTS, LEVELS = 6, 2
MONEY = (0, 1, 2, 7, 100, 2047, 2048, 2050, 10**18, 34359738367, 34359738368, 34359738370, (1 << BALANCE_BITS) - 1)


def texts() -> Iterator[str]:
    """A signed Transfer's JSON, and everything that one may do to it."""
    whole = to_wire(ALICE.pay(BOB, 3, 12_300, valid_from=5, valid_until=NOW))
    yield json.dumps(whole)
    yield json.dumps(whole, indent=1) + "\n "
    yield json.dumps(dict(reversed(whole.items())))
    yield json.dumps(whole).replace("transfer", "\\u0074ransfer")
    yield json.dumps(whole)[:-1] + ', "nonce": 3}'
    yield from ("", "[]", "7", "nothing", "{", json.dumps([whole]), "\ufeff" + json.dumps(whole))
    word = "0x" + 64 * "0"
    values: list[Any] = [NONE, None, -1, 0, 1, 1.0, True, "", "0", "1", "01", "-0", "1 ", "0x1", "\u0661", [], {}, word]
    values += [str(money) for money in MONEY] + list(MONEY)
    values += [1 << bits for bits in (11, 12, 23, 24, 32, 40, 64, 200)] + [(1 << bits) - 1 for bits in (12, 24, 32, 40)]
    values += ["0x" + 40 * "ab", "0x" + 40 * "AB", "0X" + 40 * "ab", "0x" + 40 * "0", whole["to_address"].lower()]
    values += ["0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed", "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAeD"]
    values += [f"0x{FIELD_MODULUS:064x}", f"0x{FIELD_MODULUS - 1:064X}", "0x" + 63 * "0", word[:-1] + "1"]
    for name in [*whole, "note", "to_id"]:
        for value in values:
            yield json.dumps({key: old for key, old in whole.items() if key != name} | _with(name, value))
    for name in [*whole["signature"], "r"]:
        for value in values:
            rest = {key: old for key, old in whole["signature"].items() if key != name}
            yield json.dumps(whole | {"signature": rest | _with(name, value)})


def _with(name: str, value: Any) -> dict[str, Any]:
    return {} if value is NONE else {name: value}


def test_parse_every_text_takes_what_the_rules_take() -> None:
    taken = 0
    for text in texts():
        plain = parse_transfer(text.encode())
        try:
            expected = loads(text)
        except WireError:
            assert plain is None, text
            continue
        is_plain = isinstance(expected, Transfer) and expected.signature is not None and not expected.link
        # What only this reader does not take, the other does: a Transfer is then judged the long way.
        assert plain is None or transfer_of(plain) == expected, text
        assert (plain is not None) == is_plain, text
        taken += plain is not None
    assert taken > 100


def test_parse_bytes_that_are_no_text_takes_nothing() -> None:
    assert parse_transfer(b"\xff" + dumps(ALICE.pay(BOB, 0)).encode()) is None


def test_parse_many_takes_all_or_none() -> None:
    first, second = dumps(ALICE.pay(BOB, 0)), dumps(BOB.pay(ALICE, 0))
    other = dumps(BOB.key.sign(Withdraw(BOB.account_id, 7, 0, 1, 1, 0), DOMAIN))
    listed = parse_transfers(f'{{"operations": [{first}, {second}]}}'.encode())
    assert listed is not None
    assert [transfer_of(each) for each in listed] == [loads(first), loads(second)]
    assert parse_transfers(b'{"operations": []}') == []
    for text in (f"[{first}]", f'{{"operations": [{first}, {other}]}}', f'{{"operations": [{first}], "a": 1}}', "{}"):
        assert parse_transfers(text.encode()) is None


def test_prepare_random_transfers_equals_the_operation() -> None:
    rng = random.Random(5)
    signed = [_random_transfer(rng) for _ in range(300)]
    keys = [ALICE.key.public_key if each.from_id % 2 else BOB.key.public_key for each in signed]
    keys[:3] = [NO_KEY, (1, 1), OPERATOR.key.public_key]
    prepared = prepare_transfers([as_plain(each) for each in signed], [EddsaKey(key) for key in keys], DOMAIN)
    assert 0 < prepared.count(None) < len(signed)
    for transfer, key, found in zip(signed, keys, prepared, strict=True):
        message = transfer.message_hash(DOMAIN)
        assert transfer.signature is not None
        assert (found is not None) == (key != NO_KEY and eddsa_verify(key, message, transfer.signature.as_tuple()))
        if found is not None:
            fields = transfer.from_id, transfer.to_id, transfer.token, transfer.amount, transfer.fee, transfer.nonce
            assert found[:8] == (*fields, transfer.valid_from, transfer.valid_until)
            assert found[8:10] == (transfer.to_address.to_bytes(20, "big"), message.to_bytes(32, "big"))
            assert found[10] == transfer.chunks()[0].to_bytes(15, "big")
            assert found[11] == json.dumps(to_wire(transfer), separators=(",", ":"))
            assert chain_word(found[10]) == chain_words(transfer)


def _random_transfer(rng: random.Random) -> Transfer:
    owner = rng.choice([ALICE, BOB])
    ids = rng.choice([0, 1, 2, 3, (1 << 24) - 1]), rng.choice([0, 1, 2, (1 << 24) - 1])
    address, token = rng.choice([0, 1, BOB.address, (1 << 160) - 1]), rng.choice([0, 1, 2048, 4095])
    money = rng.choice([0, 7, 10**18, 34359738367, 2047 * 10**31]), rng.choice([0, 5, 2047, 2050, 2047 * 10**31])
    times = rng.choice([0, NOW, (1 << 40) - 1]), rng.choice([0, NOW, (1 << 40) - 1])
    transfer = Transfer(ids[0], ids[1], address, token, *money, rng.choice([0, 1, (1 << 32) - 1]), *times)
    return owner.key.sign(transfer, DOMAIN)


def test_prepare_keys_of_another_number_is_refused() -> None:
    with pytest.raises(ValueError, match="keys must be as many as transfers, 1, got 0"):
        prepare_transfers([as_plain(ALICE.pay(BOB, 0))], [], DOMAIN)


def test_effect_of_random_transfers_is_what_the_rules_plan() -> None:
    """Every refusal of protocol 4 that a Transfer can meet is among them, and the rules say so."""
    rng = random.Random(7)
    refusals: set[type[SluiceError]] = set()
    passed = 0
    for _ in range(6_000):
        state, context = _random_state(rng), Context(DOMAIN, NOW, TOKENS)
        transfer = _likely_transfer(rng, state)
        key = state.account(transfer.from_id).key
        (prepared,) = prepare_transfers([as_plain(transfer)], [EddsaKey(key)], DOMAIN)
        effect = prepared and effect_of(state, prepared, key, context)
        try:
            applied = plan(state, transfer, context)
        except SluiceError as error:
            assert effect is None, transfer
            refusals.add(type(error))
            continue
        assert effect == applied.touches
        passed += 1
    assert passed > 500
    assert {error.__name__ for error in refusals} >= {
        "AccountMissingError", "AddressZeroError", "BalanceOverflowError", "BalanceTooLowError",
        "FeeTokenNotListedError", "KeyMissingError", "NonceExhaustedError", "NonceMismatchError",
        "OutsideValidityError", "RecipientMismatchError", "SignatureInvalidError", "TokenNotMoneyError",
        "ValueRangeError",
    }  # fmt: skip


def test_effect_of_a_payer_whose_key_changed_is_left_to_the_rules() -> None:
    state = State()
    state.fill([(1, Account(ALICE.key.public_key, ALICE.address), {0: 500}), (2, Account(address=BOB.address), {})])
    transfer = ALICE.pay(replace(BOB, account_id=2), 0)
    (prepared,) = prepare_transfers([as_plain(replace(transfer, from_id=1))], [EddsaKey(ALICE.key.public_key)], DOMAIN)
    assert prepared is not None
    context = Context(DOMAIN, NOW, TOKENS)
    assert effect_of(state, prepared, ALICE.key.public_key, context) is not None
    assert effect_of(state, prepared, BOB.key.public_key, context) is None


def _random_state(rng: random.Random) -> State:
    state = State(LEVELS, LEVELS)
    most = (1 << BALANCE_BITS) - 1
    for account_id in range(ACCOUNTS):
        if rng.random() < 0.9:
            key = rng.choice([ALICE.key.public_key] * 7 + [NO_KEY])
            account = Account(key, 0xA0 + account_id, rng.choice([0, 0, 0, 1, (1 << 32) - 1]))
            leaves = {token: rng.choice([0, 50, 100, 10**18, most]) for token in (0, 1, 31, 32)}
            state.fill([(account_id, account, leaves)])
    return state


def _likely_transfer(rng: random.Random, state: State) -> Transfer:
    """One that mostly fits."""
    from_id, to_id = (rng.choice([*range(ACCOUNTS)] * 4 + [63, 64]) for _ in range(2))
    nonce = state.account(from_id).nonce if rng.random() < 0.9 else rng.choice([0, 2])
    address = state.account(to_id).address if rng.random() < 0.9 else rng.choice([0, 5])
    window = (0, NOW) if rng.random() < 0.9 else rng.choice([(NOW + 1, NOW + 2), (0, NOW - 1), (NOW, NOW)])
    token = rng.choice([0] * 8 + [1, 31, 32])
    amount, fee = rng.choice([0, 49, 50, 51, 99, 100, 10**18]), rng.choice([0, 1, 50])
    signed = ALICE.key.sign(Transfer(from_id, to_id, address, token, amount, fee, nonce, *window), DOMAIN)
    return replace(signed, amount=1) if rng.random() < 0.05 else signed


def test_submit_plain_and_whole_give_the_same_node(tmp_path: Path) -> None:
    """Blocks, entries, receipts, refusals: the same, whichever way; and both land."""
    ways: list[Callable[[Any], Any]] = [lambda each: each, lambda each: as_plain(each)]
    seen = []
    for number, way in enumerate(ways):
        folder = tmp_path / str(number)
        folder.mkdir()
        rig = Rig(folder, f"sqlite:///{folder / 'node.db'}")
        rig.deposit(OPERATOR, ALICE, BOB, CAROL)
        outcomes = []
        for batch in _batches():
            outcomes += rig.submit(*[way(each) for each in batch])
        entries = [rig.database.entries(block.number) for block in rig.database.blocks()]
        told = [each if isinstance(each, Receipt) else (type(each), each.values) for each in outcomes]
        rig.restart()
        rig.finish()
        rig.check()
        seen.append((told, entries, rig.chain.blocks[-1].new_root))
    assert seen[0] == seen[1]
    kinds = {type(each) for each in seen[0][0]}
    assert kinds == {Receipt, tuple}
    assert len(seen[0][1]) > 3


def _batches() -> list[list[Transfer]]:
    payers: list[User] = [ALICE, BOB, CAROL]
    nonces = dict.fromkeys([user.account_id for user in payers], 0)
    rng = random.Random(3)
    batches = []
    for _ in range(5 * SIZES[-1]):
        batch = []
        for _ in range(rng.randrange(6)):
            payer, payee = rng.choice(payers), rng.choice([OPERATOR, *payers])
            nonce = nonces[payer.account_id] + (rng.random() < 0.1)
            transfer = payer.pay(payee, nonce, rng.choice([0, 100, 100, 10**30]), fee=rng.choice([0, 1]))
            batch.append(replace(transfer, fee=2) if rng.random() < 0.05 else transfer)
            if batch[-1] == transfer and transfer.amount < 10**30 and nonce == nonces[payer.account_id]:
                nonces[payer.account_id] += 1
        batches.append(batch)
    return batches


def test_digests_of_receipts_are_each_receipts_own() -> None:
    rng = random.Random(1)
    promises = []
    for size in range(0, 300, 15):
        numbers = [rng.getrandbits(20) for _ in range(3)]
        promises.append((
            numbers[0], numbers[1], rng.randbytes(size), numbers[2], rng.randbytes(32 * (size % 4)), rng.randbytes(32),
            rng.randbytes(20), NOW, NOW + 9, rng.randbytes(32),
        ))  # fmt: skip
    assert digests(DOMAIN, promises) == [receipt_of(DOMAIN, each, b"").digest for each in promises]
    assert digests(DOMAIN, []) == []
    receipts = receipts_of(DOMAIN, promises, SIGNER.sign(digests(DOMAIN, promises)))
    for receipt in receipts:
        assert receipt.signer() == SIGNER.address
        assert receipt.text == json.dumps(receipt_to_wire(receipt), separators=(",", ":")).encode()
        assert replace(receipt, issued_at=NOW + 1).text == b""
    assert len({receipt.text for receipt in receipts}) == len(promises)
    with pytest.raises(ValueError, match="a hash has at most 32 bytes"):
        receipt_digests(separator(DOMAIN), type_hash("A", {}), [(*promises[0][:9], bytes(33))])


def test_receipt_texts_of_wrong_lengths_are_refused() -> None:
    promise = (1, 2, b"", 3, b"", bytes(32), bytes(20), NOW, NOW, bytes(32))
    for promises, signatures, reason in (
        ([promise], [], "signatures must be as many as receipts, 1, got 0"),
        ([promise], [bytes(64)], "signature must be 65 bytes, got 64"),
        ([(*promise[:6], bytes(21), *promise[7:])], [bytes(65)], "recipient must be 20 bytes, got 21"),
    ):
        with pytest.raises(ValueError, match=reason):
            receipt_texts("", promises, signatures)


def test_ecdsa_key_signs_as_ethereum_does() -> None:
    rng = random.Random(2)
    for _ in range(20):
        private_key, digest = rng.randbytes(32), rng.randbytes(32)
        key, theirs = EcdsaKey(private_key), keys.PrivateKey(private_key)
        v, r, s = theirs.sign_msg_hash(digest).vrs
        assert key.public_key == theirs.public_key.to_bytes()
        assert key.sign_many([digest]) == [r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([27 + v])]
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    for bad, reason in (
        (bytes(32), "below the order"),
        (order.to_bytes(32, "big"), "below the order"),
        (b"1", "got 1"),
    ):
        with pytest.raises(ValueError, match=f"^private_key .*{reason}") as caught:
            EcdsaKey(bad)
        assert bad.hex() not in str(caught.value)
    with pytest.raises(ValueError, match="digest must be 32 bytes, got 31"):
        EcdsaKey(bytes([1]) * 32).sign_many([bytes(31)])


def test_noop_words_are_those_of_the_chain() -> None:
    from rollup._native import commit_chains

    steps = [ALICE.pay(BOB, 0), Noop(), BOB.key.sign(Withdraw(BOB.account_id, 7, 0, 1, 1, 0), DOMAIN)]
    assert chain_words(Noop()) == NOOP_WORDS
    expected = [5, 6, 7]
    for number in range(3):
        for step in steps[: number + 1]:
            expected[number] = commit_step(expected[number], step)
    words = [b"".join(chain_words(step) for step in steps[: number + 1]) for number in range(3)]
    assert commit_chains([5, 6, 7], words) == expected
    assert commit_chains([5], [b""]) == [5]
    for wrong in (b"\x00", b"\xff" * len(NOOP_WORDS)):
        with pytest.raises(ValueError, match="steps must be words below"):
            commit_chains([5], [wrong])
    with pytest.raises(ValueError, match="steps must be as many as starts"):
        commit_chains([5], [])


def test_account_tree_of_another_shape_is_that_of_its_paths() -> None:
    tree = AccountTree(Shape(LEVELS, LEVELS))
    tree.update([(3, Account(address=9), [(5, 7)])])
    assert tree.balance_path(3, 5)[0][5] == 7
    assert tree.copy().root == tree.root
