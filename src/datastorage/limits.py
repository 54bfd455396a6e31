"""Every bound of the product, with its reason. Settings may lower some; nothing raises them."""

from __future__ import annotations

from typing import Final

# Lengths of columns, in characters (specified by the record formats of the callers).
KEY_CHARS_MAX: Final = 255
NAME_CHARS_MAX: Final = 255
ACTION_TYPE_CHARS_MAX: Final = 100
PROVIDER_CHARS_MAX: Final = 100
ENVIRONMENT_CHARS_MAX: Final = 50
TARGET_RESOURCE_CHARS_MAX: Final = 512

# Free text and JSON, in bytes of UTF-8.
FREE_TEXT_BYTES_MAX: Final = 10 * 1024
ACTION_PARAMETERS_BYTES_MAX: Final = 16 * 1024
METADATA_BYTES_MAX: Final = 64 * 1024
METADATA_DEPTH_MAX: Final = 10

# Numbers.
BIGINT_MAX: Final = 2**63 - 1  # PostgreSQL's bigint
INT_MAX: Final = 2**31 - 1  # PostgreSQL's int, and GraphQL's

# Pages.
PAGE_ROWS_MAX: Final = 100
PAGE_ROWS_DEFAULT: Final = 20
ORDER_TERMS_MAX: Final = 5  # more columns than this never break a tie that id would not
CURSOR_CHARS_MAX: Final = 4_096  # five ordered columns of 512 characters, base64, and some air

# The past is rebuilt in memory: a remediation has tens of events, and folding 10,000 took 0.01 s.
TIMELINE_EVENTS_MAX: Final = 10_000

# Filters: 10 levels and 100 conditions cover every dashboard seen; PostgreSQL plans them in milliseconds.
FILTER_DEPTH_MAX: Final = 10
FILTER_CONDITIONS_MAX: Final = 100
FILTER_VALUES_MAX: Final = 500  # values of one `in`
FILTER_PATH_KEYS_MAX: Final = METADATA_DEPTH_MAX  # nothing lies deeper
FILTER_JSON_BYTES_MAX: Final = 16 * 1024  # one JSON value that is compared with

# Words. A term is at most a long path or class name; longer ones are cut alike on both sides.
TERM_CHARS_MAX: Final = 100
# Of each field: 10 KiB of text have some 3,000 terms; pgvector's sparsevec ends at 16,000 elements in all.
LEXICAL_TERMS_MAX: Final = 7_500
WORDS_REMEMBERED_MAX: Final = 10_000  # with their terms, 350 bytes each; a text has 60
TEXTS_REMEMBERED_MAX: Final = 1_000  # as masked; at most 2 KB each
# Signatures of one text: those of its first faults tell it apart, and each costs a masking.
SIGNATURES_MAX: Final = 20
SIGNATURE_LINES_MAX: Final = 200
SIGNATURE_CHARS_MAX: Final = 200

# Statistics: a year of hours, or a week of minutes; more points than a chart has pixels help nobody.
STATISTICS_ROWS_MAX: Final = 10_000
STATISTICS_GROUP_FIELDS_MAX: Final = 5
RECURRENCE_HOURS: Final = 24  # the same alert on the same target this soon after the end counts as recurred
FACET_VALUES_DEFAULT: Final = 20
FACET_VALUES_MAX: Final = 100

# Similar incidents.
SIMILAR_ROWS_DEFAULT: Final = 10
SIMILAR_ROWS_MAX: Final = 100
SEARCH_TEXT_BYTES_MAX: Final = 64 * 1024  # a long stack trace with its logs
# What was tried: the incidents looked at. With 50 the lower bound of an action that always helped is 0.93.
SIMILAR_TRIED_MAX: Final = 50
# Of those, the similar enough: on 2,000 made-up incidents of known alerts 82 to 95 % of what is kept of the nearest
# 50 has the alert of the question (a bare error message to a bare headline), and 69 to 97 % of what has it is kept.
SIMILAR_TRIED_SIMILARITY_MIN: Final = 0.55
# By words only the best count, of which most of what was asked is said: beyond, words in common are mostly chance.
SIMILAR_TRIED_BY_WORDS_MAX: Final = 10
SIMILAR_TRIED_COVERAGE_MIN: Final = 0.5
RECOMMENDED_ACTIONS_DEFAULT: Final = 10
RECOMMENDED_ACTIONS_MAX: Final = 100
ACTION_EXAMPLES_MAX: Final = 3
ACTION_RESOLUTIONS_MAX: Final = 3
# Before acting: who looks wants to know what happened today, and reads no more than a handful of it.
GUARD_HOURS_DEFAULT: Final = 24
GUARD_ROWS_MAX: Final = 10
# Up to this many matching incidents all are compared, which is exact and takes some 4 µs each; beyond, asking HNSW
# for 400 texts takes 6 to 10 ms whatever the filter, and found all of the ten nearest at every share measured.
EXACT_SCAN_ROWS_MAX: Final = 2_500
# Of each list of the search this many are compared in every way: the duplicates of a report were among the
# first 100 of one of them for 88 and 97 % of two sets.
LEG_ROWS_MIN: Final = 100
SIMILAR_TERMS_TOLD_MAX: Final = 10
# Words: up to this many matches all are scored. Beyond, the incidents that have the rarest terms of the question, as
# many terms as lead to about the budget; more than twice that where a filter hides most of what they lead to.
LEXICAL_EXACT_ROWS_MAX: Final = 2_500
LEXICAL_BUDGET_DOCUMENTS: Final = 1_200
LEXICAL_BUDGET_DOCUMENTS_SECOND_TRY: Final = 3_000
LEXICAL_BUDGET_TERMS_MAX: Final = 24
# Nearest texts asked of HNSW before a filter is applied: 400 kept recall at 10 of 10 down to 1 % filters. The second
# try is for a filter that left too few.
NEAREST_TEXTS_FIRST_TRY: Final = 400
NEAREST_TEXTS_SECOND_TRY: Final = 4_000
INDEX_STATE_S: Final = 10.0  # an index appears or goes by an operator's hand, so seldom
HNSW_EF_SEARCH: Final = 400  # at least NEAREST_TEXTS_FIRST_TRY is wanted, 1000 is pgvector's own maximum
HNSW_SCAN_TUPLES_MAX: Final = 40_000

# How common terms are. A sample of 50,000 ranked as well as all of 100,000 did, and takes some 0.3 s to count.
STATISTICS_SAMPLE_ROWS: Final = 50_000
# For a caller with a scope the terms of its own incidents are counted: the newest ones, some 25 ms, now and then.
SCOPE_STATISTICS_SAMPLE_ROWS: Final = 2_000
SCOPE_STATISTICS_AGE_S_MAX: Final = 60.0
SCOPE_STATISTICS_KEPT_MAX: Final = 100  # scopes; some 200 KB each
STATISTICS_TERMS_MAX: Final = 500_000  # the rarer ones count as in one document; 4 MB a process
STATISTICS_CHECK_EVERY_S: Final = 5.0
STATISTICS_GROWTH_MAX: Final = 0.05  # more added than this share: the weights of common words have moved
# Older ones are made anew if anything was written since: changed texts and deleted ones move the weights too.
STATISTICS_AGE_S_MAX: Final = 3_600.0

# Searches of one request, 30 to 50 ms each: a page of incidents with those like each of them, and a few more. Some
# at once keep both cores busy; more would only take connections from others.
SEARCHES_MAX: Final = 25
SEARCHES_AT_ONCE: Final = 3

# One operation. What GraphiQL and dashboards ask stays far below; what is refused took seconds. Tokens: a parse takes
# 10 us each. Fields: validation compares those that may overlap. Cost: records and lists an answer may hold.
QUERY_TOKENS_MAX: Final = 10_000
QUERY_DEPTH_MAX: Final = 15
QUERY_FIELDS_MAX: Final = 2_000
QUERY_ALIASES_MAX: Final = 100
QUERY_COST_MAX: Final = 20_000
# JSON and free text in one answer, each as large as it may be: a page of 100 remediations with all they have takes
# 15,800, a timeline with 100 of everything 28,800; making an answer takes some three times its size.
ANSWER_KIBIBYTES_MAX: Final = 32_000
# What is sent with it. A megabyte of text takes the parser a second, whatever it holds; documents have some 10 KB. An
# object takes 0.1 ms before a resolver sees it, a value 2 us: a full batch has 500 objects, the largest filter some
# 300, of which lists with 500 values each make 50,000.
QUERY_CHARS_MAX: Final = 100_000
QUERY_OBJECTS_MAX: Final = 1_000
QUERY_VALUES_MAX: Final = 60_000
QUERY_FRAGMENTS_WITHIN_MAX: Final = (
    50  # spread within each other: graphql-core takes a few calls for each, of 1,000
)
COERCION_ERRORS_MAX: Final = (
    50  # as graphql-core has it by default: each costs a millisecond, and fills the answer
)

# How often one may ask. A principal: far more than a controller or a dashboard does, and with batches some 100,000
# records a second. An address may be the gateway of all of them: about what one process can answer.
RATE_PER_PRINCIPAL_S: Final = 200.0
RATE_PER_PRINCIPAL_BURST: Final = 400
RATE_PER_ADDRESS_S: Final = 2_000.0
RATE_PER_ADDRESS_BURST: Final = 4_000
RATE_BUCKETS_MAX: Final = 10_000  # some 200 bytes each
# Tokens that a process takes from Redis at a time, of a burst, and how long it keeps them: then a round trip comes
# with every twentieth request of a burst, and each process may hold a twentieth that another could have used.
RATE_TOKENS_LENT_SHARE: Final = 0.05
RATE_TOKENS_LENT_S: Final = 1.0
# One process answers 1,000 requests within a second: who would wait longer is better told so.
REQUESTS_IN_FLIGHT_MAX: Final = 1_000
OVERLOADED_RETRY_AFTER_S: Final = 1

# Beyond its deadline a mutation has this long to roll back and to answer that its outcome is unknown.
DEADLINE_GRACE_S: Final = 2.0

# HTTP. A full batch of creates with 64 KiB of metadata each would be 38 MiB; typical ones are below 1 MiB.
REQUEST_BODY_BYTES_MAX: Final = 8 * 1024 * 1024
# Credentials take up to 8 KiB; the rest is for an operation in the URL, which is as much as others take (nginx).
REQUEST_HEAD_BYTES_MAX: Final = 32 * 1024
# Open connections of one process, some 15 KB each: far more than it could serve at once. Beyond, the slowest of some
# makes room; looking at more of them takes longer than accepting the new one.
CONNECTIONS_MAX: Final = 5_000
CONNECTIONS_LOOKED_AT: Final = 100
TAKEN_BYTES_MIN: Final = (
    1024 * 1024
)  # of a large answer, in the time that a client has: some 35 KB/s by default
FILES_RESERVE: Final = 1_000  # open files beside these: databases, caches, providers
BATCH_ROWS_MAX: Final = 500
# A transaction that lost a deadlock or a serialisation conflict is done again, after a while left to chance, so that
# the same two do not meet again: all that may take some 2 s, beside the second after which a deadlock is seen.
WRITE_ATTEMPTS_MAX: Final = 6
WRITE_REPEATED_AFTER_S_MAX: Final = 0.5
# The write queue. Groups beyond two would only make them smaller: each costs some statements whatever it holds. More
# than that many rows of one group would hold their locks for long; the queue is full when they would wait for seconds.
WRITE_GROUPS_MAX: Final = 2
WRITE_GROUP_ROWS_MAX: Final = 500
WRITE_QUEUE_ROWS_MAX: Final = 5_000
PREPARED_INLINE_MAX: Final = 8  # 10 KiB of text take up to 2 ms each to validate and redact

# Embedding: tokens beyond this no longer move the mean of a static model; the longest text takes about 5 ms.
EMBEDDED_CHARS_MAX: Final = 16_384
MASKED_CHARS_MAX: Final = 2 * EMBEDDED_CHARS_MAX  # masking shortens, seldom to less than half; about 5 ms
EMBEDDING_BATCH_TEXTS: Final = 32  # what inference servers take at once by default
EMBEDDING_DIMENSIONS_MAX: Final = 4_000  # of a halfvec that pgvector can index
EMBEDDING_ATTEMPTS_MAX: Final = 4  # 0.1 + 0.2 + 0.4 s apart, and some chance: about what a write can wait
# Tokens of a text that a local model reads where its tokenizer sets no bound: about 1,000 characters, of which
# the headline comes first. The cost grows with the square, and models read 512 at most.
ONNX_TOKENS_MAX: Final = 256
ONNX_BATCH_TEXTS: Final = 8  # attention takes some 3 MB a text and layer at 256 tokens and 12 heads
# What a provider refused lately is remembered until the worker that asked for it reads it: far more than one batch.
EMBEDDING_REFUSALS_MAX: Final = 1_000
# Redis is asked to save time: what it has not answered by then is sooner had without it.
REDIS_TIMEOUT_S: Final = 0.1
REDIS_CONNECTIONS_MAX: Final = 32  # of each use

# Backfill: a worker looks for texts without a vector this often, unless a write wakes it. Writes of one incident
# that come at the same time change its text more than once; after a tenth of a second they have mostly ended.
BACKFILL_POLL_S: Final = 2.0
BACKFILL_GATHER_S: Final = 0.1
# Beyond the time that embedding may take: reading the texts and storing the vectors, on a slow day.
BACKFILL_LEASE_S: Final = 30.0
BACKFILL_RETRY_S_MIN: Final = 1.0  # doubles with each attempt
BACKFILL_RETRY_S_MAX: Final = 300.0
BACKFILL_BUSY_S: Final = 0.2  # an incident that a writer holds right now is free again by then
# Below PostgreSQL's deadlock_timeout of 1 s: the worker gives way before a writer could be chosen as victim.
BACKFILL_LOCK_TIMEOUT_MS: Final = 200
# All texts are looked through for what no outbox entry tells of, such as those of before a change of the model:
# 5,000 at a time take some 10 ms.
BACKFILL_SCAN_EVERY_S: Final = 300.0
BACKFILL_SCAN_ROWS: Final = 5_000
BACKFILL_FAULT_CHARS_MAX: Final = 500
# A command at which nobody waits for an answer gives the provider more time than a write does.
BACKFILL_COMMAND_TIMEOUT_S: Final = 60.0
# It works off the backlog so often before it gives up on texts that fail, by this many calls at a time.
BACKFILL_COMMAND_PASSES: Final = 3
BACKFILL_COMMAND_CALLS_MAX: Final = 4
PARKED_TOLD_MAX: Final = 100
# A second engine. A writer waits this long for its vectors to get there, so that who searches next finds them there
# too; a batch took some 10 ms, and delivery goes on without the writer.
MIRROR_WAIT_S: Final = 0.05
MIRROR_BATCH_VECTORS: Final = 256  # 4 MB of the longest vectors
# A writer's own entries and a worker's: nobody else delivers them meanwhile, whoever holds them may have died. One
# delivery is broken off well before, since two at a time could undo each other.
MIRROR_LEASE_S: Final = 30.0
MIRROR_DELIVERY_S: Final = 12.0
MIRROR_POLL_S: Final = 1.0
MIRROR_FLUSH_S: Final = (
    3.0  # at the end of a process, for what writers handed over; the rest waits for another one
)
OUTBOX_STATE_EVERY_S: Final = 5.0
# The vector engine: PostgreSQL answers in its stead, so it is given up soon and tried again soon.
ENGINE_FAILURES_MAX: Final = 3
ENGINE_OPEN_S: Final = 5.0
ENGINE_PROBE_S: Final = 5.0  # while it is in use: an idle service too notices that it is gone
ENGINE_PROBE_LOST_S: Final = 1.0
# Vectors of both sides are counted whenever it comes into use, and now and then: someone may have emptied it.
ENGINE_COUNT_S: Final = 300.0
ENGINE_COUNT_FILLING_S: Final = 15.0  # while it has too few
# Texts that the engine does not know yet are compared one by one, some 4 µs each; beyond, PostgreSQL's index is asked.
ENGINE_LAG_TEXTS_MAX: Final = 1_000
# Checks of stored vectors: halfvec rounds each value to 11 bits, so lengths stay within 0.001 of 1.
VECTOR_LENGTH_TOLERANCE: Final = 0.005
SAME_VECTOR_COSINE_MIN: Final = 0.999
VECTOR_SAMPLE_ROWS: Final = 100
# Two copies of a vector are the same if no value differs by more than halfvec's rounding of values up to 1.
VECTOR_VALUE_TOLERANCE: Final = 0.0005
RECONCILE_WINDOW_TEXTS: Final = 1_000  # compared at a time: 16 MB of the longest vectors on each side
RECONCILE_PASSES_MAX: Final = 3  # what is left after two repairs is refused, or changes all the time
INDEX_RECALL_MIN: Final = 0.95
INDEX_RECALL_AT: Final = 10
DROP_BATCH_VECTORS: Final = 5_000

# Identifiers are taken from their sequence in blocks, so that a create knows its id before it writes.
ID_BLOCK_ROWS: Final = 500

# Import: rows a transaction. One bad row costs a second pass over its batch only.
IMPORT_BATCH_ROWS: Final = 200
# The largest record has some 110 KiB of text, of which JSON may escape each byte to six.
IMPORT_LINE_BYTES_MAX: Final = 1024 * 1024
# Export: rows fetched at a time; the largest take some 20 MB.
EXPORT_BATCH_ROWS: Final = 200
# Delete: remediations a transaction, each with all around it; writers of these wait as long as it takes.
DELETE_BATCH_REQUESTS: Final = 100
DELETE_BATCH_VECTORS: Final = 1_000
UNUSED_VECTORS_EVERY_S: Final = 3_600.0  # they cost room only

# With several workers their counts are this old at most when they are scraped; a worker that is killed takes with it
# what it has not handed over. A round takes some 10 µs.
METRICS_HAND_OVER_EVERY_S: Final = 0.25

# Checks and migrations: a firewall that drops packets answers nothing, so stop waiting at some time.
DIRECT_CONNECT_TIMEOUT_S: Final = 10.0
# A migration's lock would make every reader behind it wait: give up soon, and be run again.
MIGRATION_LOCK_TIMEOUT_S: Final = 5
# A revision that changes tables holds such locks; all but index builds (which set their own) end within seconds.
MIGRATION_STATEMENT_TIMEOUT_S: Final = 60

# Embedded PostgreSQL. Replaying the 2 GB of WAL between two checkpoints takes minutes on a slow disk, and
# killing a recovery only starts it over: wait as long as the server lives, and give up after half an hour.
EMBEDDED_START_WAIT_S_MAX: Final = 30 * 60
# A fast stop writes a checkpoint (at most 1 GB of buffers); an immediate one writes nothing and loses nothing.
EMBEDDED_STOP_FAST_S_MAX: Final = 60
EMBEDDED_STOP_IMMEDIATE_S_MAX: Final = 15
# Room beside the pools: PostgreSQL keeps 3 for superusers, the rest is for the command line and for psql.
EMBEDDED_CONNECTIONS_RESERVE: Final = 20
EMBEDDED_LOG_BYTES_MAX: Final = 10 * 1024 * 1024  # beyond, only the newest tenth is kept

# Shapes of lists (filter, order, columns) whose statements are kept, and those that a connection keeps prepared.
STATEMENT_SHAPES_MAX: Final = 500
STATEMENTS_PREPARED_MAX: Final = 100
# Statements that each engine of SQLAlchemy keeps with their trees, which take some 60 KB.
STATEMENTS_COMPILED_MAX: Final = 100
# Statements of a search that are kept as they were put together, of each kind: by filter, scope and sizes.
SEARCH_STATEMENTS_MAX: Final = 32
# How often the read replica is looked at: four times within its bound, and within these.
REPLICA_LOOK_S_MIN: Final = 0.1
REPLICA_LOOK_S_MAX: Final = 1.0
# Objects allocated before the collector looks for cycles: requests leave few, and each look takes time.
GC_ALLOCATIONS: Final = 20_000
# Blocks that are given back to the system when they are freed: bodies and answers that are larger than most.
LARGE_BLOCK_BYTES: Final = 256 * 1024
# Compiled operations: a document's tree takes some 250 bytes a character, so all of them some 25 MB at most.
COMPILED_CHARS_MAX: Final = 100_000
# Persisted documents: those of all clients of a service; one of 100,000 characters has more fields than are allowed.
PERSISTED_CHARS_MAX: Final = 2_000_000
PERSISTED_DOCUMENT_CHARS_MAX: Final = 100_000
PERSISTED_SHARED_S: Final = 24 * 3_600  # after its last use, in Redis; then a client sends it once more
# Outcomes of `@skip` and `@include`, and page sizes, that one operation keeps apart.
COMPILED_VARIANTS_MAX: Final = 64

# Redaction: the built-in patterns settled in two passes on every text tried; more means that a custom one never will.
REDACTION_PASSES_MAX: Final = 8

# Authentication. A revoked key opens for this long at most; each key in use costs a statement per process so often.
API_KEY_GOOD_S: Final = 3.0
API_KEY_USE_NOTED_EVERY_S: Final = 30.0
# An issuer cannot take a token back before it expires; this long its signature is not checked again.
JWT_GOOD_S: Final = 60.0
SERVICE_ACCOUNT_GOOD_S: Final = 30.0  # a deleted ServiceAccount's token still opens for this long at most
REFUSED_CREDENTIAL_S: Final = 2.0
KNOWN_CALLERS_MAX: Final = 10_000  # some 500 bytes each
REFUSED_CREDENTIALS_MAX: Final = 1_000
CREDENTIAL_CHARS_MAX: Final = (
    8 * 1024
)  # the longest tokens of ServiceAccounts and OpenID providers have some 4 KiB
# An issuer's keys: read anew so often, and when a token names an unknown one, but not more often than that.
SIGNING_KEYS_GOOD_S: Final = 600.0
SIGNING_KEYS_ASK_EVERY_S: Final = 10.0
SIGNING_KEYS_STALE_S_MAX: Final = 3_600.0  # while the issuer does not answer, the keys it had count on
SIGNING_KEYS_BYTES_MAX: Final = 256 * 1024
IDENTITY_TIMEOUT_S: Final = 5.0  # of the issuer, and of the Kubernetes API server
# The access audit: entries that wait to be written, some 5 MB; more than that is dropped and counted.
ACCESS_ENTRIES_WAITING_MAX: Final = 10_000
ACCESS_ENTRIES_AT_ONCE: Final = 1_000
ACCESS_FLUSH_EVERY_S: Final = 1.0
