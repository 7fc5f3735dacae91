"""Deposits: money in, the queue entry, who may set a key."""

import pytest
from block_model import R, deposit_record, forced_exit_record, full_exit_record, stream, withdraw_record
from contract_rig import BASE_FEE_GWEI, BASE_POINT, CAP, ETHER, FEE, GWEI, Refusal, Rig, address, set_queue_total
from eth_hash.auto import keccak


def entry(rig: Rig, index: int) -> tuple[bytes, int]:
    found = rig.rollup.queueEntry(index)
    return bytes(found.hash), found.expiry


def test_deposit_eth_queues_the_record_and_accounts_all_that_came(rig: Rig) -> None:
    receipt = rig.deposit_eth(ETHER, key=BASE_POINT)
    ax, ay = BASE_POINT
    record = deposit_record(address(rig.alice), ETHER, flags=1, fee=BASE_FEE_GWEI, ax=ax, ay=ay)
    expiry = rig.now + 7 * 24 * 3600
    assert rig.events(receipt, "DepositQueued") == [
        {
            "index": 0,
            "owner": rig.alice.address,
            "token": 0,
            "sender": rig.alice.address,
            "amount": ETHER,
            "feeGwei": BASE_FEE_GWEI,
            "expiry": expiry,
            "record": list(record),
        }
    ]
    assert entry(rig, 0) == (keccak(stream(record))[:27], expiry)
    assert rig.rollup.accounted(0) == ETHER + FEE == rig.eth_held()
    assert rig.rollup.queueTotal() == 1


def test_deposit_eth_for_another_leaves_the_flag_and_the_key_out(rig: Rig) -> None:
    receipt = rig.deposit_eth(7, sender=rig.bob, owner=rig.alice)
    record = deposit_record(address(rig.alice), 7, fee=BASE_FEE_GWEI)
    assert rig.events(receipt, "DepositQueued")[0]["record"] == list(record)


def test_deposit_erc20_queues_the_record_and_credits_the_excess_fee(rig: Rig) -> None:
    token, token_id = rig.token("PlainToken")
    receipt = rig.deposit_erc20(token_id, 500, value=FEE + 9)
    record = deposit_record(address(rig.alice), 500, token=token_id, flags=1, fee=BASE_FEE_GWEI)
    assert rig.events(receipt, "DepositQueued")[0]["record"] == list(record)
    assert rig.events(receipt, "PendingCredited") == [{"owner": rig.alice.address, "token": 0, "amount": 9}]
    assert rig.rollup.pending(rig.alice, 0) == 9
    assert rig.rollup.accounted(token_id) == 500 == token.balanceOf(rig.rollup)
    assert rig.rollup.accounted(0) == FEE + 9 == rig.eth_held()


def test_deposit_eth_credits_the_excess_fee(rig: Rig) -> None:
    """A queue that was served meanwhile makes the fee that was sent too high: it is the sender's."""
    args = (ETHER, address(rig.bob), 0, 0)
    receipt = rig.send(rig.rollup, "depositETH", *args, sender=rig.alice, value=ETHER + FEE + 9)
    assert rig.events(receipt, "DepositQueued")[0]["amount"] == ETHER
    assert rig.events(receipt, "PendingCredited") == [{"owner": rig.alice.address, "token": 0, "amount": 9}]
    assert (rig.rollup.pending(rig.alice, 0), rig.rollup.pending(rig.bob, 0)) == (9, 0)
    assert rig.rollup.accounted(0) == ETHER + FEE + 9 == rig.eth_held()


def test_deposit_eth_never_pays_more_fee_than_was_sent_on_top(rig: Rig) -> None:
    """Others may fill the queue before the deposit lands: the amount is not touched by it."""
    args = (ETHER, address(rig.alice), 0, 0)
    set_queue_total(rig, 256)
    for value, sent in ((ETHER + FEE, FEE), (ETHER, 0), (ETHER - 1, 0), (0, 0)):
        refused = rig.refused(rig.rollup, "depositETH", *args, sender=rig.alice, value=value)
        assert refused == Refusal("QueueFeeNotPaid", (2 * FEE, sent))


def test_more_than_twice_the_queue_fee_is_refused(rig: Rig) -> None:
    _, token_id = rig.token("PlainToken")
    alice = address(rig.alice)
    for method, args, amount in (
        ("depositETH", (ETHER, alice, 0, 0), ETHER),
        ("depositERC20", (token_id, 5, alice, 0, 0), 0),
        ("requestFullExit", (1, 0), 0),
    ):
        refused = rig.refused(rig.rollup, method, *args, sender=rig.alice, value=amount + 2 * FEE + 1)
        assert refused == Refusal("QueueFeeExceeded", (2 * FEE, 2 * FEE + 1)), method
        rig.send(rig.rollup, method, *args, sender=rig.alice, value=amount + 2 * FEE)
    assert rig.rollup.pending(rig.alice, 0) == 3 * FEE


def test_excess_fee_cannot_fill_the_cap_and_be_taken_back(rig: Rig) -> None:
    """Before, at and after somebody's deposit: nothing a stranger sends and gets back makes it fail."""
    rig.send(rig.governor, "setDepositCap", 0, 10 * ETHER, sender=rig.owner)
    rig.deposit_eth(ETHER)
    refused = rig.refused(rig.rollup, "requestFullExit", 1, 0, sender=rig.bob, value=FEE + 10 * ETHER)
    assert refused == Refusal("QueueFeeExceeded", (2 * FEE, FEE + 10 * ETHER))
    rig.send(rig.rollup, "requestFullExit", 1, 0, sender=rig.bob, value=2 * FEE)
    rig.deposit_eth(ETHER)
    rig.send(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.bob)
    assert rig.rollup.accounted(0) == 2 * ETHER + 3 * FEE == rig.eth_held()


def test_deposit_eth_zero_is_refused(rig: Rig) -> None:
    refused = rig.refused(rig.rollup, "depositETH", 0, address(rig.alice), 0, 0, sender=rig.alice, value=FEE)
    assert refused == Refusal("ZeroDeposit", (0,))


def test_deposit_erc20_zero_is_refused(rig: Rig) -> None:
    _, token_id = rig.token("PlainToken")
    args = (token_id, 0, address(rig.alice), 0, 0)
    assert rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE) == Refusal(
        "ZeroDeposit", (token_id,)
    )


def test_deposit_without_the_queue_fee_is_refused(rig: Rig) -> None:
    _, token_id = rig.token("PlainToken")
    rig.deposit_eth(1)
    for method, args in (
        ("depositERC20", (token_id, 5, address(rig.alice), 0, 0)),
        ("requestFullExit", (1, 0)),
    ):
        refused = rig.refused(rig.rollup, method, *args, sender=rig.alice, value=FEE - 1)
        assert refused == Refusal("QueueFeeNotPaid", (FEE, FEE - 1)), method


def test_deposit_erc20_of_eth_is_refused(rig: Rig) -> None:
    args = (0, 5, address(rig.alice), 0, 0)
    assert rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE) == Refusal("NotAnErc20", (0,))


@pytest.mark.parametrize("token", [1, 2047, 2048, 65535])
def test_deposit_erc20_unlisted_is_refused(rig: Rig, token: int) -> None:
    args = (token, 5, address(rig.alice), 0, 0)
    refused = rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE)
    assert refused == Refusal("UnlistedToken", (token,))


def test_deposit_for_the_zero_address_or_the_rollup_is_refused(rig: Rig) -> None:
    for owner in ("0x" + "00" * 20, address(rig.rollup)):
        refused = rig.refused(rig.rollup, "depositETH", 1, owner, 0, 0, sender=rig.alice, value=ETHER)
        assert refused == Refusal("InvalidOwner", (owner.lower(),))


def test_deposit_key_by_someone_else_is_refused(rig: Rig) -> None:
    for method, args in (("depositETH", (1,)), ("depositERC20", (1, 5))):
        refused = rig.refused(rig.rollup, method, *args, address(rig.alice), *BASE_POINT, sender=rig.bob, value=ETHER)
        assert refused == Refusal("KeyNotByOwner", (rig.alice.address.lower(), rig.bob.address.lower()))


@pytest.mark.parametrize(
    ("ax", "ay"),
    [
        (1, 1),
        (0, 2),
        (BASE_POINT[0], BASE_POINT[1] + 1),
        (BASE_POINT[0] + R, BASE_POINT[1]),
        (BASE_POINT[0], BASE_POINT[1] + R),
        (R, 1),
        (0, 2**256 - 1),
    ],
)
def test_deposit_key_off_the_curve_or_not_reduced_is_refused(rig: Rig, ax: int, ay: int) -> None:
    refused = rig.refused(rig.rollup, "depositETH", 1, address(rig.alice), ax, ay, sender=rig.alice, value=ETHER)
    assert refused == Refusal("KeyNotOnCurve", (ax, ay))


def test_deposit_over_the_cap_is_refused_and_up_to_it_is_not(rig: Rig) -> None:
    _, token_id = rig.token("PlainToken", cap=100)
    rig.deposit_erc20(token_id, 60)
    args = (token_id, 41, address(rig.alice), 0, 0)
    assert rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE) == Refusal(
        "DepositCapExceeded", (token_id, 100, 101)
    )
    rig.deposit_erc20(token_id, 40)


def test_deposit_eth_over_the_cap_is_refused_but_a_full_exit_never(rig: Rig) -> None:
    rig.send(rig.governor, "setDepositCap", 0, ETHER, sender=rig.owner)
    args = (address(rig.alice), 0, 0)
    assert rig.refused(rig.rollup, "depositETH", ETHER + 1, *args, sender=rig.alice, value=2 * ETHER) == Refusal(
        "DepositCapExceeded", (0, ETHER, ETHER + 1)
    )
    rig.deposit_eth(ETHER)
    rig.request_exit(1)


def test_deposit_cap_is_of_net_deposits(rig: Rig) -> None:
    """What has left makes room again."""
    _, token_id = rig.token("PlainToken", cap=100)
    rig.deposit_erc20(token_id, 100)
    refused = deposit_record(address(rig.alice), 100, token=token_id, flags=3, fee=BASE_FEE_GWEI)
    rig.run_block(refused)
    rig.send(rig.rollup, "withdrawPending", address(rig.alice), token_id, sender=rig.stranger)
    rig.deposit_erc20(token_id, 100)


def test_deposit_caps_keep_every_balance_below_128_bits(rig: Rig) -> None:
    token, token_id = rig.token("PlainToken", cap=CAP, amount=2**121)
    args = (token_id, 2**120, address(rig.alice), 0, 0)
    assert rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE) == Refusal(
        "DepositCapExceeded", (token_id, CAP, 2**120)
    )
    rig.deposit_erc20(token_id, CAP)
    assert token.balanceOf(rig.rollup) == CAP


@pytest.mark.parametrize(
    ("method", "value"),
    [("setDepositsPaused", True), ("setDepositCap", 0)],
)
def test_deposit_stopped_is_refused_and_everything_else_goes_on(rig: Rig, method: str, value: bool | int) -> None:
    """All that the governor can do to a listed token; there is no other delisting."""
    alice, bob = address(rig.alice), address(rig.bob)
    token, token_id = rig.token("PlainToken")
    rig.fund(rig.bob, 10, token_id)
    rig.deposit_erc20(token_id, 50)
    rig.deposit_erc20(token_id, 90)
    for stopped in (0, token_id):
        rig.send(rig.governor, method, stopped, value, sender=rig.owner)

    for refused, stopped in (
        (rig.refused(rig.rollup, "depositETH", 5, alice, 0, 0, sender=rig.alice, value=ETHER), 0),
        (rig.refused(rig.rollup, "depositERC20", token_id, 5, alice, 0, 0, sender=rig.alice, value=FEE), token_id),
    ):
        capped = Refusal("DepositCapExceeded", (stopped, 0, rig.rollup.accounted(stopped) + 5))
        assert refused == (capped if method == "setDepositCap" else Refusal("DepositsPaused", (stopped,)))

    rig.request_exit(1, token_id)
    rig.run_block(
        deposit_record(alice, 50, token=token_id, flags=3, fee=BASE_FEE_GWEI),
        deposit_record(alice, 90, token=token_id, account=1, flags=1, fee=BASE_FEE_GWEI),
        withdraw_record(bob, 20, token=token_id),
        forced_exit_record(bob, 30, token=token_id),
        full_exit_record(alice, 1, token=token_id, amount=40, fee=BASE_FEE_GWEI),
    )
    before = token.balanceOf(rig.alice)
    for owner, paid_in in ((alice, token_id), (bob, token_id), (address(rig.validator), 0)):
        rig.send(rig.rollup, "withdrawPending", owner, paid_in, sender=rig.stranger)
    assert (token.balanceOf(rig.alice) - before, token.balanceOf(rig.bob)) == (90, 60)


def test_full_exit_before_any_deposit_is_refused(rig: Rig) -> None:
    """A block needs an account for its fees, and exits make none: those ahead of the first deposit would end all."""
    expected = Refusal("NoDepositYet", ())
    assert rig.refused(rig.rollup, "requestFullExit", 1, 0, sender=rig.bob, value=FEE) == expected
    rig.deposit_eth(1)
    rig.request_exit(1)


def test_full_exit_queues_the_record_of_the_sender(rig: Rig) -> None:
    rig.deposit_eth(1)
    fee = rig.rollup.queueFee()
    receipt = rig.send(rig.rollup, "requestFullExit", 2**24 - 1, 2047, sender=rig.bob, value=fee + 3)
    expiry = rig.now + 7 * 24 * 3600
    (event,) = rig.events(receipt, "FullExitQueued")
    record = event.pop("record")
    assert event == {
        "index": 1,
        "owner": rig.bob.address,
        "token": 2047,
        "accountId": 2**24 - 1,
        "feeGwei": BASE_FEE_GWEI,
        "expiry": expiry,
    }
    assert record[0] == 2 << 200 | (2**24 - 1) << 172 | 2047 << 160 | int(rig.bob.address, 16)
    assert record[1] == BASE_FEE_GWEI << 128
    assert entry(rig, 1) == (keccak(stream(record))[:27], expiry)
    assert rig.rollup.pending(rig.bob, 0) == 3
    assert rig.rollup.accounted(0) == 1 + 2 * fee + 3 == rig.eth_held()


def test_full_exit_of_no_account_or_an_order_slot_is_refused(rig: Rig) -> None:
    refused = rig.refused(rig.rollup, "requestFullExit", 2**24, 0, sender=rig.bob, value=FEE)
    assert refused == Refusal("AccountOutOfRange", (2**24,))
    refused = rig.refused(rig.rollup, "requestFullExit", 1, 2048, sender=rig.bob, value=FEE)
    assert refused == Refusal("TokenOutOfRange", (2048,))


def test_queue_fee_rises_with_the_open_queue_and_falls_when_it_is_served(rig: Rig) -> None:
    assert rig.rollup.queueFee() == FEE
    set_queue_total(rig, 255)
    assert rig.rollup.queueFee() == FEE
    set_queue_total(rig, 256)
    assert rig.rollup.queueFee() == 2 * FEE
    set_queue_total(rig, 2560)
    assert rig.rollup.queueFee() == 11 * FEE
    assert rig.rollup.queueFee() % GWEI == 0
    receipt = rig.request_exit(5)
    assert rig.events(receipt, "FullExitQueued")[0]["feeGwei"] == 11 * BASE_FEE_GWEI


def test_eth_sent_without_a_call_is_refused(rig: Rig) -> None:
    rig.refused_data(rig.rollup, b"", sender=rig.alice, value=1)
