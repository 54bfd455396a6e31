"""Who a request comes from: the ways that are configured, in their order."""

from datastorage.web.authentication.configured import configured_authentication
from datastorage.web.authentication.ways import Authentication

__all__ = ["Authentication", "configured_authentication"]
