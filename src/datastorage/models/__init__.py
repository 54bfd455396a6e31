"""The tables. Every statement and every migration check starts from these."""

from datastorage.models.access_audit import access_audit
from datastorage.models.ai_analysis_audit import ai_analysis_audit
from datastorage.models.api_key import api_key
from datastorage.models.base import metadata
from datastorage.models.execution_audit import execution_audit
from datastorage.models.incident_embedding import incident_embedding
from datastorage.models.incident_lexical import incident_lexical
from datastorage.models.outbox import outbox
from datastorage.models.remediation_audit import remediation_audit
from datastorage.models.remediation_event import remediation_event
from datastorage.models.schema_compatibility import schema_compatibility
from datastorage.models.term_statistics import term_statistics
from datastorage.models.workflow_audit import workflow_audit

__all__ = [
    "access_audit",
    "ai_analysis_audit",
    "api_key",
    "execution_audit",
    "incident_embedding",
    "incident_lexical",
    "metadata",
    "outbox",
    "remediation_audit",
    "remediation_event",
    "schema_compatibility",
    "term_statistics",
    "workflow_audit",
]
