"""How fast the service is beside what a user could pick instead: see `make bench` and docs/performance.md."""
