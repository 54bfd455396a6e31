"""What the generated models have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

JSONObject = dict[str, Any]


class Record(BaseModel):
    """Something that the service answered. Fields that this client does not know are left out."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        frozen=True,
        protected_namespaces=(),
        defer_build=True,
    )


class Input(BaseModel):
    """Something to send. What is left out is not sent, None is sent as null: in an update it clears."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        validate_assignment=True,
        protected_namespaces=(),
        defer_build=True,
    )
