"""Keeping the second vector engine in step with PostgreSQL, through outbox entries.

An entry says: make the engine agree with PostgreSQL about this text. Whoever delivers looks what is true by then, so
entries need no order, and a delete needs no kind of its own.
"""
