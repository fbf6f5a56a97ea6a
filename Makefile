# Everything a newcomer needs; `make` alone lists it.
.DEFAULT_GOAL := help
PYTHON ?= python3
DATA_DIR ?= .mmsearch
PORT ?= 8080
MINUTES ?= 3
SEED ?= 1
BIN := .venv/bin

.PHONY: help install run test check contracts bench bench-ingest bench-gateway bench-page bench-search bench-relevance calibrate chaos drill lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"

install: .venv/.installed ## create .venv with everything in requirements.lock

.venv/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or later is needed; set PYTHON=…"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

run: install ## start everything, feed it samples, print searches that find them, stay up
	@$(BIN)/mmsearch demo --data-dir "$(DATA_DIR)" --port $(PORT)

chaos: install ## harm a private system, heal it, hold it to its promises: MINUTES=3 SEED=1
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES) --seed $(SEED)

drill: install ## back up a running system, lose it, restore it, search it
	@$(BIN)/python -m tests.drill

test: install ## the whole suite, on real Postgres and the embedded cloud
	@$(BIN)/python -m pytest -q -n 2 --dist loadfile

check: install ## lint, format, types, dependency direction, stale renderings
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/pyright
	@$(BIN)/lint-imports --no-logo
	@$(BIN)/python -m contracts.render --check
	@$(BIN)/python -m tests.contracts.openapi --check
	@$(BIN)/python -m deploy.docker.settings_table --check

contracts: install ## render schemas, examples, AsyncAPI, OpenAPI, Terraform variables and the tables of README and docs
	@$(BIN)/python -m contracts.render
	@$(BIN)/python -m tests.contracts.openapi
	@$(BIN)/python -m deploy.docker.settings_table

bench: install ## measure the figures of docs/figures.md
	@$(BIN)/python -m tests.bench

bench-ingest: install ## files per second of the whole pipeline beside a bare loop of the same library calls
	@$(BIN)/python -m tests.bench.ingest

bench-gateway: install ## requests per second, live status and a large upload, each beside a bare one
	@$(BIN)/python -m tests.bench.gateway

bench-page: install ## weight, time to usable and scrolling of the page
	@$(BIN)/python -m tests.bench.page

bench-search: install ## the search endpoint and its plans beside LanceDB, Chroma and a bare query
	@$(BIN)/python -m tests.bench.search

bench-relevance: install ## nDCG, hits and false answers per mode on the project's labelled set
	@$(BIN)/python -m tests.bench.relevance

calibrate: install ## how near is near enough, for each embedding model
	@$(BIN)/python -m tests.bench.calibration

lock: install ## resolve requirements.lock again from pyproject.toml
	@$(BIN)/uv pip compile --quiet --python-version 3.11 pyproject.toml --all-extras --group dev --universal --generate-hashes --no-header --upgrade -o requirements.lock

clean: ## remove the environment and the local data
	@rm -rf .venv "$(DATA_DIR)"
