"""Living with dependencies that fail."""

from datastorage.observability.labels import CircuitName, CircuitState
from datastorage.resilience.circuit_breaker import CircuitBreaker

__all__ = ["CircuitBreaker", "CircuitName", "CircuitState"]
