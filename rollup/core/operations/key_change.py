"""ChangePubKey: a new L2 key by the owner's Ethereum account, which L1 checks. No old key is needed."""

from dataclasses import dataclass

from rollup.core.amounts import pack_fee
from rollup.core.checks import check_uint, check_word
from rollup.core.constants import (
    ACCOUNT_ID_BITS,
    ADDRESS_BITS,
    BALANCE_BITS,
    NONCE_BITS,
    SLOT_BITS,
    TIMESTAMP_BITS,
    Op,
)
from rollup.core.errors import FieldRuleError
from rollup.core.operations.base import Included, Key, Published, marker, record_head

_SCALAR_BYTES = 32
_V_BYTES = 1


@dataclass(frozen=True, slots=True)
class OwnerSignature:
    """An Ethereum account's signature (ECDSA over secp256k1), 256 bits each and v; what it is worth `apply` says."""

    r: int
    s: int
    v: int

    def __post_init__(self) -> None:
        check_uint("r", self.r, 8 * _SCALAR_BYTES)
        check_uint("s", self.s, 8 * _SCALAR_BYTES)
        check_uint("v", self.v, 8 * _V_BYTES)
        if not (self.r or self.s or self.v):
            raise FieldRuleError("signature", (0, 0, 0), "all 0 stands for an approval on L1: leave authorisation None")

    @classmethod
    def from_bytes(cls, data: bytes) -> "OwnerSignature":
        """From `r 32 | s 32 | v 1`, as wallets give it."""
        if len(data) != 2 * _SCALAR_BYTES + _V_BYTES:
            raise FieldRuleError("signature", f"{len(data)} bytes", f"it has {2 * _SCALAR_BYTES + _V_BYTES} bytes")
        r, s = data[:_SCALAR_BYTES], data[_SCALAR_BYTES : 2 * _SCALAR_BYTES]
        return cls(int.from_bytes(r, "big"), int.from_bytes(s, "big"), data[-1])

    def __bytes__(self) -> bytes:
        return self.r.to_bytes(_SCALAR_BYTES, "big") + self.s.to_bytes(_SCALAR_BYTES, "big") + bytes([self.v])


@dataclass(frozen=True, slots=True)
class ChangePubKeyData(Published):
    """What of a ChangePubKey is published; `nonce` is the account's before."""

    OP = Op.CHANGE_PUB_KEY
    RECORD_WORDS = 4

    account_id: int
    owner: int
    key: Key
    nonce: int
    fee_token: int
    fee: int

    def __post_init__(self) -> None:
        check_uint("account_id", self.account_id, ACCOUNT_ID_BITS)
        check_uint("owner", self.owner, ADDRESS_BITS)
        check_word("key[0]", self.key[0])
        check_word("key[1]", self.key[1])
        check_uint("nonce", self.nonce, NONCE_BITS)
        check_uint("fee_token", self.fee_token, SLOT_BITS)
        pack_fee(self.fee)

    def chunks(self) -> tuple[int, ...]:
        """The marker, with the fee."""
        return (marker(self.OP, self.fee),)

    def record(self) -> tuple[int, ...]:
        """W0 to W3; the fee once more, exact."""
        w0 = record_head(self.OP, 0, self.account_id, self.fee_token, self.owner)
        return w0, self.nonce << BALANCE_BITS | self.fee, *self.key


@dataclass(frozen=True, slots=True)
class ChangePubKey(Included):
    """A new key for the account, which is `owner`'s; from the next step on the old key signs nothing.

    `authorisation` is the owner's signature of `key_change.digest`; None says that he approved the digest on L1, which
    counts only where the caller has looked (`Context.key_approvals`). `valid_until` is unix seconds, inclusive.
    """

    account_id: int
    owner: int
    key: Key
    nonce: int
    fee_token: int
    fee: int
    valid_until: int
    authorisation: OwnerSignature | None = None

    def __post_init__(self) -> None:
        self.published()
        check_uint("valid_until", self.valid_until, TIMESTAMP_BITS)

    def published(self) -> ChangePubKeyData:
        """What a block publishes of it."""
        return ChangePubKeyData(self.account_id, self.owner, self.key, self.nonce, self.fee_token, self.fee)

    def key_auth(self) -> bytes:
        """What L1 wants with the record: `r 32 | s 32 | v 1 | validUntil 5`, zeros for an approval on L1."""
        signature = bytes(2 * _SCALAR_BYTES + _V_BYTES) if self.authorisation is None else bytes(self.authorisation)
        return signature + self.valid_until.to_bytes(TIMESTAMP_BITS // 8, "big")
