"""A deployment under test: ape's contracts, with one way to send, one to be refused, and one to make blocks."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, field
from pathlib import Path
from typing import Any

from block_model import Block, NewBlock, deposit_record, follow, stream, withdraw_record
from eth_abi import decode
from eth_hash.auto import keccak
from web3.logs import DISCARD

from rollup.core.constants import PROOF_DEADLINE_SECONDS

ETHER = 10**18
GWEI = 10**9
BASE_FEE_GWEI = 50_000
FEE = BASE_FEE_GWEI * GWEI
CAP = 2**120 - 1
PROOF = [1] * 8
SIZES = [8, 512]
TOYS = json.loads((Path(__file__).parent / "fixtures" / "toy_keys.json").read_text())
FLAG_SENDER_IS_OWNER = 1
BASE_POINT = (
    5299619240641551281634865583518297030282874472190772894086521144482721001553,
    16950150798460657717958625567821834550301663161624707787222815936182638968203,
)


@dataclass(frozen=True)
class Refusal:
    """The custom error a call reverted with."""

    name: str
    values: tuple[Any, ...]


@dataclass
class Rig:
    project: Any
    provider: Any
    accounts: Any
    governor: Any
    verifier: Any
    exit_verifier: Any
    rollup: Any
    errors: dict[bytes, Any]
    chain: list[Block] = field(default_factory=lambda: [Block()])

    @property
    def owner(self) -> Any:
        return self.accounts[0]

    @property
    def validator(self) -> Any:
        return self.accounts[1]

    @property
    def alice(self) -> Any:
        return self.accounts[2]

    @property
    def bob(self) -> Any:
        return self.accounts[3]

    @property
    def stranger(self) -> Any:
        return self.accounts[4]

    @property
    def web3(self) -> Any:
        return self.provider.web3

    @property
    def now(self) -> int:
        return int(self.web3.eth.get_block("latest")["timestamp"])

    def rpc(self, method: str, *args: Any) -> Any:
        return self.provider.web3.provider.make_request(method, list(args))["result"]

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens within is undone at its end."""
        snapshot, chain = self.rpc("evm_snapshot"), list(self.chain)
        try:
            yield
        finally:
            self.chain[:] = chain
            assert self.rpc("evm_revert", snapshot)

    # ---- Calls ----

    def data(self, contract: Any, method: str, *args: Any) -> bytes:
        return bytes(getattr(contract, method).encode_input(*args))

    def send_data(self, to: Any, data: bytes, *, sender: Any, value: int = 0, gas: int = 30_000_000) -> Any:
        """Sends a transaction that must succeed; returns its receipt."""
        transaction = {"from": address(sender), "to": address(to), "data": data, "value": value, "gas": gas}
        sent = self.web3.eth.send_transaction(transaction)
        receipt = self.web3.eth.wait_for_transaction_receipt(sent, poll_latency=0.005)
        if receipt["status"] != 1:
            refusal = self.refused_data(to, data, sender=sender, value=value)
            raise AssertionError(f"reverted: {refusal}")
        return receipt

    def send_together(self, to: Any, datas: list[bytes], *, sender: Any, value: int, gas: int) -> None:
        """Sends many transactions, mined as they fit."""
        call = {"from": address(sender), "to": address(to), "value": hex(value), "gas": hex(gas)}
        nonce = self.web3.eth.get_transaction_count(address(sender))
        self.rpc("evm_setAutomine", False)
        for position, data in enumerate(datas):
            self.rpc("eth_sendTransaction", call | {"data": "0x" + data.hex(), "nonce": hex(nonce + position)})
        while self.web3.eth.get_transaction_count(address(sender)) < nonce + len(datas):
            self.rpc("evm_mine")
        self.rpc("evm_setAutomine", True)

    def send(self, contract: Any, method: str, *args: Any, sender: Any, value: int = 0, gas: int = 30_000_000) -> Any:
        return self.send_data(contract, self.data(contract, method, *args), sender=sender, value=value, gas=gas)

    def refused_data(self, to: Any, data: bytes, *, sender: Any, value: int = 0, gas: int = 30_000_000) -> Refusal:
        """Makes a call that must revert; returns the error."""
        call = {"from": address(sender), "to": address(to), "data": "0x" + data.hex(), "value": hex(value)}
        answer = self.web3.provider.make_request("eth_call", [call | {"gas": hex(gas)}, "latest"])
        assert "error" in answer, f"accepted: {answer}"
        raw = answer["error"].get("data") or "0x"
        return self.refusal(bytes.fromhex(raw[2:]))

    def refused(self, contract: Any, method: str, *args: Any, sender: Any, value: int = 0) -> Refusal:
        return self.refused_data(contract, self.data(contract, method, *args), sender=sender, value=value)

    def refusal(self, raw: bytes) -> Refusal:
        if raw[:4] not in self.errors:
            return Refusal("unknown", (raw,))
        abi = self.errors[raw[:4]]
        types = [item["type"] for item in abi["inputs"]]
        return Refusal(abi["name"], decode(types, raw[4:]))

    def events(self, receipt: Any, name: str) -> list[dict[str, Any]]:
        for contract in (self.rollup, self.governor):
            web3_contract = self.web3.eth.contract(
                abi=[item.model_dump(by_alias=True, mode="json") for item in contract.contract_type.abi]
            )
            if hasattr(web3_contract.events, name):
                found = getattr(web3_contract.events, name)().process_receipt(receipt, errors=DISCARD)
                return [dict(event["args"]) for event in found]
        raise AssertionError(f"no event {name}")

    # ---- Blocks ----

    @property
    def last(self) -> Block:
        return self.chain[-1]

    def new_block(self, **fields: Any) -> NewBlock:
        return NewBlock(**({"timestamp": self.now, "new_root": 1000 + len(self.chain)} | fields))

    def model(self, new: NewBlock, parent: Block | None = None) -> Block:
        """The block as it must be stored if the last L1 block committed it."""
        return follow(
            parent or self.last,
            new,
            chain_id=self.web3.eth.chain_id,
            rollup=address(self.rollup),
            committer=address(self.validator),
            validator_set=bytes(self.governor.validatorSet()),
            committed_at=self.now,
        )

    def commit_arguments(self, *new: NewBlock, parent: Block | None = None) -> list[Any]:
        return [astuple(parent or self.last), [block.arguments() for block in new], b""]

    def one_call_arguments(self, new: NewBlock, proof: list[int], parent: Block | None = None) -> list[Any]:
        return [astuple(parent or self.last), new.arguments(), proof, b""]

    def commit(self, *new: NewBlock) -> Any:
        receipt = self.send(self.rollup, "commitBlocks", *self.commit_arguments(*new), sender=self.validator)
        for block in new:
            self.chain.append(self.model(block))
        return receipt

    def refused_commit(self, *new: NewBlock, sender: Any = None, parent: Block | None = None) -> Refusal:
        arguments = self.commit_arguments(*new, parent=parent)
        return self.refused(self.rollup, "commitBlocks", *arguments, sender=sender or self.validator)

    def prove(self, *blocks: Block, sender: Any = None) -> Any:
        arguments = [[astuple(block) for block in blocks], [PROOF for _ in blocks]]
        return self.send(self.rollup, "proveBlocks", *arguments, sender=sender or self.stranger)

    def refused_proof(self, *blocks: Block, proof: list[int] | None = None) -> Refusal:
        arguments = [[astuple(block) for block in blocks], [proof or PROOF for _ in blocks]]
        return self.refused(self.rollup, "proveBlocks", *arguments, sender=self.stranger)

    def refused_execution(self, block: Block, l1: bytes) -> Refusal:
        return self.refused(self.rollup, "executeBlocks", [astuple(block)], [l1], sender=self.stranger)

    def execute(self, block: Block, l1: bytes, sender: Any = None) -> Any:
        return self.send(self.rollup, "executeBlocks", [astuple(block)], [l1], sender=sender or self.stranger)

    def run_block(self, *records: tuple[int, ...]) -> Any:
        """Commits, proves and executes a block with these records; returns the receipt of the execution."""
        l1 = stream(*records)
        self.commit(self.new_block(l1=l1))
        self.prove(self.last)
        return self.execute(self.last, l1)

    # ---- Deadlines and exodus ----

    def pass_time(self, to: int) -> None:
        """The next call is made at this time."""
        self.rpc("evm_setNextBlockTimestamp", to)
        self.rpc("evm_mine")

    def revert_blocks(self, last_proven: Block, first_unproven: Block, sender: Any = None) -> Any:
        """Takes back what is not proven; the next block follows the last that is."""
        arguments = [astuple(last_proven), astuple(first_unproven)]
        receipt = self.send(self.rollup, "revertBlocks", *arguments, sender=sender or self.stranger)
        del self.chain[first_unproven.number :]
        return receipt

    def overdue(self, block: Block) -> None:
        """Passes the deadline of a block's proof."""
        self.pass_time(block.committed_at + PROOF_DEADLINE_SECONDS)

    def expire(self, index: int) -> None:
        """Lets a queue entry expire."""
        self.pass_time(self.rollup.queueEntry(index).expiry)

    def activate_exodus(self, last_proven: Block, sender: Any = None) -> Any:
        """Begins exodus; unproven blocks are none any more."""
        receipt = self.send(self.rollup, "activateExodus", astuple(last_proven), sender=sender or self.stranger)
        del self.chain[last_proven.number + 1 :]
        return receipt

    # ---- Money ----

    def deposit_eth(self, amount: int, *, sender: Any = None, owner: Any = None, key: tuple[int, int] = (0, 0)) -> Any:
        sender = sender or self.alice
        value = amount + self.rollup.queueFee()
        return self.send(self.rollup, "depositETH", amount, address(owner or sender), *key, sender=sender, value=value)

    def deposit_erc20(
        self, token: int, amount: int, *, sender: Any = None, value: int | None = None, key: tuple[int, int] = (0, 0)
    ) -> Any:
        sender = sender or self.alice
        fee = self.rollup.queueFee() if value is None else value
        return self.send(self.rollup, "depositERC20", token, amount, address(sender), *key, sender=sender, value=fee)

    def request_exit(self, account: int, token: int = 0, *, sender: Any = None) -> Any:
        fee = self.rollup.queueFee()
        return self.send(self.rollup, "requestFullExit", account, token, sender=sender or self.alice, value=fee)

    def eth_held(self) -> int:
        return int(self.web3.eth.get_balance(address(self.rollup)))

    def token(
        self, model: str, *, cap: int = CAP, holder: Any = None, amount: int = 10**24, arguments: Sequence[str] = ()
    ) -> tuple[Any, int]:
        """Deploys and lists a token; the holder (alice) has some and has approved them."""
        holder = holder or self.alice
        token = self.owner.deploy(getattr(self.project, model), *arguments)
        self.send(self.governor, "addToken", address(token), sender=self.owner)
        token_id = self.governor.tokenId(token)
        self.send(self.governor, "setDepositCap", token_id, cap, sender=self.owner)
        self.send(token, "mint", address(holder), amount, sender=self.owner)
        self.send(token, "approve", address(self.rollup), 2**255, sender=holder)
        return token, token_id

    def fund(self, to: Any, amount: int, token: int = 0) -> None:
        """Deposits money of alice's and lets a block withdraw some to an address.

        The accept-all verifier does not ask from whose balance.
        """
        if token == 0:
            self.deposit_eth(ETHER)
            held = ETHER
        else:
            before = self.rollup.accounted(token)
            self.deposit_erc20(token, amount)
            held = self.rollup.accounted(token) - before
        flags = FLAG_SENDER_IS_OWNER
        deposit = deposit_record(address(self.alice), held, token=token, account=1, flags=flags, fee=BASE_FEE_GWEI)
        self.run_block(deposit, withdraw_record(address(to), amount, token=token))


def address(of: Any) -> str:
    return str(getattr(of, "address", of))


def set_queue_total(rig: Rig, total: int) -> None:
    """Writes the counter where the contract keeps it: filling the queue takes minutes."""
    before = rig.rollup.queueTotal()
    for slot in range(8):
        raw = bytes(rig.web3.eth.get_storage_at(address(rig.rollup), slot)).rjust(32, b"\0")
        candidate = raw[:27] + total.to_bytes(5, "big")
        rig.rpc("anvil_setStorageAt", address(rig.rollup), f"0x{slot:064x}", "0x" + candidate.hex())
        if rig.rollup.queueTotal() == total != before:
            return
        rig.rpc("anvil_setStorageAt", address(rig.rollup), f"0x{slot:064x}", "0x" + raw.hex())
    raise AssertionError("the queue's counter is not where it was")


def with_changed_ic(verifier: str) -> str:
    """The text of a BlockVerifier as ChangedBlockVerifier, one digit of the first toy's last IC word changed."""
    word = TOYS[0]["key"]["IC"][-1][1]
    changed = verifier.replace(f"uint256({word})", f"uint256({changed_digit(word)})")
    assert changed != verifier
    return changed.replace("contract BlockVerifier is", "contract ChangedBlockVerifier is")


def changed_digit(word: str) -> str:
    return word[:-1] + str((int(word[-1]) + 1) % 10)


def error_table(*abis: Any) -> dict[bytes, Any]:
    """Custom errors by selector."""
    table = {}
    for abi in abis:
        for item in abi:
            if item.get("type") == "error":
                signature = f"{item['name']}({','.join(part['type'] for part in item.get('inputs', []))})"
                table[keccak(signature.encode())[:4]] = item | {"inputs": item.get("inputs", [])}
    return table
