"""The tokens of the demo's deployment."""

from typing import Final

from rollup.wallet.tokens import ETH, Token

USDS: Final = Token(1, "USDS", 6)
TOKENS: Final = (ETH, USDS)
BY_SYMBOL: Final = {token.symbol: token for token in TOKENS}
