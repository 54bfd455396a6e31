"""One remediation audit of a test's own, in a database that the tests of a module share."""

import itertools
from dataclasses import dataclass, field
from typing import Any

import orjson

from support.api import Api
from support.records import remediation_input

_numbers = itertools.count()


@dataclass(frozen=True)
class OwnAudit:
    """An audit under a request id that nothing else uses: written through the API, looked at behind it."""

    api: Api
    key: str = field(default_factory=lambda: f"own-{next(_numbers)}")

    async def create(self, **fields: Any) -> dict[str, Any]:
        """Stores it."""
        created = await self.api.client.create(**remediation_input(remediationRequestId=self.key, **fields))
        assert created["__typename"] == "CreateRemediationAuditPayload", created
        return created["remediationAudit"]

    async def attempt(self, **fields: Any) -> dict[str, Any]:
        """An update, whatever it answers."""
        return await self.api.client.update(requestId=self.key, **fields)

    async def update(self, **fields: Any) -> dict[str, Any]:
        """An update that must not be refused: the audit, with the receipt beside its fields."""
        result = await self.attempt(**fields)
        assert result["__typename"] == "UpdateRemediationAuditPayload", result
        return {**result["remediationAudit"], "receipt": result["receipt"]}

    async def stored(self, column: str) -> Any:
        """A column of its row."""
        return await self.api.sql.fetchval(
            f"SELECT {column} FROM remediation_audit WHERE remediation_request_id = $1",  # noqa: S608 -- a column's name
            self.key,
        )

    async def changes(self) -> list[tuple[str, int, dict[str, Any]]]:
        """Kind, version and changes of each event after that of the create."""
        rows = await self.api.sql.fetch(
            "SELECT kind, version, changes FROM remediation_event WHERE subject_key = $1 ORDER BY id",
            self.key,
        )
        return [(row["kind"], row["version"], orjson.loads(row["changes"])) for row in rows[1:]]
