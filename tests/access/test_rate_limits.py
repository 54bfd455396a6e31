"""Who asks too often is told when to come back: addresses before it is known who asks, principals after."""

import json
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy.engine import URL

from datastorage.client import AsyncDataStorage
from datastorage.observability.labels import ThrottledBy
from datastorage.observability.metrics import AUTHENTICATION_FAILURES, THROTTLED
from support.access import LIST, Service, served
from support.api import Api, opened_api

GATEWAY = {
    "auth_modes": "proxy",
    "auth_proxy_networks": "10.1.2.0/28",
    "auth_grants": json.dumps({"proxy:*": {"role": "reader"}}),
}
SLOW = 0.001  # tokens a second: none flows in while a test runs
OPEN = {"auth_modes": "none", "insecure": True}


@pytest.fixture(scope="module")
async def api(server_url: URL, template: str) -> AsyncIterator[Api]:
    async with opened_api(server_url, template) as api:
        yield api


async def statuses(service: Service, asked: int, headers: dict[str, str] | None = None) -> list[int]:
    return [(await service.ask(LIST, headers)).status for _ in range(asked)]


def throttled(by: ThrottledBy) -> float:
    return THROTTLED.labels(by)._value.get()


def user(name: str) -> dict[str, str]:
    return {"x-forwarded-user": name}


async def test_a_principal_beyond_its_burst_waits_and_others_do_not(api: Api) -> None:
    limits = {"rate_limit_principal_per_s": SLOW, "rate_limit_principal_burst": 3}
    before = throttled(ThrottledBy.PRINCIPAL)

    async with served(api.deps, address="10.1.2.3", **GATEWAY, **limits) as service:
        of_alice = await statuses(service, 5, user("alice"))
        of_bob = await statuses(service, 1, user("bob"))

    assert (of_alice, of_bob) == ([200, 200, 200, 429, 429], [200])
    assert throttled(ThrottledBy.PRINCIPAL) - before == 2


async def test_the_refusal_is_an_error_of_graphql_and_says_when_to_ask_again(api: Api) -> None:
    limits = {"rate_limit_principal_per_s": 0.4, "rate_limit_principal_burst": 1}

    async with served(api.deps, address="10.1.2.3", **GATEWAY, **limits) as service:
        await service.ask(LIST, user("alice"))
        refused = await service.http.post("/graphql", json={"query": LIST}, headers=user("alice"))

    assert (refused.status_code, refused.headers["retry-after"]) == (429, "3")
    assert refused.headers["content-type"] == "application/json; charset=utf-8"
    assert refused.json() == {
        "errors": [
            {
                "message": "too many requests; try again later",
                "extensions": {"code": "RATE_LIMITED", "retryable": True},
            }
        ]
    }


async def test_the_python_client_waits_as_told_and_then_gets_its_answer(api: Api) -> None:
    limits = {"rate_limit_principal_per_s": 1, "rate_limit_principal_burst": 1}
    before = throttled(ThrottledBy.PRINCIPAL)

    async with (
        served(api.deps, address="10.1.2.3", **GATEWAY, **limits) as service,
        AsyncDataStorage("http://test", http=service.http, headers=user("alice")) as memory,
    ):
        found = [await memory.remediation_audit(request_id="rr-none") for _ in range(2)]

    assert found == [None, None]
    assert throttled(ThrottledBy.PRINCIPAL) - before == 1


async def test_what_flows_in_may_be_spent(api: Api) -> None:
    limits = {"rate_limit_principal_per_s": 1_000_000, "rate_limit_principal_burst": 1}

    async with served(api.deps, address="10.1.2.3", **GATEWAY, **limits) as service:
        assert await statuses(service, 10, user("alice")) == [200] * 10


async def test_an_address_is_charged_before_anybody_looks_at_its_credential(api: Api) -> None:
    limits = {"rate_limit_address_per_s": SLOW, "rate_limit_address_burst": 2}
    refused = AUTHENTICATION_FAILURES.labels("refused")
    failures, before = refused._value.get(), throttled(ThrottledBy.ADDRESS)

    async with served(api.deps, auth_modes="api_key", **limits) as service:
        seen = await statuses(service, 4, {"authorization": "Bearer guessed"})

    assert seen == [401, 401, 429, 429]
    assert refused._value.get() - failures == 2
    assert throttled(ThrottledBy.ADDRESS) - before == 2


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_this_machine_has_no_limit_of_its_own(api: Api, address: str) -> None:
    limits = {"rate_limit_address_per_s": SLOW, "rate_limit_address_burst": 1}

    async with served(api.deps, address=address, **OPEN, **limits) as service:
        assert await statuses(service, 5) == [200] * 5


async def test_nobody_in_particular_is_charged_by_address_only(api: Api) -> None:
    limits = {"rate_limit_principal_per_s": SLOW, "rate_limit_principal_burst": 1}

    async with served(api.deps, **OPEN, **limits) as service:
        assert await statuses(service, 5) == [200] * 5


async def test_rate_zero_is_no_limit(api: Api) -> None:
    limits = {
        "rate_limit_principal_per_s": 0,
        "rate_limit_principal_burst": 1,
        "rate_limit_address_per_s": 0,
        "rate_limit_address_burst": 1,
    }

    async with served(api.deps, address="10.1.2.3", **GATEWAY, **limits) as service:
        assert await statuses(service, 5, user("alice")) == [200] * 5


async def test_one_of_several_workers_has_its_share(api: Api) -> None:
    limits = {"rate_limit_principal_per_s": SLOW, "rate_limit_principal_burst": 6, "workers": 3}

    async with served(api.deps, address="10.1.2.3", **GATEWAY, **limits) as service:
        assert await statuses(service, 3, user("alice")) == [200, 200, 429]


async def test_behind_a_listed_proxy_each_client_is_charged_for_itself(api: Api) -> None:
    limits = {"rate_limit_address_per_s": SLOW, "rate_limit_address_burst": 1}

    def via(*addresses: str) -> dict[str, str]:
        return {"x-forwarded-for": ", ".join(addresses)}

    async with served(
        api.deps, address="10.1.2.3", trusted_proxies="10.1.2.0/28", **OPEN, **limits
    ) as service:
        first = await statuses(service, 2, via("198.51.100.1"))
        pretending = await statuses(service, 1, via("192.0.2.77", "198.51.100.1"))
        second = await statuses(service, 1, via("198.51.100.2"))

    assert (first, pretending, second) == ([200, 429], [429], [200])


async def test_a_header_from_elsewhere_moves_nobody(api: Api) -> None:
    limits = {"rate_limit_address_per_s": SLOW, "rate_limit_address_burst": 1}

    async with served(api.deps, trusted_proxies="10.1.2.0/28", **OPEN, **limits) as service:
        seen = [
            (await service.ask(LIST, {"x-forwarded-for": f"198.51.100.{number}"})).status
            for number in range(3)
        ]

    assert seen == [200, 429, 429]


async def test_the_access_audit_tells_the_address_behind_the_proxy(api: Api) -> None:
    async with served(
        api.deps, address="10.1.2.3", trusted_proxies="10.1.2.0/28", auth_modes="api_key"
    ) as service:
        await service.ask(LIST, {"authorization": "Bearer guessed", "x-forwarded-for": "198.51.100.9"})
    await api.deps.trail.write(api.deps.database)

    assert await api.sql.fetchval("SELECT count(*) FROM access_audit WHERE address = '198.51.100.9'") == 1


async def test_probes_are_not_charged(api: Api) -> None:
    limits = {"rate_limit_address_per_s": SLOW, "rate_limit_address_burst": 1}

    async with served(api.deps, **OPEN, **limits) as service:
        await statuses(service, 2)
        answers: list[httpx.Response] = [await service.http.get("/health") for _ in range(3)]

    assert [answer.status_code for answer in answers] == [200, 200, 200]
