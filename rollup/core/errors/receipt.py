"""Why a receipt is worth nothing, or was broken."""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class ReceiptError(DataError):
    """A receipt does not hold."""

    code = "receipt"


@dataclass(eq=False)
class ReceiptForeignError(ReceiptError):
    """The receipt is of another rollup."""

    what: str
    expected: str
    got: str
    code = "receipt_foreign"

    @property
    def message(self) -> str:
        return f"the receipt is of another rollup: its {self.what} is {self.got}, here it is {self.expected}"


@dataclass(eq=False)
class ReceiptSignerError(ReceiptError):
    """No validator signed it. `signer` is whose signature it is, empty if it is none."""

    signer: str
    validators: tuple[str, ...]
    code = "receipt_signer"

    @property
    def message(self) -> str:
        whose = f"signed by {self.signer}" if self.signer else "not signed by anybody"
        return f"the receipt is {whose}; the validators are {', '.join(self.validators)}: it promises nothing"


@dataclass(eq=False)
class ReceiptBrokenError(ReceiptError):
    """The block holds something else at the receipt's place: with the receipt and the block's data this is provable."""

    block_number: int
    stream: str
    position: int
    promised: str
    published: str
    code = "receipt_broken"

    @property
    def message(self) -> str:
        unit = "chunk" if self.stream == "L2" else "word"
        return (
            f"block {self.block_number} has {self.published or 'nothing'} from {unit} {self.position} of its "
            f"{self.stream} stream, the receipt promises {self.promised}: keep the receipt, it proves the fault"
        )


@dataclass(eq=False)
class ReceiptLateError(ReceiptError):
    """L1 did not have the block by the receipt's time: with the receipt alone this is provable.

    `committed_at` is when L1 took it, None if it has not.
    """

    block_number: int
    commit_by: int
    committed_at: int | None
    code = "receipt_late"

    @property
    def message(self) -> str:
        late = (
            "is not on L1"
            if self.committed_at is None
            else f"was committed {self.committed_at - self.commit_by} s late"
        )
        return (
            f"block {self.block_number} {late}, and the receipt promises it by unix time {self.commit_by}: keep the "
            "receipt, it proves the fault"
        )
