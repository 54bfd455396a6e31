"""A program that starts Milvus servers by forking: importing what one needs takes seconds, and tests start dozens.

Reads the arguments of one server a line, and answers with the number of its process; ends all of them when it ends.
"""

import os
import signal
import sys

from milvus_lite.cmdline import main


def forked(arguments: list[str]) -> int:
    """The number of a process that does what the command `milvus-lite` would."""
    number = os.fork()
    if number:
        return number
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nowhere, stream)
    os._exit(main(arguments))


def serve() -> None:
    """Until whoever started it has no more to say."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that have ended
    numbers = []
    for line in sys.stdin:
        numbers.append(forked(line.split()))
        print(numbers[-1], flush=True)  # noqa: T201 - the answer
    for number in numbers:
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue


serve()
