"""PostgreSQL's settings for this job, in one place, each with its reason. Written anew at each start."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import psutil

from datastorage.limits import EMBEDDED_CONNECTIONS_RESERVE

MIB: Final = 1024 * 1024
GIB: Final = 1024 * MIB
CONNECTIONS_MIN: Final = 100  # so that a small tool which comes first leaves room for the service
CGROUP_LIMITS: Final = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108  (where POSIX shared memory lives; nothing is written there)


@dataclass(frozen=True, slots=True)
class Machine:
    """What the settings depend on."""

    memory_bytes: int
    shared_memory_bytes: int

    @classmethod
    def this(cls) -> Self:
        """The machine, or the container, that this process runs in."""
        return cls(memory_bytes=_memory_bytes(), shared_memory_bytes=_shared_memory_bytes())


def settings(machine: Machine, *, connections_max: int) -> dict[str, str]:
    """Settings by name, for a server that shares the machine with the service."""
    maintenance_bytes = _between(64 * MIB, machine.memory_bytes // 16, GIB)
    return {
        # A quarter of the memory is the usual advice; beyond 1 GB this data set gains nothing.
        "shared_buffers": _mb(_between(128 * MIB, machine.memory_bytes // 4, GIB)),
        "effective_cache_size": _mb(machine.memory_bytes // 2),
        # An HNSW build is fast as long as the graph fits: about 1 KB a vector of 256 dimensions.
        "maintenance_work_mem": _mb(maintenance_bytes),
        # Up to three vacuum workers would each take that much, and need a fraction of it.
        "autovacuum_work_mem": "64MB",
        # Parallel HNSW builds keep the whole graph in dynamic shared memory; /dev/shm of a container has 64 MB.
        "dynamic_shared_memory_type": _dynamic_shared_memory(machine, maintenance_bytes),
        # With `try`, reserved pages meant for another program are taken, or kill us where a cgroup forbids them.
        "huge_pages": "off",
        "max_connections": str(max(CONNECTIONS_MIN, connections_max + EMBEDDED_CONNECTIONS_RESERVE)),
        # Statements of a service that was killed end within seconds, and so do their locks.
        "client_connection_check_interval": "1s",
        # What was acknowledged is on disk, whole, also after a power cut.
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        # Checkpoints rarely come early under load; crash recovery replays at most this much.
        "max_wal_size": "2GB",
        "min_wal_size": "256MB",
        "checkpoint_timeout": "15min",
        "wal_level": "replica",  # pg_basebackup works
        # Random reads cost nearly what sequential ones do, on solid-state disks and from the cache.
        "random_page_cost": "1.1",
        "jit": "off",  # our statements take milliseconds; compiling them takes longer
        "timezone": "UTC",
        "log_timezone": "UTC",
        "lc_messages": "C",
        # A failing statement of the importer would be hundreds of rows long.
        "log_min_error_statement": "panic",
    }


def reach(socket_dir: Path, cluster_name: str) -> dict[str, str]:
    """Settings by name that let in only who may enter `socket_dir`, and no one over a network."""
    return {
        "listen_addresses": "",
        "port": "5432",  # a part of the socket's name
        "unix_socket_directories": str(socket_dir),
        "unix_socket_permissions": "0700",
        "cluster_name": cluster_name,
    }


def render(values: dict[str, str], release: str) -> str:
    """The settings as a configuration file; `release` of PostgreSQL's programs makes another one differ."""
    head = f"# Written by datastorage at each start, for {release}; to overrule a line, use ALTER SYSTEM."
    return "\n".join([head, *(f"{name} = '{value}'" for name, value in values.items()), ""])


def _dynamic_shared_memory(machine: Machine, maintenance_bytes: int) -> str:
    # Twice: two builds, or one beside parallel queries. System V segments do not live in /dev/shm.
    return "posix" if machine.shared_memory_bytes >= 2 * maintenance_bytes else "sysv"


def _memory_bytes() -> int:
    total: int = psutil.virtual_memory().total
    for path in CGROUP_LIMITS:
        with suppress(OSError, ValueError):  # no such hierarchy, or "max"
            total = min(total, int(Path(path).read_text()))
    return total


def _shared_memory_bytes() -> int:
    try:
        status = os.statvfs(SHARED_MEMORY)
    except OSError:
        return 0
    return status.f_frsize * status.f_blocks


def _between(low: int, value: int, high: int) -> int:
    return max(low, min(value, high))


def _mb(size_bytes: int) -> str:
    return f"{size_bytes // MIB}MB"
