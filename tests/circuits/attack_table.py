"""The table of attacks on one Step: name -> inputs, all to be refused; and the steps that they change, all accepted.

Filled by payment_attacks, signature_attacks and swap_attacks; read by test_step_refusals.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from circuit_world import ALICE, BOB, CAROL, LIVE, NOBODY, NOW, ORDER_SLOT, Inputs, User, World
from raw_step import RawStep, Unfinished, raw_step

from rollup.core.operations import (
    CancelOrder,
    ChangePubKey,
    Deposit,
    ForcedExit,
    FullExit,
    Noop,
    Order,
    StepOperation,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    batch_chain,
    linked,
)
from rollup.core.step_signals import operation_signals

Attack = Callable[[World], Inputs]
ATTACKS: dict[str, Attack] = {}
VALID: dict[str, Callable[[World], RawStep]] = {}


@dataclass(frozen=True)
class Base:
    """A step that is accepted in a populated world; `before` as in raw_step.

    With from_id or token goes what equals it: to_id or to_slot.
    """

    operation: StepOperation
    signer: User | None = None
    batch_rest: int | None = None
    before: Unfinished | None = None

    def step(self, world: World, **changes: Any) -> RawStep:
        kept: dict[str, Any] = {"signer": self.signer, "batch_rest": self.batch_rest, "before": self.before}
        fields = operation_signals(self.operation)
        for leading, following in (("from_id", "to_id"), ("token", "to_slot")):
            if leading in changes and fields[leading] == fields[following]:
                kept[following] = changes[leading]
        return raw_step(world.state, self.operation, **(kept | changes))


def attack(make: Attack) -> Attack:
    """Registers an attack by its function's name."""
    ATTACKS[make.__name__] = make
    return make


def changed(base: str, label: str, **changes: Any) -> None:
    """An attack that changes fields of a base operation."""
    name = f"{base}_with_{label}"
    assert name not in ATTACKS
    ATTACKS[name] = lambda world: BASES[base].step(world, **changes).inputs


def accepted(base: str, label: str, **changes: Any) -> None:
    """The same for a change that is all right: the border that attacks go over."""
    VALID[f"{base}_with_{label}"] = lambda world: BASES[base].step(world, **changes)


def transfer(**changes: int) -> Transfer:
    fields = {"token": 0, "amount": 10**18, "fee": 10**15, "nonce": 0} | LIVE | changes
    return Transfer(ALICE.account_id, BOB.account_id, BOB.address, **fields)


def pay(to: User) -> TransferToAddress:
    return TransferToAddress(ALICE.account_id, to.account_id, to.address, 0, 10**18, 10**15, 0, **LIVE)


def withdraw(**changes: int) -> Withdraw:
    fields = {"token": 0, "amount": 10**18 + 1, "fee": 10**15, "nonce": 0} | LIVE | changes
    return Withdraw(ALICE.account_id, 0xBEEF, **fields)


def deposit(**changes: object) -> Deposit:
    fields = {"account_id": NOBODY.account_id, "token": 5, "amount": 1000, "owner": NOBODY.address} | changes
    return Deposit(**fields)  # type: ignore[arg-type]


def full_exit(**changes: int) -> FullExit:
    fields = {"account_id": ALICE.account_id, "token": 5, "owner": ALICE.address, "amount": 5 * 10**9} | changes
    return FullExit(**fields)


SWAP = Swap(
    Order(ALICE.account_id, ORDER_SLOT, 7, 5, 9, 5000, 10000, 50, **LIVE),
    Order(BOB.account_id, ORDER_SLOT + 3, 4, 9, 5, 9500, 4500, 95, **LIVE),
    *(3000, 6000, 30, 60),
)
"""The maker gets exactly his price, and both pay exactly their share of the fee."""
MAKER, TAKER, SETTLEMENT = SWAP.steps()
CANCEL = CancelOrder(ALICE.account_id, ORDER_SLOT + 1, 9, 5, 40, 0, **LIVE)
BATCH = linked((transfer(), pay(CAROL), CANCEL, withdraw()))
CHAIN = batch_chain(BATCH)
"""The four are each judged alone, so they may all have Alice's first nonce."""


def batched(index: int) -> Base:
    before = (3, CHAIN[0], CHAIN[index]) if index else None
    return Base(BATCH[index], ALICE, CHAIN[index + 1], before)


BASES = {
    "noop": Base(Noop()),
    "deposit": Base(deposit()),
    "refused": Base(deposit(account_id=0, refused=True)),
    "full_exit": Base(full_exit()),
    "transfer": Base(transfer(), ALICE),
    "pay_new": Base(pay(NOBODY), ALICE),
    "pay": Base(pay(CAROL), ALICE),
    "withdraw": Base(withdraw(), ALICE),
    "change_key": Base(ChangePubKey(ALICE.account_id, ALICE.address, NOBODY.key, 0, 5, 200, NOW)),
    "first_key": Base(ChangePubKey(CAROL.account_id, CAROL.address, CAROL.key, 0, 5, 1000, NOW)),
    "forced_exit": Base(
        ForcedExit(ALICE.account_id, CAROL.account_id, CAROL.address, 5, 0, 10**15, 0, **LIVE, amount=1000), ALICE
    ),
    "maker": Base(MAKER, ALICE),
    "taker": Base(TAKER, BOB),
    "settlement": Base(SETTLEMENT),
    "cancel": Base(CANCEL, ALICE),
    "batch_first": batched(0),
    "batch_second": batched(1),
    "batch_third": batched(2),
    "batch_last": batched(3),
}
VALID |= {name: base.step for name, base in BASES.items()}
