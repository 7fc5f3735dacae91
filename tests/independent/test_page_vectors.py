"""tests/vectors/protocol.json against rebuild.mjs, page_model and circomlibjs, which know docs/protocol.md only."""

from __future__ import annotations

import json
import subprocess

import pytest
from eth_abi import encode
from eth_hash.auto import keccak
from page_model import (
    COMMIT_BLOCKS,
    ROOT,
    Account,
    Rollup,
    Step,
    key_auth,
    pack_decimal,
    poseidon,
    record,
    state_root,
    tree_root,
    word,
)

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


def integer(text: str) -> int:
    return int(text, 16)


def node(given: dict, *command: str) -> dict:
    done = subprocess.run(
        ["node", *command], input=json.dumps(given), capture_output=True, text=True, cwd=HERE, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def answers() -> dict:
    """What JavaScript says to all vectors, in one process."""
    decimals = []
    for kind, bits in (("amounts", 35), ("fees", 11)):
        decimals += [(case["packed"], bits) for case in VECTORS[kind]["packed"]]
        decimals += [(packed, bits) for packed in VECTORS[kind]["not_canonical"]]
    signatures = []
    for case in VECTORS["messages"]:
        key = VECTORS["keys"][case["signer"]]["l2_public_key"]
        signatures.append({"message": case["message_hash"], "key": key, **case["operation"]["signature"]})
    keys = [case["l2_private_key"] for case in VECTORS["keys"]]
    given = {"decimals": decimals, "signatures": signatures, "keys": keys}
    return node(given, "--input-type=module", "-e", DRIVER)


def new_block(block: dict) -> tuple:
    """The NewBlock that publishes a block of the vectors."""
    header = block["header"]
    fee_tokens = sum(token << 12 * j for j, token in enumerate(header["fee_tokens"]))
    streams = [bytes.fromhex(block[name][2:]) for name in ("l2", "l1", "key_auth")]
    words = (word(integer(text)) for text in (header["new_root"], block["C"]))
    root, commitment = words
    return (header["block_size"], header["timestamp"], root, header["fee_account"], fee_tokens, commitment, *streams)


def test_roots() -> None:
    empty = {
        "EMPTY_BALANCES_ROOT": tree_root({}, 0, 4),
        "empty_account_leaf": Account().leaf(),
        "EMPTY_ROOT": state_root({}),
    }
    assert {name: integer(text) for name, text in VECTORS["roots"].items()} == empty


def as_rebuilt(account: dict) -> dict:
    """An account of the vectors as rebuild.mjs prints it: all slots by number."""
    orders = {slot: str((o["order_id"] << 128) + int(o["filled"])) for slot, o in account["orders"].items()}
    return {
        "key": [str(integer(coordinate)) for coordinate in account["key"]],
        "address": account["address"],
        "nonce": account["nonce"],
        "balances": account["balances"] | orders,
    }


def test_the_blocks_rebuild_from_their_calldata() -> None:
    selector = keccak(f"commitBlocks({','.join(COMMIT_BLOCKS)})".encode())[:4]
    blocks = VECTORS["blocks"]
    input_ = selector + encode(COMMIT_BLOCKS, [Rollup().blocks[0], [new_block(block) for block in blocks], b""])
    domain = VECTORS["domain"]
    given = {"chainId": domain["chain_id"], "rollup": domain["rollup_address"], "transactions": ["0x" + input_.hex()]}
    result = node(given, str(HERE / "rebuild.mjs"))
    accounts = blocks[-1]["accounts"]
    assert result["accounts"] == {index: as_rebuilt(account) for index, account in accounts.items()}
    assert result["root"] == blocks[-1]["header"]["new_root"]
    assert result["challenges"] == [str(integer(block["X"])) for block in blocks]
    assert result["evaluations"] == [str(integer(block["Y"])) for block in blocks]
    assert (result["blocks"], result["noopsElsewhere"]) == (len(blocks), [])


def test_amounts_and_fees(answers: dict) -> None:
    said = iter(answers["decimals"])
    for kind, bits in (("amounts", 35), ("fees", 11)):
        for case in VECTORS[kind]["packed"]:
            assert next(said) == case["value"]
            assert pack_decimal(int(case["value"]), bits) == case["packed"]
        for packed in VECTORS[kind]["not_canonical"]:
            assert next(said).startswith(("it is not the canonical encoding", "it is 2^128 or more")), packed


CODES = {"Transfer": 3, "TransferToAddress": 4, "Withdraw": 5, "ForcedExit": 7, "Order": 8, "CancelOrder": 9}


def message_of(operation: dict) -> list[int]:
    """M0..M4."""
    kind = operation["op"]
    get = operation.get
    payer = operation["account_id"] if kind in ("Order", "CancelOrder") else operation["from_id"]
    fee_token = operation[{"Order": "sell_token"}.get(kind, "fee_token" if "fee_token" in operation else "token")]
    to = {"Transfer": get("to_id"), "ForcedExit": get("account_id"), "CancelOrder": get("slot")}
    to["Order"] = get("slot", 0) << 12 | get("buy_token", 0)
    m1 = 0
    for value, bits in (
        (CODES[kind], 4),
        (payer, 24),
        (operation["order_id" if kind == "Order" else "nonce"], 32),
        (get("token", fee_token), 12),
        (fee_token, 12),
        (pack_decimal(int(operation["fee"]), 11), 16),
        (to.get(kind, 0), 24),
        (operation["valid_from"], 40),
        (operation["valid_until"], 40),
    ):
        m1 = m1 << bits | value
    m3 = {"ForcedExit": 0, "CancelOrder": get("first_valid_order_id"), "Withdraw": int(get("amount", "0"))}
    m3["Order"] = int(get("sell_amount", "0")) << 120 | int(get("buy_amount", "0"))
    if kind.startswith("Transfer"):
        m3[kind] = pack_decimal(int(operation["amount"]), 35)
    domain = VECTORS["domain"]
    return [
        domain["chain_id"] << 160 | integer(domain["rollup_address"]),
        m1,
        integer(get("to_address", get("address", "0x0"))),
        m3[kind],
        integer(get("link", "0x0")),
    ]


def test_messages_and_signatures(answers: dict) -> None:
    for case in VECTORS["messages"]:
        message = message_of(case["operation"])
        assert [integer(text) for text in case["message"]] == message
        assert integer(case["message_hash"]) == poseidon(*message)
    assert answers["signatures"] == [True] * len(VECTORS["messages"])


def published(operation: dict) -> Step:
    """What a block publishes of a signed operation."""
    get, fee, rollup = operation.get, int(operation["fee"]), Rollup()
    amount, address = int(get("amount", "0")), integer(get("to_address", get("address", "0x0")))
    match operation["op"]:
        case "Transfer":
            return rollup.transfer(operation["from_id"], operation["to_id"], operation["token"], amount, fee)
        case "TransferToAddress":
            payer, to = operation["from_id"], operation["to_id"]
            return rollup.transfer_to_address(payer, to, operation["token"], amount, fee, address)
        case "Withdraw":
            return rollup.withdraw(operation["from_id"], operation["token"], amount, fee, address)
        case "ForcedExit":
            leaving = rollup.account(operation["account_id"])
            leaving.address = address
            leaving.add(operation["token"], amount)
            where = operation["account_id"], operation["token"], operation["fee_token"]
            return rollup.forced_exit(operation["from_id"], *where, fee)
        case "ChangePubKey":
            index, owner = operation["account_id"], integer(operation["owner"])
            rollup.account(index).nonce = operation["nonce"]
            ax, ay = (integer(coordinate) for coordinate in operation["key"])
            return rollup.change_pub_key(index, owner, (ax, ay), operation["fee_token"], fee)
    first = operation["first_valid_order_id"]
    return rollup.cancel_order(operation["account_id"], operation["slot"], first, operation["fee_token"], fee)


def test_chunks_and_records_of_signed_operations() -> None:
    cases = [case for case in VECTORS["messages"] if case["operation"]["op"] != "Order"]
    assert len(cases) == len(VECTORS["messages"]) - 2
    for case in [*cases, *VECTORS["key_changes"]]:
        step = published(case["operation"])
        assert [integer(text) for text in case["chunks"]] == step.chunks
        assert [integer(text) for text in case["record"]] == step.words


def test_key_changes() -> None:
    """Digest and keyAuth, from the page's text."""
    domain = VECTORS["domain"]
    domain_type = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    names = [keccak(domain_type), keccak(b"Sluice"), keccak(b"1")]
    separator = keccak(b"".join(names) + word(domain["chain_id"]) + word(integer(domain["rollup_address"])))
    fields = "uint32 accountId,uint32 nonce,uint256 ax,uint256 ay,uint16 feeToken,uint128 fee,uint40 validUntil"
    for case in VECTORS["key_changes"]:
        operation = case["operation"]
        ax, ay = (integer(coordinate) for coordinate in operation["key"])
        values = [operation["account_id"], operation["nonce"], ax, ay, operation["fee_token"], int(operation["fee"])]
        struct = keccak(f"ChangePubKey({fields})".encode()) + b"".join(map(word, [*values, operation["valid_until"]]))
        assert case["digest"] == "0x" + keccak(b"\x19\x01" + separator + keccak(struct)).hex()
        signature, until = operation["authorisation"], operation["valid_until"].to_bytes(5, "big").hex()
        assert case["key_auth"] == signature + until
        assert case["key_auth_if_approved"] == "0x" + key_auth(operation["valid_until"]).hex()


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


def test_keys(answers: dict) -> None:
    for case, public in zip(VECTORS["keys"], answers["keys"], strict=True):
        r_and_s = bytes.fromhex(case["signature"][2:])[:64]
        assert case["l2_private_key"] == "0x" + keccak(r_and_s).hex()
        assert [integer(coordinate) for coordinate in case["l2_public_key"]] == [int(c) for c in public]
