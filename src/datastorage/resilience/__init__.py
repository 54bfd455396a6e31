"""Living with dependencies that fail."""

from datastorage.observability.labels import CircuitName, CircuitState
from datastorage.resilience.circuit_breaker import CircuitBreaker, circuit_states
from datastorage.resilience.guarded_redis import GuardedRedis

__all__ = ["CircuitBreaker", "CircuitName", "CircuitState", "GuardedRedis", "circuit_states"]
