"""What an operator must know: told once when it begins, and once when it is over."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rollup.l1.errors import L1Error
from rollup.landing.errors import EndpointsDown
from rollup.landing.journal import Journal
from rollup.landing.model import Kind

_Subject = tuple[str, str]


class Notices:
    """Keeps which notices stand.

    Args:
        journal: Where they are told.
        clock: Unix seconds.
    """

    def __init__(self, journal: Journal, clock: Callable[[], float]) -> None:
        self._journal = journal
        self._clock = clock
        self._standing: dict[_Subject, L1Error] = {}
        self._renewed: set[_Subject] = set()

    def standing(self) -> list[L1Error]:
        """The notices that are not over, each with the values of when it was last seen."""
        return list(self._standing.values())

    def add(self, error: L1Error) -> None:
        """Something is so; it is told if it was not before."""
        subject = _subject(error)
        if subject not in self._standing:
            self._tell(Kind.NOTICE, error)
        self._standing[subject] = error
        self._renewed.add(subject)

    def clear(self, code: str) -> None:
        """Nothing of this code is so any more."""
        for subject in [subject for subject in self._standing if subject[0] == code]:
            self._tell(Kind.CLEARED, self._standing.pop(subject))

    @contextmanager
    def round(self) -> Iterator[None]:
        """A round in which everything that is still so is added again; what is not, is over. Cut off, nothing is."""
        self._renewed = set()
        yield
        for subject in [subject for subject in self._standing if subject not in self._renewed]:
            if subject[0] != EndpointsDown.code:
                self._tell(Kind.CLEARED, self._standing.pop(subject))

    def _tell(self, kind: Kind, error: L1Error) -> None:
        values = {"code": error.code, "message": error.message, "values": error.values}
        self._journal.tell(kind, error.values.get("key"), values, int(self._clock()))


def _subject(error: L1Error) -> _Subject:
    values = error.values
    named = [str(values[name]) for name in ("key", "address", "nonce", "l1_block", "url") if name in values]
    return error.code, " ".join(named)
