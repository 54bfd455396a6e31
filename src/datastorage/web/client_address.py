"""Where a request comes from, as far as can be believed, and what of it is charged.

A header may say so only where the connection comes from a listed proxy: everybody else could write into it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from starlette.requests import Request

from datastorage.limits import RATE_BUCKETS_MAX

FORWARDED_FOR: Final = "x-forwarded-for"
# What one customer of a provider has at least of IPv6: a limit for each of its addresses would be none.
_IPV6_PREFIX: Final = 64

Network = IPv4Network | IPv6Network


class ClientAddresses:
    """Addresses of clients, with these networks of proxies before us."""

    def __init__(self, proxies: Sequence[Network]) -> None:
        self._proxies = proxies

    def of(self, request: Request) -> str | None:
        """The nearest address that is no proxy's; None without a network between."""
        peer = None if request.client is None else request.client.host
        if peer is None or not self._proxies or not is_within(peer, self._proxies):
            return peer
        nearest = peer
        # Each proxy adds whom it was asked by at the end; what stands before the first unknown one may be made up.
        for header in reversed(request.headers.getlist(FORWARDED_FOR)):
            for named in reversed(header.split(",")):
                address = parsed(named.strip())
                if address is None:
                    return nearest
                nearest = str(address)
                if not is_within(nearest, self._proxies):
                    return nearest
        return nearest


@lru_cache(RATE_BUCKETS_MAX)
def charged(address: str | None) -> str | None:
    """What a limit per address is charged to; None for this machine itself."""
    known = None if address is None else parsed(address)
    if known is None or known.is_loopback:
        return None
    if isinstance(known, IPv6Address):
        return str(IPv6Network((known, _IPV6_PREFIX), strict=False))
    return str(known)


def is_within(host: str, networks: Sequence[Network]) -> bool:
    """Whether an address lies in one of the networks; names do not."""
    address = parsed(host)
    return address is not None and any(address in network for network in networks)


@lru_cache(RATE_BUCKETS_MAX)
def parsed(text: str) -> IPv4Address | IPv6Address | None:
    """An address; that of IPv4 where it is written as one of IPv6. None for anything else."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
