"""The command line of `make bench` and `make bench-growth`."""

from __future__ import annotations

import signal
import sys

from bench.speed.command import app
from bench.speed.wrk import RunFailed

if __name__ == "__main__":
    signal.signal(
        signal.SIGTERM, lambda *_: sys.exit(143)
    )  # everything that was started is ended on the way out
    try:
        app()
    except RunFailed as failure:
        sys.exit(str(failure))
