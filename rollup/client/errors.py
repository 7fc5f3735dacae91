"""Every way a user's side refuses, or is refused.

SluiceError (rollup.core.errors)
└── ClientError
    ├── NodeNotAnswering     no answer came, or none that says anything
    ├── AnswerInvalid        the answer is not what the API promises
    ├── Refused              the node says no; code, message and values are the API's
    ├── SubmissionUnknown    no answer came to a submission: it may have been taken in
    ├── NodeOfAnother        the node is of another rollup than the manifest
    ├── ReceiptError         the node's promise is not what was asked for (ReceiptUnfit here; others in rollup.core)
    ├── FinalityDenied       the node says final, and L1 does not
    ├── NotFinalInTime       it is not final yet
    ├── FeeAboveMaximum      the node asks for a higher fee than the user pays
    ├── QuoteExpired         the node's quote is over already
    ├── AccountUnknown       the address has no account on the rollup
    ├── KeyNotOurs           the account's L2 key is none that this Ethereum account has derived
    ├── NonceTaken           something else has used the nonce
    ├── NonceMissing         an earlier operation is missing
    ├── OutstandingOperation something unanswered may be included beside what is to be signed
    ├── TokenUnknown         the rollup has no such token
    ├── L1NotNamed           there is no way to L1
    ├── SentBefore           the same operation was taken in already, unheard
    ├── OrderUnfit           an order that was handed over is not to be taken
    └── WalletFolderError
        ├── RecordsUnusable  what the wallet has written down cannot be read or written
        ├── WalletUnknown    no such wallet in the folder
        └── PinDiffers       the node is of another rollup than it was when it was first asked

Each carries the offending values, and its message names what is wrong, the value, and the way out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rollup.core.errors.base import DataError
from rollup.core.errors.receipt import ReceiptError


class ClientError(DataError):
    """Something between a user and a node."""

    code = "client"


@dataclass(eq=False)
class NodeNotAnswering(ClientError):
    """No answer, or none that says anything."""

    url: str
    reason: str
    attempts: int
    code = "node_not_answering"

    @property
    def message(self) -> str:
        tried = f" ({self.attempts} attempts)" if self.attempts > 1 else ""
        return f"{self.url} does not answer{tried}: {self.reason}; check the address, or try again later"


@dataclass(eq=False)
class AnswerInvalid(ClientError):
    """The answer is not what the API promises."""

    path: str
    where: str
    reason: str
    code = "answer_invalid"

    @property
    def message(self) -> str:
        said = f"the node's answer to {self.path} is wrong at {self.where}: {self.reason}; nothing of it is believed"
        return "".join(each if each.isprintable() else "?" for each in said)


@dataclass(eq=False)
class Refused(ClientError):
    """The node says no.

    Args:
        status: HTTP's.
        refusal: The API's code, stable; this error's `code` too.
        text: The API's words: what is wrong, the value, the way out.
        detail: The API's values, by name.
    """

    status: int
    refusal: str
    text: str
    detail: Mapping[str, Any] = field(default_factory=dict)
    code = "refused"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.code = self.refusal  # type: ignore[misc]  # of the class elsewhere, here the API's

    @property
    def message(self) -> str:
        return self.text


@dataclass(eq=False)
class SubmissionUnknown(ClientError):
    """No answer came to a submission: it may have been taken in."""

    operation_hash: str
    reason: str
    code = "submission_unknown"

    @property
    def message(self) -> str:
        return (
            f"no receipt came for {self.operation_hash}: {self.reason}. It may have been taken in: submit the same "
            "operation again, or ask for it by its hash; another one in its place might pay twice"
        )


@dataclass(eq=False)
class NodeOfAnother(ClientError):
    """The node is of another rollup than the manifest."""

    url: str
    what: str
    expected: str
    got: str
    code = "node_of_another"

    @property
    def message(self) -> str:
        return (
            f"{self.url} is of another rollup: its {self.what} is {self.got}, expected is {self.expected}; name "
            "another node, or the manifest of this one; who may be a validator can change: an L1 node (--rpc) knows"
        )


@dataclass(eq=False)
class ReceiptUnfit(ReceiptError):
    """The receipt is signed, and promises something else than was asked for."""

    what: str
    expected: str
    got: str
    code = "receipt_unfit"

    @property
    def message(self) -> str:
        return (
            f"the receipt's {self.what} is {self.got}, for what was submitted it is {self.expected}: it promises "
            "nothing of that; keep it, and ask another node"
        )


@dataclass(eq=False)
class FinalityDenied(ClientError):
    """The node says final, and L1 does not."""

    operation_hash: str
    block: int
    stage: str
    code = "finality_denied"

    @property
    def message(self) -> str:
        return (
            f"the node says that {self.operation_hash} is final in block {self.block}; on L1 the block is "
            f"{self.stage}: believe L1, and wait"
        )


@dataclass(eq=False)
class NotFinalInTime(ClientError):
    """It is not final yet."""

    operation_hash: str
    status: str
    seconds: float
    code = "not_final_in_time"

    @property
    def message(self) -> str:
        waited = f"{self.operation_hash} is {self.status} (not final) after {self.seconds:g} s"
        return f"{waited}: its receipt stands; wait again"


@dataclass(eq=False)
class FeeAboveMaximum(ClientError):
    """The node asks for a higher fee than the user pays. `fee` and `most` in smallest units."""

    fee: int
    most: int
    token: str
    decimals: int
    code = "fee_above_maximum"

    @property
    def message(self) -> str:
        fee, most = (_shown(amount, self.decimals) for amount in (self.fee, self.most))
        return (
            f"the fee is {fee} {self.token}, the most that you pay {most}: nothing was signed; allow more with a "
            "higher maximum (--max-fee), or wait until it is cheaper"
        )


@dataclass(eq=False)
class QuoteExpired(ClientError):
    """The node's quote is over already. Unix seconds."""

    valid_until: int
    now: int
    code = "quote_expired"

    @property
    def message(self) -> str:
        return (
            f"the node's quote of a fee ended at {self.valid_until}, it is {self.now}: set this machine's clock, or "
            "name the fee yourself"
        )


@dataclass(eq=False)
class AccountUnknown(ClientError):
    """The address has no account on the rollup."""

    address: str
    code = "account_unknown"

    @property
    def message(self) -> str:
        return f"{self.address} has no account on the rollup: deposit first, or have somebody pay it"


@dataclass(eq=False)
class KeyNotOurs(ClientError):
    """The account's L2 key is none that was derived here."""

    account_id: int
    has_key: bool
    tried: int
    code = "key_not_ours"

    @property
    def message(self) -> str:
        if not self.has_key:
            return (
                f"account {self.account_id} has no L2 key yet: deposit from its own address, or set one (`change_key`, "
                "`sluice wallet new-key --key-index 0`)"
            )
        return (
            f"account {self.account_id} has an L2 key that is none of the first {self.tried} of this Ethereum account: "
            "name its number, or set a new key (`change_key`, `sluice wallet new-key`)"
        )


@dataclass(eq=False)
class NonceTaken(ClientError):
    """Something else has used the nonce."""

    account_id: int
    nonce: int
    expected: int
    code = "nonce_taken"

    @property
    def message(self) -> str:
        return (
            f"nonce {self.nonce} of account {self.account_id} was used by something else (the next is "
            f"{self.expected}), another device perhaps: look at the history, then do it again if it is still wanted"
        )


@dataclass(eq=False)
class NonceMissing(ClientError):
    """An earlier operation is missing."""

    account_id: int
    nonce: int
    expected: int
    code = "nonce_missing"

    @property
    def message(self) -> str:
        return (
            f"operation {self.nonce} of account {self.account_id} is signed and waits for number {self.expected}, "
            "which no node has: submit that one again, or release its nonce"
        )


@dataclass(eq=False)
class OutstandingOperation(ClientError):
    """Something was signed, has no receipt, and may be included beside what is to be signed now."""

    operation_hash: str
    nonce: int
    next_nonce: int
    code = "outstanding_operation"

    @property
    def message(self) -> str:
        return (
            f"{self.operation_hash}, nonce {self.nonce}, was sent, has no receipt, and may still be taken in; the node "
            f"says that {self.next_nonce} is next, so both could be. Look at the history, submit that one again "
            "(`resend`), or wait until it has ended; if you are sure, say that it may be ignored (--ignore-outstanding)"
        )


@dataclass(eq=False)
class TokenUnknown(ClientError):
    """The rollup has no token of this symbol."""

    symbol: str
    known: tuple[str, ...]
    code = "token_unknown"

    @property
    def message(self) -> str:
        return f"{self.symbol!r} is no token of this rollup: there are {', '.join(self.known)}"


@dataclass(eq=False)
class L1NotNamed(ClientError):
    """There is no way to L1."""

    code = "l1_not_named"

    @property
    def message(self) -> str:
        return "this is done on L1, and no L1 node is named: give its JSON-RPC address (--rpc, SLUICE_RPC)"


@dataclass(eq=False)
class SentBefore(ClientError):
    """The same operation was taken in already, unheard."""

    operation_hash: str
    what: str
    code = "sent_before"

    @property
    def message(self) -> str:
        return (
            f"{self.what} was sent before, unheard, and taken in as {self.operation_hash}; its receipt is kept now. If "
            "you mean another one, do it again"
        )


@dataclass(eq=False)
class OrderUnfit(ClientError):
    """An order that was handed over is not to be taken."""

    reason: str
    code = "order_unfit"

    @property
    def message(self) -> str:
        return f"this order is not taken: {self.reason}; ask whoever made it for another"


class WalletFolderError(ClientError):
    """What a wallet keeps is not as it should be."""

    code = "wallet_folder"


@dataclass(eq=False)
class RecordsUnusable(WalletFolderError):
    """What the wallet has written down cannot be read or written."""

    path: str
    reason: str
    code = "records_unusable"

    @property
    def message(self) -> str:
        return f"{self.path} cannot be used: {self.reason}; nothing is sent without it"


@dataclass(eq=False)
class WalletUnknown(WalletFolderError):
    """No such wallet in the folder."""

    name: str
    folder: str
    known: tuple[str, ...]
    code = "wallet_unknown"

    @property
    def message(self) -> str:
        there = f"there are {', '.join(self.known)}" if self.known else "there is none"
        return f"no wallet {self.name!r} in {self.folder}, {there}: `sluice wallet create` or `import` makes one"


@dataclass(eq=False)
class PinDiffers(WalletFolderError):
    """The node is of another rollup than it was when it was first asked."""

    url: str
    what: str
    expected: str
    got: str
    pin: str
    code = "pin_differs"

    @property
    def message(self) -> str:
        return (
            f"{self.url} is not what it was: its {self.what} is {self.got}, it was {self.expected} when it was first "
            f"asked. If you know why, remove {self.pin}; otherwise send it nothing"
        )


def _shown(amount: int, decimals: int) -> str:
    from rollup.wallet.tokens import Token

    return Token(0, "", decimals).show(amount)
