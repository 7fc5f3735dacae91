"""What all errors have in common."""

from dataclasses import dataclass, fields
from typing import Any, ClassVar


class SluiceError(Exception):
    """Base of all errors of this package."""

    code: ClassVar[str] = "error"

    @property
    def values(self) -> dict[str, Any]:
        """The offending values by name."""
        return {}

    @property
    def message(self) -> str:
        """What is wrong, the value, the way out."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.message


@dataclass(eq=False)
class DataError(SluiceError):
    """An error whose dataclass fields are its values; they are `args` too, so that it survives pickling."""

    def __post_init__(self) -> None:
        self.args = tuple(self.values.values())

    @property
    def values(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def hex_address(value: int) -> str:
    """An address as it is written."""
    return f"0x{value:040x}"
