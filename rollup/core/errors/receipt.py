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
