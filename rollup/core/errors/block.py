"""Why a block cannot be built or rebuilt."""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class BlockError(DataError):
    """The block, not one operation, is wrong."""

    code = "block"


@dataclass(eq=False)
class BlockFullError(BlockError):
    """The block has fewer steps left than the operation takes; what takes several is never split."""

    block_number: int
    block_size: int
    free: int
    needed: int
    code = "block_full"

    @property
    def message(self) -> str:
        left = f"block {self.block_number} has {self.free} of its {self.block_size} steps left, the operation takes "
        way_out = "seal it and open the next" if self.needed <= self.block_size else "it needs a larger block"
        return f"{left}{self.needed}: {way_out}"


@dataclass(eq=False)
class BlockSealedError(BlockError):
    """The block was sealed or abandoned."""

    block_number: int
    code = "block_sealed"

    @property
    def message(self) -> str:
        return f"block {self.block_number} is sealed or abandoned and takes nothing more: open the next"


@dataclass(eq=False)
class TooManyL1OperationsError(BlockError):
    """The block has as many L1 records as L1 can execute at once."""

    block_number: int
    limit: int
    code = "too_many_l1_operations"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number} already holds {self.limit} L1 operations, the most L1 takes: use the next block"
        )


@dataclass(eq=False)
class FeeAccountMissingError(BlockError):
    """The fee account does not exist at the block's end."""

    block_number: int
    fee_account: int
    code = "fee_account_missing"

    @property
    def message(self) -> str:
        return (
            f"fee account {self.fee_account} of block {self.block_number} does not exist: include the deposit that "
            "creates it, or name another"
        )


@dataclass(eq=False)
class HeaderMismatchError(BlockError):
    """A header field is not what the state or the streams give."""

    block_number: int
    field: str
    expected: int
    got: int
    code = "header_mismatch"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number}: header says {self.field} = {self.got}, it should be {self.expected}: "
            "the blocks are out of order or this is not the block's data"
        )


@dataclass(eq=False)
class RootMismatchError(BlockError):
    """The streams lead to another root than the header's."""

    block_number: int
    expected: int
    got: int
    code = "root_mismatch"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number}: the data leads to root {self.got:#066x}, the header says "
            f"{self.expected:#066x}: fetch the block's data again; the state is as before the block"
        )


@dataclass(eq=False)
class ReplayError(BlockError):
    """An operation of a published block cannot be applied."""

    block_number: int
    position: int
    reason: str
    code = "replay"

    @property
    def message(self) -> str:
        return f"block {self.block_number}, operation {self.position}: {self.reason}; the state is as before the block"
