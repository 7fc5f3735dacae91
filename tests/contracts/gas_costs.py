"""What every call costs on L1: whole transactions as charged, and what one more record adds to a block's calls.

All keys, amounts and times are fixed, so that the numbers are the same everywhere.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import astuple, replace
from typing import Any

from block_model import (
    change_pub_key_record,
    deposit_record,
    forced_exit_record,
    full_exit_record,
    stream,
    withdraw_record,
)
from contract_rig import BASE_FEE_GWEI, BASE_POINT, CAP, ETHER, FEE, PROOF, TOYS, Rig, address
from eth_account import Account
from eth_hash.auto import keccak
from eth_utils import to_checksum_address

from rollup.l1.sending import BASE_GAS, GAS_PER_TOKEN, calldata_tokens
from rollup.l1.verifier_source import proof_words

T0 = 2_000_000_000
SOME, MORE = 20, 60
"""Records of one kind in the two blocks that are compared: what a block and its call cost falls out."""
FOREVER = 2**40 - 1
FULL_PROOF = [int.from_bytes(b"\xab" * 32, "big")] * 8
"""As dear as calldata gets; the verifier that accepts all does not look."""
TOGETHER = range(1, 9)
TRANSFERS = 35
OWNER = Account.from_key(keccak(b"the owner of the account"))

Costs = dict[str, int]
Record = tuple[int, ...]


@contextmanager
def fixed_time(rig: Rig) -> Iterator[None]:
    """Blocks from T0 on, a second apart: a zero byte in a timestamp or a hash is cheaper than another."""
    rig.rpc("evm_setNextBlockTimestamp", T0)
    rig.rpc("evm_mine")
    rig.rpc("anvil_setBlockTimestampInterval", 1)
    yield
    rig.rpc("anvil_removeBlockTimestampInterval")


def execution_gas(rig: Rig, receipt: Any) -> int:
    """Gas of the execution alone: calldata has a floor price of its own (EIP-7623), which hides it."""
    options = {"disableStorage": True, "disableMemory": True, "disableStack": True}
    logs = rig.rpc("debug_traceTransaction", "0x" + receipt["transactionHash"].hex(), options)["structLogs"]
    return int(logs[0]["gas"]) - int(logs[-1]["gas"]) + int(logs[-1]["gasCost"])


def fresh(n: int) -> str:
    """Nobody's address, without zero bytes."""
    return str(to_checksum_address(f"0x{0x11111111 * (n + 1) % 2**32:08x}" + "ab" * 16))


# ---- Users ----


def users(rig: Rig) -> Costs:
    """Deposits, exits, approvals."""
    _, token_id = rig.token("DemoToken", arguments=("Demo Dollar", "USDS"))
    costs = {
        "depositETH, the rollup's first": rig.deposit_eth(ETHER, key=BASE_POINT),
        "depositETH": rig.deposit_eth(ETHER),
        "depositETH with a key": rig.deposit_eth(ETHER, key=BASE_POINT),
        "depositERC20, the token's first": rig.deposit_erc20(token_id, 500),
        "depositERC20": rig.deposit_erc20(token_id, 500),
        "depositERC20 with a key": rig.deposit_erc20(token_id, 500, key=BASE_POINT),
        "depositERC20, first with an excess fee": rig.deposit_erc20(token_id, 500, value=FEE + 1),
        "requestFullExit": rig.request_exit(1),
    }
    change = (1, 5, *BASE_POINT, 1, 10**6, FOREVER)
    for name in ("approveKeyChange", "approveKeyChange again"):
        costs[name] = rig.send(rig.rollup, "approveKeyChange", change, sender=rig.alice)
    return {name: receipt["gasUsed"] for name, receipt in costs.items()}


def payouts(rig: Rig) -> Costs:
    """What pending balances cost to pay out."""
    token, token_id = rig.token("DemoToken", arguments=("Demo Dollar", "USDS"))
    costs = {}
    rig.fund(rig.bob, 300)
    rig.fund(rig.bob, 300, token_id)
    costs["withdrawPending of ETH"] = rig.send(rig.rollup, "withdrawPending", rig.bob.address, 0, sender=rig.stranger)
    for name in ("withdrawPending of an ERC-20, the owner's first", "withdrawPending of an ERC-20"):
        costs[name] = rig.send(rig.rollup, "withdrawPending", rig.bob.address, token_id, sender=rig.stranger)
        rig.fund(rig.bob, 300, token_id)
    assert token.balanceOf(rig.bob) == 600
    return {name: receipt["gasUsed"] for name, receipt in costs.items()}


def endings(rig: Rig) -> Costs:
    """Reverting, and leaving in exodus: each the first of its kind, and what a second one costs."""
    rig.deposit_eth(ETHER)
    rig.run_block(deposit_record(rig.alice.address, ETHER, account=1, flags=1, fee=BASE_FEE_GWEI))
    proven = rig.last
    costs = {}
    for count in (1, 32):
        with rig.undone():
            rig.commit(*(rig.new_block(new_root=2**250 + n) for n in range(count)))
            rig.overdue(rig.chain[2])
            costs[f"revertBlocks, {count} committed"] = rig.revert_blocks(proven, rig.chain[2])
    _, token_id = rig.token("DemoToken", arguments=("Demo Dollar", "USDS"))
    rig.deposit_eth(ETHER)
    rig.deposit_erc20(token_id, 500)
    rig.request_exit(1)
    rig.expire(1)
    costs["activateExodus"] = rig.activate_exodus(proven)
    for name, token in (("", 0), (", another token", token_id)):
        exit_ = (1, token, rig.bob.address, 10**18, PROOF)
        costs[f"exitExodus{name}, without the proof"] = rig.send(rig.rollup, "exitExodus", *exit_, sender=rig.stranger)
    for index, (name, record) in enumerate(
        {
            "a deposit of ETH": deposit_record(rig.alice.address, ETHER, flags=1, fee=BASE_FEE_GWEI),
            "a deposit of an ERC-20": deposit_record(
                rig.alice.address, 500, token=token_id, flags=1, fee=BASE_FEE_GWEI
            ),
            "a full exit": full_exit_record(rig.alice.address, 1, fee=BASE_FEE_GWEI),
        }.items(),
        1,
    ):
        costs[f"refundQueued, {name}"] = rig.send(rig.rollup, "refundQueued", index, list(record), sender=rig.stranger)
    amount = rig.rollup.pending(rig.bob, 0)
    costs["withdrawPendingTo"] = rig.send(
        rig.rollup, "withdrawPendingTo", 0, rig.stranger.address, amount, sender=rig.bob
    )
    verifier = rig.owner.deploy(rig.project.ExitVerifier)
    arguments = [list(proof_words(TOYS[0]["proof"])), [int(value) for value in TOYS[0]["inputs"]]]
    costs["verify an exit, a transaction"] = rig.send(verifier, "verify", *arguments, sender=rig.bob)
    return {name: receipt["gasUsed"] for name, receipt in costs.items()}


def governor(rig: Rig) -> Costs:
    """What the governor may do."""
    token = rig.owner.deploy(rig.project.DemoToken, "Demo Dollar", "USDS")
    calls = {
        "addToken": ("addToken", address(token)),
        "setDepositCap, the token's first": ("setDepositCap", 1, CAP),
        "setDepositCap": ("setDepositCap", 1, CAP - 1),
        "setDepositsPaused": ("setDepositsPaused", 1, True),
        "setValidator": ("setValidator", rig.bob.address, True),
    }
    return {name: rig.send(rig.governor, *call, sender=rig.owner)["gasUsed"] for name, call in calls.items()}


# ---- Validators ----


def blocks(rig: Rig) -> Costs:
    """Whole blocks, and a chunk of one: a Transfer has one chunk."""
    costs, executions = {}, {}
    rig.commit(rig.new_block())  # the first one pays for the counters' slots
    for chunks in (0, 512, 4096):
        receipt = rig.commit(rig.new_block(l2=b"\xab" * 15 * chunks))
        executions[chunks] = execution_gas(rig, receipt)
        costs[f"commitBlocks, one block of {chunks} chunks"] = receipt["gasUsed"]
        costs[f"commitBlocks, one block of {chunks} chunks, execution alone"] = executions[chunks]
    costs["a Transfer in commitBlocks, execution alone"] = -(-(executions[4096] - executions[0]) // 4096)
    two = rig.commit(rig.new_block(), rig.new_block(new_root=1))["gasUsed"]
    costs["commitBlocks, a second block"] = two - costs["commitBlocks, one block of 0 chunks"]
    rig.prove(rig.chain[1])
    rig.execute(rig.chain[1], b"")
    costs["proveBlocks, one block, without the proof"] = rig.prove(rig.chain[2])["gasUsed"]
    costs["executeBlocks, one block without records"] = rig.execute(rig.chain[2], b"")["gasUsed"]
    return costs | verifying(rig)


def verifying(rig: Rig) -> Costs:
    """The real verifier: one proof, and as many as a call may have."""
    verifier = rig.owner.deploy(rig.project.BlockVerifier)
    inputs = [int(value) for value in TOYS[0]["inputs"]]
    arguments = [TOYS[0]["block_size"], list(proof_words(TOYS[0]["proof"])), inputs]
    receipt = rig.send(verifier, "verify", *arguments, sender=rig.bob)
    costs = {"verify, a transaction": receipt["gasUsed"], "verify, execution alone": execution_gas(rig, receipt)}
    for count in TOGETHER:
        receipt = rig.send(verifier, "verifyMany", *([each] * count for each in arguments), sender=rig.bob)
        costs[f"verifyMany, {count} of one size, execution alone"] = execution_gas(rig, receipt)
    return costs


def _charged(rig: Rig, receipt: Any) -> int:
    """What a transaction costs whose calldata is not charged by the floor."""
    data = bytes(rig.web3.eth.get_transaction(receipt["transactionHash"])["input"])
    return BASE_GAS + GAS_PER_TOKEN * calldata_tokens(data) + execution_gas(rig, receipt)


def blocks_together(rig: Rig) -> Costs:
    """Blocks of 35 Transfers, in one call alone, and several at once in three transactions.

    The real verifier's share is added to what the one that accepts all costs; beside so much execution the floor of
    calldata does not decide.
    """
    rig.run_block()
    real = verifying(rig)
    new = rig.new_block(l2=b"\xab" * 15 * TRANSFERS)
    with rig.undone():
        arguments = rig.one_call_arguments(new, FULL_PROOF)
        alone = rig.send(rig.rollup, "commitProveExecute", *arguments, sender=rig.validator)
        costs = {f"{TRANSFERS} Transfers, in one call": _charged(rig, alone) + real["verify, execution alone"]}
    for count in TOGETHER:
        with rig.undone():
            commit = rig.commit(*(replace(new, new_root=new.new_root + n) for n in range(count)))
            tuples = [astuple(block) for block in rig.chain[-count:]]
            prove = rig.send(rig.rollup, "proveBlocks", tuples, [FULL_PROOF] * count, sender=rig.validator)
            execute = rig.send(rig.rollup, "executeBlocks", tuples, [b""] * count, sender=rig.validator)
            name = f"{TRANSFERS} Transfers in each block, {count} at once"
            costs[f"{name}: commitBlocks"] = commit["gasUsed"]
            costs[f"{name}: proveBlocks"] = (
                _charged(rig, prove) + real[f"verifyMany, {count} of one size, execution alone"]
            )
            costs[f"{name}: executeBlocks"] = execute["gasUsed"]
    return costs


def one_call(rig: Rig) -> Costs:
    """A block of 100 Transfers and two queue operations at once."""
    rig.run_block()
    rig.deposit_eth(ETHER)
    rig.request_exit(1)
    l1 = stream(
        deposit_record(address(rig.alice), ETHER, account=1, flags=1, fee=BASE_FEE_GWEI),
        full_exit_record(address(rig.alice), 1, amount=5, fee=BASE_FEE_GWEI),
    )
    new = rig.new_block(l2=b"\xab" * 15 * 100 + marker(1) + marker(2), l1=l1)
    receipt = rig.send(rig.rollup, "commitProveExecute", *rig.one_call_arguments(new, PROOF), sender=rig.validator)
    return {"commitProveExecute, 100 Transfers and 2 queue operations, without the proof": receipt["gasUsed"]}


def marker(op: int) -> bytes:
    """The L2 chunk that announces a record."""
    return bytes([op << 4]) + bytes(14)


def records(rig: Rig) -> Costs:
    """What a record of each kind adds to the calls that publish and execute it, calldata and L2 marker included."""
    kinds: dict[str, Callable[[Rig], tuple[Sequence[Record], bytes]]] = {
        "Deposit": lambda rig: _deposits(rig, refused=False),
        "Deposit refused, new owner": lambda rig: _deposits(rig, refused=True),
        "FullExit, new owner": _full_exits,
        "Withdraw, new owner": lambda _: ([withdraw_record(fresh(n), 10**18 + n) for n in range(MORE)], b""),
        "Withdraw, owner with a balance": lambda rig: ([withdraw_record(rig.bob.address, 10**18)] * MORE, b""),
        "ForcedExit, new owner": lambda _: ([forced_exit_record(fresh(n), 10**18 + n) for n in range(MORE)], b""),
        "ChangePubKey, signed": lambda rig: _key_changes(rig, approved=False),
        "ChangePubKey, approved": lambda rig: _key_changes(rig, approved=True),
    }
    rig.run_block(withdraw_record(rig.bob.address, 1))  # the first one pays for slots of its own
    rig.run_block(deposit_first(rig))
    costs = {}
    for kind, make in kinds.items():
        with rig.undone():
            of_kind, key_auth = make(rig)
            costs |= {f"{kind}: {call}": gas for call, gas in _marginal(rig, of_kind, key_auth).items()}
    return costs


def deposit_first(rig: Rig) -> Record:
    """One deposit, so that the committer has fees pending and the queue's slots are not new."""
    rig.deposit_eth(ETHER)
    return deposit_record(rig.alice.address, ETHER, account=1, flags=1, fee=BASE_FEE_GWEI)


def _marginal(rig: Rig, of_kind: Sequence[Record], key_auth: bytes) -> Costs:
    used = []
    for count in (SOME, MORE):
        with rig.undone():
            l1, l2 = stream(*of_kind[:count]), b"".join(marker(record[0] >> 200) for record in of_kind[:count])
            auth = key_auth[: len(key_auth) * count // MORE]
            commit = rig.commit(rig.new_block(l2=l2, l1=l1, key_auth=auth))
            rig.prove(rig.last)
            execute = rig.execute(rig.last, l1)
            alone = execution_gas(rig, commit), execution_gas(rig, execute)
            used.append((commit["gasUsed"], execute["gasUsed"], *alone))
    return {
        call: -(-(more - some) // (MORE - SOME))
        for call, some, more in zip(("commitBlocks", "executeBlocks", *_ALONE), *used, strict=True)
    }


_ALONE = "commitBlocks, execution alone", "executeBlocks, execution alone"


def _deposits(rig: Rig, *, refused: bool) -> tuple[Sequence[Record], bytes]:
    owners = [fresh(n) if refused else rig.alice.address for n in range(MORE)]
    key = (0, 0) if refused else BASE_POINT
    calls = [rig.data(rig.rollup, "depositETH", ETHER, owner, *key) for owner in owners]
    rig.send_together(rig.rollup, calls, sender=rig.alice, value=ETHER + FEE, gas=150_000)
    own = {"flags": 2} if refused else {"flags": 1, "account": 0x123456, "ax": key[0], "ay": key[1]}
    return [deposit_record(owner, ETHER, fee=BASE_FEE_GWEI, **own) for owner in owners], b""


def _full_exits(rig: Rig) -> tuple[Sequence[Record], bytes]:
    owners = [fresh(n) for n in range(MORE)]
    for owner in owners:
        rig.rpc("anvil_setBalance", owner, hex(ETHER))
        rig.rpc("anvil_impersonateAccount", owner)
        rig.send(rig.rollup, "requestFullExit", 0x123456, 0, sender=owner, value=FEE)
    return [full_exit_record(owner, 0x123456, amount=10**18, fee=BASE_FEE_GWEI) for owner in owners], b""


def _key_changes(rig: Rig, *, approved: bool) -> tuple[Sequence[Record], bytes]:
    owner = rig.alice.address if approved else OWNER.address
    auths = []
    for nonce in range(MORE):
        change = (0x123456, nonce, *BASE_POINT, 1, 10**6, FOREVER)
        if approved:
            rig.send(rig.rollup, "approveKeyChange", change, sender=rig.alice)
            signature = bytes(65)
        else:
            signature = bytes(OWNER.unsafe_sign_hash(rig.rollup.keyChangeDigest(change)).signature)
        auths.append(signature + FOREVER.to_bytes(5, "big"))
    key = {"account": 0x123456, "token": 1, "fee": 10**6}
    made = [change_pub_key_record(owner, *BASE_POINT, nonce=nonce, **key) for nonce in range(MORE)]
    return made, b"".join(auths)


def measure(rig: Rig) -> Costs:
    """Every cost by name."""
    costs: Costs = {}
    with fixed_time(rig):
        for part in (users, payouts, endings, governor, blocks, blocks_together, one_call, records):
            with rig.undone():
                costs |= part(rig)
    return costs
