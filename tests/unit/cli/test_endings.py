"""How commands end: what is told, and with which exit code."""

import signal
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import uvicorn
from uvicorn.supervisors.multiprocess import SIGNALS

from datastorage.cli.failures import told
from datastorage.cli.supervisor import Supervisor
from datastorage.errors import SettingsError, StartupError


@pytest.fixture(autouse=True)
def signal_handlers() -> Iterator[None]:
    """Put back: these tests are about who handles signals."""
    before = {number: signal.getsignal(number) for number in (*SIGNALS, signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def test_an_error_of_ours_is_told_without_a_trace(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, told():
        raise SettingsError("wrong settings:\n  DATASTORAGE_X: is wrong")

    assert end.value.code == 1
    assert capsys.readouterr() == ("", "datastorage: wrong settings:\n  DATASTORAGE_X: is wrong\n")


def test_a_fault_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), told():
        raise ZeroDivisionError


def test_ctrl_c_ends_quietly(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, told():
        raise KeyboardInterrupt

    assert end.value.code == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_command_that_is_told_to_end_unwinds(number: signal.Signals, code: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    closed = []

    opened = ExitStack()
    opened.callback(closed.append, "database")
    with pytest.raises(SystemExit) as end, told(), opened:
        signal.raise_signal(number)

    assert (end.value.code, closed) == (code, ["database"])


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # as nohup does

    with told():
        signal.raise_signal(signal.SIGHUP)


def test_a_worker_that_cannot_start_ends_them_all() -> None:
    config = uvicorn.Config("support.broken_app:app", workers=1, lifespan="on", log_config=None)

    with pytest.raises(StartupError, match="a worker could not start"):
        Supervisor(config, sockets=[]).run()
