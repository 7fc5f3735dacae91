"""The main job: deposits on L1, signed operations, proven blocks, money out again, the checks at the end."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rollup.circuits.keys import KEYS
from rollup.core.addresses import show_address
from rollup.core.amounts import floor_fee
from rollup.core.operations import Operation, Withdraw
from rollup.demo.checks import Checked, check_accounting, check_old_keys, check_rebuild
from rollup.demo.errors import DemoFailed
from rollup.demo.office import Office
from rollup.demo.payments import Payroll
from rollup.demo.tokens import TOKENS, USDS
from rollup.demo.world import Person, World, build_world
from rollup.l1.anvil import Anvil
from rollup.l1.client import RollupClient
from rollup.l1.gas import verification_gas
from rollup.l1.project import Contracts, ape_on, built_keys, compiled_contracts
from rollup.l1.sending import Account
from rollup.l1.verifier_source import EXIT
from rollup.node.validator import Landed, Validator
from rollup.progress import Bars
from rollup.prover import BlockProver
from rollup.wallet.tokens import ETH

OPERATOR_DEPOSIT_WEI: Final = 10**18
WITHDRAWALS: Final = 3
VALIDITY_SECONDS: Final = 24 * 3600
SPARE_ANVIL_ACCOUNTS: Final = 2


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a run came to, for the report. Seconds are wall clock; `gas_verification` is of each block of `landed`."""

    users: int
    payments: int
    batches: int
    old_keys_refused: int
    landed: Sequence[Landed]
    gas_verification: Sequence[int]
    constraints: dict[int, int]
    checked: Checked
    l1_setup_seconds: float
    rebuild_seconds: float
    total_seconds: float


@dataclass(frozen=True, slots=True)
class Exit:
    """Money that leaves besides what the file says: by a signed withdrawal, or by a full exit from L1's queue."""

    person: Person
    token_id: int
    amount: int
    is_full: bool


def run_demo(
    payroll: Payroll,
    bars: Bars,
    *,
    port: int | None = None,
    manifest: Path | None = None,
    keys: Path = KEYS,
    contracts: Contracts | None = None,
) -> Outcome:
    """Run the main job on a private anvil, which is gone afterwards.

    Args:
        payroll: Checked input.
        bars: Where progress is shown.
        port: For anvil; None picks a free one.
        manifest: Where the deployment manifest goes; None throws it away.
        keys: Folder of the proving keys.
        contracts: To deploy; None for those of this checkout.

    Raises: SluiceError of any kind, and DemoFailed if a check at the end fails.
    """
    offers = built_keys(keys)
    if not offers:
        raise DemoFailed("there are no proving keys: run `sluice build` first")
    payroll.check_batches(max(offer.block_size for offer in offers if offer.block_size is not EXIT))
    start = time.perf_counter()
    accounts = len(payroll.users) + SPARE_ANVIL_ACCOUNTS
    with TemporaryDirectory() as scratch, Anvil(port, accounts) as anvil:
        try:
            with ape_on(anvil.url) as provider:
                with bars.step("deploy the contracts") as advance:
                    path = manifest or Path(scratch) / "manifest.json"
                    path.unlink(missing_ok=True)
                    world = build_world(
                        provider, contracts or compiled_contracts(), payroll.users, offers, path, advance
                    )
                return _Run(world, payroll, bars, BlockProver(keys), start).run()
        except Exception:
            # A dead anvil explains whatever it led to.
            anvil.require_alive()
            raise


class _Run:
    def __init__(self, world: World, payroll: Payroll, bars: Bars, prover: BlockProver, start: float) -> None:
        self._world = world
        self._payroll = payroll
        self._bars = bars
        self._validator = Validator(world.client, world.manifest, world.operator.account, prover, bars)
        self._office = Office(world, self._validator.accounts, int(time.time()) + VALIDITY_SECONDS)
        self._start = start

    def run(self) -> Outcome:
        self._deposit_all()
        deposits = self._queued(0)
        setup_seconds = time.perf_counter() - self._start
        operations = [self._office.operation(unit) for unit in self._payroll.units()]
        exits = self._choose_exits()
        withdrawals = [self._sign_withdrawal(exit_) for exit_ in exits if not exit_.is_full]
        full_exits = self._request_exits(exits, len(deposits))
        signed = [operation for operation in operations if operation is not None]
        self._validator.run([*deposits, *signed, *withdrawals, *full_exits])
        self._pay_out(exits)
        rebuild_start = time.perf_counter()
        with self._bars.step("rebuild the state from L1 alone") as advance:
            rebuilt = check_rebuild(self._world, self._validator.state, lambda done, total: advance("", done, total))
        rebuild_seconds = time.perf_counter() - rebuild_start
        return Outcome(
            users=len(self._payroll.users),
            payments=self._payroll.payments,
            batches=sum(len(unit) > 1 for unit in self._payroll.units()),
            old_keys_refused=check_old_keys(self._validator.state, self._office.retired),
            landed=self._validator.landed,
            gas_verification=[self._verification_gas(landed) for landed in self._validator.landed],
            constraints={key.block_size: key.constraints for key in self._world.manifest.keys},
            checked=check_accounting(self._world, rebuilt, TOKENS),
            l1_setup_seconds=setup_seconds,
            rebuild_seconds=rebuild_seconds,
            total_seconds=time.perf_counter() - self._start,
        )

    def _queued(self, start: int) -> list[Operation]:
        return [self._validator.accounts.assign(entry.operation) for entry in self._world.client.queue(start)]

    def _verification_gas(self, landed: Landed) -> int:
        verifier = self._world.manifest.contracts["BlockVerifier"].address
        return verification_gas(self._world.sender.rpc, verifier, landed.sent)

    def _deposit_all(self) -> None:
        """The operator first, as fees need his account; then each user, by his own L1 account and with his own key."""
        client, operator = self._world.client, self._world.operator
        with self._bars.step("deposits on L1") as advance:
            assert operator.key is not None
            client.deposit_eth(operator.signer, OPERATOR_DEPOSIT_WEI, key=operator.key.public_key)
            for index, person in enumerate(self._world.people):
                advance(person.user.name, index, len(self._world.people))
                for token_id, amount in person.user.deposits.items():
                    self._deposit(client, person, token_id, amount)

    def _deposit(self, client: RollupClient, person: Person, token_id: int, amount: int) -> None:
        # For a user with an address alone the operator pays; no key can be set for somebody else.
        payer = (person if person.account else self._world.operator).signer
        key = person.key.public_key if person.key else (0, 0)
        if token_id == ETH.token_id:
            client.deposit_eth(payer, amount, person.address, key)
            return
        self._mint_and_approve(payer, amount)
        client.deposit_erc20(payer, token_id, amount, person.address, key)

    def _mint_and_approve(self, payer: Account, amount: int) -> None:
        token, values = self._world.token, [str(payer.address), amount]
        self._world.sender.call("the mint", token, "mint", ["address", "uint256"], values, payer)
        self._world.client.allow(payer, token, amount)

    def _choose_exits(self) -> list[Exit]:
        """A few withdraw half of what they have; the last of those with money in the same token leaves by the queue."""
        for token in (USDS, ETH):
            having = [(person, self._payroll.books.balance(person.user.name, token)) for person in self._world.people]
            rich = [(person, balance) for person, balance in having if person.key is not None and balance > 1]
            if rich:
                leaver, whole = rich.pop()
                halves = [Exit(person, token.token_id, balance // 2, False) for person, balance in rich[:WITHDRAWALS]]
                return [*halves, Exit(leaver, token.token_id, whole, True)]
        return []

    def _sign_withdrawal(self, exit_: Exit) -> Withdraw:
        wallet = self._office.wallet(exit_.person.user.name)
        return wallet.sign(wallet.withdraw(exit_.token_id, exit_.amount, floor_fee(exit_.amount // 10_000)))

    def _request_exits(self, exits: Sequence[Exit], queued: int) -> list[Operation]:
        for exit_ in exits:
            if exit_.is_full:
                account_id = self._office.wallet(exit_.person.user.name).account_id
                # Nobody else queues here, and the exact fee leaves nothing but the exit pending.
                self._world.client.request_full_exit(exit_.person.signer, account_id, exit_.token_id, double_fee=False)
        return self._queued(queued)

    def _pay_out(self, exits: Sequence[Exit]) -> None:
        """Push every withdrawal to its owner and see exactly the right amount arrive."""
        world = self._world
        owed: Counter[tuple[str, int]] = Counter()
        for exit_ in exits:
            owed[exit_.person.address, exit_.token_id] += exit_.amount
        for forced in self._payroll.books.forced_out:
            owed[show_address(self._office.address(forced.who)), forced.token_id] += forced.amount
        with self._bars.step("withdrawals on L1") as advance:
            for index, ((owner, token_id), amount) in enumerate(owed.items()):
                advance(owner, index, len(owed))
                before = self._l1_balance(owner, token_id)
                world.client.withdraw_pending(world.operator.signer, owner, token_id)
                arrived = self._l1_balance(owner, token_id) - before
                if arrived != amount:
                    raise DemoFailed(f"{owner} should get {amount} of token {token_id}, got {arrived}")

    def _l1_balance(self, owner: str, token_id: int) -> int:
        if token_id == ETH.token_id:
            return int(self._world.sender.rpc("eth_getBalance", owner, "latest"), 16)
        return self._world.balance(owner)
