"""An L1 of EIP-1559 in memory: base fee, a mempool with replacement, blocks by auction of the tips, reorganisations,
and the JSON-RPC methods that a sender asks. Deterministic; `tests/landing/test_landing_anvil.py` has a real node.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from eth_hash.auto import keccak
from hexbytes import HexBytes

from rollup.l1.rpc import RpcError

CHAIN_ID = 31337
GWEI = 10**9
ETHER = 10**18
BLOCK_GAS = 36_000_000
TRANSACTION_GAS = 1 << 24
BASE_FEE_CHANGE = 8
ELASTICITY = 2
BUMP_PERCENT = 10


@dataclass(frozen=True, slots=True)
class Transaction:
    """A transaction; `data` decides what it does to our contract."""

    hash: str
    sender: str
    nonce: int
    max_fee: int
    tip: int
    gas: int
    to: str = ""
    data: bytes = b""
    wei: int = 0

    def pays(self, base_fee: int) -> int:
        """What the block's maker gets a gas; negative if it cannot be in a block of this base fee."""
        return min(self.tip, self.max_fee - base_fee)


@dataclass(frozen=True, eq=False)
class Block:
    """`used`: how many nonces each sender has used, `spent`: wei, after it."""

    number: int
    hash: str
    base_fee: int
    gas_used: int
    transactions: tuple[Transaction, ...]
    used: dict[str, int]
    spent: dict[str, int]
    failed: frozenset[str] = frozenset()


@dataclass
class Simulator:
    """A chain and one mempool.

    Args:
        base_fee: Of the first block.
        fails: Whether a transaction reverts, asked when it is mined and when gas is estimated.
        funds: What an address had at the beginning; by default all have a thousand ETH.
    """

    base_fee: int = GWEI
    fails: Callable[[bytes], bool] = lambda data: False
    funds: dict[str, int] = field(default_factory=dict)
    blocks: list[Block] = field(default_factory=list)
    mempool: dict[tuple[str, int], Transaction] = field(default_factory=dict)
    gas_limit: int = BLOCK_GAS
    salt: int = 0
    name: str = "simulator"
    next_base_fee: int | None = None
    finalized_depth: int = 64

    def __post_init__(self) -> None:
        if not self.blocks:
            self._append((), self.base_fee, frozenset())

    @property
    def head(self) -> Block:
        return self.blocks[-1]

    def __call__(self, method: str, *params: object) -> Any:
        return self.answer(method, *params)

    # What happens

    def mine(self, count: int = 1, without: Iterable[str] = ()) -> None:
        """Add blocks, each of the best-paying transactions.

        Args:
            without: Hashes of transactions to leave out.
        """
        left_out = set(without)
        for _ in range(count):
            base_fee = self.fee_of_next()
            self.next_base_fee = None
            chosen = self._auction(base_fee, left_out)
            self._append(chosen, base_fee, frozenset(each.hash for each in chosen if self.fails(each.data)))
            for each in chosen:
                self.mempool.pop((each.sender, each.nonce), None)
            used = self.head.used
            self.mempool = {key: each for key, each in self.mempool.items() if key[1] >= used.get(key[0], 0)}

    def reorganise(self, depth: int, keep: bool = True) -> None:
        """Take the last blocks back; their transactions go to the mempool again, or are forgotten."""
        assert 0 < depth < len(self.blocks)
        lost = self.blocks[len(self.blocks) - depth :]
        del self.blocks[len(self.blocks) - depth :]
        self.salt += 1
        if keep:
            for each in (each for block in lost for each in block.transactions):
                self.mempool.setdefault((each.sender, each.nonce), each)

    def add(self, transaction: Transaction) -> None:
        """Take a transaction into the mempool.

        Raises: RpcError, in geth's words.
        """
        key = transaction.sender, transaction.nonce
        if transaction.nonce < self.head.used.get(transaction.sender, 0):
            raise RpcError("eth_sendRawTransaction", "nonce too low", None, -32000)
        old = self.mempool.get(key)
        if old is not None and old.hash == transaction.hash:
            raise RpcError("eth_sendRawTransaction", "already known", None, -32000)
        if transaction.gas > TRANSACTION_GAS:
            raise RpcError("eth_sendRawTransaction", "transaction gas limit too high", None, -32000)
        if old is not None and not _replaces(transaction, old):
            raise RpcError("eth_sendRawTransaction", "replacement transaction underpriced", None, -32000)
        if self.balance(transaction.sender) < transaction.gas * transaction.max_fee + transaction.wei:
            raise RpcError("eth_sendRawTransaction", "insufficient funds for gas * price + value", None, -32000)
        self.mempool[key] = transaction

    def balance(self, address: str) -> int:
        """Wei of an address now."""
        return self.funds.get(address.lower(), 1_000 * ETHER) - self.head.spent.get(address.lower(), 0)

    def fee_of_next(self) -> int:
        """The next block's base fee, by EIP-1559 unless it was set."""
        if self.next_base_fee is not None:
            return self.next_base_fee
        last, target = self.head, self.gas_limit // ELASTICITY
        change = last.base_fee * abs(last.gas_used - target) // target // BASE_FEE_CHANGE
        return last.base_fee + max(change, 1) if last.gas_used > target else last.base_fee - change

    def landed(self) -> list[Transaction]:
        """All transactions on the chain, in order."""
        return [each for block in self.blocks for each in block.transactions]

    def _auction(self, base_fee: int, left_out: set[str]) -> tuple[Transaction, ...]:
        waiting = sorted(self.mempool.values(), key=lambda each: (-each.pays(base_fee), each.nonce, each.hash))
        used = dict(self.head.used)
        chosen: list[Transaction] = []
        gas, found = 0, True
        while found:
            found = False
            for each in waiting:
                fits = gas + each.gas <= self.gas_limit and each.pays(base_fee) >= 0 and each.hash not in left_out
                if fits and used.get(each.sender, 0) == each.nonce:
                    chosen.append(each)
                    used[each.sender] = each.nonce + 1
                    gas, found = gas + each.gas, True
        return tuple(chosen)

    def _append(self, chosen: tuple[Transaction, ...], base_fee: int, failed: frozenset[str]) -> None:
        number = len(self.blocks)
        used = dict(self.blocks[-1].used) if self.blocks else {}
        spent = dict(self.blocks[-1].spent) if self.blocks else {}
        for each in chosen:
            used[each.sender] = each.nonce + 1
            spent[each.sender] = spent.get(each.sender, 0) + each.gas * (base_fee + each.pays(base_fee)) + each.wei
        parent = self.blocks[-1].hash if self.blocks else ""
        name = "0x" + keccak(f"{number} {self.salt} {parent} {[each.hash for each in chosen]}".encode()).hex()
        gas_used = sum(each.gas for each in chosen)
        self.blocks.append(Block(number, name, base_fee, gas_used, chosen, used, spent, failed))

    # JSON-RPC

    def answer(self, method: str, *params: Any) -> Any:
        """What a node answers.

        Raises: RpcError.
        """
        handler: Callable[..., Any] | None = getattr(self, method, None)
        if handler is None:
            raise RpcError(method, "the method does not exist", None, -32601)
        return handler(*params)

    def eth_chainId(self) -> str:  # noqa: N802
        return hex(CHAIN_ID)

    def eth_getBlockByNumber(self, tag: str, full: bool) -> Any:  # noqa: N802
        if tag == "pending":
            return {"transactions": [_shown(each) for each in self.mempool.values()]}
        number = {"latest": self.head.number, "finalized": self.head.number - self.finalized_depth}.get(tag)
        number = int(tag, 16) if number is None else number
        if not 0 <= number < len(self.blocks):
            return None
        block = self.blocks[number]
        shown = {"number": hex(number), "hash": block.hash, "baseFeePerGas": hex(block.base_fee)}
        return shown | {"transactions": [_shown(each) if full else each.hash for each in block.transactions]}

    def eth_getTransactionCount(self, address: str, tag: str) -> str:  # noqa: N802
        sender = address.lower()
        if tag != "pending":
            return hex(self.blocks[int(tag, 16)].used.get(sender, 0))
        count = self.head.used.get(sender, 0)
        while (sender, count) in self.mempool:
            count += 1
        return hex(count)

    def eth_getBalance(self, address: str, tag: str) -> str:  # noqa: N802
        assert tag == "latest"
        return hex(self.balance(address))

    def eth_estimateGas(self, call: dict[str, str]) -> str:  # noqa: N802
        data = bytes.fromhex(call["data"][2:])
        if self.fails(data):
            raise RpcError("eth_estimateGas", "execution reverted", "0x", 3)
        return hex(21_000 + 40 * len(data))

    def eth_call(self, call: dict[str, str], at: str) -> str:
        if self.fails(bytes.fromhex(call["data"][2:])):
            raise RpcError("eth_call", "execution reverted", "0x", 3)
        return "0x"

    def eth_feeHistory(self, count: str, newest: str, percentiles: list[int]) -> Any:  # noqa: N802
        assert newest == "latest"
        blocks = self.blocks[-int(count, 16) :]
        return {
            "oldestBlock": hex(blocks[0].number),
            "baseFeePerGas": [hex(block.base_fee) for block in blocks] + [hex(self.fee_of_next())],
            "gasUsedRatio": [block.gas_used / self.gas_limit for block in blocks],
            "reward": [[hex(tip) for tip in _tips(block, tuple(percentiles))] for block in blocks],
        }

    def eth_getTransactionReceipt(self, name: str) -> Any:  # noqa: N802
        for block in reversed(self.blocks):
            for each in block.transactions:
                if each.hash == name:
                    return {
                        "transactionHash": name,
                        "blockNumber": hex(block.number),
                        "blockHash": block.hash,
                        "status": "0x0" if name in block.failed else "0x1",
                        "gasUsed": hex(each.gas),
                        "effectiveGasPrice": hex(block.base_fee + each.pays(block.base_fee)),
                    }
        return None

    def eth_getTransactionByHash(self, name: str) -> Any:  # noqa: N802
        known = [*self.mempool.values(), *self.landed()]
        return next((_shown(each) for each in known if each.hash == name), None)

    def eth_sendRawTransaction(self, raw: str) -> str:  # noqa: N802
        transaction = decoded(bytes.fromhex(raw[2:]))
        self.add(transaction)
        return transaction.hash


def decoded(raw: bytes) -> Transaction:
    """The transaction of signed bytes."""
    fields = TypedTransaction.from_bytes(HexBytes(raw)).as_dict()
    assert fields["chainId"] == CHAIN_ID
    return Transaction(
        "0x" + keccak(raw).hex(),
        str(Account.recover_transaction(raw)).lower(),
        fields["nonce"],
        fields["maxFeePerGas"],
        fields["maxPriorityFeePerGas"],
        fields["gas"],
        "0x" + bytes(fields["to"]).hex(),
        bytes(fields["data"]),
        fields["value"],
    )


def _replaces(new: Transaction, old: Transaction) -> bool:
    least = 100 + BUMP_PERCENT
    return 100 * new.max_fee >= least * old.max_fee and 100 * new.tip >= least * old.tip


def _shown(each: Transaction) -> dict[str, str]:
    return {"hash": each.hash, "from": each.sender, "nonce": hex(each.nonce)}


@lru_cache(maxsize=256)
def _tips(block: Block, percentiles: tuple[int, ...]) -> list[int]:
    """Tips at percentiles of the block's gas, as eth_feeHistory defines them."""
    paid = sorted((each.pays(block.base_fee), each.gas) for each in block.transactions)
    if not paid:
        return [0] * len(percentiles)
    tips = []
    for percentile in percentiles:
        wanted, index = block.gas_used * percentile // 100, 0
        total = paid[0][1]
        while total < wanted and index + 1 < len(paid):
            index += 1
            total += paid[index][1]
        tips.append(paid[index][0])
    return tips
