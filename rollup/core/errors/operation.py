"""Why an operation cannot be included."""

from dataclasses import dataclass

from rollup.core.errors.base import DataError, hex_address


class OperationError(DataError):
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
        return f"account {self.account_id} has no key: its owner sets one by a key change, or a deposit of his own"


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
        return f"nonce is {self.got}, account {self.account_id} is at {self.expected}: sign again with that nonce"


@dataclass(eq=False)
class NonceExhaustedError(OperationError):
    """The account has signed as often as a nonce can count."""

    account_id: int
    nonce: int
    code = "nonce_exhausted"

    @property
    def message(self) -> str:
        return f"account {self.account_id} is at its last nonce, {self.nonce}: exit it in full and use a new account"


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
        window = f"valid {self.valid_from} to {self.valid_until}"
        return f"the block's time is {self.timestamp}, the operation is {window}, {when}"


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
            f"account {self.account_id} has {self.balance} of token {self.token}, pays {self.amount} + fee {self.fee}: "
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
            f"account {self.to_id} belongs to {hex_address(self.address)}, not to the signed recipient "
            f"{hex_address(self.signed)}: look up the account of the address and sign again"
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
    """A deposit or payment to an address was assigned to an account of somebody else."""

    account_id: int
    owner: int
    address: int
    code = "account_taken"

    @property
    def message(self) -> str:
        return (
            f"account {self.account_id} belongs to {hex_address(self.address)}, the money is for "
            f"{hex_address(self.owner)}: assign an empty account or one of the owner's"
        )


@dataclass(eq=False)
class ExitAmountError(OperationError):
    """An exit states another amount than the state gives."""

    account_id: int
    token: int
    expected: int
    got: int
    code = "exit_amount"

    @property
    def message(self) -> str:
        return (
            f"the exit of account {self.account_id}, token {self.token}, states {self.got}, the state gives "
            f"{self.expected}: leave the amount open and take what apply returns"
        )


@dataclass(eq=False)
class OwnerMismatchError(OperationError):
    """The account is another address's than the operation says."""

    account_id: int
    stated: int
    address: int
    code = "owner_mismatch"

    @property
    def message(self) -> str:
        return (
            f"account {self.account_id} belongs to {hex_address(self.address)}, not to {hex_address(self.stated)}: "
            "look up the account of the address"
        )


@dataclass(eq=False)
class KeyPresentError(OperationError):
    """A forced exit of an account that can withdraw by itself."""

    account_id: int
    code = "key_present"

    @property
    def message(self) -> str:
        return f"account {self.account_id} has a key: only its owner takes its money out, by Withdraw or FullExit"


@dataclass(eq=False)
class NothingToExitError(OperationError):
    """A forced exit, or an exit by proof, of nothing."""

    account_id: int
    token: int
    code = "nothing_to_exit"

    @property
    def message(self) -> str:
        return f"account {self.account_id} has nothing of token {self.token}: name a token that it has"


@dataclass(eq=False)
class KeyUnusableError(OperationError):
    """The new key could sign nothing."""

    account_id: int
    key: tuple[int, int]
    code = "key_unusable"

    @property
    def message(self) -> str:
        return (
            f"the new key ({self.key[0]:#x}, {self.key[1]:#x}) of account {self.account_id} is not a point of Baby "
            "Jubjub's prime-order subgroup: derive one from a private key"
        )


@dataclass(eq=False)
class KeyChangeNotAuthorisedError(OperationError):
    """Neither a signature of the owner nor an approval on L1; `signer` None: no signature that L1 takes."""

    account_id: int
    owner: int
    signer: int | None
    digest: bytes
    code = "key_change_not_authorised"

    @property
    def message(self) -> str:
        by = "nobody's signature" if self.signer is None else f"the signature of {hex_address(self.signer)}"
        return (
            f"the key change of account {self.account_id} has {by}: {hex_address(self.owner)} must sign digest "
            f"0x{self.digest.hex()}, or approve it on L1"
        )


@dataclass(eq=False)
class LinkMismatchError(OperationError):
    """The operation was signed for another batch, or for none (link 0)."""

    account_id: int
    expected: int
    got: int
    code = "link_mismatch"

    @property
    def message(self) -> str:
        if self.expected:
            signed = f"batch {self.got:#x}" if self.got else "no batch"
            return (
                f"the operation of account {self.account_id} was signed for {signed}, this one is {self.expected:#x}: "
                "include exactly the operations that were signed together, in their order"
            )
        return f"the operation of account {self.account_id} is part of batch {self.got:#x}: include the whole batch"
