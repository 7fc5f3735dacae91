"""What a submitter gets: a receipt at once, or a reason with its status."""

from dataclasses import replace

from api_rig import ApiRig
from node_rig import ALICE, BOB, DOMAIN, ETHER, NOW, SIGNER

from rollup.core.receipt import operation_hash, receipt_from_wire


def test_submit_transfer_answers_with_a_signed_receipt(api: ApiRig) -> None:
    payment = ALICE.pay(BOB, 0)
    told = api.post(payment)
    receipt = receipt_from_wire(told["receipt"])
    assert receipt.signer() == SIGNER.address
    assert told["hash"] == "0x" + operation_hash(payment, DOMAIN).hex()
    assert (told["status"], told["is_final"], told["block"], told["position"]) == ("confirmed", False, 1, 4)
    assert (receipt.block_number, receipt.chunk_position, receipt.issued_at) == (1, 4, NOW)


def test_submit_again_gives_the_same_receipt_also_after_a_restart(api: ApiRig) -> None:
    told = api.post(ALICE.pay(BOB, 0))
    assert api.post(ALICE.pay(BOB, 0)) == told
    api.restart()
    assert api.post(ALICE.pay(BOB, 0)) == told
    assert api.get(f"/v1/transactions/{told['hash']}")["receipt"] == told["receipt"]


def test_submit_refused_says_code_values_and_status(api: ApiRig) -> None:
    api.post(ALICE.pay(BOB, 0))
    used = api.post(ALICE.pay(BOB, 0, 101), 409)["error"]
    assert (used["code"], used["values"]) == ("nonce_mismatch", {"account_id": 1, "expected": 1, "got": 0})
    poor = api.post(ALICE.pay(BOB, 1, 9 * ETHER), 422)["error"]
    assert poor["code"] == "balance_too_low"
    assert poor["values"]["amount"] == str(9 * ETHER)
    forged = api.post(replace(ALICE.pay(BOB, 1), amount=99), 422)["error"]
    assert forged["code"] == "signature_invalid"
    assert len(forged["values"]["message_hash"]) == 66


def test_submit_batch_answers_each_in_order(api: ApiRig) -> None:
    told = api.post_many([ALICE.pay(BOB, 0), ALICE.pay(BOB, 7), {"type": "transfer"}, BOB.pay(ALICE, 0)])["results"]
    assert [each.get("status") or each["error"]["code"] for each in told] == [
        "confirmed", "nonce_mismatch", "wire", "confirmed",
    ]  # fmt: skip
    assert [each.get("status_code") for each in told] == [None, 409, 400, None]
    assert told[2]["error"]["values"]["path"].startswith("operations[2].")


def test_account_shows_what_is_confirmed(api: ApiRig) -> None:
    api.post(ALICE.pay(BOB, 0, 100, fee=1))
    alice = api.get("/v1/accounts/1")
    assert alice["confirmed"] == {"nonce": 1, "balances": {"ETH": str(ETHER - 101)}, "orders": []}
    (found,) = api.get("/v1/accounts", address=alice["address"])["accounts"]
    assert found == alice
    assert api.get("/v1/accounts/9", 404)["error"]["code"] == "account_unknown"
