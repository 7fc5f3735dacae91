"""A value or some bytes are not of the protocol's form."""

from dataclasses import dataclass

from rollup.core.errors.base import DataError


class EncodingError(DataError):
    """A value or some bytes are not of the protocol's form."""

    code = "encoding"


@dataclass(eq=False)
class ValueRangeError(EncodingError):
    """An integer outside its field: 0 <= value < limit does not hold, or it is not an integer."""

    field: str
    value: object
    limit: int
    code = "value_out_of_range"

    @property
    def message(self) -> str:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            return f"{self.field} is {self.value!r}: give an integer, 0 to {self.limit - 1}"
        return f"{self.field} is {self.value}: it must be 0 to {self.limit - 1}"


@dataclass(eq=False)
class FieldRuleError(EncodingError):
    """Fields that are each in range and do not go together."""

    field: str
    value: object
    rule: str
    code = "field_rule"

    @property
    def message(self) -> str:
        return f"{self.field} is {self.value!r}: {self.rule}"


@dataclass(eq=False)
class AmountNotRepresentableError(EncodingError):
    """No mantissa and exponent give this value; `lower` and `upper` are the nearest that do (upper None: too large)."""

    kind: str
    value: int
    lower: int
    upper: int | None
    code = "amount_not_representable"

    @property
    def message(self) -> str:
        above = "" if self.upper is None else f" or {self.upper}"
        return f"{self.kind} {self.value} has too many significant digits to be packed: use {self.lower}{above}"


@dataclass(eq=False)
class AmountNotCanonicalError(EncodingError):
    """A packed value in another encoding than the canonical one (`canonical` None: it is 2^128 or more)."""

    kind: str
    packed: int
    canonical: int | None
    code = "amount_not_canonical"

    @property
    def message(self) -> str:
        if self.canonical is None:
            return f"packed {self.kind} {self.packed:#x} stands for 2^128 or more: no balance can hold it"
        return f"packed {self.kind} {self.packed:#x} is not canonical: its value is encoded as {self.canonical:#x}"


@dataclass(eq=False)
class FeeTokensError(EncodingError):
    """The header's fee tokens are not eight strictly increasing token ids."""

    fee_tokens: tuple[int, ...]
    code = "fee_tokens"

    @property
    def message(self) -> str:
        return (
            f"fee tokens are {list(self.fee_tokens)}: name exactly 8 token ids below the first order slot, strictly "
            "increasing (fill up with unused ones)"
        )


@dataclass(eq=False)
class StreamError(EncodingError):
    """A stream is malformed at `position` (chunk of the L2 stream, word of the L1 stream)."""

    stream: str
    position: int
    reason: str
    code = "stream_malformed"

    @property
    def message(self) -> str:
        unit = "chunk" if self.stream == "L2" else "word"
        return f"{self.stream} stream, {unit} {self.position}: {self.reason}; this is not the data of a proven block"


@dataclass(eq=False)
class AddressTextError(EncodingError):
    """The text is not an L1 address."""

    text: str
    reason: str
    way_out: str
    code = "address_text"

    @property
    def message(self) -> str:
        return f"{self.text[:80]!r}: {self.reason}; {self.way_out}"


@dataclass(eq=False)
class WireError(EncodingError):
    """JSON that is no operation: at `path`, such as operations[1].fee, stands `value`, where `expected` should."""

    path: str
    value: str
    expected: str
    code = "wire"

    @property
    def message(self) -> str:
        return f"{self.path} is {self.value}: {self.expected}"
