"""Withdrawals: pulled, pushed by anyone, and no recipient or token harms another."""

import pytest
from contract_rig import ETHER, FEE, Refusal, Rig, address

MODES = {"Revert": 1, "BurnGas": 2, "ReturnBomb": 3, "RevertBomb": 4, "Reenter": 5}


def test_withdraw_pays_the_owner_whoever_calls(rig: Rig) -> None:
    rig.fund(rig.bob, 300)
    before = rig.web3.eth.get_balance(rig.bob.address)
    receipt = rig.send(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.stranger)
    assert rig.events(receipt, "Withdrawn") == [
        {
            "owner": rig.bob.address,
            "token": 0,
            "to": rig.bob.address,
            "amount": 300,
            "caller": rig.stranger.address,
        }
    ]
    assert rig.web3.eth.get_balance(rig.bob.address) == before + 300
    assert rig.rollup.pending(rig.bob, 0) == 0
    assert rig.rollup.accounted(0) == rig.eth_held()


def test_withdraw_erc20_pays_the_owner(rig: Rig) -> None:
    token, token_id = rig.token("PlainToken")
    rig.fund(rig.bob, 300, token_id)
    rig.send(rig.rollup, "withdrawPending", rig.bob.address, token_id, sender=rig.stranger)
    assert token.balanceOf(rig.bob) == 300
    assert rig.rollup.accounted(token_id) == token.balanceOf(rig.rollup)


def test_withdraw_nothing_is_refused_and_twice_too(rig: Rig) -> None:
    expected = Refusal("NothingPending", (rig.bob.address.lower(), 0))
    assert rig.refused(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.bob) == expected
    rig.fund(rig.bob, 300)
    rig.send(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.bob)
    assert rig.refused(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.bob) == expected
    assert rig.refused(rig.rollup, "withdrawPending", rig.bob.address, 1, sender=rig.bob).name == "NothingPending"


@pytest.mark.parametrize("mode", ["Revert", "BurnGas", "RevertBomb"])
def test_withdraw_to_a_hostile_recipient_fails_alone_and_stays_pending(rig: Rig, mode: str) -> None:
    recipient = rig.owner.deploy(rig.project.Recipient)
    rig.send(recipient, "set", MODES[mode], "0x" + "00" * 20, b"", sender=rig.owner)
    rig.fund(recipient, 300)
    rig.fund(rig.bob, 200)
    refused = rig.refused(rig.rollup, "withdrawPending", address(recipient), 0, sender=rig.stranger)
    assert refused == Refusal("EthTransferFailed", (address(recipient).lower(), 300))
    rig.send(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.stranger)
    assert rig.rollup.pending(recipient, 0) == 300
    rig.send(recipient, "set", 0, "0x" + "00" * 20, b"", sender=rig.owner)
    rig.send(rig.rollup, "withdrawPending", address(recipient), 0, sender=rig.stranger)
    assert rig.web3.eth.get_balance(address(recipient)) == 300


def test_withdraw_return_bomb_is_not_copied(rig: Rig) -> None:
    """Half a megabyte returned costs its maker, not the caller: copying it would double the gas."""
    recipient = rig.owner.deploy(rig.project.Recipient)
    rig.send(recipient, "set", MODES["ReturnBomb"], "0x" + "00" * 20, b"", sender=rig.owner)
    rig.fund(recipient, 300)
    receipt = rig.send(rig.rollup, "withdrawPending", address(recipient), 0, sender=rig.stranger)
    memory = 3 * (500000 // 32) + (500000 // 32) ** 2 // 512
    assert memory < receipt["gasUsed"] < memory + 100_000


@pytest.mark.parametrize("method", ["depositETH", "depositERC20", "requestFullExit", "withdrawPending"])
def test_withdraw_recipient_that_reenters_is_turned_away(rig: Rig, method: str) -> None:
    recipient = rig.owner.deploy(rig.project.Recipient)
    arguments = {
        "depositETH": (1, address(recipient), 0, 0),
        "depositERC20": (1, 5, address(recipient), 0, 0),
        "requestFullExit": (1, 0),
        "withdrawPending": (rig.bob.address, 0),
    }[method]
    data = rig.data(rig.rollup, method, *arguments)
    rig.send(recipient, "set", MODES["Reenter"], address(rig.rollup), data, sender=rig.owner)
    rig.fund(recipient, 300)
    rig.fund(rig.bob, 200)
    rig.send(rig.rollup, "withdrawPending", address(recipient), 0, sender=rig.stranger)
    assert not recipient.lastSuccess()
    assert rig.refusal(bytes(recipient.lastReturn())) == Refusal("ReentrancyGuardReentrantCall", ())
    assert rig.rollup.pending(rig.bob, 0) == 200


def test_forced_eth_is_nobodys_and_changes_nothing(rig: Rig) -> None:
    rig.fund(rig.bob, 300)
    accounted = rig.rollup.accounted(0)
    rig.rpc("anvil_setBalance", address(rig.rollup), hex(rig.eth_held() + ETHER))
    assert rig.rollup.accounted(0) == accounted
    rig.send(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.bob)
    assert rig.rollup.queueFee() == FEE


# ---- To an address that the owner names ----


def test_withdraw_to_pays_whom_the_owner_names(rig: Rig) -> None:
    token, token_id = rig.token("PlainToken")
    for what in (0, token_id):
        rig.fund(rig.bob, 300, what)
    before = rig.web3.eth.get_balance(rig.stranger.address)
    receipt = rig.send(rig.rollup, "withdrawPendingTo", 0, rig.stranger.address, 300, sender=rig.bob)
    assert rig.events(receipt, "Withdrawn") == [
        {
            "owner": rig.bob.address,
            "token": 0,
            "to": rig.stranger.address,
            "amount": 300,
            "caller": rig.bob.address,
        }
    ]
    assert rig.web3.eth.get_balance(rig.stranger.address) - before == 300
    rig.send(rig.rollup, "withdrawPendingTo", token_id, rig.stranger.address, 300, sender=rig.bob)
    assert token.balanceOf(rig.stranger) == 300
    for what in (0, token_id):
        refused = rig.refused(rig.rollup, "withdrawPendingTo", what, rig.stranger.address, 300, sender=rig.bob)
        assert refused == Refusal("NothingPending", (rig.bob.address.lower(), what))


def test_withdraw_to_is_of_the_senders_own_balance_alone(rig: Rig) -> None:
    rig.fund(rig.bob, 300)
    refused = rig.refused(rig.rollup, "withdrawPendingTo", 0, rig.stranger.address, 300, sender=rig.stranger)
    assert refused == Refusal("NothingPending", (rig.stranger.address.lower(), 0))


def test_withdraw_to_in_parts_until_nothing_is_left(rig: Rig) -> None:
    """A token may not let all of it go at once; nor is the owner's the only hand that adds to what is pending."""
    token, token_id = rig.token("PlainToken")
    rig.fund(rig.bob, 300, token_id)
    bob, stranger = rig.bob.address.lower(), rig.stranger.address
    for amount in (0, 301):
        refused = rig.refused(rig.rollup, "withdrawPendingTo", token_id, stranger, amount, sender=rig.bob)
        assert refused == Refusal("AmountNotPending", (bob, token_id, amount, 300))
    for amount, left in ((100, 200), (199, 1), (1, 0)):
        rig.send(rig.rollup, "withdrawPendingTo", token_id, stranger, amount, sender=rig.bob)
        assert (rig.rollup.pending(rig.bob, token_id), rig.rollup.accounted(token_id)) == (left, left)
    assert token.balanceOf(rig.stranger) == 300


def test_withdraw_to_nobody_or_to_the_rollup_is_refused(rig: Rig) -> None:
    """A token sent to the rollup itself would be nobody's."""
    _, token_id = rig.token("PlainToken")
    rig.fund(rig.bob, 300, token_id)
    for to in ("0x" + "00" * 20, address(rig.rollup)):
        refused = rig.refused(rig.rollup, "withdrawPendingTo", token_id, to, 300, sender=rig.bob)
        assert refused == Refusal("InvalidRecipient", (to.lower(),))


def test_withdraw_to_frees_an_owner_that_cannot_receive(rig: Rig) -> None:
    """A blacklisted owner names another address; a contract that takes no ETH has to call for itself."""
    token, token_id = rig.token("BlockingToken")
    rig.fund(rig.bob, 300, token_id)
    rig.send(token, "setBlocked", rig.bob.address, True, sender=rig.owner)
    assert rig.refused(rig.rollup, "withdrawPending", rig.bob.address, token_id, sender=rig.bob).name == "Blocked"
    rig.send(rig.rollup, "withdrawPendingTo", token_id, rig.stranger.address, 300, sender=rig.bob)
    assert token.balanceOf(rig.stranger) == 300

    forwarder = rig.owner.deploy(rig.project.Forwarder)
    rig.fund(forwarder, 200)
    call = rig.data(rig.rollup, "withdrawPendingTo", 0, rig.stranger.address, 200)
    before = rig.web3.eth.get_balance(rig.stranger.address)
    rig.send(forwarder, "forward", address(rig.rollup), call, sender=rig.alice)
    assert rig.web3.eth.get_balance(rig.stranger.address) - before == 200


def test_withdraw_to_that_the_recipient_refuses_stays_pending(rig: Rig) -> None:
    recipient = rig.owner.deploy(rig.project.Recipient)
    rig.send(recipient, "set", MODES["Revert"], "0x" + "00" * 20, b"", sender=rig.owner)
    rig.fund(rig.bob, 300)
    refused = rig.refused(rig.rollup, "withdrawPendingTo", 0, address(recipient), 300, sender=rig.bob)
    assert refused == Refusal("EthTransferFailed", (address(recipient).lower(), 300))
    assert rig.rollup.pending(rig.bob, 0) == 300
