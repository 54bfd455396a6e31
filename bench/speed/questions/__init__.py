"""The questions: what each peer is asked, so that all of them answer the same."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bench.speed.questions.creates import BATCH, CREATE, CREATE_KNOWN, CREATE_NEW
from bench.speed.questions.question import Ask, Question
from bench.speed.questions.reads import COUNT, FILTER, GET, LIST, NESTED, STATISTICS
from bench.speed.questions.searches import SIMILAR

__all__ = ["BY_NAME", "GROWTH_QUESTIONS", "QUESTIONS", "Ask", "Question"]

QUESTIONS: Final = (LIST, GET, NESTED, STATISTICS, SIMILAR, CREATE, CREATE_NEW, CREATE_KNOWN, BATCH)
GROWTH_QUESTIONS: Final = (LIST, GET, FILTER, COUNT, SIMILAR, CREATE_KNOWN, CREATE_NEW)
BY_NAME: Final[Mapping[str, Question]] = MappingProxyType(
    {question.name: question for question in (*QUESTIONS, FILTER, COUNT)}
)
