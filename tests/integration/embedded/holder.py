"""A process that uses the embedded server until a line arrives on its standard input.

    holder.py DATA_DIR CONNECTIONS_MAX [USER]

Prints the URL on standard output. Started as root with a USER, it becomes that user once everything is
imported, so that the interpreter itself may lie where this user cannot reach it.
"""

from __future__ import annotations

import os
import pwd
import sys
from pathlib import Path

import structlog

from datastorage.db.embedded import open_embedded_server
from datastorage.errors import EmbeddedServerError


def become(name: str) -> None:
    user = pwd.getpwnam(name)
    os.setgroups([])
    os.setgid(user.pw_gid)
    os.setuid(user.pw_uid)


def main(data_dir: str, connections_max: str, user: str | None = None) -> int:
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    if user is not None:
        become(user)
    try:
        with open_embedded_server(Path(data_dir), connections_max=int(connections_max)) as server:
            print(server.url, flush=True)  # noqa: T201  (the test reads it)
            sys.stdin.readline()
    except EmbeddedServerError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
