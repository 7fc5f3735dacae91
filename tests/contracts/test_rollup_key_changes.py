"""Key changes: only the owner authorises one, by a signature in the block or an approval on L1, and for one rollup."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from block_model import R, change_pub_key_record, stream
from contract_rig import BASE_POINT, ETHER, Refusal, Rig, address
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_hash.auto import keccak

from rollup.core.key_change import key_change_digest
from rollup.core.operations import ChangePubKey, OwnerSignature, domain
from rollup.l1.abi import KEY_CHANGE_APPROVED, KEY_CHANGE_TYPE
from rollup.l1.client import RollupClient
from rollup.l1.refusals import Refusals
from rollup.l1.sender import Sender

OWNER = Account.from_key(keccak(b"the owner's key"))
OTHER = Account.from_key(keccak(b"another's key"))
SECP256K1_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
FOREVER = 2**40 - 1
FIELDS = (
    ("accountId", "uint32"),
    ("nonce", "uint32"),
    ("ax", "uint256"),
    ("ay", "uint256"),
    ("feeToken", "uint16"),
    ("fee", "uint128"),
    ("validUntil", "uint40"),
)


@dataclass(frozen=True)
class Change:
    """A key change as the page has it: the record, the EIP-712 data, the authorisation."""

    account: int = 5
    nonce: int = 3
    ax: int = BASE_POINT[0]
    ay: int = BASE_POINT[1]
    token: int = 1
    fee: int = 70
    valid_until: int = FOREVER
    owner: str = OWNER.address

    def record(self) -> tuple[int, int, int, int]:
        return change_pub_key_record(
            self.owner, self.ax, self.ay, account=self.account, nonce=self.nonce, token=self.token, fee=self.fee
        )

    def values(self) -> tuple[int, ...]:
        return (self.account, self.nonce, self.ax, self.ay, self.token, self.fee, self.valid_until)

    def data(self, rig: Rig, chain_id: int | None = None, rollup: str | None = None) -> Any:
        domain = {"name": "string", "version": "string", "chainId": "uint256", "verifyingContract": "address"}
        message = {
            "types": {
                "EIP712Domain": [{"name": name, "type": kind} for name, kind in domain.items()],
                "ChangePubKey": [{"name": name, "type": kind} for name, kind in FIELDS],
            },
            "primaryType": "ChangePubKey",
            "domain": {
                "name": "Sluice",
                "version": "1",
                "chainId": chain_id or rig.web3.eth.chain_id,
                "verifyingContract": rollup or address(rig.rollup),
            },
            "message": dict(zip([name for name, _ in FIELDS], self.values(), strict=True)),
        }
        return encode_typed_data(full_message=message)

    def digest(self, rig: Rig) -> bytes:
        data = self.data(rig)
        return keccak(b"\x19\x01" + data.header + data.body)

    def signature(self, rig: Rig, signer: Any = OWNER, **domain: Any) -> bytes:
        return bytes(signer.sign_message(self.data(rig, **domain)).signature)

    def auth(self, rig: Rig, signer: Any = OWNER) -> bytes:
        return authorisation(self.signature(rig, signer), self.valid_until)


def authorisation(signature: bytes, valid_until: int) -> bytes:
    assert len(signature) == 65
    return signature + valid_until.to_bytes(5, "big")


def commit(rig: Rig, changes: list[Change], key_auth: bytes) -> None:
    rig.commit(rig.new_block(l1=stream(*(change.record() for change in changes)), key_auth=key_auth))
    assert bytes(rig.rollup.blockHash(rig.last.number)) == rig.last.hash()


def refused(rig: Rig, change: Change, key_auth: bytes) -> Refusal:
    return rig.refused_commit(rig.new_block(l1=stream(change.record()), key_auth=key_auth))


def not_signed(rig: Rig, change: Change, signer: str) -> Refusal:
    return Refusal("KeyChangeNotSigned", (change.owner.lower(), signer.lower(), change.digest(rig)))


def approve(rig: Rig, change: Change, sender: Any = None) -> Any:
    return rig.send(rig.rollup, "approveKeyChange", change.values(), sender=sender or rig.alice)


@pytest.fixture
def alices(rig: Rig) -> Change:
    return Change(owner=rig.alice.address)


NOBODY = "0x" + "00" * 20


# ---- By signature ----


def test_commit_key_change_signed_by_the_owner_is_accepted_and_credits_nothing(rig: Rig) -> None:
    """Nor is its nonce a queue fee."""
    change = Change()
    l1 = stream(change.record())
    rig.commit(rig.new_block(l1=l1, key_auth=change.auth(rig)))
    assert bytes(rig.rollup.blockHash(1)) == rig.last.hash()
    rig.prove(rig.last)
    assert rig.events(rig.execute(rig.last, l1), "PendingCredited") == []


@pytest.mark.parametrize(
    "change", [Change(0, 0, *BASE_POINT, 0, 0), Change(2**24 - 1, 2**32 - 1, *BASE_POINT, 2047, 2**128 - 1)]
)
def test_commit_key_change_at_the_ends_of_its_ranges_is_accepted(rig: Rig, change: Change) -> None:
    commit(rig, [change], change.auth(rig))


def test_digest_is_that_of_the_typed_data(rig: Rig) -> None:
    change = Change()
    assert bytes(rig.rollup.keyChangeDigest(change.values())) == change.digest(rig)


@pytest.mark.parametrize("field", ["account", "nonce", "ax", "token", "fee", "valid_until"])
def test_commit_key_change_other_than_signed_is_refused(rig: Rig, field: str) -> None:
    change = Change()
    other = (
        replace(change, ax=R - change.ax) if field == "ax" else replace(change, **{field: getattr(change, field) - 1})
    )
    auth = authorisation(change.signature(rig), other.valid_until)
    answer = refused(rig, other, auth)
    assert (answer.name, answer.values[0], answer.values[2]) == (
        "KeyChangeNotSigned",
        change.owner.lower(),
        other.digest(rig),
    )


def test_commit_key_change_signed_by_another_is_refused(rig: Rig) -> None:
    change = Change()
    assert refused(rig, change, change.auth(rig, OTHER)) == not_signed(rig, change, OTHER.address)


def test_commit_key_change_signed_for_another_deployment_is_refused(rig: Rig) -> None:
    change = Change()
    for other in ({"chain_id": 1}, {"rollup": rig.bob.address}):
        answer = refused(rig, change, authorisation(change.signature(rig, **other), FOREVER))
        assert (answer.name, answer.values[2]) == ("KeyChangeNotSigned", change.digest(rig))


def test_digest_is_of_the_chain_of_now(rig: Rig) -> None:
    """After a split of the chain the signatures of one side are worth nothing on the other."""
    change = Change()
    here, chain_id = change.digest(rig), rig.web3.eth.chain_id
    rig.rpc("anvil_setChainId", 77)
    try:
        data = change.data(rig, chain_id=77)
        there = bytes(rig.rollup.keyChangeDigest(change.values()))
    finally:
        rig.rpc("anvil_setChainId", chain_id)
    assert there == keccak(b"\x19\x01" + data.header + data.body) != here


def test_commit_key_change_with_s_in_the_upper_half_is_refused(rig: Rig) -> None:
    """The other signature that anyone can make of a signature."""
    change = Change()
    signature = change.signature(rig)
    s = SECP256K1_ORDER - int.from_bytes(signature[32:64], "big")
    twin = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    assert Account.recover_message(change.data(rig), signature=twin) == OWNER.address
    assert refused(rig, change, authorisation(twin, FOREVER)) == not_signed(rig, change, NOBODY)


@pytest.mark.parametrize("v", [0, 1, 26, 29, 255])
def test_commit_key_change_with_another_v_is_refused(rig: Rig, v: int) -> None:
    change = Change()
    signature = change.signature(rig)[:64] + bytes([v])
    assert refused(rig, change, authorisation(signature, FOREVER)) == not_signed(rig, change, NOBODY)


@pytest.mark.parametrize("signature", [bytes(64) + b"\x1b", bytes(63) + b"\1\0", b"\1" + bytes(64), b"\xff" * 65])
def test_commit_key_change_of_nobody_is_refused(rig: Rig, signature: bytes) -> None:
    """What recovers to nobody is not the signature of an owner 0."""
    change = Change(owner=NOBODY)
    assert refused(rig, change, authorisation(signature, FOREVER)) == not_signed(rig, change, NOBODY)


# ---- Until when ----


def test_commit_key_change_is_valid_until_the_second_that_it_names(rig: Rig) -> None:
    timestamp = rig.now
    late, on_time = Change(valid_until=timestamp - 1), Change(valid_until=timestamp)
    block = rig.new_block(l1=stream(late.record()), key_auth=late.auth(rig), timestamp=timestamp)
    assert rig.refused_commit(block) == Refusal("KeyChangeExpired", (late.account, timestamp - 1, timestamp))
    rig.commit(replace(block, key_auth=on_time.auth(rig)))


def test_commit_approved_key_change_expires_too(rig: Rig, alices: Change) -> None:
    late = replace(alices, valid_until=rig.now - 1)
    approve(rig, late)
    assert refused(rig, late, authorisation(bytes(65), late.valid_until)).name == "KeyChangeExpired"


# ---- By approval ----


def test_approve_stores_the_digest_and_emits_all_fields(rig: Rig, alices: Change) -> None:
    assert not rig.rollup.keyChangeApproved(rig.alice, alices.digest(rig))
    receipt = approve(rig, alices)
    assert rig.rollup.keyChangeApproved(rig.alice, alices.digest(rig))
    assert rig.events(receipt, "KeyChangeApproved") == [
        {
            "owner": rig.alice.address,
            "digest": alices.digest(rig),
            "change": dict(zip([name for name, _ in FIELDS], alices.values(), strict=True)),
        }
    ]
    assert bytes(receipt["logs"][0]["topics"][0]) == KEY_CHANGE_APPROVED


def test_commit_approved_key_change_is_accepted(rig: Rig, alices: Change) -> None:
    approve(rig, alices)
    commit(rig, [alices], authorisation(bytes(65), FOREVER))


def test_approve_again_changes_nothing(rig: Rig, alices: Change) -> None:
    approve(rig, alices)
    approve(rig, alices)
    assert rig.rollup.keyChangeApproved(rig.alice, alices.digest(rig))
    commit(rig, [alices], authorisation(bytes(65), FOREVER))


def test_approve_by_a_contract_wallet_is_accepted(rig: Rig) -> None:
    wallet = rig.owner.deploy(rig.project.Forwarder)
    change = Change(owner=address(wallet))
    data = rig.data(rig.rollup, "approveKeyChange", change.values())
    rig.send(wallet, "forward", address(rig.rollup), data, sender=rig.stranger)
    commit(rig, [change], authorisation(bytes(65), FOREVER))


def test_commit_key_change_not_approved_is_refused(rig: Rig, alices: Change) -> None:
    """Nobody else's approval helps, and none of a change that differs in one field."""
    expected = Refusal("KeyChangeNotApproved", (alices.owner.lower(), alices.digest(rig)))
    auth = authorisation(bytes(65), FOREVER)
    assert refused(rig, alices, auth) == expected
    approve(rig, alices, sender=rig.bob)
    for field in ("account", "nonce", "token", "fee", "valid_until"):
        approve(rig, replace(alices, **{field: getattr(alices, field) - 1}))
    approve(rig, replace(alices, ax=R - alices.ax))
    assert refused(rig, alices, auth) == expected
    other = replace(alices, valid_until=FOREVER - 2)
    assert refused(rig, alices, authorisation(bytes(65), FOREVER - 2)) == Refusal(
        "KeyChangeNotApproved", (alices.owner.lower(), other.digest(rig))
    )


def test_approve_what_no_block_can_hold_is_refused(rig: Rig, alices: Change) -> None:
    for change, expected in (
        (replace(alices, account=2**24), Refusal("AccountOutOfRange", (2**24,))),
        (replace(alices, token=2048), Refusal("TokenOutOfRange", (2048,))),
        (replace(alices, ax=1, ay=1), Refusal("KeyNotOnCurve", (1, 1))),
        (replace(alices, ax=0, ay=0), Refusal("KeyNotOnCurve", (0, 0))),
        (replace(alices, ax=alices.ax + R), Refusal("KeyNotOnCurve", (alices.ax + R, alices.ay))),
        (replace(alices, ay=alices.ay + R), Refusal("KeyNotOnCurve", (alices.ax, alices.ay + R))),
    ):
        assert rig.refused(rig.rollup, "approveKeyChange", change.values(), sender=rig.alice) == expected


def test_approve_by_the_client_and_the_cores_forms_are_the_contracts(rig: Rig, alices: Change) -> None:
    operation, owner = core_operation(alices), rig.alice.address
    digest = key_change_digest(operation, domain(rig.web3.eth.chain_id, int(address(rig.rollup), 16)))
    client = RollupClient(Sender(rig.provider, Refusals()), address(rig.rollup), 0)
    assert not client.key_change_approved(owner, digest)
    client.approve_key_change(rig.alice, operation)
    assert client.key_change_approved(owner, digest)
    commit(rig, [alices], operation.key_auth())
    signed = Change(nonce=4)
    signature = OwnerSignature.from_bytes(signed.signature(rig))
    commit(rig, [signed], core_operation(signed, signature).key_auth())


def core_operation(change: Change, signature: OwnerSignature | None = None) -> ChangePubKey:
    account, nonce, ax, ay, token, fee, valid_until = change.values()
    return ChangePubKey(account, int(change.owner, 16), (ax, ay), nonce, token, fee, valid_until, signature)


# ---- The record ----


@pytest.mark.parametrize(("ax", "ay"), [(1, 1), (0, 0), (BASE_POINT[0] + R, BASE_POINT[1]), (0, R + 1), (R, 1)])
def test_commit_key_change_to_no_point_is_refused_though_signed(rig: Rig, ax: int, ay: int) -> None:
    change = Change(ax=ax, ay=ay)
    assert refused(rig, change, change.auth(rig)) == Refusal("KeyNotOnCurve", (ax, ay))


@pytest.mark.parametrize(("position", "extra"), [(0, 1 << 196), (0, 1 << 199), (1, 1 << 160), (1, R), (1, 1 << 255)])
def test_commit_key_change_with_other_bits_set_is_refused(rig: Rig, position: int, extra: int) -> None:
    change = Change()
    record = list(change.record())
    record[position] += extra
    l1 = stream((5 << 200, 0), record)
    assert rig.refused_commit(rig.new_block(l1=l1, key_auth=change.auth(rig))) == Refusal("MalformedRecord", (2,))


# ---- The authorisations of a block ----


def test_commit_key_changes_are_authorised_in_their_order(rig: Rig, alices: Change) -> None:
    rig.deposit_eth(ETHER)
    approve(rig, alices)
    changes = [Change(), alices, Change(account=9, owner=OTHER.address)]
    auths = [changes[0].auth(rig), authorisation(bytes(65), FOREVER), changes[2].auth(rig, OTHER)]
    l1 = stream(*(change.record() for change in changes))
    for order in ([1, 0, 2], [0, 2, 1], [2, 1, 0]):
        answer = rig.refused_commit(rig.new_block(l1=l1, key_auth=b"".join(auths[i] for i in order)))
        assert answer.name in ("KeyChangeNotSigned", "KeyChangeNotApproved")
    commit(rig, changes, b"".join(auths))


@pytest.mark.parametrize("length", [0, 1, 69])
def test_commit_too_few_authorisations_are_refused(rig: Rig, length: int) -> None:
    change = Change()
    auth = change.auth(rig)
    assert refused(rig, change, auth[:length]) == Refusal("KeyAuthLength", (70, length))
    two = stream(change.record(), change.record())
    answer = rig.refused_commit(rig.new_block(l1=two, key_auth=auth + auth[:length]))
    assert answer == Refusal("KeyAuthLength", (140, 70 + length))


@pytest.mark.parametrize("length", [1, 70])
def test_commit_too_many_authorisations_are_refused(rig: Rig, length: int) -> None:
    change = Change()
    auth = change.auth(rig)
    assert refused(rig, change, auth + auth[:length]) == Refusal("KeyAuthLength", (70, 70 + length))
    assert rig.refused_commit(rig.new_block(key_auth=auth[:length])) == Refusal("KeyAuthLength", (0, length))


def test_commit_every_flipped_byte_of_the_authorisation_is_refused(rig: Rig) -> None:
    change = Change()
    auth = change.auth(rig)
    for position in range(len(auth)):
        flipped = bytearray(auth)
        flipped[position] ^= 1
        assert refused(rig, change, bytes(flipped)).name == "KeyChangeNotSigned", position


def test_key_change_type_of_the_client_is_the_contracts(rig: Rig) -> None:
    assert "(" + ",".join(kind for _, kind in FIELDS) + ")" == KEY_CHANGE_TYPE
    (function,) = (item for item in rig.rollup.contract_type.mutable_methods if item.name == "approveKeyChange")
    (argument,) = function.inputs
    assert [(part.name, part.type) for part in argument.components] == list(FIELDS)
