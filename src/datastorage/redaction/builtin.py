"""All built-in patterns, the most specific first: where two overlap, the earlier one gives the name."""

from __future__ import annotations

from typing import Final

from datastorage.redaction import token_patterns as tokens
from datastorage.redaction.connection_patterns import CONNECTIONS
from datastorage.redaction.generic_patterns import GENERIC
from datastorage.redaction.header_patterns import HEADERS
from datastorage.redaction.key_file_patterns import KEY_FILES
from datastorage.redaction.pattern import Pattern
from datastorage.redaction.secret_keys import (
    PASSWORD,
    SECRET_KEYS,
    SecretKey,
    assignment,
    element,
    json_field,
    yaml_scalar,
)


def _key_patterns(family: SecretKey) -> tuple[Pattern, Pattern]:
    documents = (yaml_scalar(family),) if family is PASSWORD else ()
    return (
        Pattern(family.json_name, (json_field(family),)),
        Pattern(family.pattern, (assignment(family), element(family), *documents)),
    )


BUILTIN_PATTERNS: Final[tuple[Pattern, ...]] = (
    *KEY_FILES,
    *tokens.AI_PROVIDERS,
    *tokens.CODE_HOSTS,
    *tokens.CHAT_AND_ALERTING,
    *tokens.CLOUDS,
    *tokens.PLATFORMS,
    *HEADERS,
    *CONNECTIONS,
    *(pattern for family in SECRET_KEYS for pattern in _key_patterns(family)),
    *GENERIC,
)
BUILTIN_NAMES: Final = frozenset(pattern.name for pattern in BUILTIN_PATTERNS)
