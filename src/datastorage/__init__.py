"""Data Storage Service: the memory of automatic incident remediation."""

from importlib.metadata import version

__version__ = version("datastorage")
