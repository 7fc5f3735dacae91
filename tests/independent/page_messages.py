"""What is signed, as docs/protocol.md says in section 4: messages of EdDSA, batches, EIP-712 digests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from eth_hash.auto import keccak
from eth_keys import keys
from page_model import pack_decimal, poseidon, word

FOREVER = 2**40 - 1


@dataclass(frozen=True)
class Signed:
    """One row of the page's table; `fee` in the token's smallest unit, `amount` as it stands in M3."""

    op: int
    account: int
    nonce: int
    token: int
    fee_token: int
    fee: int
    to: int
    address: int
    amount: int
    valid_from: int = 0
    valid_until: int = FOREVER

    def words(self, domain: int, link: int = 0) -> list[int]:
        """M0..M4."""
        m1 = 0
        for value, bits in (
            (self.op, 4),
            (self.account, 24),
            (self.nonce, 32),
            (self.token, 12),
            (self.fee_token, 12),
            (pack_decimal(self.fee, 11), 16),
            (self.to, 24),
            (self.valid_from, 40),
            (self.valid_until, 40),
        ):
            assert 0 <= value < 1 << bits
            m1 = m1 << bits | value
        return [domain, m1, self.address, self.amount, link]


def order_amounts(sold: int, bought: int) -> int:
    """M3 of an order."""
    return sold << 120 | bought


def order_to(slot: int, bought_token: int) -> int:
    """to_id of an order."""
    return slot << 12 | bought_token


def link(batch: Sequence[Signed]) -> int:
    """M4 of all operations of a batch."""
    rest = 0
    for operation in reversed(batch):
        rest = poseidon(*operation.words(0)[1:4], rest)
    return rest


def typed_digest(chain_id: int, rollup: int, type_: str, fields: list[bytes]) -> bytes:
    """EIP-712, by hand; `fields` are the words of the struct."""
    domain_type = b"EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
    domain = [keccak(domain_type), keccak(b"Sluice"), keccak(b"1"), word(chain_id), word(rollup)]
    struct = [keccak(type_.encode()), *fields]
    return keccak(b"\x19\x01" + keccak(b"".join(domain)) + keccak(b"".join(struct)))


def key_change_digest(
    chain_id: int,
    rollup: int,
    account: int,
    nonce: int,
    key: tuple[int, int],
    fee_token: int,
    fee: int,
    valid_until: int,
) -> bytes:
    members = "uint32 accountId,uint32 nonce,uint256 ax,uint256 ay,uint16 feeToken,uint128 fee,uint40 validUntil"
    fields = [account, nonce, *key, fee_token, fee, valid_until]
    return typed_digest(chain_id, rollup, f"ChangePubKey({members})", [word(value) for value in fields])


def l2_key_digest(chain_id: int, rollup: int, statement: str, index: int) -> bytes:
    type_ = "SluiceKey(string statement,uint32 index)"
    return typed_digest(chain_id, rollup, type_, [keccak(statement.encode()), word(index)])


def signer_of(digest: bytes, r: int, s: int, v: int) -> int:
    """ecrecover: the address that signed; v is 27 or 28."""
    signature = keys.Signature(vrs=(v - 27, r, s))
    return int(signature.recover_public_key_from_msg_hash(digest).to_address(), 16)
