"""What rollup.core has signed, and which fills of a signed order it takes, against the page's words (section 4)."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest
from eth_account import Account as EthereumAccount
from page_messages import FOREVER, Signed, key_change_digest, l2_key_digest, link, order_amounts, order_to, signer_of
from page_model import FIELD, key_auth, pack_decimal, poseidon, round_decimal

from rollup.core import (
    CancelOrder,
    ChangePubKey,
    Context,
    Deposit,
    ForcedExit,
    Order,
    OwnerSignature,
    State,
    Swap,
    Transfer,
    TransferToAddress,
    Withdraw,
    linked,
)
from rollup.core import domain as core_domain
from rollup.core import key_change_digest as core_digest
from rollup.core.errors import OperationError
from rollup.wallet.keys import KEY_STATEMENT, derive_local_key, key_typed_data, local_signer

CHAIN_ID, ROLLUP = 31337, 0xAB << 152 | 1
DOMAIN = CHAIN_ID << 160 | ROLLUP
OWNER = EthereumAccount.from_key(b"\x07" * 32)
KEY = derive_local_key(OWNER, CHAIN_ID, ROLLUP)
ADDRESS = int(OWNER.address, 16)


def random_pairs(seed: int) -> list[tuple[Signed, object]]:
    """Each signed operation as the page has it and as the core has it, with the same random fields."""
    random_ = random.Random(seed)
    bits = random_.getrandbits
    window = sorted((bits(40), bits(40)))
    ids, tokens, slot = (bits(24), bits(24)), (bits(11), bits(11)), 2048 + bits(11)
    nonce, to, exact = random_.randrange(2**32 - 1), 1 + bits(159), bits(128)
    amount, fee = round_decimal(bits(random_.choice((20, 127))), 35), round_decimal(bits(random_.choice((10, 100))), 11)
    order, sold, bought = bits(32), 1 + bits(119), bits(120)
    (payer, other), (token, fee_token) = ids, tokens
    packed = pack_decimal(amount, 35)
    return [
        (
            Signed(3, payer, nonce, token, token, fee, other, to, packed, *window),
            Transfer(payer, other, to, token, amount, fee, nonce, *window),
        ),
        (
            Signed(4, payer, nonce, token, token, fee, 0, to, packed, *window),
            TransferToAddress(payer, other, to, token, amount, fee, nonce, *window),
        ),
        (
            Signed(5, payer, nonce, token, token, fee, 0, to, exact, *window),
            Withdraw(payer, to, token, exact, fee, nonce, *window),
        ),
        (
            Signed(7, payer, nonce, token, fee_token, fee, other, to, 0, *window),
            ForcedExit(payer, other, to, token, fee_token, fee, nonce, *window),
        ),
        (
            Signed(9, payer, nonce, fee_token, fee_token, fee, slot, 0, order, *window),
            CancelOrder(payer, slot, order, fee_token, fee, nonce, *window),
        ),
        (
            Signed(
                8, payer, order, token, token, fee, order_to(slot, fee_token), 0, order_amounts(sold, bought), *window
            ),
            Order(payer, slot, order, token, fee_token, sold, bought, fee, *window),
        ),
    ]


@pytest.mark.parametrize("seed", range(20))
def test_message_random_operations_words_and_hash_are_the_pages(seed: int) -> None:
    assert core_domain(CHAIN_ID, ROLLUP) == DOMAIN
    for page, own in random_pairs(seed):
        assert own.message_words(DOMAIN) == tuple(page.words(DOMAIN)), own
        assert own.message_hash(DOMAIN) == poseidon(*page.words(DOMAIN))


@pytest.mark.parametrize("seed", range(5))
def test_link_random_batches_is_the_pages_and_every_operation_has_it(seed: int) -> None:
    *pairs, _order = random_pairs(seed)
    random.Random(seed).shuffle(pairs)
    pairs = pairs[: 2 + seed % 4]
    expected = link([page for page, _ in pairs])
    for (page, _), own in zip(pairs, linked([own for _, own in pairs]), strict=True):
        assert own.message_words(DOMAIN) == tuple(page.words(DOMAIN, expected))


def key_changes() -> list[ChangePubKey]:
    highest = ChangePubKey(2**24 - 1, 2**160 - 1, (FIELD - 1, FIELD - 2), 2**32 - 2, 2047, 2047 * 10**31, FOREVER)
    return [highest, ChangePubKey(7, ADDRESS, KEY.public_key, 3, 1, 10**15, 1_800_000_000)]


@pytest.mark.parametrize("change", key_changes())
def test_key_change_digest_is_the_pages(change: ChangePubKey) -> None:
    fields = (change.account_id, change.nonce, change.key, change.fee_token, change.fee, change.valid_until)
    assert core_digest(change, DOMAIN) == key_change_digest(CHAIN_ID, ROLLUP, *fields)


def test_key_change_signed_or_approved_key_auth_is_the_pages() -> None:
    _, change = key_changes()
    digest = core_digest(change, DOMAIN)
    signature = OWNER.unsafe_sign_hash(digest)
    r, s, v = signature.r, signature.s, signature.v
    assert signer_of(digest, r, s, v) == ADDRESS
    assert replace(change, authorisation=OwnerSignature(r, s, v)).key_auth() == key_auth(change.valid_until, r, s, v)
    assert change.key_auth() == key_auth(change.valid_until)


@pytest.mark.parametrize("index", [0, 1, 2**32 - 1])
def test_l2_key_signature_is_the_owners_of_the_pages_digest(index: int) -> None:
    signature = local_signer(OWNER)(key_typed_data(CHAIN_ID, ROLLUP, index))
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    digest = l2_key_digest(CHAIN_ID, ROLLUP, KEY_STATEMENT, index)
    assert signer_of(digest, r, s, signature[64]) == ADDRESS


@dataclass(frozen=True)
class Side:
    """An order, what its slot has filled of it, and a fill that somebody proposes."""

    sold: int
    bought: int
    fee_limit: int
    filled: int
    sells: int
    gets: int
    fee: int

    def allowed(self) -> bool:
        """The page's three limits."""
        fits = self.filled + self.sells <= self.sold
        fair = self.gets * self.sold >= self.sells * self.bought
        cheap = self.fee * self.sold <= self.fee_limit * self.sells
        return fits and fair and cheap


def proposals(seed: int) -> list[Side]:
    """Fills at the limits of a random order and one step beyond each."""
    random_ = random.Random(seed)
    sold, bought = (random_.randrange(1, 10 ** random_.choice((3, 9))) for _ in range(2))
    limit = round_decimal(random_.randrange(10 ** random_.choice((1, 4))), 11)
    filled = random_.choice((0, 1, sold // 2, sold))
    found = []
    for sells in {0, 1, sold - filled, sold - filled + 1, random_.randrange(sold + 1)}:
        least = -(-sells * bought // sold)
        share = limit * sells // sold
        for gets in {least, least - 1, least + 1} - {-1}:
            for fee in {0, share, share + 1}:
                found.append(Side(sold, bought, limit, filled, sells, gets, fee))
    return [side for side in found if all(round_decimal(n, 35) == n for n in (side.sells, side.gets))
            and round_decimal(side.fee, 11) == side.fee]  # fmt: skip


def opened() -> tuple[State, Context]:
    """Accounts 1 and 2 of one owner and key, each with plenty of tokens 0 and 1."""
    state, context = State(), Context(DOMAIN, 1_800_000_000, tuple(range(8)))
    for index in (1, 2):
        for token in (0, 1):
            state.apply(Deposit(index, token, 10**20, ADDRESS, KEY.public_key, True), context)
    return state, context


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("as_maker", [True, False])
def test_swap_at_and_beyond_an_orders_limits_taken_exactly_if_the_page_allows(seed: int, as_maker: bool) -> None:
    state, context = opened()
    verdicts = set()
    for number, side in enumerate(proposals(seed)):
        before = KEY.sign(
            Order(1, 2048, number, 0, 1, side.filled or 1, 0, 0), DOMAIN
        )  # fills the slot without a price
        order = KEY.sign(Order(1, 2048, number, 0, 1, side.sold, side.bought, side.fee_limit), DOMAIN)
        # The other side takes any price.
        other = KEY.sign(Order(2, 2049, number, 1, 0, 2**120 - 1, 0, 0), DOMAIN)
        mark = state.mark()
        if side.filled:
            state.apply(Swap(before, other, side.filled, 0), context)
        if as_maker:
            swap = Swap(order, other, side.sells, side.gets, side.fee, 0)
        else:
            swap = Swap(other, order, side.gets, side.sells, 0, side.fee)
        try:
            state.apply(swap, context)
            taken = True
        except OperationError:
            taken = False
        assert taken == side.allowed(), side
        verdicts.add(taken)
        state.rollback(mark)
    assert verdicts == {True, False}
