"""TEMPORARY by the lead, helper 5 overwrites."""


def demo() -> None:
    """Demo."""
