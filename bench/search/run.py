"""All benches of the search in one go: quality of each set, recall and latency under filters, cache hit rate.

    make bench-search DATA=FOLDER [SETS="hadoop tidev"]

Starts a service of its own for each set, on an embedded database that is removed afterwards. The provider is the one
that the environment names (DATASTORAGE_EMBEDDING_*); the default needs nothing.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
SETTLE_S = 15.0  # until the terms of what was loaded have been counted


def main() -> None:
    """Prints what each bench prints."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("sets", nargs="+")
    given = parser.parse_args()
    for name in given.sets:
        print(f"\n== {name}: does the search find the duplicates of a report?", flush=True)
        with service() as url:
            bench("quality.py", "load", given.folder, name, "--url", url)
            time.sleep(SETTLE_S)
            bench("quality.py", "ask", given.folder, name, "--url", url)
    largest = given.sets[-1]
    print(f"\n== {largest} again and again, 100,000 incidents: recall and latency under filters", flush=True)
    bench("filtered.py", given.folder, largest)
    print("\n== how often is a text embedded already?", flush=True)
    bench("cache_rate.py", given.folder, *given.sets)


@contextmanager
def service() -> Iterator[str]:
    """A service on ports and data of its own."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        environment = {
            **os.environ,
            "DATASTORAGE_DATA_DIR": f"{scratch}/data",
            "DATASTORAGE_GRAPHIQL": "false",
            "DATASTORAGE_LOG_LEVEL": "warning",
        }
        command = [sys.executable, "-m", "datastorage", "serve", "--port", "0", "--metrics-port", "0"]
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        try:
            yield announced(process)
        finally:
            process.terminate()
            process.wait()


def announced(process: subprocess.Popen[str]) -> str:
    """Where the service says that it listens."""
    for line in process.stdout or ():
        found = re.search(r"(http://[^\s/]+)/graphql", line)
        if found:
            return found[1]
    sys.exit("the service has not started")


def bench(script: str, *arguments: object) -> None:
    """One of the scripts beside this one."""
    subprocess.run([sys.executable, HERE / script, *map(str, arguments)], check=True)


if __name__ == "__main__":
    main()
