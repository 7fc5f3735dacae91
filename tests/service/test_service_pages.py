"""docs/alerts.yaml and the runbook against what there is: metrics, notices, events."""

import re
from pathlib import Path
from typing import Any

import yaml

from rollup.landing import errors as landing_errors
from rollup.landing.errors import EndpointsDown, Notice, SignerDeviates, SignerRefused
from rollup.service.logs import Event
from rollup.service.metrics import Metrics, NodeCollector, TimedDatabase
from rollup.service.notices import ServiceNotice
from rollup.toolchain import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text()
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "docs" / "alerts.yaml").read_text())["groups"][0]["rules"]
NOTICES = {kind.code for kind in (*ServiceNotice.__subclasses__(), *Notice.__subclasses__())} | {
    EndpointsDown.code, SignerRefused.code, SignerDeviates.code,
}  # fmt: skip


def metric_names(tmp_path: Path) -> set[str]:
    """Every name that a node exposes: those counted, and those looked up as `NodeCollector` names them."""
    with TimedDatabase(f"sqlite:///{tmp_path}/node.db") as database:
        counted = Metrics(database).registry.collect()
        names = {f"{family.name}{suffix}" for family in counted for suffix in ("", "_total", "_bucket")}
    source = Path(NodeCollector.collect.__code__.co_filename).read_text()
    return names | set(re.findall(r'"(sluice_\w+)"', source))


def test_alert_names_only_metrics_that_exist(tmp_path: Path) -> None:
    names = metric_names(tmp_path)
    for rule in RULES:
        used = set(re.findall(r"\bsluice_\w+", rule["expr"]))
        assert used, rule["alert"]
        assert used <= names, (rule["alert"], used - names)


def test_alert_names_only_notices_that_exist_and_every_serious_one_has_an_alert() -> None:
    alarming = {
        code for rule in RULES for codes in re.findall(r'code=~?"([^"]+)"', rule["expr"]) for code in codes.split("|")
    }
    assert alarming <= NOTICES
    # These are seen by sluice_ready or by a deadline.
    assert NOTICES - alarming == {"refusing_work", "no_fee_account", "proof_deadline_near"}


def test_runbook_has_every_alert_and_every_notice() -> None:
    rows = set(re.findall(r"^\| (`.*?) \|", PAGE, re.MULTILINE))
    named = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert {rule["alert"] for rule in RULES} <= named
    assert named >= NOTICES


def test_alert_says_how_severe_it_is_and_what_it_means() -> None:
    for rule in RULES:
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")


def test_page_names_every_event_that_is_logged() -> None:
    assert {str(event) for event in Event} <= set(re.findall(r"`([\w.]+)`", PAGE))


def test_notices_of_the_sender_are_all_known_here() -> None:
    kinds = {kind for kind in vars(landing_errors).values() if isinstance(kind, type) and issubclass(kind, Notice)}
    assert {kind.code for kind in kinds - {Notice}} <= NOTICES
