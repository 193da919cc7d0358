# `make demo` starts the app, `make test` runs every check; both make what they need and are quick when nothing changed.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
WORKERS ?= 2

.PHONY: demo test check lint types layers unit soak bench openapi picture lock clean help

help:
	@echo "make demo    start the app on the embedded backend with generated data"
	@echo "make test    run all checks and tests"
	@echo "make soak    run the sync protocol and the review of invoices through many more seeds, for some hours"
	@echo "make bench   print the performance ratios of docs/performance.md"
	@echo "make lock    renew the pinned dependencies"

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "Python's venv module is missing: on Debian and Ubuntu run 'apt-get install python3-venv'"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: $(READY)
	@$(BIN)/kelmu demo $(ARGS)

test: check unit

check: lint types layers

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(READY)
	$(BIN)/mypy

layers: $(READY)
	$(BIN)/lint-imports

unit: $(READY)
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadgroup $(ARGS)

# Beyond what each change runs: every seed clean, every planted bug found within its number of seeds.
soak: $(READY)
	$(BIN)/python -m tests.sync.model soak
	$(BIN)/python -m tests.sync.model plants
	$(BIN)/python -m tests.sync.simulation soak --count 1000
	$(BIN)/python -m tests.sync.simulation soak --count 200 --postgresql
	$(BIN)/python -m tests.sync.simulation plants
	$(BIN)/python -m tests.population.reviewed --count 1000

bench: $(READY)
	$(BIN)/python -m benchmarks $(ARGS)

openapi: $(READY)
	$(BIN)/kelmu-backend openapi > docs/openapi.json

picture: $(READY)
	$(BIN)/python docs/picture.py

# Hashes of every platform's files, no addresses: the lock says what, the machine's own settings say from where.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --upgrade pyproject.toml -o requirements/run.txt
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header \
	  --extra dev -c requirements/run.txt pyproject.toml -o requirements/dev.txt

clean:
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
