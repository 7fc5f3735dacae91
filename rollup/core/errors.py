"""Every way the core says no.

    SluiceError
    ├── EncodingError                 a value or some bytes are not of the protocol's form
    │   ├── ValueRangeError           an integer outside its field
    │   ├── FieldRuleError            fields that are each in range and do not go together
    │   ├── AmountNotRepresentableError
    │   ├── AmountNotCanonicalError
    │   ├── FeeTokensError
    │   └── StreamError               L2 or L1 stream, with the position
    ├── OperationError                the operation cannot be included in this state and block
    │   ├── AccountMissingError
    │   ├── KeyMissingError
    │   ├── SignatureMissingError
    │   ├── SignatureInvalidError
    │   ├── NonceMismatchError
    │   ├── NonceExhaustedError
    │   ├── OutsideValidityError
    │   ├── TokenNotMoneyError
    │   ├── BalanceTooLowError
    │   ├── BalanceOverflowError
    │   ├── FeeTokenNotListedError
    │   ├── RecipientMismatchError
    │   ├── AddressZeroError
    │   ├── AccountTakenError
    │   └── ExitAmountError
    ├── BlockError                    the block, not one operation
    │   ├── BlockFullError
    │   ├── BlockSealedError
    │   ├── TooManyL1OperationsError
    │   ├── FeeAccountMissingError
    │   ├── HeaderMismatchError
    │   ├── RootMismatchError
    │   └── ReplayError
    └── KeyDerivationError            an L2 key could not be derived from an Ethereum account
        ├── SignerNotDeterministicError
        └── SignerMismatchError

Each class has a stable `code`, carries the offending values as attributes (`values` as one dict), and its message
names what is wrong, the value, and the way out.
"""

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
class _DataError(SluiceError):
    """An error whose dataclass fields are its values; they are `args` too, so that it survives pickling."""

    def __post_init__(self) -> None:
        self.args = tuple(self.values.values())

    @property
    def values(self) -> dict[str, Any]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def _address(value: int) -> str:
    return f"0x{value:040x}"


# Encoding


class EncodingError(_DataError):
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
        return f"packed {self.kind} {self.packed:#x} is not canonical: the one encoding of its value is {self.canonical:#x}"


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


# Operations


class OperationError(_DataError):
    """The operation cannot be included in this state and block."""

    code = "operation_refused"


@dataclass(eq=False)
class AccountMissingError(OperationError):
    """The account is empty."""

    account_id: int
    code = "account_missing"

    @property
    def message(self) -> str:
        return f"account {self.account_id} does not exist: deposit to it first, or look up the account of the address"


@dataclass(eq=False)
class KeyMissingError(OperationError):
    """The account exists and has no key, so nothing it signs counts."""

    account_id: int
    code = "key_missing"

    @property
    def message(self) -> str:
        return f"account {self.account_id} has no key: its owner sets one by a deposit of his own that names it"


@dataclass(eq=False)
class SignatureMissingError(OperationError):
    """A signed operation came without a signature."""

    account_id: int
    code = "signature_missing"

    @property
    def message(self) -> str:
        return f"the operation of account {self.account_id} is not signed: sign it with the account's L2 key"


@dataclass(eq=False)
class SignatureInvalidError(OperationError):
    """The signature is not the account's over this message."""

    account_id: int
    message_hash: int
    code = "signature_invalid"

    @property
    def message(self) -> str:
        return (
            f"the signature is not that of account {self.account_id} over message {self.message_hash:#x}: sign exactly "
            "these fields, for this chain and rollup, with the account's L2 key"
        )


@dataclass(eq=False)
class NonceMismatchError(OperationError):
    """The operation was signed for another nonce than the account's."""

    account_id: int
    expected: int
    got: int
    code = "nonce_mismatch"

    @property
    def message(self) -> str:
        return f"nonce is {self.got}, account {self.account_id} is at {self.expected}: sign again with nonce {self.expected}"


@dataclass(eq=False)
class NonceExhaustedError(OperationError):
    """The account has signed as often as a nonce can count."""

    account_id: int
    nonce: int
    code = "nonce_exhausted"

    @property
    def message(self) -> str:
        return f"account {self.account_id} is at its last nonce, {self.nonce}: leave by a full exit and use a new account"


@dataclass(eq=False)
class OutsideValidityError(OperationError):
    """The block's timestamp is outside what was signed."""

    timestamp: int
    valid_from: int
    valid_until: int
    code = "outside_validity"

    @property
    def message(self) -> str:
        when = "not yet valid: wait" if self.timestamp < self.valid_from else "no longer valid: sign a new one"
        return f"the block's time is {self.timestamp}, the operation is valid {self.valid_from} to {self.valid_until}, {when}"


@dataclass(eq=False)
class TokenNotMoneyError(OperationError):
    """The slot is an order slot."""

    token: int
    first_order_slot: int
    code = "token_not_money"

    @property
    def message(self) -> str:
        return f"token {self.token} is an order slot, never money: tokens are 0 to {self.first_order_slot - 1}"


@dataclass(eq=False)
class BalanceTooLowError(OperationError):
    """The balance does not cover amount and fee."""

    account_id: int
    token: int
    balance: int
    amount: int
    fee: int
    code = "balance_too_low"

    @property
    def message(self) -> str:
        short = self.amount + self.fee - self.balance
        return (
            f"account {self.account_id} has {self.balance} of token {self.token}, needs {self.amount} + fee {self.fee}: "
            f"deposit {short} more or send less"
        )


@dataclass(eq=False)
class BalanceOverflowError(OperationError):
    """A credit would reach 2^128."""

    account_id: int
    token: int
    balance: int
    amount: int
    code = "balance_overflow"

    @property
    def message(self) -> str:
        return (
            f"account {self.account_id} has {self.balance} of token {self.token}, adding {self.amount} reaches 2^128: "
            "use another account, or refuse the deposit"
        )


@dataclass(eq=False)
class FeeTokenNotListedError(OperationError):
    """The block does not take fees in this token."""

    token: int
    fee_tokens: tuple[int, ...]
    code = "fee_token_not_listed"

    @property
    def message(self) -> str:
        return f"the block takes no fee in token {self.token}: fee 0, or one of the tokens {list(self.fee_tokens)}"


@dataclass(eq=False)
class RecipientMismatchError(OperationError):
    """The recipient's account is another address's than the sender signed."""

    to_id: int
    signed: int
    address: int
    code = "recipient_mismatch"

    @property
    def message(self) -> str:
        return (
            f"account {self.to_id} belongs to {_address(self.address)}, not to the signed recipient {_address(self.signed)}: "
            "look up the account of the address and sign again"
        )


@dataclass(eq=False)
class AddressZeroError(OperationError):
    """An address that must not be zero is."""

    field: str
    code = "address_zero"

    @property
    def message(self) -> str:
        return f"{self.field} is the zero address, which can own nothing: name a real address, or refuse the deposit"


@dataclass(eq=False)
class AccountTakenError(OperationError):
    """A deposit was assigned to an account of somebody else."""

    account_id: int
    owner: int
    address: int
    code = "account_taken"

    @property
    def message(self) -> str:
        return (
            f"account {self.account_id} belongs to {_address(self.address)}, the deposit to {_address(self.owner)}: "
            "assign an empty account or one of the owner's"
        )


@dataclass(eq=False)
class ExitAmountError(OperationError):
    """A full exit states another amount than the state gives."""

    account_id: int
    token: int
    expected: int
    got: int
    code = "exit_amount"

    @property
    def message(self) -> str:
        return (
            f"the full exit of account {self.account_id}, token {self.token}, states {self.got}, the state gives "
            f"{self.expected}: leave the amount open and take what apply returns"
        )


# Blocks


class BlockError(_DataError):
    """The block, not one operation, is wrong."""

    code = "block"


@dataclass(eq=False)
class BlockFullError(BlockError):
    """Every step of the block is taken."""

    block_number: int
    block_size: int
    code = "block_full"

    @property
    def message(self) -> str:
        return f"block {self.block_number} already holds its {self.block_size} operations: seal it and open the next"


@dataclass(eq=False)
class BlockSealedError(BlockError):
    """The block was sealed or abandoned."""

    block_number: int
    code = "block_sealed"

    @property
    def message(self) -> str:
        return f"block {self.block_number} is sealed or abandoned and takes nothing more: open the next"


@dataclass(eq=False)
class TooManyL1OperationsError(BlockError):
    """The block has as many L1 records as L1 can execute at once."""

    block_number: int
    limit: int
    code = "too_many_l1_operations"

    @property
    def message(self) -> str:
        return f"block {self.block_number} already holds {self.limit} L1 operations, the most L1 accepts: use the next block"


@dataclass(eq=False)
class FeeAccountMissingError(BlockError):
    """The fee account does not exist at the block's end."""

    block_number: int
    fee_account: int
    code = "fee_account_missing"

    @property
    def message(self) -> str:
        return (
            f"fee account {self.fee_account} of block {self.block_number} does not exist: include the deposit that "
            "creates it, or name another"
        )


@dataclass(eq=False)
class HeaderMismatchError(BlockError):
    """A header field is not what the state or the streams give."""

    block_number: int
    field: str
    expected: int
    got: int
    code = "header_mismatch"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number}: header says {self.field} = {self.got}, it should be {self.expected}: "
            "the blocks are out of order or this is not the block's data"
        )


@dataclass(eq=False)
class RootMismatchError(BlockError):
    """The streams lead to another root than the header's."""

    block_number: int
    expected: int
    got: int
    code = "root_mismatch"

    @property
    def message(self) -> str:
        return (
            f"block {self.block_number}: the data leads to root {self.got:#066x}, the header says {self.expected:#066x}: "
            "fetch the block's data again; the state is as before the block"
        )


@dataclass(eq=False)
class ReplayError(BlockError):
    """An operation of a published block cannot be applied."""

    block_number: int
    step: int
    reason: str
    code = "replay"

    @property
    def message(self) -> str:
        return f"block {self.block_number}, operation {self.step}: {self.reason}; the state is as before the block"


# Keys


class KeyDerivationError(_DataError):
    """An L2 key could not be derived from an Ethereum account."""

    code = "key_derivation"


@dataclass(eq=False)
class SignerNotDeterministicError(KeyDerivationError):
    """The account signed the same data differently, so the key could never be found again."""

    address: int
    code = "signer_not_deterministic"

    @property
    def message(self) -> str:
        return (
            f"{_address(self.address)} signs the same data differently each time, so its L2 key would be lost: use a "
            "wallet with deterministic signatures (RFC 6979), or an L2 key of your own kept safe"
        )


@dataclass(eq=False)
class SignerMismatchError(KeyDerivationError):
    """The signature is not by the account that was asked for."""

    address: int
    signer: int
    code = "signer_mismatch"

    @property
    def message(self) -> str:
        return (
            f"asked {_address(self.address)} to sign, the signature is by {_address(self.signer)}: choose the right "
            "account in the wallet (a contract wallet cannot derive a key this way)"
        )
