"""The four kinds of audits: creating, changing, reading and deleting them, all in the same way."""

from datastorage.services.records.create import create_record, create_records
from datastorage.services.records.delete import delete_remediations
from datastorage.services.records.read import RecordKey, count_records, get_record, list_records
from datastorage.services.records.update import update_record

__all__ = [
    "RecordKey",
    "count_records",
    "create_record",
    "create_records",
    "delete_remediations",
    "get_record",
    "list_records",
    "update_record",
]
