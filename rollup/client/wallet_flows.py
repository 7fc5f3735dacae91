"""All that a user does with an account; here what he does on L1 himself."""

from rollup.client.errors import L1NotNamed
from rollup.client.flow import Flow, Work
from rollup.client.l1 import L1Account, QueuedOnL1
from rollup.client.payments import Payments
from rollup.client.trade import Trade
from rollup.client.wallet_core import in_units
from rollup.core.addresses import parse_address, show_address
from rollup.core.checks import check_uint
from rollup.core.constants import BALANCE_BITS
from rollup.core.errors import FieldRuleError
from rollup.l1.patient import PatientRpc
from rollup.l1.sending import Sent
from rollup.wallet.tokens import ETH


class WalletFlows(Payments, Trade):
    """See WalletCore for what it is made of."""

    def l1(self) -> Flow[L1Account]:
        """The owner's Ethereum account in front of the contract.

        Raises: L1NotNamed, WrongChain, NodeUnreachable.
        """
        deployment = yield from self.core.known()
        rpc = self.core.sending_l1
        if rpc is None:
            raise L1NotNamed
        if self._l1 is None:
            self._l1 = yield Work(lambda: L1Account(PatientRpc(rpc.url), deployment, self.owner))
        return self._l1

    def deposit(
        self, amount: int | str, token: str = ETH.symbol, to: str | None = None, double_fee: bool = False
    ) -> Flow[QueuedOnL1]:
        """Put money in; the queue fee is paid on top, in ETH. A deposit of one's own sets the L2 key of a new account.

        It is in the account when `queue:N`, the answer's name, is confirmed: `client.wait`.

        Args:
            amount: In smallest units, or in the token's units as text.
            to: Whose it becomes, an L1 address; None: the owner's.
            double_fee: Send twice the queue fee, as it may rise meanwhile; what is over it is pending at once.

        Raises: ContractRefused and what else L1 says; AddressTextError, AmountTextError.
        """
        l1, listed = (yield from self.l1()), (yield from self.token(token))
        units = check_uint("amount", in_units(amount, listed), BALANCE_BITS)
        if not units:
            raise FieldRuleError("amount", units, "a deposit of nothing only costs its fee")
        if to is not None and parse_address(to) != int(self.owner.address, 16):
            whose = show_address(parse_address(to))
            return (yield Work(lambda: l1.deposit(listed, units, whose, None, double_fee)))  # type: ignore[no-any-return]
        key = yield from self.key(self._key_index or 0)
        mine = key.public_key
        return (yield Work(lambda: l1.deposit(listed, units, None, mine, double_fee)))  # type: ignore[no-any-return]

    def request_exit(self, token: str = ETH.symbol, double_fee: bool = True) -> Flow[QueuedOnL1]:
        """Demand all that the account has of a token back through L1's queue, whatever the validator wants.

        Twice the queue fee is sent, as it may rise meanwhile; what is over it is pending at once, in ETH.

        Raises: AccountUnknown, and what L1 says.
        """
        l1, listed = (yield from self.l1()), (yield from self.token(token))
        state = yield from self.state()
        return (yield Work(lambda: l1.request_exit(state.account_id, listed, double_fee)))  # type: ignore[no-any-return]

    def pending(self, token: str = ETH.symbol, of: str | None = None) -> Flow[int]:
        """What L1 owes the owner, or the address `of`, in smallest units: out of blocks that were executed."""
        l1, listed = (yield from self.l1()), (yield from self.token(token))
        whose = None if of is None else show_address(parse_address(of))
        return (yield Work(lambda: l1.pending(listed, whose)))  # type: ignore[no-any-return]

    def claim(self, token: str = ETH.symbol, to: str | None = None, of: str | None = None) -> Flow[Sent]:
        """Have paid out what L1 owes: to the owner, `to` where he likes, or what is `of` another to that one."""
        l1, listed = (yield from self.l1()), (yield from self.token(token))
        where, whose = (None if each is None else show_address(parse_address(each)) for each in (to, of))
        return (yield Work(lambda: l1.claim(listed, where, whose)))  # type: ignore[no-any-return]
