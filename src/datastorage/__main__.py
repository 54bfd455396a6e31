"""`python -m datastorage`."""

from datastorage.cli import main

main()
