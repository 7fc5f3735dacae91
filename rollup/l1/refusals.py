"""Turns what a contract reverts with into our exceptions: the error's name, its data, the way out."""

from collections.abc import Iterable
from typing import Any, Final, Self

from eth_abi.abi import encode
from eth_hash.auto import keccak

from rollup.l1.abi import decode_values
from rollup.l1.contract_errors import DECLARATIONS
from rollup.l1.errors import ContractRefused, L1Error, TransactionReverted

WAYS_OUT: Final = {
    "AccountOutOfRange": "account ids are below 2^24",
    "AddressWithoutCode": "deploy what the address should be first",
    "AlreadyExited": "this balance has left: withdraw what is pending",
    "AmountNotPending": "withdraw more than nothing, and no more than is pending",
    "BlockHashMismatch": "pass the block exactly as it was committed; the reader gives it",
    "BlockNotProven": "prove the block first",
    "BlockOutOfOrder": "somebody was faster or a block is missing: read the chain, go on from the expected number",
    "BlockSizeUnsupported": "use a block size of the deployment's manifest",
    "CalldataNotCanonical": "send exactly the canonical ABI encoding of the arguments, as this client does",
    "CommitterSuspended": "blocks of this address were reverted: the governor can name another",
    "DepositCapExceeded": "deposit less, or wait for withdrawals or a higher cap",
    "DepositCapTooHigh": "set a cap below 2^120",
    "DepositsPaused": "the governor has stopped deposits of this token: wait, or deposit another",
    "ERC20InsufficientAllowance": "approve the rollup for the amount first",
    "ERC20InsufficientBalance": "get more of the token, or use less",
    "EthTransferFailed": "the recipient does not take ETH; the amount stays pending, and its owner can name another",
    "ExodusIsActive": "the rollup has ended: `sluice exodus exit` takes out what is yours",
    "ExodusNotActive": "this is for exodus only, which has not begun",
    "GovernorNeedsOwner": "hand the governor over instead: transferOwnership, then acceptOwnership by the new owner",
    "InputNotInField": "the public inputs are not of a block",
    "InvalidAuth": "the allow-list takes no auth: leave it empty",
    "InvalidExitProof": "prove the exit again: of the state with exodusRoot, with the kit of this deployment",
    "InvalidOwner": "name an owner who can hold money",
    "InvalidProof": "a proof is not of its block: prove these again with the deployment's keys",
    "InvalidRecipient": "name an address that can hold money",
    "KeyAuthLength": "hand in one authorisation of 70 bytes for each key change of the block",
    "KeyChangeExpired": "leave the key change out; the owner has to authorise it anew",
    "KeyChangeNotApproved": "the owner approves the key change by approveKeyChange, or signs it",
    "KeyChangeNotSigned": "leave the key change out; the owner has to sign it for this rollup and with these fields",
    "KeyNotByOwner": "deposit without a key; the owner's own deposit sets it",
    "KeyNotOnCurve": "derive the key with `sluice`'s wallet",
    "L1StreamLength": "seal the block again",
    "L1StreamMismatch": "pass the L1 stream as it was committed; the reader gives it",
    "L2StreamLength": "seal the block again",
    "LengthMismatch": "give one proof or stream per block",
    "MalformedRecord": "seal the block again",
    "NoBlocks": "give at least one block",
    "NoDepositYet": "deposit first: nobody can have anything on L2 yet",
    "NotADirectCall": "call the rollup directly, from an account without code",
    "NotAnErc20": "use depositETH for ETH",
    "NotAValidator": "the governor's owner can put the account on the allow-list",
    "NotAWord": "seal the block again: words are below the field's modulus",
    "NothingPending": "nothing is owed: wait until the block with the withdrawal is executed",
    "NothingToRevert": "there is nothing to do",
    "NotRefundable": "only entries that no proven block serves are refunded; others are paid by executing their block",
    "OutflowExceedsAmount": "nothing was paid, as the token took more than the amount; if it is one that rounds, have "
    "one unit less paid: `sluice withdraw --to` with --amount",
    "OwnableUnauthorizedAccount": "only the governor's owner may do this",
    "QueueEntryMismatch": "take the queue's entries in order, as their events gave them",
    "QueueEntryOverdue": "hand in, in one call, the proofs up to the block that serves the last overdue entry",
    "ProofNotOverdue": "wait until the deadline; until then the block can be proven",
    "QueueFeeExceeded": "send it again: the queue's fee has fallen meanwhile, and at most twice of it is taken",
    "QueueFeeNotPaid": "send it again, with up to twice queueFee() (--double-fee), for a deposit of ETH on top of its "
    "amount: the fee rises with the queue, and what is over it stays yours, pending at once",
    "QueueFeeOutOfRange": "deploy with a queue fee that keeps floods away and that a small user can pay",
    "QueueNotOverdue": "exodus begins when the oldest entry of the queue that no proven block serves has expired",
    "ReentrancyGuardReentrantCall": "do not call back into the rollup",
    "SafeERC20FailedOperation": "the token refused: check balance and allowance",
    "TimestampOutOfRange": "seal the block with a time of now, not before its parent's",
    "TokenAlreadyListed": "use the id it has",
    "TokenListFull": "no more tokens can be listed",
    "TokenOutOfRange": "token ids are below 2048",
    "TokenWithoutDecimals": "only tokens that say how many decimals they have can be listed",
    "TokenWithoutCode": "check the token's address and the chain",
    "TooManyL1Operations": "seal fewer deposits, exits and withdrawals into one block",
    "UnknownBlockSize": "use a block size of the deployment's manifest",
    "UnknownOperation": "seal the block again",
    "UnlistedToken": "use a listed token, or ask the governor to list it",
    "ValidatorUnchanged": "there is nothing to do",
    "ZeroDeposit": "deposit more than 0",
    "ZeroExit": "there is nothing to take out",
}
DEFAULT_WAY_OUT: Final = "see contracts/interfaces/ for what the error means"

_ERROR_STRING: Final = keccak(b"Error(string)")[:4]
_PANIC: Final = keccak(b"Panic(uint256)")[:4]


class Refusals:
    """Knows the custom errors of some contracts.

    Args:
        abis: ABI entries, as the compiler gives them; what is no error is passed over.
    """

    def __init__(self, abis: Iterable[dict[str, Any]] = ()) -> None:
        self._errors: dict[bytes, tuple[str, list[str], list[str]]] = {}
        for entry in abis:
            if entry.get("type") == "error":
                names = [value["name"] or f"value{index}" for index, value in enumerate(entry["inputs"])]
                types = [value["type"] for value in entry["inputs"]]
                signature = f"{entry['name']}({','.join(types)})"
                self._errors[keccak(signature.encode())[:4]] = (entry["name"], names, types)

    @classmethod
    def of_contracts(cls) -> Self:
        """Return a decoder for what the contracts declare, for who has not compiled them."""
        return cls(_declared(line) for line in DECLARATIONS.split("\n") if line)

    def names(self) -> set[str]:
        """Return the names of all errors known."""
        return {name for name, _, _ in self._errors.values()}

    def decode(self, action: str, data: bytes, text: str = "") -> L1Error:
        """Return the exception for what an action reverted with.

        Args:
            action: What was tried, such as "the deposit".
            data: The bytes it reverted with.
            text: The node's words, for when there are no bytes.
        """
        known = self._errors.get(data[:4])
        try:
            if known is not None:
                name, names, types = known
                values = decode_values(types, data[4:])
                # ape registers a lenient uint decoder for the whole process, so short data is only seen this way.
                if encode(types, values) == data[4:]:
                    data_by_name = dict(zip(names, values, strict=True))
                    return ContractRefused(action, name, data_by_name, WAYS_OUT.get(name, DEFAULT_WAY_OUT))
            if data[:4] == _ERROR_STRING:
                return TransactionReverted(action, decode_values(["string"], data[4:])[0])
            if data[:4] == _PANIC:
                return TransactionReverted(action, f"panic 0x{decode_values(['uint256'], data[4:])[0]:02x}")
        except ValueError:  # of text that is not UTF-8 too
            pass
        return TransactionReverted(action, f"unknown error 0x{data.hex()}" if data else text or "no reason given")


def _declared(line: str) -> dict[str, Any]:
    name, _, fields = line.removesuffix(")").partition("(")
    inputs = [dict(zip(("type", "name"), field.split(), strict=True)) for field in fields.split(", ") if field]
    return {"type": "error", "name": name, "inputs": inputs}
