"""Steps that no honest operator would build: any fields, with the signature, the paths and the state made to fit them.

So an attack breaks the one rule that it is about, and nothing but the constraint for that rule stands in its way.
"""

from dataclasses import dataclass
from typing import Any

from circuit_world import DOMAIN, FEE_TOKENS, NOW, Inputs, User, lower_path

from rollup._native import eddsa_sign, poseidon
from rollup.core.account import Account
from rollup.core.constants import FIELD_MODULUS, Op
from rollup.core.operations import NO_KEY, StepOperation
from rollup.core.rules import Touch
from rollup.core.state import State
from rollup.core.step_signals import operation_signals, slot_signals
from rollup.core.witness_inputs import StateVector, account_signals

X = 0x1234567890ABCDEF1234567890ABCDEF
CODES = {
    "is_transfer": Op.TRANSFER,
    "is_transfer_to_address": Op.TRANSFER_TO_ADDRESS,
    "is_withdraw": Op.WITHDRAW,
    "is_forced_exit": Op.FORCED_EXIT,
    "is_maker": Op.SWAP,
    "is_taker": Op.SWAP,
    "is_cancel_order": Op.CANCEL_ORDER,
}
Unfinished = tuple[int, int, int]
"""pending, link, rest."""
IDLE: Unfinished = (0, 0, 0)


def field(value: int) -> int:
    return value % FIELD_MODULUS


def value_of(packed: int) -> int:
    """What the circuit makes of a packed amount or fee, canonical or not."""
    return (packed >> 5) * 10 ** (packed & 31)


def compose(*parts: tuple[int, int]) -> int:
    """Fields by width, most significant first; unlike `pack`, one that is too wide spills over."""
    word = 0
    for value, bits in parts:
        word = (word << bits) + value
    return field(word)


def signed_words(fields: Inputs, nonce: int) -> tuple[int, int, int]:
    """M1, M2, M3 that the circuit computes of these fields."""
    code = sum(int(code) * fields[name] for name, code in CODES.items())
    orders, exits, cancels = _orders(fields), fields["is_forced_exit"], fields["is_cancel_order"]
    token = fields["to_slot"] if exits else fields["token"]
    fee = fields["max_fee_packed"] if orders else fields["fee_packed"]
    nonce = fields["order_id"] if orders else nonce
    to_id = (fields["is_transfer"] + exits) * fields["to_id"] + ((orders << 12) + cancels) * fields["to_slot"]
    m1 = compose(
        *((code, 4), (fields["from_id"], 24), (nonce, 32), (token, 12), (fields["token"], 12), (fee, 16)),
        *((to_id + fields["counter_token"], 24), (fields["valid_from"], 40), (fields["valid_until"], 40)),
    )
    m3 = _pays(fields) * fields["amount_packed"] + fields["is_withdraw"] * fields["amount"]
    m3 += cancels * fields["order_id"] + (fields["sell_amount"] << 120) + fields["buy_amount"]
    return m1, fields["address"], field(m3)


def chain_of(fields: Inputs, nonce: int) -> int:
    """R of a batched operation."""
    return poseidon([*signed_words(fields, nonce), fields["batch_rest"]])


def trade(fields: Inputs) -> int:
    """The link of a Swap, as the maker of these fields sees it, or the maker of the taker or settlement of them."""
    tokens, amounts = (fields["token"], fields["counter_token"]), ("amount_packed", "counter_amount_packed")
    packed = [fields[name] for name in amounts]
    if not fields["is_maker"]:
        tokens, packed = tokens[::-1], packed[::-1]
    return compose((tokens[0], 12), (tokens[1], 12), (packed[0], 40), (packed[1], 40))


def parties(fields: Inputs) -> int:
    """The rest of a Swap that a settlement of these fields asks for."""
    ids = ((fields["counter_order_id"], 32), (fields["order_id"], 32))
    return compose(*ids, (fields["to_id"], 24), (fields["from_id"], 24))


@dataclass(frozen=True)
class RawStep:
    """Inputs of a Step, and what it leaves if its constraints hold."""

    inputs: Inputs
    nodes: tuple[int, ...]
    unfinished: Unfinished
    state: State

    @property
    def outputs(self) -> Inputs:
        names = ("pending_out", "link_out", "rest_out")
        nodes = {f"nodes_out[{index}]": node for index, node in enumerate(self.nodes)}
        return {**nodes, **dict(zip(names, self.unfinished, strict=True))}


def raw_step(
    state: State,
    operation: StepOperation,
    signer: User | None = None,
    *,
    batch_rest: int | None = None,
    before: Unfinished | None = None,
    **changes: Any,
) -> RawStep:
    """A Step on a copy of `state` that does `operation` with `changes` to its fields.

    If `signer` is given, the changed fields are signed anew; `nonce` can be changed for the message alone. `before`
    None: what these fields ask for. The touches follow the circuit's arithmetic, unchecked.
    """
    state = state.copy()
    fields: Inputs = operation_signals(operation, batch_rest) | changes
    from_id, to_id = (fields[name] % state.shape.accounts for name in ("from_id", "to_id"))
    token, to_slot = (fields[name] % state.shape.slots for name in ("token", "to_slot"))
    fields = slot_signals(operation, state.leaf(to_id, to_slot)) | fields
    nonce = fields.pop("nonce", state.account(from_id).nonce)
    if signer:
        words = signed_words(fields, nonce)
        rx, ry, s = eddsa_sign(signer.secret, poseidon([DOMAIN, *words, fields["link"]]))
        fields |= {"signature_r": (rx, ry), "signature_s": s}
    pending, link, rest = asked(fields, nonce) if before is None else before

    vector = StateVector(nodes=tuple(state.shared_nodes()), commitment=123, pending=pending, link=link, rest=rest)
    public: Inputs = {"X": X, "domain": DOMAIN, "timestamp": NOW, "fee_tokens": FEE_TOKENS}
    inputs = public | vector.signals("_in") | {f"op.{name}": value for name, value in fields.items()}
    inputs |= _opened(state, "from.", from_id, token)
    state.touch(_first(state, fields, from_id, token))
    inputs |= _opened(state, "to.", to_id, to_slot)
    state.touch(_second(state, fields, to_id, to_slot))
    reduced = {name: _reduced(value) for name, value in inputs.items()}
    return RawStep(reduced, tuple(state.shared_nodes()), _unfinished(fields, link, rest), state)


def asked(fields: Inputs, nonce: int) -> Unfinished:
    """What a step of these fields wants to find; a batched operation wants to be the first."""
    if fields["is_taker"]:
        return 1, trade(fields), 0
    return (2, trade(fields), parties(fields)) if fields["is_settlement"] else IDLE


def _first(state: State, fields: Inputs, account_id: int, slot: int) -> Touch:
    kinds = ("transfer", "transfer_to_address", "withdraw", "forced_exit", "cancel_order", "change_pub_key")
    counted = sum(fields[f"is_{kind}"] for kind in kinds)
    takes = _pays(fields) + fields["is_withdraw"] + _orders(fields) + fields["is_full_exit"]
    debit = (takes - fields["is_settlement"]) * fields["amount"] + value_of(fields["fee_packed"])
    account = state.account(account_id)
    after = Account(account.key, account.address, field(account.nonce + counted))
    return Touch(account_id, slot, after, field(state.leaf(account_id, slot) - debit))


def _second(state: State, fields: Inputs, account_id: int, slot: int) -> Touch:
    account, leaf = state.account(account_id), state.leaf(account_id, slot)
    accepted = fields["is_deposit"] * (1 - fields["refused"])
    first_key = accepted * fields["sender_is_owner"] * (tuple(fields["key"]) != NO_KEY) * (not account.has_key)
    sets_key, creates = fields["is_change_pub_key"] + first_key, accepted + fields["is_transfer_to_address"]
    x, y = (field(old + sets_key * (new - old)) for old, new in zip(account.key, fields["key"], strict=True))
    after = Account((x, y), field(account.address + creates * (fields["address"] - account.address)), account.nonce)
    filled = (fields["order_id"] == fields["slot_order_id"]) * fields["slot_filled"] + fields["amount"]
    held = (fields["order_id"] << 128) + _orders(fields) * filled
    change = (_pays(fields) + accepted - fields["is_forced_exit"]) * fields["amount"]
    change += fields["is_settlement"] * fields["counter_amount"]
    change += (_orders(fields) + fields["is_cancel_order"]) * (held - leaf)
    return Touch(account_id, slot, after, field(leaf + change))


def _unfinished(fields: Inputs, link: int, rest: int) -> Unfinished:
    """What the step leaves to be finished."""
    if fields["is_maker"]:
        return 1, trade(fields), field((fields["order_id"] << 48) + fields["from_id"])
    if fields["is_taker"]:
        return 2, link, field(rest + (fields["order_id"] << 80) + (fields["from_id"] << 24))
    return (3, fields["link"], fields["batch_rest"]) if fields["is_batched"] and fields["batch_rest"] else IDLE


def _pays(fields: Inputs) -> int:
    return int(fields["is_transfer"] + fields["is_transfer_to_address"])


def _orders(fields: Inputs) -> int:
    return int(fields["is_maker"] + fields["is_taker"])


def _opened(state: State, prefix: str, account_id: int, slot: int) -> Inputs:
    return {
        **account_signals(f"{prefix}account.", state.account(account_id)),
        f"{prefix}balance": state.leaf(account_id, slot),
        f"{prefix}balance_path": state.balance_path(account_id, slot),
        f"{prefix}account_path": lower_path(state, account_id),
    }


def _reduced(value: Any) -> Any:
    return field(value) if isinstance(value, int) else [_reduced(item) for item in value]
