"""Keys from keystores and external signers: nobody else reads them, and nothing is sent that was not asked for."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_keyfile import create_keyfile_json
from landing_rig import ROLLUP, SIGNER, Rig, call
from rpc_server import RpcServer

from bench.l1_simulator import CHAIN_ID, GWEI
from rollup.l1.rpc import JsonRpc, RpcError
from rollup.landing.calls import Call
from rollup.landing.errors import FileExposed, KeystoreUnusable, SignerDeviates, SignerRefused
from rollup.landing.external import CLEF_METHOD, ExternalSigner
from rollup.landing.keystore import create_keystore, open_keystore
from rollup.landing.model import State
from rollup.landing.signing import Fees, LocalSigner, Unsigned

KEY = b"\1" * 32
ADDRESS = Account.from_key(KEY).address
TRANSACTION = Unsigned(CHAIN_ID, 7, Call("the commit", ROLLUP, b"\1\2", 5), 50_000, Fees(3 * GWEI, GWEI))
CREATION = Unsigned(CHAIN_ID, 8, Call("a contract", None, b"\x60"), 50_000, Fees(3 * GWEI, GWEI))


def private(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.fixture
def password(tmp_path: Path) -> Path:
    return private(tmp_path / "password", "secret\n")


@pytest.fixture
def keystore(tmp_path: Path) -> Path:
    content = create_keyfile_json(KEY, b"secret", kdf="pbkdf2", iterations=10)
    return private(tmp_path / "keystore.json", json.dumps(content))


def test_keystore_opens_with_its_password_from_a_file_or_a_prompt(keystore: Path, password: Path) -> None:
    assert open_keystore(keystore, password).address == ADDRESS
    asked = []
    assert open_keystore(keystore, lambda words: asked.append(words) or "secret").address == ADDRESS  # type: ignore[func-returns-value]
    assert asked == [f"password of {keystore}: "]


def test_keystore_that_was_created_opens_and_is_private(tmp_path: Path, password: Path) -> None:
    path = tmp_path / "new.json"
    create_keystore(path, KEY, "secret", iterations=2)
    assert path.stat().st_mode & 0o777 == 0o600
    assert KEY.hex() not in path.read_text()
    assert open_keystore(path, password).address == ADDRESS
    with pytest.raises(KeystoreUnusable, match="File exists") as error:
        create_keystore(path, b"\2" * 32, "other", iterations=2)
    assert (error.value.path, error.value.reason) == (str(path), "File exists")
    assert "name a file that is not there yet" in str(error.value)
    assert open_keystore(path, password).address == ADDRESS


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o660, 0o777])
@pytest.mark.parametrize("which", ["keystore.json", "password"])
def test_file_that_others_can_read_is_refused(keystore: Path, password: Path, mode: int, which: str) -> None:
    exposed = keystore.parent / which
    exposed.chmod(mode)
    with pytest.raises(FileExposed, match=f"permissions 0{mode:o}, .* chmod 600") as error:
        open_keystore(keystore, password)
    assert error.value.values == {"path": str(exposed), "mode": mode}


def _without(keystore: Path, **changes: Any) -> str:
    return json.dumps({**json.loads(keystore.read_text()), **changes})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda path: "", "Expecting value"),
        (lambda path: "[]", ""),
        (lambda path: "{}", ""),
        (lambda path: "0x" + KEY.hex(), ""),
        (lambda path: _without(path, version=1), "not supported|version"),
        (lambda path: _without(path, crypto={}), "kdf"),
        (lambda path: _without(path, address="00" * 20), "it says it is of 0{40}, its key is of"),
        (lambda path: " " * (1 << 16) + path.read_text(), "longer than 65536 bytes"),
    ],
)
def test_file_that_is_no_keystore_is_refused(keystore: Path, password: Path, content: Any, reason: str) -> None:
    keystore.write_text(content(keystore))
    with pytest.raises(KeystoreUnusable, match=reason) as error:
        open_keystore(keystore, password)
    assert error.value.values["path"] == str(keystore)
    assert KEY.hex() not in str(error.value)


def test_wrong_password_is_refused_and_not_told(keystore: Path, tmp_path: Path) -> None:
    wrong = private(tmp_path / "wrong", "hunter2\n")
    with pytest.raises(KeystoreUnusable, match="the password is wrong; give the keystore's own") as error:
        open_keystore(keystore, wrong)
    assert "hunter2" not in str(error.value)


@pytest.mark.parametrize(("content", "reason"), [(b"", "is empty"), (b"\xff\xfe", "not UTF-8")])
def test_password_file_that_is_none_is_refused(keystore: Path, password: Path, content: bytes, reason: str) -> None:
    password.write_bytes(content)
    with pytest.raises(KeystoreUnusable, match=reason) as error:
        open_keystore(keystore, password)
    assert error.value.values["path"] == str(password)


def test_missing_files_are_named(keystore: Path, tmp_path: Path) -> None:
    with pytest.raises(KeystoreUnusable, match="nothing: No such file or directory; name a web3 keystore"):
        open_keystore(tmp_path / "nothing", tmp_path / "nothing")
    with pytest.raises(KeystoreUnusable, match="nothing: No such file or directory; name a file whose first line"):
        open_keystore(keystore, tmp_path / "nothing")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_file_of_another_user_is_refused(keystore: Path, password: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.chown(keystore, 12345, 12345)
    with pytest.raises(FileExposed, match="own it"):
        open_keystore(keystore, password)


# Signers elsewhere


class Signer:
    """web3signer, as far as one asks it; `change` is what it does to a transaction before it signs."""

    def __init__(self, change: Any = None, wrap: bool = False, key: bytes = KEY) -> None:
        self.change = change or {}
        self.wrap = wrap
        self.key = key
        self.asked: list[Any] = []

    def __call__(self, method: str, *params: Any) -> Any:
        self.asked.append((method, params))
        wanted = dict(params[0])
        wanted.pop("from")
        if "to" in wanted:
            wanted["to"] = bytes.fromhex(wanted["to"][2:])
        raw = "0x" + bytes(Account.sign_transaction(wanted | self.change, self.key).raw_transaction).hex()
        return {"raw": raw, "tx": {}} if self.wrap else raw


@pytest.mark.parametrize("transaction", [TRANSACTION, CREATION])
@pytest.mark.parametrize("wrap", [False, True])
def test_external_signer_signs_as_a_local_one(transaction: Unsigned, wrap: bool) -> None:
    with RpcServer(Signer(wrap=wrap)) as server:
        signed = ExternalSigner(JsonRpc(server.url), ADDRESS).sign(transaction)
    assert signed == LocalSigner(Account.from_key(KEY)).sign(transaction)


def test_external_signer_of_clef_is_asked_by_its_method() -> None:
    signer = Signer(wrap=True)
    with RpcServer(signer) as server:
        ExternalSigner(JsonRpc(server.url), ADDRESS, CLEF_METHOD).sign(TRANSACTION)
    ((method, (asked,)),) = signer.asked
    assert method == "account_signTransaction"
    assert asked == {
        "from": ADDRESS,
        "type": "0x2",
        "chainId": hex(CHAIN_ID),
        "nonce": "0x7",
        "to": ROLLUP,
        "value": "0x5",
        "data": "0x0102",
        "gas": hex(50_000),
        "maxFeePerGas": hex(3 * GWEI),
        "maxPriorityFeePerGas": hex(GWEI),
    }


@pytest.mark.parametrize(
    ("change", "what", "got"),
    [
        ({"nonce": 8}, "nonce", "0x8"),
        ({"to": b"\xee" * 20}, "to", "0x" + 20 * "ee"),
        ({"value": 6}, "value", "0x6"),
        ({"data": b"\1"}, "data", "0x01"),
        ({"gas": 50_001}, "gas", hex(50_001)),
        ({"maxFeePerGas": 4 * GWEI}, "maxFeePerGas", hex(4 * GWEI)),
        ({"maxPriorityFeePerGas": 2 * GWEI}, "maxPriorityFeePerGas", hex(2 * GWEI)),
        ({"chainId": 1}, "chainId", "0x1"),
        ({"accessList": [{"address": b"\1" * 20, "storageKeys": []}]}, "accessList", "some"),
    ],
)
def test_external_signer_that_signs_something_else_is_refused(change: Any, what: str, got: str) -> None:
    with RpcServer(Signer(change)) as server:
        with pytest.raises(SignerDeviates, match="nothing was sent") as error:
            ExternalSigner(JsonRpc(server.url), ADDRESS).sign(TRANSACTION)
        assert error.value.values["url"] == server.url
    assert (error.value.values["what"], error.value.values["got"]) == (what, got)


def test_external_signer_with_another_key_is_refused() -> None:
    with RpcServer(Signer(key=b"\2" * 32)) as server, pytest.raises(SignerDeviates, match="asked for from") as error:
        ExternalSigner(JsonRpc(server.url), ADDRESS).sign(TRANSACTION)
    assert error.value.values["expected"] == ADDRESS


def _refuses(method: str, *_: Any) -> Any:
    raise RpcError(method, "request denied", None, -32000)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (_refuses, "request denied"),
        (lambda *_: None, "no signed transaction"),
        (lambda *_: "0x02ff", "no signed transaction"),
        (lambda *_: {"tx": {}}, "no signed transaction"),
    ],
)
def test_external_signer_that_does_not_sign_is_named(answer: Any, reason: str) -> None:
    with RpcServer(answer) as server, pytest.raises(SignerRefused, match=reason) as error:
        ExternalSigner(JsonRpc(server.url), ADDRESS).sign(TRANSACTION)
    assert error.value.values["address"] == ADDRESS


def test_external_signer_that_is_down_is_told_and_waited_for() -> None:
    with RpcServer(Signer()) as server:
        answer, server.answer = server.answer, _refuses
        rig = Rig(signer=ExternalSigner(JsonRpc(server.url), SIGNER.address))
        rig.sender.submit("a", call(1))
        rig.step(blocks=1)
        assert rig.state("a") == State.QUEUED
        assert rig.notices()["signer_refused"].values["address"] == SIGNER.address
        server.answer = answer
        rig.step(blocks=2)
    assert rig.state("a") == State.MINED
    assert "signer_refused" not in rig.notices()
