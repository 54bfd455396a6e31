"""Remediation audits: creating, changing, reading, deleting."""

from datastorage.services.remediations.create import create_remediation, create_remediations
from datastorage.services.remediations.delete import delete_remediations
from datastorage.services.remediations.read import count_remediations, get_remediation, list_remediations
from datastorage.services.remediations.update import update_remediation

__all__ = [
    "count_remediations",
    "create_remediation",
    "create_remediations",
    "delete_remediations",
    "get_remediation",
    "list_remediations",
    "update_remediation",
]
