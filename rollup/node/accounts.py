"""Which L2 account an L1 address gets: the validator's choice, wherever protocol 4 leaves it one."""

from dataclasses import replace

from rollup.core.operations import Batch, Deposit, Operation, TransferToAddress
from rollup.core.state import State


class AccountIds:
    """Gives each address one account: the oldest it has, else the next empty one, which is then kept for it.

    Args:
        state: What is in blocks; followed as it changes.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._planned: dict[int, int] = {}
        self._next = 0

    def fork(self) -> "AccountIds":
        """A copy to try one operation with, where all that was assigned before is in the state.

        If the operation is refused the copy is dropped, and what it would have got is free again.
        """
        copied = AccountIds(self._state)
        copied._next = self._next
        return copied

    def find(self, address: int) -> int | None:
        """Return the account that an address has, or will have once what was assigned is in a block."""
        known = self._state.find(address)
        return known[0] if known else self._planned.get(address)

    def assign(self, operation: Operation) -> Operation:
        """Return the operation with the accounts filled in that are the validator's to choose."""
        match operation:
            case Deposit(refused=False):
                return replace(operation, account_id=self._account(operation.owner))
            case TransferToAddress():
                return replace(operation, to_id=self._account(operation.to_address))
            case Batch():
                return Batch(tuple(self.assign(each) for each in operation.operations))  # type: ignore[misc]
            case _:
                return operation

    def _account(self, address: int) -> int:
        found = self.find(address)
        if found is None:
            # Queue and users come in one order here, so nobody else takes the account meanwhile.
            while self._state.account(self._next).exists:
                self._next += 1
            found = self._planned[address] = self._next
            self._next += 1
        return found
