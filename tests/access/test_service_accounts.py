"""ServiceAccounts: the API server says whose a token is, over TLS, and is not asked for every request."""

import json
from collections.abc import Iterator
from pathlib import Path

import jwt
import pytest

from datastorage.errors import StartupError
from datastorage.services.dependencies import Dependencies
from support.access import LIST, identity_server, served
from support.certificates import Authority
from support.identities import OWN_TOKEN, Cluster

AGENT = "system:serviceaccount:ops:agent"
GRANTS = json.dumps({f"kubernetes:{AGENT}": {"role": "reader"}, "kubernetes:system:*": {"rights": []}})


def token(subject: str = AGENT, number: int = 1) -> str:
    """As a cluster issues it; the API server alone judges the signature."""
    return jwt.encode({"sub": subject, "jti": str(number)}, "x" * 32, "HS256")


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    authority = Authority(tmp_path)
    own = tmp_path / "token"
    own.write_text(f"{OWN_TOKEN}\n")
    with identity_server(authority.signed("localhost")) as server:
        settings = {
            "auth_modes": "kubernetes",
            "auth_kubernetes_url": server.url,
            "auth_kubernetes_token_file": own,
            "auth_kubernetes_ca_file": authority.file,
            "auth_grants": GRANTS,
        }
        yield Cluster(server, settings)


def bearing(token_: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token_}"}


async def test_an_account_that_is_granted_something_comes_in(deps: Dependencies, cluster: Cluster) -> None:
    cluster.accounts[token()] = AGENT

    async with served(deps, **cluster.settings) as service:
        answers = [await service.ask(LIST, bearing(token())) for _ in range(5)]

    assert [answer.status for answer in answers] == [200] * 5
    assert [review["spec"] for review in cluster.reviews] == [{"token": token()}]


async def test_a_token_that_the_cluster_does_not_know_is_refused(
    deps: Dependencies, cluster: Cluster
) -> None:
    async with served(deps, **cluster.settings) as service:
        answer = await service.ask(LIST, bearing(token()))
        foreign = await service.ask(LIST, bearing(token("alice")))

    assert (answer.status, foreign.status) == (401, 401)
    assert len(cluster.reviews) == 1  # the other names no ServiceAccount


async def test_an_account_without_rights_is_known_and_forbidden(deps: Dependencies, cluster: Cluster) -> None:
    cluster.accounts[token()] = "system:serviceaccount:ops:other"

    async with served(deps, **cluster.settings) as service:
        answer = await service.ask(LIST, bearing(token()))

    assert answer.error["extensions"]["code"] == "FORBIDDEN"
    assert answer.error["message"] == "kubernetes:system:serviceaccount:ops:other has no right to read"


async def test_a_token_for_another_audience_is_refused(deps: Dependencies, cluster: Cluster) -> None:
    cluster.accounts[token()] = AGENT

    async with served(deps, **cluster.settings, auth_kubernetes_audience="datastorage") as service:
        refused = await service.ask(LIST, bearing(token()))
        cluster.audiences = ["datastorage"]
        cluster.accounts[token(number=2)] = AGENT
        taken = await service.ask(LIST, bearing(token(number=2)))

    assert (refused.status, taken.status) == (401, 200)
    assert cluster.reviews[0]["spec"]["audiences"] == ["datastorage"]


async def test_while_the_cluster_does_not_answer_callers_are_told_to_come_again(
    deps: Dependencies, cluster: Cluster
) -> None:
    cluster.down = True

    async with served(deps, **cluster.settings) as service:
        answer = await service.ask(LIST, bearing(token()))

    assert answer.status == 503
    assert answer.error["message"] == "the cluster cannot say whose the token is; try again"


async def test_a_server_of_another_authority_is_told_nothing(
    deps: Dependencies, cluster: Cluster, tmp_path: Path
) -> None:
    other = Authority(tmp_path, "another authority")

    async with served(deps, **cluster.settings | {"auth_kubernetes_ca_file": other.file}) as service:
        answer = await service.ask(LIST, bearing(token()))

    assert answer.status == 503
    assert cluster.server.asked == []


async def test_without_the_clusters_authority_the_service_does_not_start(deps: Dependencies) -> None:
    with pytest.raises(StartupError, match="DATASTORAGE_AUTH_KUBERNETES_CA_FILE"):
        async with served(
            deps, auth_modes="kubernetes", auth_grants=GRANTS, auth_kubernetes_ca_file=Path("/nowhere")
        ):
            pass
