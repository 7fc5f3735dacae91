"""Every way a validator stops.

SluiceError (rollup.core.errors)
└── NodeError
    ├── NoFeeAccountError      the validator has no L2 account that could get the fees
    ├── FeeAccountNotOwnError  the account that would get the fees is not the validator's in this block
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
