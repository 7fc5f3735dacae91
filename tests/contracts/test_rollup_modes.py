"""Every function in every mode: what goes on, and what is refused with which error, in one table."""

from collections.abc import Callable
from dataclasses import astuple, dataclass, field
from typing import Any

import pytest
from block_model import Block, full_exit_record, stream, withdraw_record
from contract_rig import BASE_POINT, CAP, ETHER, GWEI, PROOF, Rig, address, set_queue_total

HELD = 300
CHANGE = (1, 0, *BASE_POINT, 0, 0, 2**40 - 1)
GUARDED = "ReentrancyGuardReentrantCall"
NOT_OWNER = "OwnableUnauthorizedAccount"


@dataclass
class World:
    """A rollup in use: bob has ETH and tokens pending; `open` are the blocks not executed, with their L1 streams.

    `requested` is the record of the entry at `index` of the queue, if there is one.
    """

    rig: Rig
    token: Any
    token_id: int
    recipient: Any
    open: list[tuple[Block, bytes]] = field(default_factory=list)
    requested: tuple[int, ...] = (0, 0)
    index: int = 0

    def open_block(self) -> None:
        l1 = stream(withdraw_record(address(self.rig.bob), 1))
        self.rig.commit(self.rig.new_block(l1=l1))
        self.open.append((self.rig.last, l1))

    def request(self) -> None:
        self.index = self.rig.rollup.queueTotal()
        fee = self.rig.rollup.queueFee() // GWEI
        self.requested = full_exit_record(address(self.rig.alice), 1, fee=fee)
        self.rig.request_exit(1)

    @property
    def proven(self) -> Block:
        """The last proven block."""
        return self.rig.chain[self.rig.rollup.provenBlocks()]

    @property
    def after_proven(self) -> Block:
        """The one after it; if there is none, the last."""
        return (self.rig.chain[self.proven.number :] + [self.rig.last] * 2)[1]


@pytest.fixture
def world(rig: Rig) -> World:
    token, token_id = rig.token("PlainToken")
    recipient = rig.owner.deploy(rig.project.Recipient)
    for to, what in ((rig.bob, 0), (rig.bob, token_id), (recipient, 0)):
        rig.fund(to, HELD, what)
    return World(rig, token, token_id, recipient)


# ---- Modes ----


def paused(world: World) -> None:
    for token in (0, world.token_id):
        world.rig.send(world.rig.governor, "setDepositsPaused", token, True, sender=world.rig.owner)


def capped(world: World) -> None:
    for token in (0, world.token_id):
        world.rig.send(world.rig.governor, "setDepositCap", token, HELD, sender=world.rig.owner)


def validator_removed(world: World) -> None:
    world.rig.send(world.rig.governor, "setValidator", world.rig.validator.address, False, sender=world.rig.owner)


def block_committed(world: World) -> None:
    world.open_block()


def block_proven(world: World) -> None:
    world.open_block()
    world.rig.prove(world.rig.last)


def proof_overdue(world: World) -> None:
    world.open_block()
    world.rig.overdue(world.rig.last)


def reverted(world: World) -> None:
    """And another validator goes on."""
    proof_overdue(world)
    world.rig.revert_blocks(world.proven, world.after_proven)
    world.open.clear()


def queue_overdue(world: World) -> None:
    world.request()
    world.rig.expire(world.index)


def exodus(world: World) -> None:
    """With a proven block to execute, and one that is void."""
    block_proven(world)
    proven = world.rig.last
    world.request()
    world.rig.commit(world.rig.new_block())
    world.rig.expire(world.index)
    world.rig.activate_exodus(proven)


def queue_in_use(world: World) -> None:
    world.rig.deposit_eth(ETHER)
    world.rig.deposit_erc20(world.token_id, 5)
    world.rig.request_exit(1)


def queue_of_many_blocks(world: World) -> None:
    """There is no full queue, only a dear one."""
    set_queue_total(world.rig, 100_000)


def ownership_offered(world: World) -> None:
    world.rig.send(world.rig.governor, "transferOwnership", world.rig.bob.address, sender=world.rig.owner)


def plain(_: World) -> None:
    """Everything is executed, the queue is empty."""


MODES: list[Callable[[World], None]] = [
    plain,
    paused,
    capped,
    validator_removed,
    block_committed,
    block_proven,
    proof_overdue,
    reverted,
    queue_overdue,
    exodus,
    queue_in_use,
    queue_of_many_blocks,
    ownership_offered,
]

# ---- Functions: contract, sender, arguments, ETH on top of the queue fee (None: no fee either) ----


def _fresh_block(world: World) -> Any:
    return world.rig.new_block(l2=bytes(15), l1=stream(withdraw_record(address(world.rig.bob), 2)))


FUNCTIONS: dict[str, Callable[[World], tuple[str, list[Any], int | None]]] = {
    "depositETH": lambda w: ("alice", [5, address(w.rig.alice), *BASE_POINT], 5),
    "depositERC20": lambda w: ("alice", [w.token_id, 5, address(w.rig.alice), *BASE_POINT], 0),
    "requestFullExit": lambda w: ("alice", [1, w.token_id], 0),
    "approveKeyChange": lambda w: ("alice", [CHANGE], None),
    "withdrawPending": lambda w: ("stranger", [address(w.rig.bob), w.token_id], None),
    "commitBlocks": lambda w: ("validator", w.rig.commit_arguments(_fresh_block(w)), None),
    "commitProveExecute": lambda w: ("validator", w.rig.one_call_arguments(_fresh_block(w), PROOF), None),
    "proveBlocks": lambda w: ("stranger", [[astuple(b) for b, _ in w.open], [PROOF for _ in w.open]], None),
    "executeBlocks": lambda w: ("stranger", [[astuple(b) for b, _ in w.open], [l1 for _, l1 in w.open]], None),
    "withdrawPendingTo": lambda w: ("bob", [0, address(w.rig.stranger), 1], None),
    "revertBlocks": lambda w: ("stranger", [astuple(w.proven), astuple(w.after_proven)], None),
    "activateExodus": lambda w: ("stranger", [astuple(w.proven)], None),
    "exitExodus": lambda w: ("stranger", [1, 0, address(w.rig.alice), 5, PROOF], None),
    "refundQueued": lambda w: ("stranger", [w.index, list(w.requested)], None),
    "addToken": lambda w: ("owner", [address(w.rig.owner.deploy(w.rig.project.PlainToken))], None),
    "setDepositCap": lambda w: ("owner", [w.token_id, CAP - 1], None),
    "setDepositsPaused": lambda w: ("owner", [w.token_id, True], None),
    "setValidator": lambda w: ("owner", [address(w.rig.bob), True], None),
    "transferOwnership": lambda w: ("owner", [address(w.rig.alice)], None),
    "acceptOwnership": lambda w: ("bob", [], None),
}

# ---- What is refused; all else is done ----

NORMAL = [mode for mode in MODES if mode is not exodus]
ENDED = (
    "depositETH",
    "depositERC20",
    "requestFullExit",
    "commitBlocks",
    "commitProveExecute",
    "proveBlocks",
    "revertBlocks",
    "activateExodus",
)
REFUSED = {
    ("depositETH", "paused"): "DepositsPaused",
    ("depositERC20", "paused"): "DepositsPaused",
    ("depositETH", "capped"): "DepositCapExceeded",
    ("depositERC20", "capped"): "DepositCapExceeded",
    ("commitBlocks", "validator_removed"): "NotAValidator",
    ("commitProveExecute", "validator_removed"): "NotAValidator",
    ("commitProveExecute", "block_committed"): "BlockOutOfOrder",
    ("commitProveExecute", "block_proven"): "BlockOutOfOrder",
    ("executeBlocks", "block_committed"): "BlockNotProven",
    ("commitProveExecute", "proof_overdue"): "BlockOutOfOrder",
    ("executeBlocks", "proof_overdue"): "BlockNotProven",
    ("commitProveExecute", "queue_overdue"): "QueueEntryOverdue",
    ("commitBlocks", "reverted"): "CommitterSuspended",
    ("commitProveExecute", "reverted"): "CommitterSuspended",
    **{("revertBlocks", mode.__name__): "NothingToRevert" for mode in NORMAL},
    ("revertBlocks", "block_committed"): "ProofNotOverdue",
    **{("activateExodus", mode.__name__): "QueueNotOverdue" for mode in NORMAL},
    **{(function, mode.__name__): "ExodusNotActive" for function in ("exitExodus", "refundQueued") for mode in NORMAL},
    **{(function, "exodus"): "ExodusIsActive" for function in ENDED},
    **{("acceptOwnership", mode.__name__): NOT_OWNER for mode in MODES if mode is not ownership_offered},
}
for done in (("revertBlocks", "proof_overdue"), ("activateExodus", "queue_overdue")):
    del REFUSED[done]
"""By function and mode."""

REENTERED = {
    **dict.fromkeys(("depositETH", "depositERC20", "requestFullExit", "withdrawPending", "withdrawPendingTo"), GUARDED),
    **dict.fromkeys(("activateExodus", "exitExodus", "refundQueued"), GUARDED),
    "revertBlocks": "NothingToRevert",
    **dict.fromkeys(("commitBlocks", "commitProveExecute"), "NotADirectCall"),
    **dict.fromkeys(("addToken", "setDepositCap", "setDepositsPaused", "setValidator"), NOT_OWNER),
    **dict.fromkeys(("transferOwnership", "acceptOwnership"), NOT_OWNER),
}
"""By function, called from within a payout by its recipient."""


def contract_of(rig: Rig, function: str) -> Any:
    return next(c for c in (rig.rollup, rig.governor) if function in writing(c))


def writing(contract: Any) -> set[str]:
    return {method.name for method in contract.contract_type.mutable_methods}


def test_functions_are_all_that_write(rig: Rig) -> None:
    assert set(FUNCTIONS) == writing(rig.rollup) | writing(rig.governor)
    assert {function for function, _ in REFUSED} | set(REENTERED) <= set(FUNCTIONS)
    assert {mode for _, mode in REFUSED} <= {mode.__name__ for mode in MODES}


@pytest.mark.parametrize("mode", MODES)
def test_every_function_is_done_or_refused_as_the_table_says(world: World, mode: Callable[[World], None]) -> None:
    mode(world)
    rig = world.rig
    outcomes = {}
    for function, call in FUNCTIONS.items():
        with rig.undone():
            sender, arguments, on_top = call(world)
            value = 0 if on_top is None else rig.rollup.queueFee() + on_top
            contract, account = contract_of(rig, function), getattr(rig, sender)
            expected = REFUSED.get((function, mode.__name__))
            if expected is None:
                assert rig.send(contract, function, *arguments, sender=account, value=value)["status"] == 1
            else:
                outcomes[function] = rig.refused(contract, function, *arguments, sender=account, value=value).name
    assert outcomes == {function: error for (function, name), error in REFUSED.items() if name == mode.__name__}


CALLERS = ("owner", "validator", "alice", "bob", "stranger", "contract")
OWNERS = ("addToken", "setDepositCap", "setDepositsPaused", "setValidator", "transferOwnership")


def expected_of(function: str, mode: str, caller: str, own: str) -> str | None:
    """The refusal of a call by anyone: what the table says to `own`, but for what only some may do."""
    said = REFUSED.get((function, mode))
    if caller == own or said == "ExodusIsActive":
        return said
    if function in OWNERS or function == "acceptOwnership":
        return NOT_OWNER
    if function in ("commitBlocks", "commitProveExecute"):
        return "NotADirectCall" if caller == "contract" else "NotAValidator"
    if function in ("depositETH", "depositERC20"):
        return "KeyNotByOwner"
    if function == "withdrawPendingTo" and caller != "validator":  # he has earned queue fees
        return "NothingPending"
    return said


@pytest.mark.parametrize("mode", [plain, paused, proof_overdue, reverted, queue_overdue, exodus, ownership_offered])
def test_every_function_by_every_caller_is_done_or_refused(world: World, mode: Callable[[World], None]) -> None:
    mode(world)
    rig = world.rig
    forwarder = rig.owner.deploy(rig.project.Forwarder)
    wrong = {}
    for function, call in FUNCTIONS.items():
        own, arguments, on_top = call(world)
        value = 0 if on_top is None else rig.rollup.queueFee() + on_top
        contract = contract_of(rig, function)
        data = rig.data(contract, function, *arguments)
        for caller in CALLERS:
            to, sent, sender = address(contract), data, rig.stranger
            if caller == "contract":
                to, sent = address(forwarder), rig.data(forwarder, "forward", to, data)
            else:
                sender = getattr(rig, caller)
            transaction = {"from": address(sender), "to": to, "data": "0x" + sent.hex(), "value": hex(value)}
            answer = rig.web3.provider.make_request("eth_call", [transaction, "latest"])
            found = rig.refusal(bytes.fromhex(answer["error"]["data"][2:])).name if "error" in answer else None
            expected = expected_of(function, mode.__name__, caller, own)
            if found != expected:
                wrong[function, caller] = (found, expected)
    assert wrong == {}, "found, expected"


@pytest.mark.parametrize(("mode", "refused"), [(block_proven, {}), (exodus, dict.fromkeys(ENDED, "ExodusIsActive"))])
def test_every_function_reentered_is_done_or_refused_as_the_table_says(
    world: World, mode: Callable[[World], None], refused: dict[str, str]
) -> None:
    mode(world)
    rig, recipient = world.rig, world.recipient
    outcomes = {}
    for function, call in FUNCTIONS.items():
        with rig.undone():
            contract, (_, arguments, _) = contract_of(rig, function), call(world)
            hook = (5, address(contract), rig.data(contract, function, *arguments))
            rig.send(recipient, "set", *hook, sender=rig.owner)
            rig.send(rig.rollup, "withdrawPending", address(recipient), 0, sender=rig.stranger)
            outcomes[function] = None if recipient.lastSuccess() else rig.refusal(bytes(recipient.lastReturn())).name
    guarded = {function: error for function, error in REENTERED.items() if error == GUARDED}
    assert outcomes == {function: (REENTERED | refused | guarded).get(function) for function in FUNCTIONS}


@pytest.mark.parametrize("mode", MODES)
def test_every_view_answers(world: World, mode: Callable[[World], None]) -> None:
    mode(world)
    rig = world.rig
    refused = {}
    for contract in (rig.rollup, rig.governor):
        for view in contract.contract_type.view_methods:
            arguments = [sample(world, part) for part in view.inputs]
            call = {"to": address(contract), "data": "0x" + rig.data(contract, view.name, *arguments).hex()}
            answer = rig.web3.provider.make_request("eth_call", [call, "latest"])
            if "error" in answer:
                refused[view.name] = rig.refusal(bytes.fromhex(answer["error"]["data"][2:])).name
    always = {"renounceOwnership": "GovernorNeedsOwner"}  # which the compiler takes for a view
    assert refused == always | ({"authorise": "NotAValidator"} if mode is validator_removed else {})


def sample(world: World, argument: Any) -> Any:
    """An argument that exists."""
    if argument.type == "tuple":
        return astuple(world.rig.last) if len(argument.components) == len(astuple(Block())) else CHANGE
    kinds = {"address": world.rig.validator.address, "bytes32": bytes(32), "bytes": b"", "uint16": world.token_id}
    return kinds.get(argument.type, 0)
