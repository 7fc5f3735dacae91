"""What the office signs is accepted by the rollup, and does what the books say."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from eth_account import Account as EthereumAccount
from eth_hash.auto import keccak

from rollup.core.block import BlockBuilder
from rollup.core.constants import FEE_TOKENS
from rollup.core.key_change import key_change_digest
from rollup.core.operations import ChangePubKey, Deposit, Operation, Order, domain
from rollup.core.state import State
from rollup.demo.checks import check_old_keys
from rollup.demo.errors import DemoFailed
from rollup.demo.office import Office
from rollup.demo.payments import Payroll, read_payroll
from rollup.demo.tokens import USDS
from rollup.demo.world import Person
from rollup.node.accounts import AccountIds
from rollup.node.packing import pack
from rollup.toolchain import ROOT
from rollup.wallet.keys import derive_local_key

CHAIN_ID, ROLLUP = 31337, 0xC0FFEE
FEE_ACCOUNT = 0xFEE
NOW = int(time.time())


class FakeWorld:
    """People with keys, and an L1 that only remembers which key changes were approved."""

    def __init__(self, payroll: Payroll) -> None:
        self.manifest = SimpleNamespace(chain_id=CHAIN_ID, rollup=f"{ROLLUP:#042x}", domain=domain(CHAIN_ID, ROLLUP))
        self.client = SimpleNamespace(approve_key_change=self._approve)
        self.people = [self._person(user) for user in payroll.users]
        self.approvals: set[tuple[int, bytes]] = set()

    def _person(self, user: Any) -> Person:
        if user.address:
            return Person(user, user.address, None, None)
        local = EthereumAccount.from_key(keccak(user.name.encode()))
        account: Any = SimpleNamespace(address=local.address, private_key="0x" + bytes(local.key).hex())
        return Person(user, str(local.address), account, derive_local_key(local, CHAIN_ID, ROLLUP))

    def _approve(self, account: Any, change: ChangePubKey) -> None:
        assert int(account.address, 16) == change.owner
        self.approvals.add((change.owner, key_change_digest(change, self.manifest.domain)))


class Run:
    """The example without L1 and without proofs."""

    def __init__(self, payroll: Payroll) -> None:
        world: Any = FakeWorld(payroll)
        self.world, self.payroll, self.state = world, payroll, State()
        self.accounts = AccountIds(self.state)
        self.office = Office(world, self.accounts, NOW + 1000)
        deposits = [self.accounts.assign(Deposit(0, 0, 1, FEE_ACCOUNT))]
        for person in world.people:
            key = person.key.public_key if person.key else (0, 0)
            for token, amount in person.user.deposits.items():
                deposit = Deposit(0, token, amount, int(person.address, 16), key, person.key is not None)
                deposits.append(self.accounts.assign(deposit))
        operations = [self.office.operation(unit) for unit in payroll.units()]
        self.operations: list[Operation] = [*deposits, *(each for each in operations if each is not None)]

    def blocks(self) -> None:
        for number, (operations, size) in enumerate(pack(self.operations, [8, 37]), 1):
            builder = BlockBuilder(
                self.state,
                domain=self.world.manifest.domain,
                block_number=number,
                timestamp=NOW,
                fee_account=0,
                fee_tokens=range(FEE_TOKENS),
                block_size=size,
                queue_start=0,
                witness=False,
                key_approvals=self.world.approvals,
            )
            for operation in operations:
                builder.add(operation)
            builder.seal()


@pytest.fixture
def example() -> Run:
    examples = ROOT / "examples"
    return Run(read_payroll(examples / "payments.csv", examples / "users.csv"))


def test_operation_the_example_leaves_everybody_with_what_the_books_say(example: Run) -> None:
    example.blocks()
    seen = 0
    for (who, token_id), amount in example.payroll.books.balances.items():
        (account_id,) = example.state.find(example.office.address(who))
        assert example.state.balance(account_id, token_id) == amount, (who, token_id)
        seen += 1
    assert seen > 30
    usds = sum(example.state.balance(account_id, USDS.token_id) for account_id, _ in example.state.accounts())
    left = sum(out.amount for out in example.payroll.books.forced_out)
    deposited = sum(person.user.deposits.get(USDS.token_id, 0) for person in example.world.people)
    assert usds == deposited - left


def test_check_old_keys_of_the_example_are_refused(example: Run) -> None:
    example.blocks()
    assert check_old_keys(example.state, example.office.retired) == 2


def test_check_old_keys_key_that_was_not_replaced_is_a_fault(example: Run) -> None:
    example.blocks()
    wallet = example.office.wallet("acme")
    with pytest.raises(DemoFailed, match="still takes signatures"):
        check_old_keys(example.state, [(wallet, wallet.key)])


def test_operation_offer_is_signed_and_nothing_for_a_block(tmp_path: Path) -> None:
    (tmp_path / "users.csv").write_text("name,address,deposit_ETH,deposit_USDS\nacme,,1,1000\n")
    (tmp_path / "payments.csv").write_text(
        "payer,payee,token,amount,fee,operation,for_token,for_amount\nacme,,ETH,0.5,,order,USDS,1500.000001\n"
    )
    run = Run(read_payroll(tmp_path / "payments.csv", tmp_path / "users.csv"))
    assert all(isinstance(operation, Deposit) for operation in run.operations)
    order = run.office._offers["acme"]
    assert isinstance(order, Order)
    assert (order.sell_amount, order.buy_amount) == (5 * 10**17, 1_500_000_001)
