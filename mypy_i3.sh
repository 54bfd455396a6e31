MYPYPATH=/tmp/i3/src .venv/bin/mypy src 2>&1 | tail -40
