"""What nodes say to a transaction that is handed in: each has words of its own."""

import re
from enum import Enum
from typing import Final


class Verdict(Enum):
    """What a node did with a transaction."""

    TAKEN = "taken"
    """It has it, or had it already."""
    USED = "used"
    """The nonce is used; by what, the next look at L1 tells."""
    OUTBID = "outbid"
    """It has one of the same nonce that pays as much, or it asks for more."""
    REFUSED = "refused"
    """Anything else."""
    SILENT = "silent"
    """No answer came: it may have it, or not."""


_WORDS: Final = (
    (Verdict.TAKEN, r"already ?known|already ?imported|known ?transaction|already (exists|in (the )?(mem)?pool)"),
    (Verdict.USED, r"nonce (is )?too low|old ?nonce|nonce.*already (been )?used"),
    (Verdict.OUTBID, r"underpriced|replacement|fee ?too ?low|gas ?price ?too ?low|less than block base fee"),
)


def verdict(text: str) -> Verdict:
    """Return what an error to eth_sendRawTransaction means, by the words that nodes have for it."""
    for found, words in _WORDS:
        if re.search(words, text, re.IGNORECASE):
            return found
    return Verdict.REFUSED
