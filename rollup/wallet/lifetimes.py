"""How long what a wallet signs can be included; apart from it, as help shows them and needs no signatures."""

from typing import Final

LIFETIME_SECONDS: Final = 24 * 3600
"""How long what a wallet signs can be included if it says nothing else."""
KEY_CHANGE_LIFETIME_SECONDS: Final = 3 * 24 * 3600
"""The same of a key change: an approval on L1 cannot be taken back."""
