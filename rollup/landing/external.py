"""A signer elsewhere, over JSON-RPC: web3signer (`eth_signTransaction`), clef (`account_signTransaction`)."""

from typing import Any, Final

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_hash.auto import keccak
from hexbytes import HexBytes

from rollup.l1.errors import NodeUnreachable
from rollup.l1.node import data
from rollup.l1.rpc import Rpc, RpcError
from rollup.landing.errors import SignerDeviates, SignerRefused
from rollup.landing.signing import Signed, Unsigned

WEB3SIGNER_METHOD: Final = "eth_signTransaction"
CLEF_METHOD: Final = "account_signTransaction"


class ExternalSigner:
    """Asks a signer, and believes nothing of what it gives back.

    Args:
        rpc: The signer; not an L1 node, which would send what it signs.
        address: Whose key it holds, checksummed.
        method: What it calls signing.
    """

    def __init__(self, rpc: Rpc, address: str, method: str = WEB3SIGNER_METHOD) -> None:
        self._rpc = rpc
        self._address = address
        self._method = method

    @property
    def address(self) -> str:
        return self._address

    def sign(self, transaction: Unsigned) -> Signed:
        """Have it signed.

        Raises: SignerRefused, SignerDeviates.
        """
        wanted = transaction.as_dict()
        try:
            answer = self._rpc(self._method, {"from": self.address, **{name: _hex(wanted[name]) for name in wanted}})
            raw = data(answer["raw"] if isinstance(answer, dict) else answer)
            got = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
            signed_by = str(Account.recover_transaction(raw))
        except (NodeUnreachable, RpcError) as error:
            raise SignerRefused(self._rpc.name, self.address, str(getattr(error, "reason", error))) from error
        except Exception as error:  # eth-account has no one error for bytes that are no transaction
            reason = f"it gives no signed transaction: {error}"
            raise SignerRefused(self._rpc.name, self.address, reason) from error
        self._compare("from", self.address, signed_by)
        for name in wanted:
            self._compare(name, _hex(wanted[name]), _hex(got.get(name)))
        self._compare("accessList", "none", "none" if not got.get("accessList") else "some")
        return Signed(raw, "0x" + keccak(raw).hex())

    def _compare(self, what: str, expected: str, got: str) -> None:
        if expected.lower() != got.lower():
            raise SignerDeviates(self._rpc.name, what, expected, got)


def _hex(value: Any) -> str:
    if isinstance(value, int):
        return hex(value)
    return "0x" + bytes(value).hex() if isinstance(value, bytes) else str(value)
