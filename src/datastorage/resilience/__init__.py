"""Living with dependencies that fail."""

from datastorage.observability.labels import CircuitName, CircuitState
from datastorage.resilience.circuit_breaker import CircuitBreaker, circuit_states

__all__ = ["CircuitBreaker", "CircuitName", "CircuitState", "circuit_states"]
