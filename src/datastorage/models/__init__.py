"""The tables. Every statement and every migration check starts from these."""

from datastorage.models.base import metadata
from datastorage.models.incident_embedding import incident_embedding
from datastorage.models.remediation_audit import remediation_audit
from datastorage.models.remediation_event import remediation_event
from datastorage.models.schema_compatibility import schema_compatibility

__all__ = [
    "incident_embedding",
    "metadata",
    "remediation_audit",
    "remediation_event",
    "schema_compatibility",
]
