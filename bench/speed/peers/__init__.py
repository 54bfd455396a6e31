"""The servers that are measured, each as one process of its own."""

from bench.speed.peers.process import Running
from bench.speed.peers.started import started

__all__ = ["Running", "started"]
