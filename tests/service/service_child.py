"""Lives of a service: for each line on standard input, the path of a configuration, it forks a child that serves,
prints its process id, and when it has ended how.
"""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))

from service_rig import accepted

from rollup.cli.node import stop_on_signals
from rollup.node.provers import LocalPool
from rollup.service.config import load_config
from rollup.service.folder import make_folder
from rollup.service.logs import set_up_logs
from rollup.service.service import Service, open_database


def live(path: str) -> int:
    """One life; its exit code."""
    config = load_config(Path(path))
    make_folder(config.data)
    set_up_logs("info", "json", open(Path(path).parent / "log.jsonl", "a"))  # noqa: SIM115  # as long as the process
    with open_database(config.database_url) as database:
        service = Service(config, database, LocalPool(accepted, 2))
        stop_on_signals(service)
        return service.run()


def main() -> None:
    """Fork a child for each line."""
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = live(line.strip())
            except BaseException as error:
                print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(code)
        print(child, flush=True)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
