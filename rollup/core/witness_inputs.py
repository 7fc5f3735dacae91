"""The inputs of the circuits Open, Step and Close (`circuits/*.circom`), name for name.

Every signal is an integer in [0, r), an array a list of such, nested as in the circuit. What of a step's is the
operation's own is in `step_signals.py`.
"""

from dataclasses import dataclass, fields
from typing import TypeAlias

from rollup.core.account import Account
from rollup.core.constants import FEE_TOKENS
from rollup.core.header import Header
from rollup.core.operations import StepOperation
from rollup.core.step_signals import Inputs, operation_signals, slot_signals

Path: TypeAlias = list[list[int]]


@dataclass(frozen=True, slots=True)
class StateVector:
    """What runs through the steps: each step's `_out` is the next one's `_in`.

    `nodes` are those of the account tree SHARED_LEVELS below the root, in the order of the ids under them. `pending`,
    `link` and `rest` hold together what takes several steps, see `step_signals.linkage`.
    """

    nodes: tuple[int, ...]
    commitment: int
    l2_eval: int = 0
    l2_parity: int = 0
    l1_eval: int = 0
    l2_count: int = 0
    l1_count: int = 0
    fees: tuple[int, ...] = (0,) * FEE_TOKENS
    pending: int = 0
    link: int = 0
    rest: int = 0

    def signals(self, suffix: str) -> Inputs:
        """By signal name, with `_in` or `_out` appended."""
        return {field.name + suffix: getattr(self, field.name) for field in fields(self)}


def account_signals(prefix: str, account: Account) -> Inputs:
    """The bus Account, by signal name with `prefix` in front."""
    return {f"{prefix}key": account.key, f"{prefix}address": account.address, f"{prefix}nonce": account.nonce}


@dataclass(frozen=True, slots=True)
class TouchInputs:
    """What the tree holds before a touch: the account and the slot's leaf, with the paths to both, the account's below
    its shared node."""

    account: Account
    balance: int
    balance_path: Path
    account_path: Path

    def signals(self, prefix: str) -> Inputs:
        """By signal name, with `from.` or `to.` in front."""
        return {
            **account_signals(f"{prefix}account.", self.account),
            f"{prefix}balance": self.balance,
            f"{prefix}balance_path": self.balance_path,
            f"{prefix}account_path": self.account_path,
        }


@dataclass(frozen=True, slots=True)
class OpenInputs:
    """Inputs of Open, and the state vector it gives; `nodes` are that one's."""

    header: Header
    challenge: int
    state_out: StateVector

    def signals(self) -> Inputs:
        """All inputs of the circuit."""
        signals: Inputs = {"X": self.challenge, "nodes": self.state_out.nodes}
        return signals | {f"header_{field.name}": getattr(self.header, field.name) for field in fields(self.header)}


@dataclass(frozen=True, slots=True)
class StepInputs:
    """Inputs of one Step, and the state vector it gives."""

    header: Header
    challenge: int
    operation: StepOperation
    batch_rest: int | None
    sender: TouchInputs
    receiver: TouchInputs
    state_in: StateVector
    state_out: StateVector

    def signals(self) -> Inputs:
        """All inputs of the circuit: globals, state vector, private inputs."""
        own_slot = slot_signals(self.operation, self.receiver.balance)
        operation = operation_signals(self.operation, self.batch_rest) | own_slot
        return {
            "X": self.challenge,
            "domain": self.header.domain,
            "timestamp": self.header.timestamp,
            "fee_tokens": self.header.fee_tokens,
            **self.state_in.signals("_in"),
            **{f"op.{name}": value for name, value in operation.items()},
            **self.sender.signals("from."),
            **self.receiver.signals("to."),
        }


@dataclass(frozen=True, slots=True)
class CloseInputs:
    """Inputs of Close; `account_path` as in TouchInputs, `balance_paths` each as it stands when its turn comes."""

    header: Header
    challenge: int
    evaluation: int
    header_eval: int
    account: Account
    account_path: Path
    balance_paths: list[Path]
    state_in: StateVector

    def signals(self) -> Inputs:
        """All inputs of the circuit: public inputs, globals, state vector, private inputs."""
        return {
            "C": self.state_in.commitment,
            "X": self.challenge,
            "Y": self.evaluation,
            "fee_tokens": self.header.fee_tokens,
            "fee_account": self.header.fee_account,
            "header_eval": self.header_eval,
            "new_root": self.header.new_root,
            "l2_chunks": self.header.l2_chunks,
            "l1_words": self.header.l1_words,
            **self.state_in.signals("_in"),
            **account_signals("account.", self.account),
            "account_path": self.account_path,
            "balance_paths": self.balance_paths,
        }


@dataclass(frozen=True, slots=True)
class BlockWitness:
    """The inputs of every circuit of a block. The steps are independent of each other."""

    open: OpenInputs
    steps: tuple[StepInputs, ...]
    close: CloseInputs
