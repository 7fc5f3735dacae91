"""Attacks on signatures, keys, tree paths and shared nodes."""

from attack_table import ATTACKS, BASES, VALID, Attack, attack, withdraw
from circuit_world import ACCOUNT_LEVELS, ALICE, BALANCE_LEVELS, BOB, OPERATOR, Inputs, User, World, lower_path
from raw_step import RawStep, raw_step, signed_words
from reference_babyjub import add, multiply, torsion_points

from rollup._native import BASE8, SUBGROUP_ORDER, poseidon
from rollup.core.account import Account
from rollup.core.constants import ARITY, FIELD_MODULUS, SHARED_LEVELS, SHARED_NODES

# Signatures


def _signature(world: World, **changes: object) -> Inputs:
    return BASES["transfer"].step(world).inputs | {f"op.{name}": value for name, value in changes.items()}


@attack
def signature_by_another(world: World) -> Inputs:
    return BASES["transfer"].step(world, signer=BOB).inputs


@attack
def signature_for_another_domain(world: World) -> Inputs:
    return BASES["transfer"].step(world).inputs | {"domain": 5}


@attack
def signature_s_plus_order(world: World) -> Inputs:
    inputs = BASES["transfer"].step(world).inputs
    return inputs | {"op.signature_s": inputs["op.signature_s"] + SUBGROUP_ORDER}


@attack
def signature_s_negative(world: World) -> Inputs:
    inputs = BASES["transfer"].step(world).inputs
    return inputs | {"op.signature_s": inputs["op.signature_s"] - SUBGROUP_ORDER + FIELD_MODULUS}


@attack
def signature_s_is_the_order(world: World) -> Inputs:
    return _signature(world, signature_s=SUBGROUP_ORDER)


@attack
def signature_missing(world: World) -> Inputs:
    return _signature(world, signature_r=(0, 1), signature_s=0)


@attack
def signature_r_off_the_curve(world: World) -> Inputs:
    return _signature(world, signature_r=(1, 2))


@attack
def signature_of_another_operation(world: World) -> Inputs:
    """A Withdraw's signature on a Transfer of the same amount and fee."""
    as_withdraw = raw_step(world.state, withdraw(amount=10**18), ALICE, address=BOB.address).inputs
    return _signature(world, signature_r=as_withdraw["op.signature_r"], signature_s=as_withdraw["op.signature_s"])


def _with_key(world: World, key: tuple[int, int]) -> None:
    world.put(ALICE, 0, 10**20, Account(key, ALICE.address, 0))


def _forged_for(key: tuple[int, int]) -> Attack:
    """R = S * B8, which any key whose multiples count as the identity would have "signed"."""

    def make(world: World) -> Inputs:
        _with_key(world, key)
        return BASES["transfer"].step(world, signer=None).inputs | {
            "op.signature_r": multiply(BASE8, 77),
            "op.signature_s": 77,
        }

    return make


TORSION = torsion_points()
for _index, _point in enumerate(TORSION):
    ATTACKS[f"key_of_small_order_{_index}"] = _forged_for(_point)
ATTACKS["key_missing"] = _forged_for((0, 0))
ATTACKS["key_off_curve_with_x_zero"] = _forged_for((0, 5))
ATTACKS["key_off_curve"] = _forged_for((1, 2))


def _torsion_r(index: int) -> Attack:
    def make(world: World) -> Inputs:
        inputs = BASES["transfer"].step(world).inputs
        r = add(inputs["op.signature_r"], TORSION[index])
        return inputs | {"op.signature_r": r}

    return make


def _small_r(index: int) -> Attack:
    return lambda world: _signature(world, signature_r=TORSION[index])


for _index in range(1, 8):
    ATTACKS[f"signature_r_plus_torsion_{_index}"] = _torsion_r(_index)
for _index in range(8):
    ATTACKS[f"signature_r_of_small_order_{_index}"] = _small_r(_index)

# Equations that hold in one coordinate alone: S * B8 = -(R + 8 h A) has the other y, or the other x


def _other_sign(torsion: tuple[int, int]) -> Attack:
    secret, nonce = 1234567, 7654321

    def make(world: World) -> Inputs:
        key = multiply(BASE8, secret)
        _with_key(world, key)
        inputs = BASES["transfer"].step(world, signer=None).inputs
        fields = {name.removeprefix("op."): value for name, value in inputs.items()}
        message = poseidon([inputs["domain"], *signed_words(fields, 0), fields["link"]])
        r = add(multiply(BASE8, nonce), torsion)
        h = poseidon([*r, *key, message])
        s = -(nonce + 8 * h * secret) % SUBGROUP_ORDER
        right, left = add(r, multiply(key, 8 * h % SUBGROUP_ORDER)), multiply(BASE8, s)
        assert [x == y for x, y in zip(right, left, strict=True)] == [torsion != (0, 1), torsion == (0, 1)]
        return inputs | {"op.signature_r": r, "op.signature_s": s}

    return make


ATTACKS["signature_whose_x_is_negated"] = _other_sign((0, 1))
ATTACKS["signature_whose_y_is_negated"] = _other_sign((0, FIELD_MODULUS - 1))

# Paths: a subtree that is not there


def _bent_path(which: str, level: int) -> Attack:
    """A child beside the path is changed: the tree is another one, whose root is not the state's."""

    def make(world: World) -> Inputs:
        inputs = BASES["transfer"].step(world).inputs
        path = [list(children) for children in inputs[which]]
        path[level][4] += 1
        return inputs | {which: path}

    return make


for _side in ("from", "to"):
    for _tree, _levels in (("balance", BALANCE_LEVELS), ("account", ACCOUNT_LEVELS - SHARED_LEVELS)):
        for _level in range(_levels):
            ATTACKS[f"{_side}_{_tree}_path_bent_at_{_level}"] = _bent_path(f"{_side}.{_tree}_path", _level)


@attack
def full_exit_with_a_made_up_account(world: World) -> Inputs:
    """The leaf's values are another's: more balance, my address."""
    return BASES["full_exit"].step(world).inputs | {"from.account.address": BOB.address}


@attack
def withdraw_with_a_made_up_balance(world: World) -> Inputs:
    inputs = BASES["withdraw"].step(world).inputs
    path = [list(children) for children in inputs["from.balance_path"]]
    path[0][0] = 10**30
    return inputs | {"from.balance": 10**30, "from.balance_path": path}


@attack
def withdraw_with_a_balance_that_is_not_the_paths(world: World) -> Inputs:
    return BASES["withdraw"].step(world).inputs | {"from.balance": 10**30}


@attack
def transfer_signed_by_a_scalar_beyond_the_order(world: World) -> Inputs:
    """S + order, of one so small that it has 251 bits: for these the order is the only limit."""
    for amount in range(1, 200):
        inputs = BASES["transfer"].step(world, amount=amount, amount_packed=amount << 5).inputs
        if inputs["op.signature_s"] + SUBGROUP_ORDER < 1 << 251:
            return inputs | {"op.signature_s": inputs["op.signature_s"] + SUBGROUP_ORDER}
    raise AssertionError


# Shared nodes: the account is under another node than its id says, or the node is another one


def _under(to_id: int) -> Attack:
    """Pays to Bob's account, which is all that is opened, by the id of a place under another node."""

    def make(world: World) -> Inputs:
        bobs = BASES["transfer"].step(world).inputs
        opened = {name: value for name, value in bobs.items() if name.startswith("to.")}
        return BASES["transfer"].step(world, to_id=to_id).inputs | opened

    return make


_BELOW = ARITY ** (ACCOUNT_LEVELS - SHARED_LEVELS)
for _node in range(SHARED_NODES):
    _place = _node * _BELOW + BOB.account_id % _BELOW
    if _place != BOB.account_id:
        ATTACKS[f"transfer_to_a_place_under_node_{_node}"] = _under(_place)


def _other_node(who: User) -> Attack:
    """The state before the step is another one, in the one node that the account is under."""

    def make(world: World) -> Inputs:
        inputs = BASES["transfer"].step(world).inputs
        nodes = list(inputs["nodes_in"])
        nodes[world.state.shape.shared_node_of(who.account_id)] += 1
        return inputs | {"nodes_in": nodes}

    return make


ATTACKS["transfer_from_under_another_node"] = _other_node(ALICE)
ATTACKS["transfer_to_under_another_node"] = _other_node(BOB)


def _to_the_operator(world: World) -> RawStep:
    return BASES["transfer"].step(world, to_id=OPERATOR.account_id, address=OPERATOR.address)


VALID["transfer_within_a_node"] = _to_the_operator


@attack
def transfer_within_a_node_that_undoes_the_debit(world: World) -> Inputs:
    """Touch 2 opens the node that touch 1 found, not the one that it left."""
    path = lower_path(world.state, OPERATOR.account_id)
    return _to_the_operator(world).inputs | {"to.account_path": path}
