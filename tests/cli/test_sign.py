"""`sluice sign`: what it prints is signed, exact, and of the deployment; and keys are never shown."""

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from eth_account import Account

from rollup._native import eddsa_verify
from rollup.cli.main import cli
from rollup.cli.options import KEY_VARIABLE
from rollup.core.key_change import recover_owner
from rollup.core.operations import (
    FOREVER,
    Batch,
    CancelOrder,
    ChangePubKey,
    ForcedExit,
    Order,
    Signable,
    Transfer,
    TransferToAddress,
    Withdraw,
    domain,
)
from rollup.core.wire import loads
from rollup.l1.manifest import DeployedContract, DeployedToken, Manifest
from rollup.wallet.keys import derive_local_key

CHAIN_ID, ROLLUP = 31337, 0xC0FFEE
DOMAIN = domain(CHAIN_ID, ROLLUP)
ALICE, BOB = (Account.from_key(bytes([n]) * 32) for n in (1, 2))
PAYEE = "0x5afE00000000000000000000000000000c4a8171"


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    deployed = Manifest(CHAIN_ID, "0x", "0x", 1, {"Rollup": DeployedContract(f"0x{ROLLUP:040x}", 1, 1)})
    deployed.tokens = [DeployedToken(0, "ETH", 18, "0x", 1), DeployedToken(1, "USDS", 6, "0x", 1)]
    deployed.save(tmp_path / "deployment.json")
    return tmp_path / "deployment.json"


def run(manifest: Path, *arguments: str, key: Any = ALICE, account_id: int = 3) -> Result:
    command, *rest = arguments
    common = ["--manifest", str(manifest), "--id", str(account_id)]
    environment = {KEY_VARIABLE: "0x" + bytes(key.key).hex() if key else None}
    return CliRunner().invoke(cli, ["sign", command, *common, *rest], env=environment)


def signed(manifest: Path, *arguments: str, key: Any = ALICE, account_id: int = 3) -> Any:
    result = run(manifest, *arguments, key=key, account_id=account_id)
    assert result.exit_code == 0, (result.output, result.exception)
    operation = loads(result.stdout)
    if isinstance(operation, Signable) and operation.signature is not None:
        public = derive_local_key(key, CHAIN_ID, ROLLUP).public_key
        signature = operation.signature.as_tuple()
        assert eddsa_verify(public, operation.message_hash(DOMAIN), signature)
    return operation


def test_sign_transfer_with_and_without_the_payees_account(manifest: Path) -> None:
    pay = ("transfer", "--nonce", "7", "--to", PAYEE, "--amount", "12.5:USDS", "--fee", "0.05", "--for-ever")
    known = signed(manifest, *pay, "--to-id", "4")
    assert isinstance(known, Transfer)
    assert (known.from_id, known.to_id, known.token, known.amount, known.fee, known.nonce, known.valid_until) == (
        3, 4, 1, 12_500_000, 50_000, 7, FOREVER,
    )  # fmt: skip
    unknown = signed(manifest, *pay)
    assert isinstance(unknown, TransferToAddress)
    assert (unknown.to_address, unknown.amount) == (int(PAYEE, 16), 12_500_000)


def test_sign_withdraw_goes_to_the_owner_or_where_told_and_ends_when_told(manifest: Path) -> None:
    out = ("withdraw", "--nonce", "0", "--amount", "1:ETH")
    own = signed(manifest, *out)
    assert isinstance(own, Withdraw)
    assert own.address == int(ALICE.address, 16)
    before = time.time()
    other = signed(manifest, *out, "--to", PAYEE, "--hours", "2")
    assert other.address == int(PAYEE, 16)
    assert 0 <= other.valid_until - int(before + 7200) <= 60


def test_sign_forced_exit_order_and_cancel_order(manifest: Path) -> None:
    leaving = ("--leaving-id", "9", "--address", PAYEE, "--token", "USDS", "--fee", "0.001:ETH")
    exit_ = signed(manifest, "forced-exit", "--nonce", "1", *leaving)
    assert isinstance(exit_, ForcedExit)
    assert (exit_.account_id, exit_.token, exit_.fee_token, exit_.fee) == (9, 1, 0, 10**15)
    order = signed(manifest, "order", "--order-id", "5", "--sell", "100:USDS", "--for", "0.05:ETH", "--fee", "0.1")
    assert isinstance(order, Order)
    assert (order.slot, order.order_id, order.sell_amount, order.buy_amount) == (2048, 5, 10**8, 5 * 10**16)
    cancel = signed(
        manifest, "cancel-order", "--nonce", "2", "--first-valid-id", "6", "--slot", "2050", "--fee", "0:ETH"
    )
    assert isinstance(cancel, CancelOrder)
    assert (cancel.slot, cancel.first_valid_order_id) == (2050, 6)


def test_sign_new_key_is_signed_by_the_owner_or_left_for_l1(manifest: Path) -> None:
    new = ("new-key", "--nonce", "1", "--key-index", "1", "--fee", "0:ETH")
    change = signed(manifest, *new)
    assert isinstance(change, ChangePubKey)
    assert recover_owner(change, DOMAIN) == change.owner == int(ALICE.address, 16)
    assert change.key == derive_local_key(ALICE, CHAIN_ID, ROLLUP, 1).public_key
    for_l1 = signed(manifest, *new, "--unsigned", "--owner", PAYEE)
    assert (for_l1.authorisation, for_l1.owner, for_l1.key) == (None, int(PAYEE, 16), change.key)


def test_sign_batch_by_two_signers_one_after_the_other(manifest: Path, tmp_path: Path) -> None:
    first = run(manifest, "withdraw", "--nonce", "0", "--amount", "1:ETH", "--unsigned")
    second = run(manifest, "withdraw", "--nonce", "9", "--amount", "2:ETH", key=BOB, account_id=8)
    for name, result in (("first", first), ("second", second)):
        (tmp_path / name).write_text(result.stdout)
    both = (str(tmp_path / "first"), str(tmp_path / "second"))
    half = run(manifest, "batch", *both, "--mine", both[0])
    assert "still to be signed by account 8" in half.output
    (tmp_path / "half").write_text(half.output.splitlines()[0])
    whole = run(manifest, "batch", str(tmp_path / "half"), "--mine", both[1], key=BOB, account_id=8)
    assert len(whole.output.splitlines()) == 1
    batch = loads(whole.stdout)
    assert isinstance(batch, Batch)
    for operation, owner in zip(batch.operations, (ALICE, BOB), strict=True):
        assert operation.signature is not None
        public = derive_local_key(owner, CHAIN_ID, ROLLUP).public_key
        assert eddsa_verify(public, operation.message_hash(DOMAIN), operation.signature.as_tuple())


def test_sign_batch_with_an_operation_slipped_in_is_refused(manifest: Path, tmp_path: Path) -> None:
    for name, nonce in (("mine", "0"), ("slipped", "1")):
        out = run(manifest, "withdraw", "--nonce", nonce, "--amount", "1:ETH", "--unsigned")
        (tmp_path / name).write_text(out.output)
    mine, slipped = str(tmp_path / "mine"), str(tmp_path / "slipped")
    refused = run(manifest, "batch", mine, slipped, "--mine", mine)
    assert refused.exit_code == 2
    assert "did not name this operation" in refused.output
    assert "did not name this operation" in run(manifest, "batch", mine, mine, "--mine", mine).output
    assert run(manifest, "batch", mine, slipped, "--mine", mine, "--mine", slipped).exit_code == 0
    absent = run(manifest, "batch", mine, slipped, "--mine", mine, "--mine", slipped, "--mine", mine)
    assert "is not in the batch" in absent.output


def test_sign_ends_after_a_day_unless_told(manifest: Path) -> None:
    for_a_day = signed(manifest, "withdraw", "--nonce", "0", "--amount", "1:ETH")
    assert 0 <= for_a_day.valid_until - time.time() <= 86_400
    change = signed(manifest, "new-key", "--nonce", "1", "--fee", "0:ETH")
    assert 86_400 < change.valid_until - time.time() <= 3 * 86_400
    both = run(manifest, "withdraw", "--nonce", "0", "--amount", "1:ETH", "--for-ever", "--hours", "1")
    assert "exclude each other" in both.output


def test_sign_with_a_key_file_is_the_same(manifest: Path, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(bytes(ALICE.key).hex() + "\n")
    path.chmod(0o600)
    out = ("withdraw", "--nonce", "0", "--amount", "1:ETH", "--for-ever")
    by_file = run(manifest, *out, "--key-file", str(path), key=None)
    assert json.loads(by_file.stdout) == json.loads(run(manifest, *out).stdout)
    path.chmod(0o644)
    refused = run(manifest, *out, "--key-file", str(path), key=None)
    assert refused.exit_code == 2
    assert "chmod 600" in refused.output


@pytest.mark.parametrize("text", ["", "12", "0x" + 63 * "a", 65 * "a", 64 * "0", 64 * "f", 64 * "g"])
def test_sign_with_what_is_no_key_is_refused_and_never_shown(manifest: Path, text: str) -> None:
    result = CliRunner().invoke(
        cli,
        ["sign", "withdraw", "--manifest", str(manifest), "--id", "1", "--nonce", "0", "--amount", "1:ETH"],
        env={KEY_VARIABLE: text},
    )
    assert result.exit_code == 2
    assert "does not hold a private key" in result.output
    assert len(text) < 12 or text[2:] not in result.output


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--amount", "1"), "write AMOUNT:SYMBOL"),
        (("--amount", "1:DAI"), "'DAI' is no token of this deployment: ETH, USDS"),
        (("--amount", "x:ETH"), "not a decimal number"),
        (("--amount", "0.0000001:USDS"), "finer than USDS"),
        (("--amount", "1:ETH", "--fee", "one"), "'one' is not a decimal number"),
        (("--amount", "1:ETH", "--to", "0x12"), "not an address"),
        (("--amount", "1:ETH", "--to", PAYEE.replace("afE", "AfE")), "checksum"),
        (("--amount", "1:ETH", "--nonce", "-1"), "range"),
    ],
)
def test_sign_bad_option_is_refused_with_the_way_out(manifest: Path, arguments: tuple[str, ...], reason: str) -> None:
    result = run(manifest, "withdraw", "--nonce", "0", *arguments)
    assert result.exit_code == 2
    assert reason in result.output


def test_sign_without_a_key_says_where_to_put_one(manifest: Path, tmp_path: Path) -> None:
    out = ("withdraw", "--nonce", "0", "--amount", "1:ETH")
    assert f"set {KEY_VARIABLE}" in run(manifest, *out, key=None).output
    missing = run(manifest, *out, "--key-file", str(tmp_path / "nowhere"), key=None)
    assert "No such file" in missing.output


TRANSFER = ("transfer", "--nonce", "0", "--to", PAYEE, "--amount", "1:ETH")
ORDER = ("order", "--order-id", "1", "--sell", "1:ETH", "--for", "2:USDS")
CANCEL = ("cancel-order", "--nonce", "0", "--first-valid-id", "2", "--fee", "0:ETH")
LEAVE = ("forced-exit", "--nonce", "0", "--address", PAYEE, "--token", "ETH", "--fee", "0:ETH")
TOO_MUCH = "340282366920938463463.374607431768211456"
"""2^128 wei."""


@pytest.mark.parametrize(
    ("arguments", "option", "reason"),
    [
        ((*TRANSFER[:4], "0x" + 40 * "0", *TRANSFER[5:]), "--to", "the zero address can own nothing"),
        (("withdraw", "--nonce", "0", "--amount", "1:ETH", "--to", "0x" + 40 * "0"), "--to", "the zero address"),
        ((*ORDER, "--sell", "0:ETH"), "--sell", "an order sells something"),
        ((*ORDER, "--for", "0:USDS"), "--for", "gives its tokens away"),
        ((*ORDER, "--slot", "2"), "--slot", "not in the range 2048<=x<=4095"),
        ((*CANCEL, "--slot", "1"), "--slot", "not in the range 2048<=x<=4095"),
        ((*LEAVE, "--leaving-id", "3"), "--leaving-id", "leaves by Withdraw or by a full exit"),
        ((*LEAVE, "--leaving-id", str(2**24)), "--leaving-id", "range"),
        ((*TRANSFER, "--to-id", str(2**24)), "--to-id", "range"),
        ((*TRANSFER, "--nonce", str(2**32)), "--nonce", "range"),
        ((*ORDER, "--order-id", str(2**32)), "--order-id", "range"),
        ((*TRANSFER, "--amount", "1.00000000000000001:ETH"), "--amount", "'1.00000000000000001' has too many"),
        ((*TRANSFER, "--amount", "1.00000000000000001:ETH"), "--amount", "use 1 or 1.0000000001"),
        ((*TRANSFER, "--fee", "1.2345"), "--fee", "use 1.234 or 1.235"),
        ((*TRANSFER, "--amount", f"{TOO_MUCH}:ETH"), "--amount", f"use less than {TOO_MUCH}"),
        (("withdraw", "--nonce", "0", "--amount", f"{TOO_MUCH}:ETH"), "--amount", "is too much"),
        ((*ORDER, "--sell", f"{2**120}:ETH"), "--sell", "is too much"),
        ((*TRANSFER, "--fee", "1:USDS"), "--fee", "in the token that is paid or sold, ETH"),
        ((*ORDER, "--fee", "1:USDS"), "--fee", "in the token that is paid or sold, ETH"),
        ((*TRANSFER, "--amount", "1:eth"), "--amount", "symbols are case-sensitive"),
        (("new-key", "--nonce", "0", "--fee", "0:ETH", "--owner", PAYEE), "--owner", "add --unsigned and use `sluice"),
    ],
)  # fmt: skip
def test_sign_what_no_block_takes_is_refused_by_the_option(
    manifest: Path, arguments: tuple[str, ...], option: str, reason: str
) -> None:
    result = run(manifest, *arguments)
    said = " ".join(result.output.split())
    assert result.exit_code == 2, result.output
    assert option in said
    assert reason in said


@pytest.mark.parametrize("arguments", [TRANSFER, ORDER, ("withdraw", "--nonce", "0", "--amount", "1:ETH")])
def test_sign_fee_with_its_symbol_is_the_same_as_without(manifest: Path, arguments: tuple[str, ...]) -> None:
    assert signed(manifest, *arguments, "--fee", "0.5:ETH").fee == signed(manifest, *arguments, "--fee", "0.5").fee


def test_sign_token_of_no_similar_name_says_nothing_of_case(manifest: Path) -> None:
    assert "case-sensitive" not in run(manifest, *TRANSFER, "--amount", "1:DAI").output


def test_sign_batch_of_a_batch_or_key_change_says_what_a_batch_takes(manifest: Path, tmp_path: Path) -> None:
    withdraw = run(manifest, "withdraw", "--nonce", "0", "--amount", "1:ETH", "--unsigned").output
    change = run(manifest, "new-key", "--nonce", "1", "--fee", "0:ETH").output
    (tmp_path / "withdraw").write_text(withdraw)
    (tmp_path / "change").write_text(change)
    batch = run(manifest, "batch", str(tmp_path / "withdraw"), str(tmp_path / "withdraw"), "--unsigned").stdout
    (tmp_path / "batch").write_text(batch.splitlines()[0])
    for other in ("change", "batch"):
        result = run(manifest, "batch", str(tmp_path / "withdraw"), str(tmp_path / other), "--unsigned")
        assert "takes no orders, swaps, key changes or batches" in str(result.exception)
