"""Searches for similar incidents."""

from __future__ import annotations

from typing import Final

from bench.speed.names import SERVICE
from bench.speed.questions.question import SEARCHERS, Ask, Question

SIMILAR: Final = Question(
    "similar",
    "similarIncidents, hybrid: a headline and 400 characters, 10 hits",
    lambda sample: [{"text": text} for text in sample.texts],
    {
        SERVICE: Ask(
            """query Similar($text: String!) {
              similarIncidents(text: $text, first: 10) {
                mode hits { similarity score incident { databaseId name actionType status resolution } } } }"""
        )
    },
    connections=SEARCHERS,
)
