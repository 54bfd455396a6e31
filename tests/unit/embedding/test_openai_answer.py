"""Answers of an endpoint that are not what was asked for."""

import pytest

from datastorage.embedding.openai_answer import vectors_of
from datastorage.errors import EmbeddingFailed


@pytest.mark.parametrize("index", ["null", '"1"', "[1]", "2", "0"])
def test_a_place_that_was_not_asked_for_is_a_failure_of_the_endpoint(index: str) -> None:
    body = f'{{"data": [{{"index": 0, "embedding": [1]}}, {{"index": {index}, "embedding": [1]}}]}}'

    with pytest.raises(EmbeddingFailed):
        vectors_of(body.encode(), texts=2, dimensions=1)
