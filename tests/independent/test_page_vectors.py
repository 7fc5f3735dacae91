"""tests/vectors/protocol.json against rebuild.mjs, page_model and circomlibjs, which know docs/protocol.md only."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field

import pytest
from eth_hash.auto import keccak
from page_messages import key_change_digest, l2_key_digest, signer_of
from page_model import (
    ROOT,
    Account,
    Header,
    Rollup,
    key_auth,
    pack_decimal,
    poseidon,
    record,
    state_root,
    tree_root,
    word,
)
from vector_steps import Replay, integer, key_of, links, lone_step, signed_of

from rollup.wallet.keys import KEY_STATEMENT

HERE = ROOT / "tests/independent"
VECTORS = json.loads((ROOT / "tests/vectors/protocol.json").read_text())
# Decimals: the value, or what is wrong. Signatures: whether they hold. Keys: the public key.
DRIVER = f"""
import {{ readFileSync }} from "node:fs";
import {{ buildEddsa }} from "circomlibjs";
import {{ unpackDecimal }} from "{(HERE / "streams.mjs").as_uri()}";
const eddsa = await buildEddsa();
const {{ F }} = eddsa.babyJub;
const {{ decimals, signatures, keys }} = JSON.parse(readFileSync(0, "utf8"));
const read = ([packed, bits]) => {{
  try {{
    return unpackDecimal(BigInt(packed), bits, "it").toString();
  }} catch (error) {{
    return error.message;
  }}
}};
const holds = ({{ message, r8, s, key }}) =>
  eddsa.verifyPoseidon(F.e(message), {{ R8: r8.map((c) => F.e(c)), S: BigInt(s) }}, key.map((c) => F.e(c)));
const publicKey = (key) => eddsa.prv2pub(Buffer.from(key.slice(2), "hex")).map((c) => F.toObject(c).toString());
const out = {{ decimals: decimals.map(read), signatures: signatures.map(holds), keys: keys.map(publicKey) }};
console.log(JSON.stringify(out));
"""


def node(given: dict, *command: str) -> dict:
    done = subprocess.run(
        ["node", *command], input=json.dumps(given), capture_output=True, text=True, cwd=HERE, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def header_of(block: dict) -> Header:
    header = block["header"]
    fields = ("timestamp", "block_size", "fee_account", "fee_tokens")
    timestamp, block_size, fee_account, fee_tokens = (header[field] for field in fields)
    return Header(timestamp, block_size, fee_account, tuple(fee_tokens))


@dataclass
class Replayed:
    """The vectors' blocks as the page makes them."""

    rollup: Rollup
    apart: list[tuple] = field(default_factory=list)
    """What of each step is another in the vectors."""
    signed: list[tuple[dict, list[str]]] = field(default_factory=list)
    """Operations and orders, with the key that their account has then."""

    def take(self, block: dict) -> None:
        replay, steps = Replay(self.rollup), []
        h = [integer(text) for text in block["header_words"]]
        for number, given in enumerate(block["steps"]):
            operation = given["operation"].get("order", given["operation"])
            if "signature" in operation:
                key = self.rollup.account(signed_of(operation).account).key
                self.signed.append((operation, [hex(coordinate) for coordinate in key]))
            steps.append(replay.step(given["operation"]))
            own = {
                "chunks": [f"0x{chunk:030x}" for chunk in steps[-1].chunks],
                "record": [f"0x{value:064x}" for value in steps[-1].words],
                "root": f"0x{state_root(self.rollup.accounts):064x}",
                "c": f"0x{Rollup.commitment(h, steps):064x}",
            }
            self.apart += [(number, name, given[name], own[name]) for name in own if given[name] != own[name]]
        self.rollup.publish(steps, header_of(block))


@pytest.fixture(scope="module")
def replayed() -> Replayed:
    domain = VECTORS["domain"]
    replayed = Replayed(Rollup(domain["chain_id"], domain["rollup_address"]))
    for block in VECTORS["blocks"]:
        replayed.take(block)
    replayed.rollup.commit()
    return replayed


def signatures(replayed: Replayed) -> list[dict]:
    """Of the messages and of the blocks' steps."""
    cases = [(case["operation"], VECTORS["keys"][case["signer"]]["l2_public_key"]) for case in VECTORS["messages"]]
    found = []
    for signed in (cases, replayed.signed):
        operations = [operation for operation, _ in signed]
        for (operation, key), own_link in zip(signed, links(operations), strict=True):
            message = poseidon(*signed_of(operation).words(integer(VECTORS["domain"]["word"]), own_link))
            found.append({"message": hex(message), "key": key, **operation["signature"]})
    return found


@pytest.fixture(scope="module")
def answers(replayed: Replayed) -> dict:
    """What JavaScript says to all vectors, in one process."""
    decimals = []
    for kind, bits in (("amounts", 35), ("fees", 11)):
        decimals += [(case["packed"], bits) for case in VECTORS[kind]["packed"]]
        decimals += [(packed, bits) for packed in VECTORS[kind]["not_canonical"]]
    given = {
        "decimals": decimals,
        "signatures": signatures(replayed),
        "keys": [case["l2_private_key"] for case in VECTORS["keys"]],
    }
    return node(given, "--input-type=module", "-e", DRIVER)


def test_roots() -> None:
    empty = {
        "EMPTY_BALANCES_ROOT": tree_root({}, 0, 4),
        "empty_account_leaf": Account().leaf(),
        "EMPTY_ROOT": state_root({}),
    }
    assert {name: integer(text) for name, text in VECTORS["roots"].items()} == empty


def orders_as_slots(account: dict) -> dict:
    """An account of the vectors as the page has it: an order slot is a slot like others."""
    slots = {slot: (order["order_id"] << 128) + int(order["filled"]) for slot, order in account["orders"].items()}
    return {
        "key": [str(integer(coordinate)) for coordinate in account["key"]],
        "address": account["address"],
        "nonce": account["nonce"],
        "balances": account["balances"] | {slot: str(value) for slot, value in slots.items()},
    }


def test_blocks_every_step_publishes_and_changes_what_the_page_says(replayed: Replayed) -> None:
    assert not replayed.apart


def test_blocks_headers_streams_and_bindings_are_the_pages(replayed: Replayed) -> None:
    rollup = replayed.rollup
    for block, own, (header, l2, l1) in zip(VECTORS["blocks"], rollup.blocks[1:], rollup.published, strict=True):
        assert [integer(text) for text in block["header_words"]] == header
        assert (block["l2"], block["l1"]) == ("0x" + l2.hex(), "0x" + l1.hex())
        assert [integer(block[name]) for name in ("C", "X", "Y")] == own[7:10]


def test_blocks_rebuild_from_the_vectors_calldata(replayed: Replayed) -> None:
    rollup = replayed.rollup
    (transaction,) = rollup.transactions
    blocks = VECTORS["blocks"]
    assert all(block["key_auth"][2:] in transaction for block in blocks)
    result = node(rollup.input(), str(HERE / "rebuild.mjs"))
    assert rollup.expected().items() <= result.items()
    assert result["accounts"] == {index: orders_as_slots(account) for index, account in blocks[-1]["accounts"].items()}
    assert result["root"] == blocks[-1]["header"]["new_root"]
    assert result["noopsElsewhere"] == []


def test_blocks_links_are_the_pages(replayed: Replayed) -> None:
    operations = [operation for operation, _ in replayed.signed]
    assert [integer(operation.get("link", "0x0")) for operation in operations] == links(operations)


def test_amounts_and_fees(answers: dict) -> None:
    said = iter(answers["decimals"])
    for kind, bits in (("amounts", 35), ("fees", 11)):
        for case in VECTORS[kind]["packed"]:
            assert next(said) == case["value"]
            assert pack_decimal(int(case["value"]), bits) == case["packed"]
        for packed in VECTORS[kind]["not_canonical"]:
            assert next(said).startswith(("it is not the canonical encoding", "it is 2^128 or more")), packed


def test_messages_words_hashes_and_links_are_the_pages() -> None:
    cases = VECTORS["messages"]
    for case, own_link in zip(cases, links([case["operation"] for case in cases]), strict=True):
        words = signed_of(case["operation"]).words(integer(VECTORS["domain"]["word"]), own_link)
        assert [integer(text) for text in case["message"]] == words
        assert integer(case["message_hash"]) == poseidon(*words)


def test_signatures_hold_over_the_pages_messages(answers: dict) -> None:
    assert len(answers["signatures"]) > len(VECTORS["messages"])
    assert set(answers["signatures"]) == {True}


def test_chunks_and_records_of_signed_operations_are_the_pages() -> None:
    operations = [case for case in VECTORS["messages"] if case["operation"]["op"] != "Order"]
    for case in [*operations, *VECTORS["key_changes"]]:
        step = lone_step(case["operation"])
        assert [integer(text) for text in case["chunks"]] == step.chunks
        assert [integer(text) for text in case["record"]] == step.words


def test_key_changes_digest_and_key_auth_are_the_pages_and_the_owner_signed() -> None:
    domain = VECTORS["domain"]["chain_id"], integer(VECTORS["domain"]["rollup_address"])
    for case in VECTORS["key_changes"]:
        o = case["operation"]
        fields = o["account_id"], o["nonce"], key_of(o), o["fee_token"], int(o["fee"]), o["valid_until"]
        digest = key_change_digest(*domain, *fields)
        assert case["digest"] == "0x" + digest.hex()
        auth = lone_step(o).key_auth
        assert case["key_auth"] == "0x" + auth.hex()
        assert case["key_auth_if_approved"] == "0x" + key_auth(o["valid_until"]).hex()
        r, s = (int.from_bytes(auth[at : at + 32], "big") for at in (0, 32))
        assert signer_of(digest, r, s, auth[64]) == integer(o["owner"])


def test_queue_entries() -> None:
    for case in VECTORS["queue"]:
        operation = case["operation"]
        deposit = operation["op"] == "Deposit"
        owner, aux = integer(operation["owner"]), operation["queue_fee_gwei"]
        if deposit:
            words = record(1, operation["sender_is_owner"], 0, operation["token"], owner, aux, int(operation["amount"]))
            words += [integer(coordinate) for coordinate in operation["key"]]
        else:
            words = record(2, 0, operation["account_id"], operation["token"], owner, aux, 0)
        assert [integer(text) for text in case["record_as_requested"]] == words
        hash_ = keccak(b"".join(map(word, words)))[:27]
        assert case["hash"] == "0x" + hash_.hex()
        assert case["entry"] == "0x" + (hash_ + case["expiry"].to_bytes(5, "big")).hex()


def test_keys_are_hashes_of_the_owners_signatures_of_the_pages_digest(answers: dict) -> None:
    domain = VECTORS["domain"]["chain_id"], integer(VECTORS["domain"]["rollup_address"])
    digest = l2_key_digest(*domain, KEY_STATEMENT, 0)
    for case, public in zip(VECTORS["keys"], answers["keys"], strict=True):
        signature = bytes.fromhex(case["signature"][2:])
        r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
        assert signer_of(digest, r, s, signature[64]) == integer(case["ethereum_address"])
        assert case["l2_private_key"] == "0x" + keccak(signature[:64]).hex()
        assert [integer(coordinate) for coordinate in case["l2_public_key"]] == [int(c) for c in public]
