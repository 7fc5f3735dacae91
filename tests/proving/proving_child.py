"""A scheduler or worker of its own process: `proving_child.py scheduler|worker {json}`. Says what it does in lines."""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from rollup.proving.certificates import tls_of
from rollup.proving.serving import run_scheduler, run_worker


def stand_in(options: dict[str, Any], job: str) -> str:
    """Prove nothing: say which block it was, after a time, or as the test wants."""
    number = json.loads(job)["block"]
    print(f"begins {number}", flush=True)
    if options.get("hangs"):
        time.sleep(3_600)
    release = Path(options["folder"]) / f"release-{number}"
    while options.get("held") and not release.exists():
        time.sleep(0.01)
    if options.get("evil"):
        return json.dumps({"proof": -1})
    if options.get("fails"):
        raise RuntimeError("out of memory")
    return json.dumps({"proof": number, "worker": options["name"], "pid": os.getpid()})


def main() -> None:
    options = json.loads(sys.argv[2])
    tls = tls_of(Path(options["certificates"]), options.get("as", sys.argv[1]))

    def say(line: str) -> None:
        print(line, flush=True)

    if sys.argv[1] == "scheduler":
        run_scheduler(tls, "127.0.0.1", options["port"], say)
    else:
        run_worker(
            options["scheduler"], tls, name=options["name"], host="127.0.0.1", say=say,
            work=lambda job: stand_in(options, job), stated=options["facts"],
        )  # fmt: skip


if __name__ == "__main__":
    main()
