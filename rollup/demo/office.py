"""Signs what the rows ask for, with everybody's keys, and keeps the offers that stand."""

from collections.abc import Sequence
from typing import Final, TypeAlias

from eth_account import Account as EthereumAccount

from rollup.core.constants import FIRST_ORDER_SLOT
from rollup.core.operations import ChangePubKey, Operation, Order, SignedOperation, Swap
from rollup.demo.instructions import Instruction, Kind
from rollup.demo.world import Person, World
from rollup.node.accounts import AccountIds
from rollup.node.matching import match_orders
from rollup.wallet.account import WalletAccount
from rollup.wallet.batches import make_batch
from rollup.wallet.key_change import authorise
from rollup.wallet.keys import L2Key, derive_local_key, local_signer

Money: TypeAlias = tuple[int, int]
"""A token's id, and how much of it in smallest units."""
OFFER_SLOT: Final = FIRST_ORDER_SLOT
"""Of orders that stand; those of one swap have the next slot, so that they replace no offer."""
SWAP_SLOT: Final = FIRST_ORDER_SLOT + 1


class Office:
    """All wallets of the demo.

    Args:
        world: L1, and the people.
        accounts: Where the validator says which account an address has.
        valid_until: Of all that is signed, unix seconds.
    """

    def __init__(self, world: World, accounts: AccountIds, valid_until: int) -> None:
        self._world = world
        self._accounts = accounts
        self._valid_until = valid_until
        self._people = {person.user.name: person for person in world.people}
        self._wallets: dict[str, WalletAccount] = {}
        self._keys_made: dict[str, int] = {}
        self._offers: dict[str, Order] = {}
        self.retired: list[tuple[WalletAccount, L2Key]] = []
        """Keys that are no account's any more, each with the wallet that had it."""

    def wallet(self, name: str) -> WalletAccount:
        """Return the wallet of a user with keys, who has deposited."""
        if name not in self._wallets:
            person = self._people[name]
            address = int(person.address, 16)
            account_id = self._accounts.find(address)
            assert account_id is not None, "everybody deposits first"
            assert person.key is not None, "the files' check lets only users with keys act"
            domain = self._world.manifest.domain
            self._wallets[name] = WalletAccount(account_id, address, person.key, domain, valid_until=self._valid_until)
        return self._wallets[name]

    def address(self, who: str) -> int:
        """Return the L1 address of a user, or the address itself."""
        return int(self._people[who].address if who in self._people else who, 16)

    def operation(self, unit: Sequence[Instruction]) -> Operation | None:
        """Return what a validator gets for a row or a batch of rows: accounts filled in. None for an offer."""
        if len(unit) > 1:
            batch = make_batch([self._single(instruction) for instruction in unit])
            for payer in {instruction.payer for instruction in unit}:
                batch = self.wallet(payer).sign(batch)
            return self._accounts.assign(batch)
        (instruction,) = unit
        match instruction.kind:
            case Kind.SWAP:
                return self._swap(instruction)
            case Kind.FILL:
                return self._take(instruction, self._offers[instruction.payee])
            case Kind.ORDER:
                self._offer(instruction)
                return None
            case Kind.NEW_KEY | Kind.NEW_KEY_ON_L1:
                return self._change_key(instruction)
            case _:
                return self._accounts.assign(self.wallet(instruction.payer).sign(self._single(instruction)))

    def _single(self, instruction: Instruction) -> SignedOperation:
        """A row that can be part of a batch, unsigned."""
        wallet, token, fee = self.wallet(instruction.payer), instruction.token.token_id, instruction.fee
        if instruction.kind is Kind.CANCEL_ORDER:
            return wallet.cancel_orders(token, fee, OFFER_SLOT)
        address = self.address(instruction.payee)
        account_id = self._accounts.find(address)
        if instruction.kind is Kind.FORCED_EXIT:
            assert account_id is not None, "the files' check lets only an account with money leave"
            return wallet.force_exit(account_id, address, instruction.for_token.token_id, token, fee)
        return wallet.pay(address, account_id, token, instruction.amount, fee)

    def _order(self, who: str, sells: Money, buys: Money, fee: int, slot: int) -> Order:
        wallet = self.wallet(who)
        return wallet.sign(wallet.order(*sells, *buys, fee, slot, replacing=True))

    def _offer(self, instruction: Instruction) -> None:
        order = self._order(instruction.payer, *_sides(instruction), instruction.fee, OFFER_SLOT)
        self._offers[instruction.payer] = order

    def _swap(self, instruction: Instruction) -> Swap:
        sells, buys = _sides(instruction)
        return self._take(instruction, self._order(instruction.payee, buys, sells, 0, SWAP_SLOT))

    def _take(self, instruction: Instruction, maker: Order) -> Swap:
        """The payer's side of a trade, against an order of the payee's."""
        taker = self._order(instruction.payer, *_sides(instruction), instruction.fee, SWAP_SLOT)
        return match_orders(maker, taker, instruction.for_amount, instruction.amount)

    def _change_key(self, instruction: Instruction) -> ChangePubKey:
        """The next key of the owner's Ethereum account; what the wallet signs from now on, it signs with that."""
        name, manifest = instruction.payer, self._world.manifest
        wallet, person = self.wallet(name), self._people[name]
        local = EthereumAccount.from_key(_private_key(person))
        index = self._keys_made[name] = self._keys_made.get(name, 0) + 1
        new = derive_local_key(local, manifest.chain_id, int(manifest.rollup, 16), index)
        change = wallet.change_key(new.public_key, instruction.token.token_id, instruction.fee)
        if instruction.kind is Kind.NEW_KEY:
            change = authorise(change, manifest.domain, local_signer(local))
        else:
            self._world.client.approve_key_change(person.signer, change)
        self.retired.append((wallet, wallet.key))
        wallet.key = new
        return change


def _sides(instruction: Instruction) -> tuple[Money, Money]:
    """What the payer sells, and what he gets for it."""
    sells = instruction.token.token_id, instruction.amount
    return sells, (instruction.for_token.token_id, instruction.for_amount)


def _private_key(person: Person) -> str:
    assert person.account is not None, "the files' check lets only users with keys act"
    return str(person.account.private_key)
