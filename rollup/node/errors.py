"""Every way a validator stops.

SluiceError (rollup.core.errors)
└── NodeError
    ├── NoFeeAccountError      the validator has no L2 account that could get the fees
    ├── FeeAccountNotOwnError  the account that would get the fees is not the validator's in this block
    ├── OperationTooLargeError no block has room for all its steps
    └── ForeignBlockError      L1 made another block of the data than the validator
"""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class NodeError(DataError):
    """A validator cannot go on."""

    code = "node"


@dataclass(eq=False)
class NoFeeAccountError(NodeError):
    """The validator has no L2 account that could get the fees."""

    address: str
    code = "no_fee_account"

    @property
    def message(self) -> str:
        return f"validator {self.address} has no account for the fees: deposit to it first"


@dataclass(eq=False)
class FeeAccountNotOwnError(NodeError):
    """The account that would get the fees is not the validator's at the end of this block."""

    account_id: int
    address: str
    code = "fee_account_not_own"

    @property
    def message(self) -> str:
        return (
            f"account {self.account_id} is to get the fees and is not validator {self.address}'s in this block: "
            "take his deposit into it"
        )


@dataclass(eq=False)
class OperationTooLargeError(NodeError):
    """A batch has more steps than the largest block, or more records than L1 executes at once."""

    steps: int
    most_steps: int
    records: int
    most_records: int
    code = "operation_too_large"

    @property
    def message(self) -> str:
        return (
            f"the operation has {self.steps} steps, {self.records} of them with an L1 record; a block holds "
            f"{self.most_steps} and {self.most_records}: split the batch into smaller ones"
        )


@dataclass(eq=False)
class ForeignBlockError(NodeError):
    """L1 made another block of the data than the validator."""

    block_number: int
    expected: bytes
    got: bytes
    code = "foreign_block"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number} hashes to 0x{self.expected.hex()}, L1 says 0x{self.got.hex()}: this is a fault "
            "of Sluice, please report it"
        )
