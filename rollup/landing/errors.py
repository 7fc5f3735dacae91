"""Every way an action of ours does not get to L1 although the contract has nothing against it.

    L1Error (rollup.l1.errors)
    └── LandingError
        ├── TransactionTooLarge   nodes pass on no transaction of this size
        ├── ActionDiffers         another call was submitted under this key
        ├── ActionUnknown         nothing was submitted under this key
        ├── ActionOver            it is past cancelling
        ├── ActionNotDone         it is not as far as was waited for
        ├── JournalUnusable       the file is no journal, or SQLite says no
        ├── JournalOfAnother      it is of another chain
        ├── JournalInUse          another process has it
        ├── FileExposed           others on this machine can read a key or a password
        ├── KeystoreUnusable      the file is no keystore, or the password is not its own
        ├── SignerRefused         the external signer does not sign
        ├── SignerDeviates        it signed something else than it was asked to
        ├── EndpointsDown         none of the L1 nodes answers
        └── Notice                what an operator must know; these are told as events, not raised
            ├── FeesAboveCeiling     L1 asks more than may be paid
            ├── FundsTooLow          the sender cannot pay what a transaction may cost
            ├── FundsRunningLow      the balance is below the reserve
            ├── ForeignTransaction   something else sends with the sender's key
            ├── KeyMissing           a transaction cannot be replaced: the key that signed it is not here
            ├── SendingRefused       no node takes a transaction
            ├── EndpointsDisagree    two nodes have different L1 blocks where one would be final
            └── FinalTakenBack       L1 took back what was final

Each carries the offending values (fees in wei a gas), and its message names what is wrong, the value, and the way out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from rollup.l1.errors import L1Error

_GWEI: Final = 10**9
_ETHER: Final = 10**18


class LandingError(L1Error):
    """An action is not on its way as it should be."""

    code = "landing"


@dataclass(eq=False)
class TransactionTooLarge(LandingError):
    """Nodes pass on no transaction of this size."""

    action: str
    size: int
    limit: int
    code = "transaction_too_large"

    @property
    def message(self) -> str:
        return f"{self.action} has {self.size} bytes, nodes pass on at most {self.limit}: use smaller blocks"


@dataclass(eq=False)
class ActionDiffers(LandingError):
    """Another call was submitted under this key."""

    key: str
    state: str
    code = "action_differs"

    @property
    def message(self) -> str:
        return f"{self.key} was submitted with another call, and is {self.state}: give the new call a key of its own"


@dataclass(eq=False)
class ActionUnknown(LandingError):
    """Nothing was submitted under this key."""

    key: str
    code = "action_unknown"

    @property
    def message(self) -> str:
        return f"no action {self.key} was submitted to this journal: submit it, or look into the right journal"


@dataclass(eq=False)
class ActionOver(LandingError):
    """It is past cancelling."""

    key: str
    state: str
    code = "action_over"

    @property
    def message(self) -> str:
        return f"{self.key} is {self.state} and cannot be cancelled any more: read its status"


@dataclass(eq=False)
class ActionNotDone(LandingError):
    """It is not as far as was waited for."""

    key: str
    state: str
    wanted: str
    seconds: float
    code = "action_not_done"

    @property
    def message(self) -> str:
        return (
            f"{self.key} is {self.state} and not {self.wanted} after {self.seconds:.0f} s: it goes on by itself, "
            "look at the sender's notices"
        )


@dataclass(eq=False)
class JournalUnusable(LandingError):
    """The file is no journal of ours, or SQLite cannot work with it."""

    path: str
    reason: str
    code = "journal_unusable"

    @property
    def message(self) -> str:
        return f"{self.path} cannot be used as a journal: {self.reason}; mend that, or name another file"


@dataclass(eq=False)
class JournalOfAnother(LandingError):
    """It is of another chain."""

    path: str
    expected: int
    got: int
    code = "journal_of_another"

    @property
    def message(self) -> str:
        return f"{self.path} is of chain {self.got}, this sender of chain {self.expected}: name the right file or node"


@dataclass(eq=False)
class JournalInUse(LandingError):
    """Another process has it."""

    path: str
    code = "journal_in_use"

    @property
    def message(self) -> str:
        return f"another process uses {self.path}: stop it, two senders of one key would take each other's nonces"


@dataclass(eq=False)
class FileExposed(LandingError):
    """Others on this machine can read a key or a password."""

    path: str
    mode: int
    code = "file_exposed"

    @property
    def message(self) -> str:
        return f"{self.path} has permissions {self.mode:04o}, others can read or change it: chmod 600 it, own it"


@dataclass(eq=False)
class KeystoreUnusable(LandingError):
    """The file is no keystore, or the password is not its own."""

    path: str
    reason: str
    way_out: str = "name a web3 keystore (version 3) and its own password"
    code = "keystore_unusable"

    @property
    def message(self) -> str:
        return f"{self.path}: {self.reason}; {self.way_out}"


@dataclass(eq=False)
class SignerRefused(LandingError):
    """The external signer does not sign."""

    url: str
    address: str
    reason: str
    code = "signer_refused"

    @property
    def message(self) -> str:
        return f"the signer at {self.url} does not sign for {self.address}: {self.reason}; see its log and its rules"


@dataclass(eq=False)
class SignerDeviates(LandingError):
    """It signed something else than it was asked to."""

    url: str
    what: str
    expected: str
    got: str
    code = "signer_deviates"

    @property
    def message(self) -> str:
        return (
            f"the signer at {self.url} was asked for {self.what} {self.expected} and signed {self.got}: nothing was "
            "sent; see its rules, and that it is yours"
        )


@dataclass(eq=False)
class EndpointsDown(LandingError):
    """None of the L1 nodes answers; the reasons by their names."""

    reasons: Mapping[str, str]
    code = "endpoints_down"

    @property
    def message(self) -> str:
        said = "; ".join(f"{name}: {reason}" for name, reason in self.reasons.items())
        return f"no L1 node can be used ({said}): mend one or name another; they are asked again by and by"


class Notice(LandingError):
    """What an operator must know while the sender goes on by itself."""

    code = "notice"


@dataclass(eq=False)
class FeesAboveCeiling(Notice):
    """L1 asks more for gas than may be paid."""

    key: str
    needed: int
    ceiling: int
    code = "fees_above_ceiling"

    @property
    def message(self) -> str:
        return (
            f"{self.key} needs {show_gwei(self.needed)} a gas now, the ceiling is {show_gwei(self.ceiling)}: it waits "
            "until L1 is cheaper or the ceiling is raised"
        )


@dataclass(eq=False)
class FundsTooLow(Notice):
    """The sender cannot pay what a transaction may cost at most."""

    key: str
    address: str
    balance_wei: int
    needed_wei: int
    code = "funds_too_low"

    @property
    def message(self) -> str:
        return (
            f"{self.key} waits: with all before it, it may cost {show_ether(self.needed_wei)}, and {self.address} has "
            f"{show_ether(self.balance_wei)}; send it ETH on L1"
        )


@dataclass(eq=False)
class FundsRunningLow(Notice):
    """The balance is below the reserve."""

    address: str
    balance_wei: int
    reserve_wei: int
    code = "funds_running_low"

    @property
    def message(self) -> str:
        return (
            f"{self.address} has {show_ether(self.balance_wei)}, less than the reserve of "
            f"{show_ether(self.reserve_wei)}: send it ETH on L1 before it stops"
        )


@dataclass(eq=False)
class ForeignTransaction(Notice):
    """Something else sends with the sender's key. `transaction` is empty if no node can name it."""

    address: str
    nonce: int
    transaction: str
    code = "foreign_transaction"

    @property
    def message(self) -> str:
        name = self.transaction or "a transaction that no node names"
        return (
            f"{name} uses nonce {self.nonce} of {self.address} and is not from this sender: stop whatever else signs "
            "with its key, or give this sender a key of its own"
        )


@dataclass(eq=False)
class KeyMissing(Notice):
    """A transaction cannot be replaced: the key that signed it is not here."""

    key: str
    address: str
    nonce: int
    code = "key_missing"

    @property
    def message(self) -> str:
        return (
            f"{self.key} is stuck at nonce {self.nonce} of {self.address}, whose key is not here: it is sent again as "
            "it is; add the key as a retired one to raise its fees"
        )


@dataclass(eq=False)
class SendingRefused(Notice):
    """No node takes a transaction. `reasons` by the nodes' names."""

    key: str
    nonce: int
    reasons: Mapping[str, str]
    code = "sending_refused"

    @property
    def message(self) -> str:
        said = "; ".join(f"{name}: {reason}" for name, reason in self.reasons.items())
        return (
            f"{self.key}, nonce {self.nonce}, is taken by no node ({said}): it is sent again; mend that, or cancel it"
        )


@dataclass(eq=False)
class EndpointsDisagree(Notice):
    """Two nodes have different L1 blocks where one would be final."""

    l1_block: int
    url: str
    hash: str
    other_url: str
    other_hash: str
    code = "endpoints_disagree"

    @property
    def message(self) -> str:
        return (
            f"L1 block {self.l1_block} is {self.hash} at {self.url} and {self.other_hash} at {self.other_url}: nothing "
            "in it is taken as final until they agree; find out which one is right and take the other out"
        )


@dataclass(eq=False)
class FinalTakenBack(Notice):
    """L1 took back what was final, or the node is of another chain or far behind."""

    address: str
    final_nonce: int
    url: str
    count: int
    code = "final_taken_back"

    @property
    def message(self) -> str:
        return (
            f"nonce {self.final_nonce} of {self.address} was used for good, and {self.url} knows {self.count} "
            "transactions of it: it is not used until it has caught up; if all nodes say so, stop and look at L1"
        )


def show_gwei(wei: int) -> str:
    """A fee a gas as people read it."""
    return f"{wei / _GWEI:,.3f} gwei"


def show_ether(wei: int) -> str:
    """An amount as people read it."""
    return f"{wei / _ETHER:,.6f} ETH"
