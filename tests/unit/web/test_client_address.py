"""Where a request comes from: headers of listed proxies are believed, those of everybody else are not."""

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from datastorage.web.client_address import ClientAddresses, charged

PROXIES = [ip_network("10.1.2.0/28"), ip_network("fd00::/64")]


def address(peer: str | None, *forwarded: str, proxies: list = PROXIES) -> str | None:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    client = None if peer is None else (peer, 40_000)
    request = Request({"type": "http", "headers": headers, "client": client})
    return ClientAddresses(proxies).of(request)


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        ("203.0.113.7", (), "203.0.113.7"),
        ("203.0.113.7", ("198.51.100.1",), "203.0.113.7"),  # no proxy of ours
        ("10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("1.1.1.1, 198.51.100.1",), "198.51.100.1"),  # the first is the client's own invention
        ("10.1.2.3", ("1.1.1.1", "198.51.100.1"), "198.51.100.1"),
        ("10.1.2.3", ("198.51.100.1, 10.1.2.9",), "198.51.100.1"),  # through two proxies
        ("10.1.2.3", ("10.1.2.4, 10.1.2.9",), "10.1.2.4"),  # nobody but proxies: the farthest
        ("10.1.2.3", (), "10.1.2.3"),
        ("10.1.2.3", ("",), "10.1.2.3"),
        ("10.1.2.3", ("198.51.100.1, unknown",), "10.1.2.3"),
        ("10.1.2.3", ("198.51.100.1, unknown, 10.1.2.9",), "10.1.2.9"),
        ("10.1.2.3", ("2001:db8::1",), "2001:db8::1"),
        ("fd00::1", ("198.51.100.1",), "198.51.100.1"),
        ("::ffff:10.1.2.3", ("198.51.100.1",), "198.51.100.1"),
        ("10.1.2.3", ("::ffff:198.51.100.1",), "198.51.100.1"),
        (None, ("198.51.100.1",), None),
        ("testclient", ("198.51.100.1",), "testclient"),
    ],
)
def test_the_nearest_address_that_is_no_proxy(
    peer: str | None, forwarded: tuple[str, ...], expected: str | None
) -> None:
    assert address(peer, *forwarded) == expected


def test_without_proxies_no_header_is_looked_at() -> None:
    assert address("127.0.0.1", "198.51.100.1", proxies=[]) == "127.0.0.1"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::7", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", None),
        ("127.1.2.3", None),
        ("::1", None),
        ("::ffff:127.0.0.1", None),
        (None, None),
        ("testclient", None),
    ],
)
def test_a_network_is_charged_and_this_machine_is_not(given: str | None, expected: str | None) -> None:
    assert charged(given) == expected
