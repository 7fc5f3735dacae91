"""`tests/vectors/protocol.json` and the page's worked example: fresh, and true when read as a stranger would."""

import importlib.util
import json
import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from eth_keys.datatypes import Signature as EthereumSignature

from rollup._native import eddsa_verify, poseidon
from rollup.core import State, apply_block_data, decode_streams, header_from_words
from rollup.core.binding import challenge, evaluation
from rollup.core.operations import steps_of

ROOT = Path(__file__).parents[2]
FILE: dict[str, Any] = json.loads((ROOT / "tests/vectors/protocol.json").read_text())
PAGE = (ROOT / "docs/protocol.md").read_text()


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    sys.path.insert(0, str(ROOT / "tests/vectors"))
    spec = importlib.util.spec_from_file_location(
        "make_protocol_vectors", ROOT / "tests/vectors/make_protocol_vectors.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def integers(values: list[str]) -> list[int]:
    return [int(value, 16) for value in values]


def test_vectors_file_is_what_the_code_gives(maker: ModuleType) -> None:
    """Run tests/vectors/make_protocol_vectors.py if a format changed on purpose."""
    assert json.loads(json.dumps(maker.vectors())) == FILE


def test_page_worked_example_is_the_files(maker: ModuleType) -> None:
    assert maker.page_with(maker.section(FILE), PAGE) == PAGE


def test_vectors_blocks_rebuild_from_their_bytes() -> None:
    """From header words and streams alone, as the page says."""
    state = State()
    assert state.root == int(FILE["roots"]["EMPTY_ROOT"], 16)
    for block in FILE["blocks"]:
        header = header_from_words(integers(block["header_words"]))
        l2, l1 = bytes.fromhex(block["l2"][2:]), bytes.fromhex(block["l1"][2:])
        apply_block_data(state, header, l2, l1)
        assert state.root == int(block["header"]["new_root"], 16)
        x = challenge(header, l2, l1, int(block["C"], 16))
        assert x == int(block["X"], 16)
        assert evaluation(header, l2, l1, x) == int(block["Y"], 16)
        assert {str(i) for i, _ in state.accounts()} == set(block["accounts"])
        for account_id, account in block["accounts"].items():
            ours = state.account(int(account_id))
            assert [*ours.key, ours.address, ours.nonce] == [
                *integers(account["key"]), int(account["address"], 16), account["nonce"],
            ]  # fmt: skip
            assert {str(s): str(b) for s, b in state.balances(int(account_id)).items()} == account["balances"]
            slots = {str(s): (o.order_id, str(o.filled)) for s, o in state.order_slots(int(account_id)).items()}
            assert slots == {s: (order["order_id"], order["filled"]) for s, order in account["orders"].items()}


def test_vectors_streams_are_the_steps_chunks_and_records() -> None:
    for block in FILE["blocks"]:
        l2 = "".join(chunk[2:] for step in block["steps"] for chunk in step["chunks"])
        l1 = "".join(word[2:] for step in block["steps"] for word in step["record"])
        assert ("0x" + l2, "0x" + l1) == (block["l2"], block["l1"])
        decoded = decode_streams(bytes.fromhex(l2), bytes.fromhex(l1))
        assert sum(len(steps_of(operation)) for operation in decoded) == sum(bool(s["chunks"]) for s in block["steps"])
        c = poseidon(integers(block["header_words"]))
        for step in block["steps"]:
            chunks, words = integers(step["chunks"]), integers(step["record"])
            first, *others = [*chunks, *[0] * (3 - len(chunks))]
            counts = len(chunks) + 4 * len(words)
            c = poseidon([c, first + (counts << 120), *others, *words, *[0] * (4 - len(words))])
            assert c == int(step["c"], 16)
        assert c == int(block["C"], 16)


def test_vectors_have_every_operation() -> None:
    seen = {step["operation"]["op"] for block in FILE["blocks"] for step in block["steps"]}
    assert seen == {
        "Noop", "Deposit", "FullExit", "Transfer", "TransferToAddress", "Withdraw", "ChangePubKey", "ForcedExit",
        "Fill", "Settlement", "CancelOrder",
    }  # fmt: skip
    pending = [step.get("pending", 0) for step in FILE["blocks"][2]["steps"]]
    assert pending == [0, 0, 0, 0, 1, 2, 0, 1, 2, 0, 0, 3, 0, 0, 0, 0]


def test_vectors_messages_hash_and_verify() -> None:
    for vector in FILE["messages"]:
        message = poseidon(integers(vector["message"]))
        assert message == int(vector["message_hash"], 16)
        key = integers(FILE["keys"][vector["signer"]]["l2_public_key"])
        signature = vector["operation"]["signature"]
        r8, s = integers(signature["r8"]), int(signature["s"], 16)
        assert eddsa_verify((key[0], key[1]), message, (r8[0], r8[1], s))


def test_vectors_batches_link_their_operations() -> None:
    """R_i = Poseidon(4)(M1_i, M2_i, M3_i, R_(i+1)), of the messages as they stand in the file."""
    linked = [vector for vector in FILE["messages"] if int(vector["message"][4], 16)]
    assert len(linked) == 4
    for first, second in (linked[:2], linked[2:]):
        rest = poseidon([*integers(second["message"][1:4]), 0])
        link = poseidon([*integers(first["message"][1:4]), rest])
        assert [int(vector["message"][4], 16) for vector in (first, second)] == [link, link]


def test_vectors_key_changes_are_signed_by_their_owners() -> None:
    """Recovered by eth_keys from the digest alone."""
    for vector in FILE["key_changes"]:
        digest, auth = bytes.fromhex(vector["digest"][2:]), bytes.fromhex(vector["key_auth"][2:])
        assert "0x" + auth[:65].hex() == vector["operation"]["authorisation"]
        assert int.from_bytes(auth[65:], "big") == vector["operation"]["valid_until"]
        signature = EthereumSignature(vrs=(auth[64] - 27, int.from_bytes(auth[:32]), int.from_bytes(auth[32:64])))
        signer = signature.recover_public_key_from_msg_hash(digest).to_canonical_address()
        assert "0x" + signer.hex() == vector["operation"]["owner"]
        assert vector["key_auth_if_approved"] == "0x" + bytes(65).hex() + auth[65:].hex()


def test_page_invariants_name_tests_that_exist() -> None:
    table = PAGE[PAGE.index("## 10.") :]
    listed = re.findall(r"^\| (I-\d\d) \|", table, re.MULTILINE)
    assert listed == sorted(set(re.findall(r"I-\d\d", PAGE)))
    references = re.findall(r"`(test_\w+\.py)::(\w+)`", table)
    assert len(references) > len(listed)
    for file, test in references:
        assert f"def {test}(" in (ROOT / "tests/rollup" / file).read_text(), test
