"""Token models on every path: a token harms its own holders at most."""

from dataclasses import astuple
from typing import Any

import pytest
from block_model import Block, deposit_record, forced_exit_record, full_exit_record, stream, withdraw_record
from contract_rig import BASE_FEE_GWEI, FEE, PROOF, Refusal, Rig, address

HONEST = ["PlainToken", "NoReturnToken", "FalseToken", "FeeOnTopToken", "RebasingToken", "BlockingToken", "HookToken"]
HONEST += ["BombToken", "BurningToken"]
MODELS = [*HONEST, "FeeOnTransferToken"]


def withdraw(rig: Rig, token_id: int, owner: Any = None) -> Any:
    return rig.send(rig.rollup, "withdrawPending", address(owner or rig.alice), token_id, sender=rig.stranger)


def refused_withdrawal(rig: Rig, token_id: int) -> Refusal:
    return rig.refused(rig.rollup, "withdrawPending", rig.alice.address, token_id, sender=rig.stranger)


def refuse_on_l2(rig: Rig, token_id: int, amount: int) -> None:
    """The deposit bounces into alice's pending balance."""
    rig.run_block(deposit_record(rig.alice.address, amount, token=token_id, flags=3, fee=BASE_FEE_GWEI))


def other_token_still_works(rig: Rig) -> None:
    token, token_id = rig.token("PlainToken", holder=rig.bob)
    rig.deposit_erc20(token_id, 70, sender=rig.bob)
    rig.run_block(deposit_record(rig.bob.address, 70, token=token_id, flags=3, fee=BASE_FEE_GWEI))
    withdraw(rig, token_id, rig.bob)
    assert token.balanceOf(rig.rollup) == 0


@pytest.mark.parametrize("model", MODELS)
def test_token_in_and_out(rig: Rig, model: str) -> None:
    token, token_id = rig.token(model)
    receipt = rig.deposit_erc20(token_id, 1000)
    (event,) = rig.events(receipt, "DepositQueued")
    arrived = 990 if model == "FeeOnTransferToken" else 1000
    assert event["amount"] == arrived == rig.rollup.accounted(token_id) == token.balanceOf(rig.rollup)
    refuse_on_l2(rig, token_id, arrived)
    before = token.balanceOf(rig.alice)
    withdraw(rig, token_id)
    assert rig.rollup.accounted(token_id) == 0 == token.balanceOf(rig.rollup)
    assert token.balanceOf(rig.alice) == before + (arrived - 9 if model == "FeeOnTransferToken" else arrived)


MISBEHAVIOUR: dict[str, tuple[str, tuple[Any, ...], tuple[Any, ...], str | None]] = {
    "FalseToken": ("setFailing", (True,), (False,), "SafeERC20FailedOperation"),
    "FeeOnTopToken": ("setCharging", (True,), (False,), "OutflowExceedsAmount"),
    "RebasingToken": ("rebase", (50,), (100,), "Panic"),
    "BombToken": ("arm", (True,), (False,), None),
    "BurningToken": ("setBurning", (True,), (False,), "unknown"),
    "BlockingToken": ("setBlocked", ("vault", True), ("vault", False), "Blocked"),
    "HookToken": ("setHook", ("vault", "withdrawal"), ("0x" + "00" * 20, b""), None),
}
"""How a model is made to misbehave and to stop, and what a payout of it is refused with meanwhile."""


def misbehave(rig: Rig, token: Any, model: str, on: bool) -> None:
    if model in MISBEHAVIOUR:
        method, start, stop, _ = MISBEHAVIOUR[model]
        call_back = rig.data(rig.rollup, "withdrawPending", rig.bob.address, 1)
        named = {"vault": address(rig.rollup), "withdrawal": call_back}
        arguments = [named.get(value, value) if isinstance(value, str) else value for value in (start if on else stop)]
        rig.send(token, method, *arguments, sender=rig.owner)


@pytest.mark.parametrize("model", MODELS)
def test_token_on_every_path_while_it_misbehaves_moves_the_books_and_is_paid_when_it_stops(
    rig: Rig, model: str
) -> None:
    """Deposit taken and bounced, withdrawal, forced and full exit, exit and refund in exodus, both payouts."""
    token, token_id = rig.token(model)
    alice, bob = rig.alice.address, rig.bob.address
    part = 990 if model == "FeeOnTransferToken" else 1000
    for _ in range(2):
        rig.deposit_erc20(token_id, 1000)
    rig.request_exit(1, token_id)
    misbehave(rig, token, model, on=True)
    common = {"token": token_id, "fee": BASE_FEE_GWEI}
    rig.run_block(
        deposit_record(alice, part, account=1, flags=1, **common),
        deposit_record(alice, part, flags=3, **common),
        full_exit_record(alice, 1, amount=200, **common),
        withdraw_record(bob, 100, token=token_id),
        forced_exit_record(alice, 50, token=token_id),
    )
    last = rig.last
    misbehave(rig, token, model, on=False)
    rig.deposit_erc20(token_id, 1000)
    misbehave(rig, token, model, on=True)
    rig.expire(3)
    rig.activate_exodus(last)
    rest = part - 350
    rig.send(rig.rollup, "exitExodus", 1, token_id, alice, rest, PROOF, sender=rig.stranger)
    queued = deposit_record(alice, part, flags=1, **common)
    rig.send(rig.rollup, "refundQueued", 3, list(queued), sender=rig.stranger)
    owed = part + 200 + 50 + rest + part
    assert (rig.rollup.pending(alice, token_id), rig.rollup.pending(bob, token_id)) == (owed, 100)
    assert rig.rollup.accounted(token_id) == owed + 100

    refusal = MISBEHAVIOUR.get(model, (None, None, None, None))[3]
    if refusal is not None:
        assert refused_withdrawal(rig, token_id).name == refusal
        assert rig.rollup.pending(alice, token_id) == owed
    other_token_still_works_in_exodus(rig)
    misbehave(rig, token, model, on=False)
    before = token.balanceOf(alice)
    withdraw(rig, token_id)
    rig.send(rig.rollup, "withdrawPendingTo", token_id, rig.stranger.address, 100, sender=rig.bob)
    burnt = owed // 100 if model == "FeeOnTransferToken" else 0
    assert token.balanceOf(alice) - before == owed - burnt
    assert token.balanceOf(rig.stranger) == (99 if burnt else 100)
    assert (rig.rollup.accounted(token_id), token.balanceOf(rig.rollup)) == (0, 0)


def other_token_still_works_in_exodus(rig: Rig) -> None:
    """ETH: the fees of what was refunded and served."""
    owed = rig.rollup.pending(rig.validator, 0)
    rig.send(rig.rollup, "withdrawPending", rig.validator.address, 0, sender=rig.stranger)
    assert owed == 3 * FEE
    assert rig.rollup.pending(rig.validator, 0) == 0


def test_token_without_code_cannot_be_listed(rig: Rig) -> None:
    refused = rig.refused(rig.governor, "addToken", rig.bob.address, sender=rig.owner)
    assert refused == Refusal("TokenWithoutCode", (rig.bob.address.lower(),))


def test_token_that_lost_its_code_credits_nothing(rig: Rig) -> None:
    token, token_id = rig.token("PlainToken")
    rig.rpc("anvil_setCode", address(token), "0x")
    args = (token_id, 5, rig.alice.address, 0, 0)
    rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE)
    other_token_still_works(rig)


def test_token_that_returns_false_is_refused_both_ways(rig: Rig) -> None:
    token, token_id = rig.token("FalseToken")
    rig.deposit_erc20(token_id, 50)
    refuse_on_l2(rig, token_id, 50)
    rig.send(token, "setFailing", True, sender=rig.owner)
    expected = Refusal("SafeERC20FailedOperation", (address(token).lower(),))
    args = (token_id, 5, rig.alice.address, 0, 0)
    assert rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE) == expected
    assert refused_withdrawal(rig, token_id) == expected
    assert rig.rollup.pending(rig.alice, token_id) == 50
    other_token_still_works(rig)


def test_token_that_lies_about_a_transfer_credits_nothing(rig: Rig) -> None:
    _, token_id = rig.token("LyingToken")
    args = (token_id, 5, rig.alice.address, 0, 0)
    refused = rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE)
    assert refused == Refusal("ZeroDeposit", (token_id,))


def test_token_that_charges_the_vault_is_not_paid_out(rig: Rig) -> None:
    token, token_id = rig.token("FeeOnTopToken")
    rig.deposit_erc20(token_id, 1000)
    rig.deposit_erc20(token_id, 9000)
    refuse_on_l2(rig, token_id, 1000)
    rig.send(token, "setCharging", True, sender=rig.owner)
    assert refused_withdrawal(rig, token_id) == Refusal("OutflowExceedsAmount", (token_id, 1000, 1010))
    assert token.balanceOf(rig.rollup) == 10000 == rig.rollup.accounted(token_id)
    rig.send(token, "setCharging", False, sender=rig.owner)
    withdraw(rig, token_id)


def test_token_that_rebases_down_harms_its_own_holders_only(rig: Rig) -> None:
    token, token_id = rig.token("RebasingToken")
    rig.deposit_erc20(token_id, 1000)
    refuse_on_l2(rig, token_id, 1000)
    rig.send(token, "rebase", 50, sender=rig.owner)
    assert refused_withdrawal(rig, token_id) == Refusal("Panic", (0x11,))
    assert (token.balanceOf(rig.rollup), rig.rollup.accounted(token_id)) == (500, 1000)
    other_token_still_works(rig)
    rig.send(token, "mint", address(rig.rollup), 1000, sender=rig.owner)
    withdraw(rig, token_id)


def test_token_that_rebases_up_leaves_a_surplus(rig: Rig) -> None:
    token, token_id = rig.token("RebasingToken")
    rig.deposit_erc20(token_id, 1000)
    rig.send(token, "rebase", 200, sender=rig.owner)
    assert token.balanceOf(rig.rollup) == 2000
    assert rig.rollup.accounted(token_id) == 1000


def test_token_that_blocks_the_owner_leaves_it_pending(rig: Rig) -> None:
    token, token_id = rig.token("BlockingToken")
    rig.deposit_erc20(token_id, 1000)
    refuse_on_l2(rig, token_id, 1000)
    rig.send(token, "setBlocked", rig.alice.address, True, sender=rig.owner)
    assert refused_withdrawal(rig, token_id) == Refusal("Blocked", (rig.alice.address.lower(),))
    other_token_still_works(rig)
    rig.send(token, "setBlocked", rig.alice.address, False, sender=rig.owner)
    withdraw(rig, token_id)


def test_token_that_blocks_the_vault_blocks_no_block(rig: Rig) -> None:
    token, token_id = rig.token("BlockingToken")
    rig.deposit_erc20(token_id, 1000)
    rig.send(token, "setBlocked", address(rig.rollup), True, sender=rig.owner)
    refuse_on_l2(rig, token_id, 1000)
    assert refused_withdrawal(rig, token_id) == Refusal("Blocked", (address(rig.rollup).lower(),))
    other_token_still_works(rig)


def test_token_that_burns_gas_burns_its_callers(rig: Rig) -> None:
    token, token_id = rig.token("BurningToken")
    rig.deposit_erc20(token_id, 1000)
    rig.send(token, "setBurning", True, sender=rig.owner)
    refuse_on_l2(rig, token_id, 1000)
    refused_withdrawal(rig, token_id)
    args = (token_id, 5, rig.alice.address, 0, 0)
    rig.refused(rig.rollup, "depositERC20", *args, sender=rig.alice, value=FEE)
    other_token_still_works(rig)


def test_token_that_returns_a_bomb_is_paid_without_copying_it(rig: Rig) -> None:
    token, token_id = rig.token("BombToken")
    rig.deposit_erc20(token_id, 1000)
    refuse_on_l2(rig, token_id, 1000)
    rig.send(token, "arm", True, sender=rig.owner)
    receipt = withdraw(rig, token_id)
    memory = 3 * (500000 // 32) + (500000 // 32) ** 2 // 512
    assert memory < receipt["gasUsed"] < memory + 120_000


@pytest.mark.parametrize("when", ["deposit", "withdrawal"])
@pytest.mark.parametrize(
    "method",
    [
        "depositETH",
        "depositERC20",
        "requestFullExit",
        "withdrawPending",
        "withdrawPendingTo",
        "activateExodus",
        "exitExodus",
        "refundQueued",
    ],
)
def test_token_hook_that_reenters_is_turned_away(rig: Rig, when: str, method: str) -> None:
    token, token_id = rig.token("HookToken")
    if when == "withdrawal":
        rig.deposit_erc20(token_id, 1000)
        refuse_on_l2(rig, token_id, 1000)
    arguments = {
        "depositETH": (1, address(token), 0, 0),
        "depositERC20": (token_id, 5, address(token), 0, 0),
        "requestFullExit": (1, 0),
        "withdrawPending": (rig.stranger.address, 0),
        "withdrawPendingTo": (0, rig.stranger.address, 1),
        "activateExodus": (astuple(rig.last),),
        "exitExodus": (1, token_id, rig.stranger.address, 1, PROOF),
        "refundQueued": (0, [0, 0]),
    }[method]
    rig.send(token, "setHook", address(rig.rollup), rig.data(rig.rollup, method, *arguments), sender=rig.owner)
    if when == "withdrawal":
        withdraw(rig, token_id)
    else:
        rig.deposit_erc20(token_id, 1000)
    assert token.calls() == 2
    assert not token.lastSuccess()
    assert rig.refusal(bytes(token.lastReturn())) == Refusal("ReentrancyGuardReentrantCall", ())


@pytest.mark.parametrize("method", ["commitBlocks", "commitProveExecute", "proveBlocks", "executeBlocks"])
def test_token_hook_into_the_chain_gains_nothing(rig: Rig, method: str) -> None:
    """Proving and executing are open, from a hook as well; committing is not for contracts."""
    token, token_id = rig.token("HookToken")
    rig.commit(rig.new_block())
    rig.prove(rig.last)
    new = rig.new_block().arguments()
    arguments = {
        "commitBlocks": (astuple(rig.last), [new], b""),
        "commitProveExecute": (astuple(rig.last), new, PROOF, b""),
        "proveBlocks": ([astuple(rig.last)], [PROOF]),
        "executeBlocks": ([astuple(rig.last)], [b""]),
    }[method]
    rig.send(token, "setHook", address(rig.rollup), rig.data(rig.rollup, method, *arguments), sender=rig.owner)
    rig.deposit_erc20(token_id, 1000)
    allowed = method in ("proveBlocks", "executeBlocks")
    assert token.lastSuccess() == allowed
    assert rig.rollup.executedBlocks() == (method == "executeBlocks")
    assert rig.rollup.accounted(token_id) == 1000 == token.balanceOf(rig.rollup)


def test_token_hook_that_reverts_blocks_in_a_deposit_gains_nothing(rig: Rig) -> None:
    """Reverting is open to all; the deposit is queued after it as it would have been before."""
    token, token_id = rig.token("HookToken")
    rig.deposit_eth(1)
    record = deposit_record(address(rig.alice), 1, account=1, flags=1, fee=BASE_FEE_GWEI)
    rig.commit(rig.new_block(l1=stream(record)))
    rig.overdue(rig.last)
    arguments = (astuple(Block()), astuple(rig.last))
    rig.send(token, "setHook", address(rig.rollup), rig.data(rig.rollup, "revertBlocks", *arguments), sender=rig.owner)
    rig.deposit_erc20(token_id, 1000)
    assert token.calls() == 2
    assert (rig.rollup.committedBlocks(), rig.rollup.queueCommitted(), rig.rollup.queueTotal()) == (0, 0, 2)
    assert rig.rollup.accounted(token_id) == 1000 == token.balanceOf(rig.rollup)


@pytest.mark.parametrize("method", ["exitExodus", "refundQueued", "withdrawPending", "withdrawPendingTo"])
def test_token_hook_in_exodus_is_turned_away_and_each_is_paid_once(rig: Rig, method: str) -> None:
    """From within a payout that was itself an exit: every other way to money is shut until it has ended."""
    token, token_id = rig.token("HookToken")
    rig.deposit_erc20(token_id, 1000)
    rig.run_block(deposit_record(address(rig.alice), 1000, token=token_id, account=1, flags=1, fee=BASE_FEE_GWEI))
    last = rig.last
    rig.request_exit(1)
    rig.expire(1)
    rig.activate_exodus(last)
    rig.send(rig.rollup, "exitExodus", 1, token_id, address(rig.bob), 1000, PROOF, sender=rig.bob)
    record = full_exit_record(address(rig.alice), 1, fee=BASE_FEE_GWEI)
    arguments = {
        "exitExodus": (1, token_id, address(rig.bob), 1000, PROOF),
        "refundQueued": (1, list(record)),
        "withdrawPending": (address(rig.bob), token_id),
        "withdrawPendingTo": (token_id, address(token), 1),
    }[method]
    rig.send(token, "setHook", address(rig.rollup), rig.data(rig.rollup, method, *arguments), sender=rig.owner)
    rig.send(rig.rollup, "withdrawPending", address(rig.bob), token_id, sender=rig.stranger)
    assert rig.refusal(bytes(token.lastReturn())) == Refusal("ReentrancyGuardReentrantCall", ())
    assert (token.balanceOf(rig.bob), rig.rollup.accounted(token_id)) == (1000, 0)
