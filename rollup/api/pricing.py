"""What an operation costs its operator, and so what fee to offer: gas as measured, L1's price of now, the proof."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Final

from rollup.core.amounts import pack_fee
from rollup.core.constants import SWAP_STEPS, Op
from rollup.core.errors import AmountNotRepresentableError
from rollup.core.wire import TYPES
from rollup.l1.costs import ONE_CALL_GAS, OPERATIONS

PRICED: Final = {name: Op[name.upper()] for name in TYPES if name.upper() in Op.__members__}
"""What a fee is paid for, by its type; of a swap both sides together, of a batch each of its operations."""
ETH: Final = 0


@dataclass(frozen=True, slots=True)
class Pricing:
    """What an operator reckons with.

    Args:
        step_wei: Proving one step.
        filled_steps: Steps of a typical block, that share what a block costs whatever is in it; 0: half the largest.
        margin_percent: Added to the price of L1, which moves before the block is there.
        prices: Wei for one smallest unit of a token, by its id; ETH's is 1.
        valid_seconds: How long a quote stands.
    """

    step_wei: int = 0
    filled_steps: int = 0
    margin_percent: int = 25
    prices: Mapping[int, Fraction] = field(default_factory=dict)
    valid_seconds: int = 60

    def price(self, token: int) -> Fraction | None:
        """Wei for one smallest unit; None: the operator has no price for it."""
        return Fraction(1) if token == ETH else self.prices.get(token)


def quote(
    pricing: Pricing, operation: Op, price: Fraction, base_fee_wei: int, block_steps: int, least: int = 0
) -> dict[str, Any]:
    """The fee that covers an operation.

    Args:
        pricing: How it is reckoned.
        operation: What kind.
        price: Wei for one smallest unit of the token that pays.
        base_fee_wei: L1's, per gas.
        block_steps: Steps of the largest block.
        least: What the node asks for each step whatever it costs, in the token's smallest units.
    """
    gas = OPERATIONS[operation]
    steps = SWAP_STEPS if operation == Op.SWAP else 1
    share = -(-ONE_CALL_GAS * steps // (pricing.filled_steps or max(1, block_steps // 2)))
    gas_wei = Fraction(base_fee_wei * (100 + pricing.margin_percent), 100)
    wei = {
        "l1_data": -(-gas.data * gas_wei // 1),
        "l1_execution": -(-(gas.execution + share) * gas_wei // 1),
        "proving": steps * pricing.step_wei,
    }
    units = max(int(-(-sum(wei.values()) // price)), steps * least)
    return {
        "fee": str(representable(units)),
        "gas": gas.data + gas.execution + share,
        "components": {name: str(int(value)) for name, value in wei.items()},
        "base_fee_wei": str(base_fee_wei),
        "margin_percent": pricing.margin_percent,
    }


def representable(fee: int) -> int:
    """The smallest fee that can be written and is not below this one."""
    try:
        pack_fee(fee)
    except AmountNotRepresentableError as error:
        return error.lower if error.upper is None else error.upper
    return fee
