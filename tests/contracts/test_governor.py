"""The governor: lists, caps, stops deposits, names validators. Nothing else."""

from typing import Any

import pytest
from block_model import word
from contract_rig import CAP, Refusal, Rig, address
from eth_abi import decode, encode
from eth_hash.auto import keccak

from rollup.core.constants import MAX_QUEUE_FEE_GWEI

DECIMALS, SYMBOL = keccak(b"decimals()")[:4], keccak(b"symbol()")[:4]


def metadata(rig: Rig, token: int) -> tuple[int, bytes]:
    """Decimals, and the symbol as bytes: it may be any."""
    call = {"to": address(rig.governor), "data": "0x" + rig.data(rig.governor, "tokenMetadata", token).hex()}
    decimals, symbol = decode(["uint8", "bytes"], bytes.fromhex(rig.rpc("eth_call", call, "latest")[2:]))
    return decimals, symbol


def oddly_named(rig: Rig, decimals: bytes, symbol: bytes) -> Any:
    token = rig.owner.deploy(rig.project.OddlyNamedToken)
    for selector, answer in ((DECIMALS, decimals), (SYMBOL, symbol)):
        rig.send(token, "answer", selector, answer, sender=rig.owner)
    return token


def test_constructor_lists_eth_sets_its_cap_and_the_validators(rig: Rig) -> None:
    assert rig.governor.tokenCount() == 1
    assert rig.governor.tokenAddress(0) == "0x" + "00" * 20
    assert tuple(rig.governor.depositTerms(0)) == ("0x" + "00" * 20, CAP, False)
    assert metadata(rig, 0) == (18, b"ETH")
    assert rig.governor.isValidator(rig.validator)
    assert rig.governor.owner() == rig.owner
    change = encode(["bytes32", "address", "bool"], [bytes(32), rig.validator.address, True])
    assert bytes(rig.governor.validatorSet()) == keccak(change)


def test_add_token_gives_the_next_id_with_no_cap(rig: Rig) -> None:
    token = rig.owner.deploy(rig.project.PlainToken)
    receipt = rig.send(rig.governor, "addToken", address(token), sender=rig.owner)
    assert rig.events(receipt, "TokenAdded") == [
        {"token": 1, "tokenAddress": address(token), "decimals": 18, "symbol": "PLAIN"}
    ]
    assert metadata(rig, 1) == (18, b"PLAIN")
    assert (rig.governor.tokenId(token), rig.governor.tokenCount()) == (1, 2)
    assert tuple(rig.governor.depositTerms(1)) == (address(token), 0, False)


def test_add_token_twice_is_refused(rig: Rig) -> None:
    token, token_id = rig.token("PlainToken")
    refused = rig.refused(rig.governor, "addToken", address(token), sender=rig.owner)
    assert refused == Refusal("TokenAlreadyListed", (token_id, address(token).lower()))


def test_add_token_zero_address_is_refused(rig: Rig) -> None:
    zero = "0x" + "00" * 20
    assert rig.refused(rig.governor, "addToken", zero, sender=rig.owner) == Refusal("TokenWithoutCode", (zero,))


def test_add_token_beyond_the_order_slots_is_refused(rig: Rig) -> None:
    token = rig.owner.deploy(rig.project.PlainToken)
    for slot in range(8):
        raw = int(rig.web3.eth.get_storage_at(address(rig.governor), slot).hex() or "0", 16)
        full = raw >> 176 << 176 | 2048 << 160 | raw & 2**160 - 1
        rig.rpc("anvil_setStorageAt", address(rig.governor), f"0x{slot:064x}", f"0x{full:064x}")
        if rig.governor.tokenCount() == 2048:
            break
        full = raw >> 16 << 16 | 2048
        rig.rpc("anvil_setStorageAt", address(rig.governor), f"0x{slot:064x}", f"0x{full:064x}")
        if rig.governor.tokenCount() == 2048:
            break
        rig.rpc("anvil_setStorageAt", address(rig.governor), f"0x{slot:064x}", f"0x{raw:064x}")
    assert rig.governor.tokenCount() == 2048
    assert rig.refused(rig.governor, "addToken", address(token), sender=rig.owner) == Refusal("TokenListFull", ())


@pytest.mark.parametrize("decimals", [0, 6, 255])
def test_add_token_reads_any_decimals(rig: Rig, decimals: int) -> None:
    rig.send(rig.governor, "addToken", oddly_named(rig, word(decimals), b"").address, sender=rig.owner)
    assert metadata(rig, 1) == (decimals, b"")


@pytest.mark.parametrize("answer", [b"", b"\x12", word(6)[:31], word(256), b"\xff" * 32])
def test_add_token_without_decimals_is_refused(rig: Rig, answer: bytes) -> None:
    token = oddly_named(rig, answer, encode(["string"], ["GOOD"]))
    refused = rig.refused(rig.governor, "addToken", address(token), sender=rig.owner)
    assert refused == Refusal("TokenWithoutDecimals", (address(token).lower(),))


@pytest.mark.parametrize(
    ("answer", "symbol"),
    [
        (b"MKR".ljust(32, b"\0"), b"MKR"),
        (b"M" * 32, b"M" * 32),
        (bytes(32), b""),
        (b"A\0B".ljust(32, b"\0"), b"A"),
        (encode(["string"], ["USDC"]), b"USDC"),
        (encode(["string"], ["€"]), "€".encode()),
        (encode(["string"], [""]), b""),
        (encode(["string"], ["S" * 32]), b"S" * 32),
        (encode(["string"], ["S" * 33]), b""),
        (encode(["string"], ["USDC"]) + bytes(32), b"USDC"),
        (encode(["bytes"], [b"\xff\0\n"]), b"\xff\0\n"),
        (word(32) + word(4) + b"USDC", b"USDC"),
        # Not what they should be: no answer, cut short, odd offsets, lengths beyond the end or beyond all numbers.
        (b"", b""),
        (b"USDC", b""),
        (bytes(33), b""),
        (bytes(63), b""),
        (word(32) + word(4) + b"USD", b""),
        (word(64) + bytes(32) + word(4) + b"USDC", b""),
        (word(2**256 - 1) + word(4) + b"USDC", b""),
        (word(32) + word(2**256 - 1) + b"USDC", b""),
        (word(32) + word(2**256 - 32) + b"USDC", b""),
    ],
)
def test_add_token_reads_a_symbol_or_stores_none(rig: Rig, answer: bytes, symbol: bytes) -> None:
    rig.send(rig.governor, "addToken", address(oddly_named(rig, word(6), answer)), sender=rig.owner)
    assert metadata(rig, 1) == (6, symbol)


def test_add_token_with_a_huge_symbol_costs_its_caller_only(rig: Rig) -> None:
    token = oddly_named(rig, word(6), b"\xff" * 20_000)
    receipt = rig.send(rig.governor, "addToken", address(token), sender=rig.owner)
    assert receipt["gasUsed"] < 2_000_000
    assert metadata(rig, 1) == (6, b"")


def test_add_token_keeps_what_it_read(rig: Rig) -> None:
    token = oddly_named(rig, word(6), encode(["string"], ["USDC"]))
    rig.send(rig.governor, "addToken", address(token), sender=rig.owner)
    rig.send(token, "answer", DECIMALS, word(18), sender=rig.owner)
    rig.send(token, "answer", SYMBOL, encode(["string"], ["ELSE"]), sender=rig.owner)
    assert metadata(rig, 1) == (6, b"USDC")


def test_set_deposit_cap_and_pause_emit_and_hold(rig: Rig) -> None:
    _, token_id = rig.token("PlainToken")
    receipt = rig.send(rig.governor, "setDepositCap", token_id, 5, sender=rig.owner)
    assert rig.events(receipt, "DepositCapSet") == [{"token": token_id, "cap": 5}]
    receipt = rig.send(rig.governor, "setDepositsPaused", token_id, True, sender=rig.owner)
    assert rig.events(receipt, "DepositsPausedSet") == [{"token": token_id, "paused": True}]
    assert tuple(rig.governor.depositTerms(token_id))[1:] == (5, True)


def test_set_deposit_cap_of_120_bits_and_more_is_refused(rig: Rig) -> None:
    refused = rig.refused(rig.governor, "setDepositCap", 0, 2**120, sender=rig.owner)
    assert refused == Refusal("DepositCapTooHigh", (2**120, 2**120 - 1))


def test_unlisted_token_is_refused_everywhere(rig: Rig) -> None:
    for method, args in (
        ("setDepositCap", (5, 1)),
        ("setDepositsPaused", (5, True)),
        ("tokenAddress", (5,)),
        ("depositTerms", (5,)),
        ("tokenMetadata", (5,)),
    ):
        assert rig.refused(rig.governor, method, *args, sender=rig.owner) == Refusal("UnlistedToken", (5,)), method


def test_set_validator_changes_the_set_and_its_identifier(rig: Rig) -> None:
    before = bytes(rig.governor.validatorSet())
    receipt = rig.send(rig.governor, "setValidator", rig.bob.address, True, sender=rig.owner)
    after = keccak(encode(["bytes32", "address", "bool"], [before, rig.bob.address, True]))
    assert rig.events(receipt, "ValidatorSet") == [
        {"validator": rig.bob.address, "allowed": True, "validatorSet": after}
    ]
    assert bytes(rig.governor.validatorSet()) == after
    refused = rig.refused(rig.governor, "setValidator", rig.bob.address, True, sender=rig.owner)
    assert refused == Refusal("ValidatorUnchanged", (rig.bob.address.lower(), True))
    rig.send(rig.governor, "setValidator", rig.bob.address, False, sender=rig.owner)
    assert not rig.governor.isValidator(rig.bob)
    assert bytes(rig.governor.validatorSet()) != before


def test_strangers_are_refused(rig: Rig) -> None:
    for method, args in (
        ("addToken", (address(rig.rollup),)),
        ("setDepositCap", (0, 1)),
        ("setDepositsPaused", (0, True)),
        ("setValidator", (rig.stranger.address, True)),
        ("transferOwnership", (rig.stranger.address,)),
    ):
        refused = rig.refused(rig.governor, method, *args, sender=rig.stranger)
        assert refused == Refusal("OwnableUnauthorizedAccount", (rig.stranger.address.lower(),)), method


def test_ownership_moves_in_two_steps(rig: Rig) -> None:
    rig.send(rig.governor, "transferOwnership", rig.bob.address, sender=rig.owner)
    assert rig.governor.owner() == rig.owner
    rig.send(rig.governor, "acceptOwnership", sender=rig.bob)
    assert rig.governor.owner() == rig.bob


def test_renounce_ownership_is_refused_to_all(rig: Rig) -> None:
    """Without an owner a dead validator could never be replaced."""
    for sender in (rig.owner, rig.stranger):
        refused = rig.refused(rig.governor, "renounceOwnership", sender=sender)
        assert refused == Refusal("GovernorNeedsOwner", ())
    assert rig.governor.owner() == rig.owner


def test_rollup_has_no_function_of_the_governors(rig: Rig) -> None:
    """No setter, pause, upgrade or sweep: the whole list of functions that write."""
    writing = {
        item.name
        for item in rig.rollup.contract_type.abi
        if item.type == "function" and item.stateMutability not in ("view", "pure")
    }
    assert writing == {
        "depositETH",
        "depositERC20",
        "requestFullExit",
        "approveKeyChange",
        "withdrawPending",
        "withdrawPendingTo",
        "commitBlocks",
        "commitProveExecute",
        "proveBlocks",
        "executeBlocks",
        "revertBlocks",
        "activateExodus",
        "exitExodus",
        "refundQueued",
    }


def test_rollup_constructor_refuses_addresses_without_code(rig: Rig) -> None:
    nobody = rig.bob.address
    good = (address(rig.governor), address(rig.governor), address(rig.verifier), address(rig.exit_verifier))
    for position in range(4):
        refusal = _constructor_refusal(rig, [*good[:position], nobody, *good[position + 1 :], 1])
        assert refusal == Refusal("AddressWithoutCode", (nobody.lower(),))


@pytest.mark.parametrize("position", [0, 2, 3])
def test_rollup_constructor_refuses_contracts_of_another_kind(rig: Rig, position: int) -> None:
    """A block verifier in the exit verifier's place would be found in exodus, with everybody's money behind it."""
    addresses = [address(rig.governor), address(rig.governor), address(rig.verifier), address(rig.exit_verifier)]
    others = set(addresses) - {addresses[position]}
    for other in sorted(others):
        addresses[position] = other
        assert _constructor_answer(rig, [*addresses, 1]) == "0x"


@pytest.mark.parametrize("fee_gwei", [0, MAX_QUEUE_FEE_GWEI + 1, 2**32 - 1])
def test_rollup_constructor_refuses_queue_fees_out_of_range(rig: Rig, fee_gwei: int) -> None:
    """For nothing it could be flooded; for ether nobody small could leave. There is no way to change the base later."""
    good = (address(rig.governor), address(rig.governor), address(rig.verifier), address(rig.exit_verifier))
    expected = Refusal("QueueFeeOutOfRange", (fee_gwei, MAX_QUEUE_FEE_GWEI))
    assert _constructor_refusal(rig, [*good, fee_gwei]) == expected


def _constructor_refusal(rig: Rig, arguments: list[Any]) -> Refusal:
    return rig.refusal(bytes.fromhex(_constructor_answer(rig, arguments)[2:]))


def _constructor_answer(rig: Rig, arguments: list[Any]) -> str:
    code = rig.project.Rollup.contract_type.deployment_bytecode.bytecode
    encoded = encode(["address"] * 4 + ["uint32"], arguments)
    call = {"from": rig.owner.address, "data": code + encoded.hex(), "gas": hex(10**7)}
    answer = rig.web3.provider.make_request("eth_call", [call, "latest"])
    return str(answer["error"]["data"])
