"""Operations as tests/vectors/protocol.json describes them -> what page_messages and page_model make of them."""

from __future__ import annotations

from itertools import groupby

from page_messages import Signed, link, order_amounts, order_to
from page_model import Fill, Rollup, Step, key_auth, pack_decimal


def integer(text: str) -> int:
    return int(text, 16)


def key_of(operation: dict) -> tuple[int, int]:
    ax, ay = map(integer, operation["key"])
    return ax, ay


def signed_of(o: dict) -> Signed:
    """What is signed of an operation or an order."""
    fee, window = int(o["fee"]), (o["valid_from"], o["valid_until"])
    if o["op"] == "Order":
        to, amounts = order_to(o["slot"], o["buy_token"]), order_amounts(int(o["sell_amount"]), int(o["buy_amount"]))
        token = o["sell_token"]
        return Signed(8, o["account_id"], o["order_id"], token, token, fee, to, 0, amounts, *window)
    if o["op"] == "CancelOrder":
        token, first = o["fee_token"], o["first_valid_order_id"]
        return Signed(9, o["account_id"], o["nonce"], token, token, fee, o["slot"], 0, first, *window)
    payer, nonce, token = o["from_id"], o["nonce"], o["token"]
    if o["op"] == "ForcedExit":
        leaves = o["account_id"], integer(o["address"])
        return Signed(7, payer, nonce, token, o["fee_token"], fee, *leaves, 0, *window)
    if o["op"] == "Withdraw":
        return Signed(5, payer, nonce, token, token, fee, 0, integer(o["address"]), int(o["amount"]), *window)
    code, to = {"Transfer": (3, o["to_id"]), "TransferToAddress": (4, 0)}[o["op"]]
    packed = pack_decimal(int(o["amount"]), 35)
    return Signed(code, payer, nonce, token, token, fee, to, integer(o["to_address"]), packed, *window)


def links(operations: list[dict]) -> list[int]:
    """M4 of each: what is signed one after the other for the same batch is one."""
    found: list[int] = []
    for stated, group in groupby(operations, lambda operation: operation.get("link")):
        batch = [signed_of(operation) for operation in group]
        found += [link(batch) if stated else 0] * len(batch)
    return found


class Replay:
    """Takes a block's steps one by one to the page's model of the rollup."""

    def __init__(self, rollup: Rollup) -> None:
        self.rollup = rollup
        self.sides: list[Fill] = []  # of the Swap under way

    def step(self, operation: dict) -> Step:
        return getattr(self, operation["op"])(operation)

    def Noop(self, _: dict) -> Step:  # noqa: N802
        return Step()

    def Deposit(self, o: dict) -> Step:  # noqa: N802
        flags = o["sender_is_owner"] + 2 * o["refused"]
        where = o["account_id"], o["token"], int(o["amount"]), integer(o["owner"])
        return self.rollup.deposit(*where, key_of(o), flags, o["queue_fee_gwei"])

    def FullExit(self, o: dict) -> Step:  # noqa: N802
        owner, amount = integer(o["owner"]), int(o["amount"])
        return self.rollup.full_exit(o["account_id"], o["token"], owner, amount, o["queue_fee_gwei"])

    def Transfer(self, o: dict) -> Step:  # noqa: N802
        return self.rollup.transfer(o["from_id"], o["to_id"], o["token"], int(o["amount"]), int(o["fee"]))

    def TransferToAddress(self, o: dict) -> Step:  # noqa: N802
        amount, fee, address = int(o["amount"]), int(o["fee"]), integer(o["to_address"])
        return self.rollup.transfer_to_address(o["from_id"], o["to_id"], o["token"], amount, fee, address)

    def Withdraw(self, o: dict) -> Step:  # noqa: N802
        amount, fee = int(o["amount"]), int(o["fee"])
        return self.rollup.withdraw(o["from_id"], o["token"], amount, fee, integer(o["address"]))

    def ChangePubKey(self, o: dict) -> Step:  # noqa: N802
        signature = bytes.fromhex(o["authorisation"][2:])
        r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
        auth = key_auth(o["valid_until"], r, s, signature[64])
        where = o["account_id"], integer(o["owner"]), key_of(o), o["fee_token"]
        return self.rollup.change_pub_key(*where, int(o["fee"]), auth)

    def ForcedExit(self, o: dict) -> Step:  # noqa: N802
        return self.rollup.forced_exit(o["from_id"], o["account_id"], o["token"], o["fee_token"], int(o["fee"]))

    def Fill(self, o: dict) -> Step:  # noqa: N802
        order = o["order"]
        identity = order["account_id"], order["slot"], order["order_id"], order["sell_token"]
        self.sides.append(Fill(*identity, int(o["amount"]), int(o["fee"])))
        return self.rollup.fill(self.sides[-1])

    def Settlement(self, _: dict) -> Step:  # noqa: N802
        maker, taker = self.sides
        self.sides = []
        return self.rollup.settle(maker, taker)

    def CancelOrder(self, o: dict) -> Step:  # noqa: N802
        slot, first = o["slot"], o["first_valid_order_id"]
        return self.rollup.cancel_order(o["account_id"], slot, first, o["fee_token"], int(o["fee"]))


def lone_step(operation: dict) -> Step:
    """What a signed operation publishes, outside any block: the state is what its published fields say it is."""
    rollup = Rollup()
    if operation["op"] == "ForcedExit":
        leaving = rollup.account(operation["account_id"])
        leaving.address, leaving.balances = (
            integer(operation["address"]),
            {operation["token"]: int(operation["amount"])},
        )
    if operation["op"] == "ChangePubKey":
        rollup.account(operation["account_id"]).nonce = operation["nonce"]
    return Replay(rollup).step(operation)
