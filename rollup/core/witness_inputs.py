"""The inputs of the circuits Open, Step and Close (`circuits/*.circom`), name for name.

Every signal is an integer in [0, r), an array a list of such, nested as in the circuit. What an operation does not use
is pinned to one value, so that a step has exactly one witness.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import TypeAlias

from rollup.core.account import Account
from rollup.core.amounts import pack_amount, pack_fee
from rollup.core.constants import FEE_TOKENS
from rollup.core.header import Header
from rollup.core.operations import Deposit, FullExit, Noop, Operation, Signature, Transfer, Withdraw

Path: TypeAlias = list[list[int]]
Signal: TypeAlias = "int | Sequence[Signal]"
Inputs: TypeAlias = dict[str, Signal]

NO_SIGNATURE = Signature(0, 1, 0)
"""What the signature check always accepts, where nothing is signed."""


@dataclass(frozen=True, slots=True)
class StateVector:
    """What runs through the steps: each step's `_out` is the next one's `_in`."""

    root: int
    commitment: int
    l2_eval: int = 0
    l2_parity: int = 0
    l1_eval: int = 0
    l2_count: int = 0
    l1_count: int = 0
    fees: tuple[int, ...] = (0,) * FEE_TOKENS

    def signals(self, suffix: str) -> Inputs:
        """By signal name, with `_in` or `_out` appended."""
        return {field.name + suffix: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, slots=True)
class TouchInputs:
    """What the tree holds before a touch: the account, the slot's path and the account's."""

    account: Account
    balance_path: Path
    account_path: Path

    def signals(self, prefix: str) -> Inputs:
        """By signal name, with `from_` or `to_` in front."""
        return {
            f"{prefix}key": self.account.key,
            f"{prefix}address": self.account.address,
            f"{prefix}nonce": self.account.nonce,
            f"{prefix}balance_path": self.balance_path,
            f"{prefix}account_path": self.account_path,
        }


@dataclass(frozen=True, slots=True)
class OpenInputs:
    """Inputs of Open, and the state vector it gives."""

    header: Header
    challenge: int
    state_out: StateVector

    def signals(self) -> Inputs:
        """All inputs of the circuit."""
        return {"X": self.challenge} | {
            f"header_{field.name}": getattr(self.header, field.name) for field in fields(self.header)
        }


@dataclass(frozen=True, slots=True)
class StepInputs:
    """Inputs of one Step, and the state vector it gives."""

    header: Header
    challenge: int
    operation: Operation
    sender: TouchInputs
    receiver: TouchInputs
    state_in: StateVector
    state_out: StateVector

    def signals(self) -> Inputs:
        """All inputs of the circuit: globals, state vector, private inputs."""
        return {
            "X": self.challenge,
            "domain": self.header.domain,
            "timestamp": self.header.timestamp,
            "fee_tokens": self.header.fee_tokens,
            **self.state_in.signals("_in"),
            **operation_signals(self.operation),
            **self.sender.signals("from_"),
            **self.receiver.signals("to_"),
        }


@dataclass(frozen=True, slots=True)
class CloseInputs:
    """Inputs of Close; `balance_paths` each as it stands when its turn comes."""

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
            "key": self.account.key,
            "address": self.account.address,
            "nonce": self.account.nonce,
            "account_path": self.account_path,
            "balance_paths": self.balance_paths,
        }


@dataclass(frozen=True, slots=True)
class BlockWitness:
    """The inputs of every circuit of a block. The steps are independent of each other."""

    open: OpenInputs
    steps: tuple[StepInputs, ...]
    close: CloseInputs


def touched_ids(operation: Operation) -> tuple[int, int, int]:
    """(from_id, to_id, token) of a step: which accounts and which slot it opens, in this order."""
    match operation:
        case Noop():
            return 0, 0, 0
        case Transfer():
            return operation.from_id, operation.to_id, operation.token
        case Withdraw():
            return operation.from_id, operation.from_id, operation.token
        case _:
            return operation.account_id, operation.account_id, operation.token


def operation_signals(operation: Operation) -> Inputs:
    """A step's private inputs that say what the operation is."""
    from_id, to_id, token = touched_ids(operation)
    signals: Inputs = {
        "is_noop": int(isinstance(operation, Noop)),
        "is_deposit": int(isinstance(operation, Deposit)),
        "is_full_exit": int(isinstance(operation, FullExit)),
        "is_transfer": int(isinstance(operation, Transfer)),
        "is_withdraw": int(isinstance(operation, Withdraw)),
        "from_id": from_id,
        "to_id": to_id,
        "token": token,
        "amount": 0 if isinstance(operation, Noop) else operation.amount or 0,
        "amount_packed": 0,
        "fee_packed": 0,
        "address": 0,
        "aux": 0,
        "sender_is_owner": 0,
        "refused": 0,
        "key": (0, 0),
        "valid_from": 0,
        "valid_until": 0,
    }
    signature = NO_SIGNATURE
    match operation:
        case Deposit():
            signals |= {"address": operation.owner, "aux": operation.queue_fee_gwei, "key": operation.key}
            signals |= {"sender_is_owner": int(operation.sender_is_owner), "refused": int(operation.refused)}
        case FullExit():
            signals |= {"address": operation.owner, "aux": operation.queue_fee_gwei}
        case Transfer():
            signals |= {"address": operation.to_address, "amount_packed": pack_amount(operation.amount)}
        case Withdraw():
            signals["address"] = operation.address
    if isinstance(operation, Transfer | Withdraw):
        signals["fee_packed"] = pack_fee(operation.fee)
        signals |= {"valid_from": operation.valid_from, "valid_until": operation.valid_until}
        signature = operation.signature or NO_SIGNATURE
    signals |= {"signature_r": (signature.r8x, signature.r8y), "signature_s": signature.s}
    return signals
