# Every target works from a fresh clone: it needs only make and a Python of 3.11 or newer.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
QUICK := tests/vocab tests/engine tests/replay tests/tidy

SEED ?= 0
LIVES ?= 100

.PHONY: demo test check conformance bench bench-rivals sim polyglot

demo: $(READY)  ## run the example order workflow with engine, worker and UI in one process
	$(BIN)/outlast demo

test: $(READY)  ## every test
	$(BIN)/python -m pytest

polyglot: $(READY)  ## the official SDKs of Go, TypeScript and Java against a server: needs their toolchains, and downloads
	OUTLAST_POLYGLOT=1 $(BIN)/python -m pytest -q tests/polyglot

check: $(READY)  ## format, lint, types, layers, house rules and the tests of the two brains: in seconds
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q $(wildcard $(QUICK))

conformance: $(READY)  ## the conformance cases against a server of Temporal's: make conformance TEMPORAL=host:port
	test -n "$(TEMPORAL)" || { echo "name a server: make conformance TEMPORAL=127.0.0.1:7233"; exit 2; }
	OUTLAST_TEMPORAL_ADDRESS=$(TEMPORAL) $(BIN)/python -m pytest tests/conformance tests/differential/test_oracle.py -k "temporal-server or reference or oracle" --tb=native

bench: $(READY)  ## workflows per second
	$(BIN)/python -m benchmarks

bench-rivals: $(READY)  ## the same beside Temporal's dev server, DBOS, dbosify and Restate
	$(BIN)/python -m benchmarks.rivals

sim: $(READY)  ## LIVES random lives of a node from SEED on, with crashes and a store that fails, under every law
	$(BIN)/python tests/sim/run.py $(SEED) $(LIVES)

$(READY): pyproject.toml hatch_build.py
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "outlast needs Python 3.11 or newer; name one: make PYTHON=python3.12")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet -e '.[dev]'
	touch $@
