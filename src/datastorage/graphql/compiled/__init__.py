"""Operations that have run once, compiled: the same resolvers, the same answers, without interpreting every value.

`execution` chooses who answers, `operations` remembers what is compiled, `operation` is one of them, `plan` is what
it selects, `serialisers` writes the functions that turn records into their part of an answer, and `executor` runs
it all. The executor is graphql-core's own but for what `plan` knows beforehand; whenever a value does not fit a
generated function, graphql-core completes that same value, so that its errors are graphql-core's.
"""
