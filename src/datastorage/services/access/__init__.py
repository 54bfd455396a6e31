"""Who may come in, what they may do, and what is noted down of it."""
