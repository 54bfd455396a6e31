"""What AI agents made of a made-up incident: surer of themselves where the remediation turned out well."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from random import Random
from types import MappingProxyType
from typing import Any, Final

from datastorage.cli.demo_catalogue import CLUSTERS, WORKLOADS, Scenario, load_scenarios
from datastorage.cli.demo_incidents import chance_of, words_at
from datastorage.cli.demo_wording import filled
from datastorage.domain.enums import Phase

AGENTS: Final = (("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-5-mini"), ("vllm", "qwen3-32b"))
ANALYSED: Final = 0.88
ANALYSED_WHILE_PENDING: Final = 0.5
SECOND_OPINION: Final = 0.15
CONFIDENCE: Final = MappingProxyType(  # mean and deviation
    {
        Phase.PENDING: (0.72, 0.12),
        Phase.PROCESSING: (0.72, 0.12),
        Phase.COMPLETED: (0.82, 0.09),
        Phase.FAILED: (0.58, 0.17),
    }
)
CONFIDENCE_BOUNDS: Final = (0.15, 0.99)
CONFIDENCE_OF_A_CAUSE: Final = 0.4  # below, the agent names none
ADVISED_ANOTHER: Final = 0.4  # of what failed: the agent had recommended another action


def analyses_of(remediation: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """None, one, or two by different models."""
    random = chance_of(remediation, "analyses")
    phase, request_id = remediation["phase"], remediation["remediation_request_id"]
    if random.random() >= (ANALYSED_WHILE_PENDING if phase is Phase.PENDING else ANALYSED):
        return
    agents = random.sample(AGENTS, 2 if random.random() < SECOND_OPINION else 1)
    for number, (provider, model) in enumerate(agents, 1):
        confidence = _confidence(random, phase)
        tokens = int(random.lognormvariate(8.3, 0.5))
        yield {
            "analysis_id": f"{request_id}-analysis-{number}",
            "remediation_request_id": request_id,
            "provider": provider,
            "model": model,
            "confidence_score": confidence,
            "tokens_used": tokens,
            "analysis_duration_ms": int(tokens * random.uniform(0.7, 1.5)),
            "root_cause": _root_cause(random, remediation) if confidence >= CONFIDENCE_OF_A_CAUSE else None,
            "recommended_action": _recommended_action(random, remediation),
            "namespace": remediation["namespace"],
            "cluster_name": remediation["cluster_name"],
            "metadata": {"demo": True},
        }


def _confidence(random: Random, phase: Phase) -> float:
    low, high = CONFIDENCE_BOUNDS
    return round(min(high, max(low, random.gauss(*CONFIDENCE[phase]))), 2)


def _root_cause(random: Random, remediation: Mapping[str, Any]) -> str:
    scenario = _scenario(remediation)
    cluster = next(known for known in CLUSTERS if known.name == remediation["cluster_name"])
    workload = next(known for known in WORKLOADS if known.name == remediation["metadata"]["service"])
    return filled(random.choice(scenario.causes), words_at(scenario, cluster, workload))


def _recommended_action(random: Random, remediation: Mapping[str, Any]) -> str:
    taken: str = remediation["action_type"]
    if remediation["phase"] is not Phase.FAILED or random.random() >= ADVISED_ANOTHER:
        return taken
    return random.choice([action.type for action in _scenario(remediation).actions if action.type != taken])


def _scenario(remediation: Mapping[str, Any]) -> Scenario:
    return _scenarios()[remediation["metadata"]["alertname"]]


@cache
def _scenarios() -> Mapping[str, Scenario]:
    return {scenario.alert: scenario for scenario in load_scenarios()}
