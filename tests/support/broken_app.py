"""An application that cannot start, for the supervisor's test: its workers find it by this name."""

from typing import NoReturn


async def app(*_: object) -> NoReturn:
    """Fails before it serves anything."""
    raise RuntimeError("cannot start")
