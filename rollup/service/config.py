"""What `sluice.toml` says, table by table: names, units, ranges and defaults are here and nowhere else."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

from rollup.api.pricing import Pricing
from rollup.core.addresses import parse_address
from rollup.core.errors import AddressTextError
from rollup.landing.config import SenderConfig
from rollup.landing.external import CLEF_METHOD, WEB3SIGNER_METHOD
from rollup.landing.fees import DEFAULT_CEILING, GWEI, FeePolicy
from rollup.landing.signing import Fees
from rollup.node.policy import Policy
from rollup.service.errors import ConfigInvalid, Problem
from rollup.service.fields import Setting, read_table
from rollup.wallet.tokens import ETH, AmountTextError, Token, parse_amount

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("human", "json")
DEFAULT_LISTEN: Final = "127.0.0.1:8000"
MOST_WORKERS: Final = 64
_POLICY: Final = Policy()
_SENDER: Final = SenderConfig()


def _http(value: str) -> str | None:
    try:
        parts = urlsplit(value)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    return None if is_one else "is no address of a node: write http:// or https:// and the host"


def _scheduler(value: str) -> str | None:
    return None if value.startswith("tls://") else f"is {value!r}: only tls://host:port keeps jobs and proofs safe"


def check_listen(value: str) -> str | None:
    """Why this is nowhere to listen; None if it is."""
    host, _, port = value.rpartition(":")
    is_one = bool(host) and port.isascii() and port.isdecimal() and int(port) < 1 << 16
    return None if is_one else f"is {value!r}: write host:port, such as {DEFAULT_LISTEN}"


def _address(value: str) -> str | None:
    try:
        return None if parse_address(value) else "is the zero address, which signs nothing"
    except AddressTextError as error:
        return str(error)


def _eth(value: str) -> str | None:
    return _amount(value, ETH)


def _amount(value: str, token: Token) -> str | None:
    try:
        parse_amount(value, token)
    except AmountTextError as error:
        return f"is {value!r}: {error}"
    return None


def _database(value: str) -> str | None:
    is_one = value.startswith(("sqlite:///", "postgresql://"))
    # Never the value: it may hold a password.
    return None if is_one else "is no database: write sqlite:///path or postgresql://user@host/name"


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """Where promises are kept."""

    url: Annotated[
        str | None, Setting("sqlite:///path (relative to this file) or postgresql://user@host/name", check=_database)
    ] = None
    journal: Annotated[Path | None, Setting("folder of the second copy of the receipts, best on another disk")] = None


@dataclass(frozen=True, slots=True)
class L1Settings:
    """How L1 is seen."""

    endpoints: Annotated[
        tuple[str, ...], Setting("JSON-RPC addresses, the preferred first; two or more for real money", check=_http)
    ]
    confirmations: Annotated[int, Setting("L1 blocks on top of a deposit before it is credited", least=0, most=256)] = (
        12
    )
    finality_blocks: Annotated[
        int, Setting("L1 blocks on top of a transaction before it is final", least=1, most=100000)
    ] = 64
    has_finalized_tag: Annotated[bool, Setting("whether the chain says which blocks are finalised")] = True
    timeout_seconds: Annotated[float, Setting("how long one answer may take", least=0.1, most=600)] = 15.0
    poll_seconds: Annotated[float, Setting("how often L1 is looked at", least=0.01, most=60)] = 2.0


@dataclass(frozen=True, slots=True)
class KeystoreSettings:
    """Who signs receipts: thousands a second, so it is a keystore here and no signer elsewhere."""

    keystore: Annotated[Path | None, Setting("web3 keystore of version 3, permissions 600")] = None
    password_file: Annotated[Path | None, Setting("its first line is the password, permissions 600")] = None


@dataclass(frozen=True, slots=True)
class SignerSettings(KeystoreSettings):
    """A key that pays for L1: a keystore with its password file, or a signer elsewhere."""

    url: Annotated[str | None, Setting("or: JSON-RPC address of web3signer or clef", check=_http)] = None
    address: Annotated[str | None, Setting("and the address whose key it holds", check=_address)] = None
    method: Annotated[str, Setting("and what it calls signing", one_of=(WEB3SIGNER_METHOD, CLEF_METHOD))] = (
        WEB3SIGNER_METHOD
    )


@dataclass(frozen=True, slots=True)
class SenderSettings(SignerSettings):
    """Who pays for L1, and how much."""

    ceiling_gwei: Annotated[float, Setting("most that a gas may cost", least=0.001, most=1000000.0)] = (
        DEFAULT_CEILING.max_fee / GWEI
    )
    ceiling_tip_gwei: Annotated[float, Setting("of it for who makes the block", least=0.001, most=1000000.0)] = (
        DEFAULT_CEILING.tip / GWEI
    )
    least_tip_gwei: Annotated[float, Setting("what is tipped at least", least=0, most=1000000.0)] = 0.1
    patience_blocks: Annotated[int, Setting("blocks until a stuck transaction is replaced", least=1, most=1000)] = 3
    most_in_flight: Annotated[int, Setting("transactions signed and not mined", least=1, most=64)] = (
        _SENDER.most_in_flight
    )
    reserve_eth: Annotated[str, Setting("a notice is given below this balance", check=_eth)] = "0"
    reserve_transactions: Annotated[int, Setting("or below what so many transactions cost", least=0, most=10000)] = (
        _SENDER.reserve_transactions
    )
    foreign_patience_blocks: Annotated[
        int, Setting("so long a stranger's transaction at our nonce may go first", least=0, most=1000)
    ] = _SENDER.foreign_patience_blocks
    journal: Annotated[Path | None, Setting("file of what was signed, on the database's disk")] = None
    retired: Annotated[tuple[SignerSettings, ...], Setting("former keys whose transactions may still be replaced")] = ()


@dataclass(frozen=True, slots=True)
class PolicySettings:
    """When blocks are closed and work is refused; see rollup/node/policy.py."""

    max_age_seconds: Annotated[float, Setting("a block is closed when it was open so long", least=1, most=36000)] = (
        _POLICY.max_age_seconds
    )
    queue_pressure: Annotated[
        int, Setting("or half as long with so many entries of L1's queue; 0: no matter", least=0)
    ] = _POLICY.queue_pressure
    max_steps: Annotated[int, Setting("or has so many steps; 0: as many as the largest block holds", least=0)] = 0
    max_l1_gas: Annotated[int, Setting("or costs so much gas on L1; 0: whatever it costs", least=0)] = 0
    queue_margin_seconds: Annotated[
        float, Setting("or an entry of L1's queue is overdue in less than this", least=0, most=604800)
    ] = _POLICY.queue_margin_seconds
    max_backlog: Annotated[int, Setting("work is refused while so many blocks are not on L1", least=1, most=10000)] = (
        _POLICY.max_backlog
    )
    promise_margin_seconds: Annotated[
        float, Setting("or one would be on L1 less than this before it is due", least=0, most=80000)
    ] = _POLICY.promise_margin_seconds
    assumed_block_seconds: Annotated[
        float, Setting("how long a proof is taken to last until the first is done", least=0, most=80000)
    ] = _POLICY.assumed_block_seconds
    fast_fees: Annotated[
        Mapping[str, str], Setting('a withdrawal that pays so much closes its block: { ETH = "0.01" }')
    ] = field(default_factory=dict)
    least_fees: Annotated[
        Mapping[str, str], Setting('what each step of an operation pays at least; none: nothing: { ETH = "0.000002" }')
    ] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class FeeSettings:
    """What is asked of users: L1's gas, and this."""

    step_gwei: Annotated[float, Setting("proving one step", least=0, most=1e9)] = 0.0
    filled_steps: Annotated[
        int, Setting("steps of a typical block, which share its costs; 0: half the largest", least=0)
    ] = 0
    margin_percent: Annotated[int, Setting("on top of L1's price, which moves", least=0, most=1000)] = 25
    valid_seconds: Annotated[int, Setting("how long a quote stands", least=1, most=3600)] = 60
    prices: Annotated[Mapping[str, str], Setting('ETH for one token: { USDS = "0.0003" }', check=_eth)] = field(
        default_factory=dict
    )


@dataclass(frozen=True, slots=True)
class ProverSettings:
    """Who proves."""

    workers: Annotated[int, Setting("blocks proven at once in this process", least=1, most=MOST_WORKERS)] = 1
    keys: Annotated[Path | None, Setting("folder of the proving keys, if not build/keys of the checkout")] = None
    scheduler: Annotated[
        str | None, Setting("tls://host:port of a Dask scheduler: prove there instead", check=_scheduler)
    ] = None
    tls_ca: Annotated[Path | None, Setting("its certificate authority, PEM")] = None
    tls_certificate: Annotated[Path | None, Setting("our certificate, PEM")] = None
    tls_key: Annotated[Path | None, Setting("and its key, permissions 600")] = None


@dataclass(frozen=True, slots=True)
class LogSettings:
    """What is logged, to stderr."""

    level: Annotated[str, Setting("the least that is logged", one_of=LEVELS)] = "info"
    format: Annotated[str, Setting("lines for people, or JSON for machines", one_of=FORMATS)] = "human"


@dataclass(frozen=True, slots=True)
class Config:
    """All of `sluice.toml`. Paths are relative to it."""

    l1: Annotated[L1Settings, Setting("the table [l1] with `endpoints`")]
    sender: Annotated[SenderSettings, Setting("the table [sender] with a keystore or a signer")]
    validator: Annotated[KeystoreSettings, Setting("the table [validator] with a keystore")]
    manifest: Annotated[Path, Setting("what `sluice deploy` wrote")]
    data: Annotated[Path, Setting("folder of everything that has no place of its own")]
    listen: Annotated[str, Setting("where the API listens", check=check_listen)] = DEFAULT_LISTEN
    database: DatabaseSettings = field(default_factory=lambda: DatabaseSettings())
    policy: PolicySettings = field(default_factory=lambda: PolicySettings())
    fees: FeeSettings = field(default_factory=lambda: FeeSettings())
    prover: ProverSettings = field(default_factory=lambda: ProverSettings())
    api: Annotated[Mapping[str, Any], Setting("limits of the API")] = field(default_factory=dict)
    log: LogSettings = field(default_factory=lambda: LogSettings())

    @property
    def database_url(self) -> str:
        """Where the database is."""
        return self.database.url or f"sqlite:///{self.data / 'node.db'}"

    @property
    def journal(self) -> Path:
        """Folder of the second copy of the receipts."""
        return self.database.journal or self.data / "journal"

    @property
    def sender_journal(self) -> Path:
        """File of what was signed for L1."""
        return self.sender.journal or self.data / "sender.db"

    @property
    def host(self) -> str:
        """Where the API listens."""
        return self.listen.rpartition(":")[0].strip("[]")

    @property
    def port(self) -> int:
        """Its port; 0: any."""
        return int(self.listen.rpartition(":")[2])

    def sender_config(self) -> SenderConfig:
        """How the L1 sender acts."""
        sender = self.sender
        ceiling = Fees(_wei(sender.ceiling_gwei), _wei(sender.ceiling_tip_gwei))
        return SenderConfig(
            fees=FeePolicy(ceiling, _wei(sender.least_tip_gwei), sender.patience_blocks),
            finality_blocks=self.l1.finality_blocks,
            has_finalized_tag=self.l1.has_finalized_tag,
            most_in_flight=sender.most_in_flight,
            reserve_wei=parse_amount(sender.reserve_eth, ETH),
            reserve_transactions=sender.reserve_transactions,
            foreign_patience_blocks=sender.foreign_patience_blocks,
        )

    def node_policy(self, tokens: Mapping[str, Token]) -> Policy:
        """When blocks are closed and work is refused.

        Args:
            tokens: Of the rollup, by symbol.

        Raises: ConfigInvalid: a fee is in no token of the rollup, or no amount of it.
        """
        policy = self.policy
        fees: dict[str, dict[int, int]] = {}
        for name, table in (("fast_fees", policy.fast_fees), ("least_fees", policy.least_fees)):
            fees[name] = {}
            for token, amount in _by_token(f"policy.{name}", table, tokens):
                if (reason := _amount(amount, token)) is not None:
                    raise ConfigInvalid("the configuration", [Problem(f"policy.{name}.{token.symbol}", reason)])
                fees[name][token.token_id] = parse_amount(amount, token)
                if name == "least_fees" and not fees[name][token.token_id]:
                    problem = Problem(f"policy.{name}.{token.symbol}", "is 0: leave the token out")
                    raise ConfigInvalid("the configuration", [problem])
        return Policy(
            max_age_seconds=policy.max_age_seconds,
            queue_pressure=policy.queue_pressure,
            max_steps=policy.max_steps,
            max_l1_gas=policy.max_l1_gas,
            queue_margin_seconds=policy.queue_margin_seconds,
            **fees,
            max_backlog=policy.max_backlog,
            promise_margin_seconds=policy.promise_margin_seconds,
            assumed_block_seconds=policy.assumed_block_seconds,
        )

    def pricing(self, tokens: Mapping[str, Token]) -> Pricing:
        """What fees are reckoned with.

        Args:
            tokens: Of the rollup, by symbol.

        Raises: ConfigInvalid: a price is of no token of the rollup.
        """
        fees = self.fees
        prices = {
            token.token_id: Fraction(parse_amount(price, ETH), 10**token.decimals)
            for token, price in _by_token("fees.prices", fees.prices, tokens)
        }
        return Pricing(_wei(fees.step_gwei), fees.filled_steps, fees.margin_percent, prices, fees.valid_seconds)


def load_config(path: Path) -> Config:
    """Read a configuration file; everything that is wrong with it is told at once.

    Raises: ConfigInvalid.
    """
    try:
        table = tomllib.loads(path.read_text())
    except OSError as error:
        way_out = "name the file with --config, or make one with `sluice node init`"
        raise ConfigInvalid(str(path), [Problem("file", f"{error.strerror}: {way_out}")]) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigInvalid(str(path), [Problem("file", f"is no TOML: {error}")]) from error
    return read_config(table, path)


def read_config(table: Mapping[str, Any], path: Path) -> Config:
    """The configuration of TOML's values; `path` is the file, for messages and relative paths.

    Raises: ConfigInvalid.
    """
    problems: list[Problem] = []
    base = path.resolve().parent
    limits = table.get("api", {})
    config = read_table(Config, {**table, "api": {}}, base, problems)
    if not isinstance(limits, Mapping):
        problems.append(Problem("api", "is no table: write [api]"))
    elif limits:
        _read_limits(limits, base, problems)
    if config is not None:
        problems += _signer_problems("sender", config.sender)
        problems += _signer_problems("validator", config.validator)
        for index, retired in enumerate(config.sender.retired):
            problems += _signer_problems(f"sender.retired[{index}]", retired)
        problems += _other_problems(config)
    if problems or config is None:
        raise ConfigInvalid(str(path), sorted(problems, key=lambda each: each.key))
    url = config.database.url
    if url is not None and url.startswith("sqlite:///"):
        database = DatabaseSettings(f"sqlite:///{base / url.removeprefix('sqlite:///')}", config.database.journal)
        config = _replace(config, database=database)
    return _replace(config, api=dict(limits))


def _read_limits(table: Mapping[str, Any], base: Path, problems: list[Problem]) -> None:
    from rollup.api import Limits

    read_table(Limits, table, base, problems, "api")


def _by_token(at: str, values: Mapping[str, str], tokens: Mapping[str, Token]) -> list[tuple[Token, str]]:
    unknown = [symbol for symbol in values if symbol not in tokens]
    if unknown:
        reason = f"is no token of this rollup: there are {', '.join(tokens)}"
        raise ConfigInvalid("the configuration", [Problem(f"{at}.{symbol}", reason) for symbol in unknown])
    return [(tokens[symbol], value) for symbol, value in values.items()]


def _signer_problems(at: str, signer: KeystoreSettings) -> list[Problem]:
    if not isinstance(signer, SignerSettings):
        missing = [name for name in ("keystore", "password_file") if getattr(signer, name) is None]
        return [Problem(f"{at}.{name}", "is missing: a keystore has a password file") for name in missing]
    has_keystore, has_url = signer.keystore is not None, signer.url is not None
    if has_keystore == has_url:
        what = "both a keystore and a url are" if has_keystore else "neither a keystore nor a url is"
        return [Problem(at, f"{what} named: name `keystore` with `password_file`, or `url` with `address`")]
    if has_keystore and signer.password_file is None:
        return [Problem(f"{at}.password_file", "is missing: its first line is the keystore's password")]
    if has_url and signer.address is None:
        return [Problem(f"{at}.address", "is missing: the address whose key the signer holds")]
    return []


def _other_problems(config: Config) -> list[Problem]:
    problems = []
    if not config.l1.endpoints:
        problems.append(Problem("l1.endpoints", "is empty: name at least one node"))
    if config.sender.ceiling_tip_gwei > config.sender.ceiling_gwei:
        reason = f"is {config.sender.ceiling_tip_gwei}, above ceiling_gwei, {config.sender.ceiling_gwei}"
        problems.append(Problem("sender.ceiling_tip_gwei", f"{reason}: the tip is a part of it"))
    prover = config.prover
    if prover.scheduler is not None and None in (prover.tls_ca, prover.tls_certificate, prover.tls_key):
        problems.append(Problem("prover.scheduler", "needs tls_ca, tls_certificate and tls_key beside it"))
    return problems


def _replace(config: Config, **changes: Any) -> Config:
    from dataclasses import replace

    return replace(config, **changes)


def _wei(gwei: float) -> int:
    return int(Decimal(str(gwei)) * GWEI)
