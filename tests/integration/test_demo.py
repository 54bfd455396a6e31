"""`datastorage demo` on a real database: loading, loading again, and taking away."""

from datastorage.cli.demo import QUERY
from datastorage.cli.demo_storing import Loaded, load_demo, remove_demo
from datastorage.cli.tallies import added
from datastorage.domain.caller import OPERATOR
from datastorage.domain.enums import SubjectKind
from datastorage.domain.filters import EVERYTHING
from datastorage.domain.kinds import KINDS
from datastorage.domain.paging import NEWEST_FIRST, page_request
from datastorage.domain.remediation import REMEDIATION
from datastorage.services.dependencies import Dependencies
from datastorage.services.records import (
    RecordKey,
    count_records,
    create_record,
    list_records,
    update_record,
)
from support.client import GraphQLClient
from support.records import remediation_row


def unseen(_: int) -> None:
    """No progress bar."""


async def stored(deps: Dependencies) -> dict[SubjectKind, int]:
    return {kind.subject: await count_records(deps, OPERATOR, kind, EVERYTHING, None) for kind in KINDS}


async def test_loading_again_changes_nothing(deps: Dependencies) -> None:
    first = await load_demo(deps, 230, 1, unseen)
    assert first.stored[SubjectKind.REMEDIATION] == 230
    assert await stored(deps) == first.stored

    assert await load_demo(deps, 230, 1, unseen) == Loaded(already_there=first.stored)

    assert await stored(deps) == first.stored


async def test_a_larger_count_adds_what_is_missing(deps: Dependencies) -> None:
    batches: list[int] = []
    first = await load_demo(deps, 100, 1, unseen)

    loaded = await load_demo(deps, 210, 1, batches.append)

    assert loaded.stored[SubjectKind.REMEDIATION] == 110
    assert loaded.already_there == first.stored
    assert await stored(deps) == added(first.stored, loaded.stored)
    assert batches == [200, 10]


async def test_what_is_around_the_demo_incidents_is_reached_from_them(
    deps: Dependencies, client: GraphQLClient
) -> None:
    await load_demo(deps, 200, 1, unseen)

    answer = await client.ask("""{
      remediationAudits(filter: {
        status: {eq: FAILURE}, analyses: {some: {confidenceScore: {lt: 0.5}}}, workflows: {some: {}}
      }) {
        nodes { actionType analyses { nodes { rootCause confidenceScore } }
          workflows { nodes { phase totalSteps completedSteps executions { nodes { actionType success } } } } }
      }
    }""")

    audits = answer.data["remediationAudits"]["nodes"]
    assert len(audits) >= 10
    for audit in audits:
        assert min(analysis["confidenceScore"] for analysis in audit["analyses"]["nodes"]) < 0.5
        (workflow,) = audit["workflows"]["nodes"]
        assert workflow["phase"] == "FAILED"
        assert workflow["completedSteps"] < workflow["totalSteps"]
        executions = workflow["executions"]["nodes"]
        assert [execution["success"] for execution in executions].count(False) == 1
        assert audit["actionType"] in {execution["actionType"] for execution in executions}


async def test_demo_data_that_was_worked_with_are_left_alone(deps: Dependencies) -> None:
    # given
    await load_demo(deps, 20, 1, unseen)
    page = await list_records(deps, OPERATOR, REMEDIATION, page_request(where=EVERYTHING, order=NEWEST_FIRST))
    key = RecordKey(id=page.nodes[0].id)
    await update_record(deps, OPERATOR, REMEDIATION, key, {"resolution": "a human did it"})

    # when
    loaded = await load_demo(deps, 20, 1, unseen)

    # then
    assert sum(loaded.stored.values()) == sum(loaded.differing.values()) == 0
    page = await list_records(deps, OPERATOR, REMEDIATION, page_request(where=EVERYTHING, order=NEWEST_FIRST))
    assert page.nodes[0].resolution == "a human did it"


async def test_demo_data_of_another_release_are_counted_as_differing(deps: Dependencies) -> None:
    row = remediation_row(remediation_request_id="demo-1-20260101T1200Z-00001")
    await create_record(deps, OPERATOR, REMEDIATION, row)

    loaded = await load_demo(deps, 3, 1, unseen)

    assert loaded.stored[SubjectKind.REMEDIATION] == 2
    assert {kind: count for kind, count in loaded.differing.items() if count} == {SubjectKind.REMEDIATION: 1}


async def test_removing_takes_every_seed_and_nothing_of_others(deps: Dependencies) -> None:
    # given
    first = await load_demo(deps, 110, 1, unseen)
    second = await load_demo(deps, 20, 2, unseen)
    mine = remediation_row(remediation_request_id="demo-of-my-team", metadata={"demo": "on Friday"})
    await create_record(deps, OPERATOR, REMEDIATION, mine)

    # when
    removed = await remove_demo(deps)

    # then
    assert removed == added(first.stored, second.stored)
    assert sum((await stored(deps)).values()) == 1
    page = await list_records(deps, OPERATOR, REMEDIATION, page_request(where=EVERYTHING, order=NEWEST_FIRST))
    assert [audit.remediation_request_id for audit in page.nodes] == ["demo-of-my-team"]
    assert sum((await remove_demo(deps)).values()) == 0


async def test_demo_data_can_be_loaded_again_after_removal(deps: Dependencies) -> None:
    first = await load_demo(deps, 20, 1, unseen)
    await remove_demo(deps)

    assert await load_demo(deps, 20, 1, unseen) == first


async def test_the_query_to_try_finds_containers_killed_for_memory(
    deps: Dependencies, client: GraphQLClient
) -> None:
    await load_demo(deps, 300, 1, unseen)

    answer = await client.ask(QUERY)

    incidents = [hit["incident"] for hit in answer.data["similarIncidents"]["hits"]]
    assert len(incidents) == 5
    for incident in incidents:
        assert "OOMKilled" in incident["errorMessage"] or "out of memory" in incident["errorMessage"]
    assert {incident["status"] for incident in incidents} == {"SUCCESS", "FAILURE"}
