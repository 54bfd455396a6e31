"""What tests share: a database per test, a client per test, records to write."""
