"""The operations (protocol 4): what a user signs, what a block publishes.

`Transfer`, `Order` and the like carry all their owner signed. `TransferData` and the like are what of them is
published, and all that a rebuild knows. `Deposit` and `FullExit` come from the L1 queue and are published whole.

    queue.py       Deposit, FullExit
    payments.py    Transfer, TransferToAddress, Withdraw, ForcedExit
    key_change.py  ChangePubKey
    orders.py      Order, Swap, CancelOrder
    batch.py       Batch

Most operations are one step of the circuit. A Swap is three, a Batch as many as it has operations: `steps_of`.
"""

from typing import TypeAlias

from rollup.core.operations.base import FOREVER, NO_KEY, Included, Key, Noop, Published, Signable, Signature, domain
from rollup.core.operations.batch import Batch, SignedOperation, batch_chain, linked
from rollup.core.operations.key_change import ChangePubKey, ChangePubKeyData, OwnerSignature
from rollup.core.operations.orders import (
    CancelOrder,
    CancelOrderData,
    Fill,
    FillData,
    Order,
    Settlement,
    SettlementData,
    Swap,
    SwapData,
)
from rollup.core.operations.payments import (
    ForcedExit,
    ForcedExitData,
    Transfer,
    TransferData,
    TransferToAddress,
    TransferToAddressData,
    Withdraw,
    WithdrawData,
)
from rollup.core.operations.queue import Deposit, FullExit

QueueOperation: TypeAlias = Deposit | FullExit
SimpleOperation: TypeAlias = Noop | QueueOperation | SignedOperation | ChangePubKey
"""Operations of one step."""
Operation: TypeAlias = SimpleOperation | Swap | Batch
StepOperation: TypeAlias = SimpleOperation | Fill | Settlement
"""What one step of the circuit does."""

PublishedSigned: TypeAlias = (
    TransferData | TransferToAddressData | WithdrawData | ForcedExitData | CancelOrderData | ChangePubKeyData
)
PublishedOperation: TypeAlias = QueueOperation | PublishedSigned | SwapData
PublishedStep: TypeAlias = Noop | QueueOperation | PublishedSigned | FillData | SettlementData


def steps_of(operation: Operation | PublishedOperation) -> tuple[StepOperation | PublishedStep, ...]:
    """The operation's steps, in order."""
    return operation.steps() if isinstance(operation, Swap | SwapData | Batch) else (operation,)


__all__ = [
    "FOREVER",
    "NO_KEY",
    "Batch",
    "CancelOrder",
    "CancelOrderData",
    "ChangePubKey",
    "ChangePubKeyData",
    "Deposit",
    "Fill",
    "FillData",
    "ForcedExit",
    "ForcedExitData",
    "FullExit",
    "Included",
    "Key",
    "Noop",
    "Operation",
    "Order",
    "OwnerSignature",
    "Published",
    "PublishedOperation",
    "PublishedSigned",
    "PublishedStep",
    "QueueOperation",
    "Settlement",
    "SettlementData",
    "Signable",
    "Signature",
    "SignedOperation",
    "SimpleOperation",
    "StepOperation",
    "Swap",
    "SwapData",
    "Transfer",
    "TransferData",
    "TransferToAddress",
    "TransferToAddressData",
    "Withdraw",
    "WithdrawData",
    "batch_chain",
    "domain",
    "linked",
    "steps_of",
]
