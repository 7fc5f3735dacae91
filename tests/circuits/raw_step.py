"""Steps that no honest operator would build: any fields, with the signature, the paths and the state made to fit them.

So an attack breaks the one rule that it is about, and nothing but the constraint for that rule stands in its way.
"""

from typing import Any

from circuit_world import DOMAIN, FEE_TOKENS, NOW, ORDER_SLOT, Inputs, User

from rollup._native import eddsa_sign, poseidon
from rollup.core.account import Account
from rollup.core.constants import FIELD_MODULUS, Op
from rollup.core.operations import NO_KEY, Operation
from rollup.core.rules import Touch
from rollup.core.state import State
from rollup.core.witness_inputs import StateVector, operation_signals

X = 0x1234567890ABCDEF1234567890ABCDEF
KINDS = ("is_noop", "is_deposit", "is_full_exit", "is_transfer", "is_withdraw")


def field(value: int) -> int:
    return value % FIELD_MODULUS


def value_of(packed: int) -> int:
    """What the circuit makes of a packed amount or fee, canonical or not."""
    return (packed >> 5) * 10 ** (packed & 31)


def message_of(fields: Inputs) -> int:
    """The message that the circuit computes of these fields."""
    op = Op.TRANSFER if fields["is_transfer"] else Op.WITHDRAW
    word = int(op)
    for value, bits in (
        (fields["from_id"], 24),
        (fields["nonce"], 32),
        (fields["token"], 12),
        (fields["token"], 12),
        (fields["fee_packed"], 16),
        (fields["to_id"] if fields["is_transfer"] else 0, 24),
        (fields["valid_from"], 40),
        (fields["valid_until"], 40),
    ):
        word = (word << bits) + value
    amount = fields["amount_packed"] if fields["is_transfer"] else fields["amount"]
    return poseidon([DOMAIN, field(word), fields["address"], amount, 0])


def raw_step(state: State, operation: Operation, signer: User | None = None, **changes: Any) -> Inputs:
    """Inputs of a Step on a copy of `state` that does `operation` with `changes` to its fields.

    If `signer` is given, the changed fields are signed anew. The touches follow the circuit's arithmetic, unchecked.
    """
    state = state.copy()
    fields: Inputs = operation_signals(operation) | changes
    levels = 1 << 3 * state.shape.account_levels
    from_id, to_id, slot = fields["from_id"] % levels, fields["to_id"] % levels, fields["token"] % (2 * ORDER_SLOT)
    fields["nonce"] = changes.get("nonce", state.account(from_id).nonce)
    if signer:
        rx, ry, s = eddsa_sign(signer.secret, message_of(fields))
        fields |= {"signature_r": (rx, ry), "signature_s": s}
    del fields["nonce"]

    inputs: Inputs = {
        "X": X,
        "domain": DOMAIN,
        "timestamp": NOW,
        "fee_tokens": FEE_TOKENS,
        **StateVector(root=state.root, commitment=123).signals("_in"),
    }
    inputs |= fields
    inputs |= _touch(state, "from_", from_id, slot)
    account, balance = state.account(from_id), state.balance(from_id, slot)
    signed = fields["is_transfer"] + fields["is_withdraw"]
    debit = (1 - fields["is_deposit"]) * fields["amount"] + value_of(fields["fee_packed"])
    after = Account(account.key, account.address, field(account.nonce + signed))
    state.touch(Touch(from_id, slot, after, field(balance - debit)))

    inputs |= _touch(state, "to_", to_id, slot)
    account, balance = state.account(to_id), state.balance(to_id, slot)
    accepted = fields["is_deposit"] * (1 - fields["refused"])
    sets_key = accepted * fields["sender_is_owner"] * (tuple(fields["key"]) != NO_KEY) * (not account.has_key)
    after = Account(
        (field(account.key[0] + sets_key * fields["key"][0]), field(account.key[1] + sets_key * fields["key"][1])),
        field(account.address + accepted * (fields["address"] - account.address)),
        account.nonce,
    )
    state.touch(Touch(to_id, slot, after, field(balance + (fields["is_transfer"] + accepted) * fields["amount"])))
    inputs = {name: _reduced(value) for name, value in inputs.items()}
    return inputs | {"expected_root": state.root}


def _touch(state: State, prefix: str, account_id: int, slot: int) -> Inputs:
    account = state.account(account_id)
    return {
        f"{prefix}key": account.key,
        f"{prefix}address": account.address,
        f"{prefix}nonce": account.nonce,
        f"{prefix}balance_path": state.balance_path(account_id, slot),
        f"{prefix}account_path": state.account_path(account_id),
    }


def _reduced(value: Any) -> Any:
    return field(value) if isinstance(value, int) else [_reduced(item) for item in value]
