"""The four kinds of audits: creating, changing, reading and deleting them, all in the same way."""

from datastorage.services.records.create import create_record, create_records
from datastorage.services.records.read import RecordKey, count_records, get_record, list_records
from datastorage.services.records.update import update_record
from datastorage.services.records.upsert import upsert_remediation, upsert_remediations

__all__ = [
    "RecordKey",
    "count_records",
    "create_record",
    "create_records",
    "get_record",
    "list_records",
    "update_record",
    "upsert_remediation",
    "upsert_remediations",
]
