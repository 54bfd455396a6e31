"""The advisory locks of this product, in one list: two purposes under one number would wait for each other."""

from __future__ import annotations

from enum import Enum, unique


@unique
class AdvisoryLock(Enum):
    """What is done by one process at a time; values are arbitrary, and stay, since releases run side by side."""

    MIGRATION = 7_241_946_001
    VECTOR_REMOVAL = 7_241_946_002
    INDEX_BUILD = 7_241_946_003
    TERM_STATISTICS = 7_241_946_004
