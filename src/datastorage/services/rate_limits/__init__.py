"""How often an address and a principal may ask: token buckets of this process, or in Redis for all processes.

Called by `web.identity`: the address is charged before it is known who asks, the principal once that is known.
"""

from datastorage.services.rate_limits.buckets import Buckets, MemoryBuckets, Rate
from datastorage.services.rate_limits.configured import RateLimits, configured_rate_limits
from datastorage.services.rate_limits.shared_buckets import SharedBuckets

__all__ = [
    "Buckets",
    "MemoryBuckets",
    "Rate",
    "RateLimits",
    "SharedBuckets",
    "configured_rate_limits",
]
