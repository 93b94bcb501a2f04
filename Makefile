# Sets itself up: nothing but make and Python 3.11 or newer is needed, and a Chromium for the page's tests.

NEW_ENOUGH := -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
PYTHON ?= $(shell for one in python3 python3.14 python3.13 python3.12 python3.11; do $$one $(NEW_ENOUGH) && echo $$one && break; done)
PIP := pip==26.3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check
ARGS ?=
WORKERS ?= 2
CHROMIUM ?= $(shell command -v chromium || command -v chromium-browser || command -v google-chrome-stable || command -v google-chrome)
export CHROMIUM

.DEFAULT_GOAL := help
.PHONY: help run test test-postgres check faults sabotage proxies soak bench chromium clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1|/' | awk -F'|' '{ printf "  make %-13s %s\n", $$1, $$2 }'

run: .venv/.for-run ## Start the server for development; more options with ARGS="--port 0"
	@exec $(BIN)/quintet serve --dev $(ARGS)

test: chromium .venv/.for-test ## Everything that must hold: check and all tests; some of them with ARGS="-m l1", one after another with WORKERS=0
	@code=0; $(MAKE) --no-print-directory check || code=$$?; $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile $(ARGS) || code=$$?; exit $$code

check: .venv/.for-test ## Style, types and import contracts, without tests
	@code=0; \
	echo "Style"; $(BIN)/ruff check --quiet . || code=1; $(BIN)/ruff format --quiet --check . || code=1; \
	echo "Types"; $(BIN)/mypy --no-error-summary || code=1; \
	echo "Import contracts"; $(BIN)/lint-imports --no-cache > .venv/contracts.txt || { cat .venv/contracts.txt; code=1; }; \
	exit $$code

POSTGRES_FAULTS := test_points.py::test_a_server_killed_at_a_named_point_loses_and_doubles_nothing test_network.py test_stopped.py test_workers.py

test-postgres: .venv/.for-test ## The store, log, runs, threads, behaviours, isolation, the fleet, faults and planted defects on PostgreSQL; on another one with QUINTET_TEST_POSTGRES=folder
	@QUINTET_TEST_DATABASE=postgres FLEET_ROUNDS=$${FLEET_ROUNDS:-6} $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile \
	  tests/store tests/log tests/runs tests/threads tests/behaviours tests/isolation tests/fleet $(POSTGRES_FAULTS:%=tests/faults/%) tests/sabotage $(ARGS)

faults: .venv/.for-test ## 200 seeds of all faults (FAULT_SEEDS) and a longer round of each; a failure prints its seed and the command for it
	@code=0; FAULT_SEEDS=$${FAULT_SEEDS:-200} FAULT_AT_ONCE=$${FAULT_AT_ONCE:-4} $(BIN)/python -m pytest -s tests/faults/test_seeds.py || code=$$?; \
	FAULT_SEEDS=1 FAULT_ROUNDS=$${FAULT_ROUNDS:-2} $(BIN)/python -m pytest tests/faults tests/crash $(ARGS) || code=$$?; exit $$code

sabotage: .venv/.for-test ## Every planted defect must turn its promise's check red; says how many of how many did
	@$(BIN)/python -m pytest -m sabotage $(ARGS)

proxies: chromium .venv/.for-test ## A page and a terminal through nginx and Caddy with the files of docs/deploy; needs both programs
	@$(BIN)/python -m pytest tests/page/behind_proxies.py $(ARGS)

soak: .venv/.for-test ## Twenty minutes of users who come and go: nothing may be left behind; other times with SOAK_MINUTES=5
	@SOAK_MINUTES=$${SOAK_MINUTES:-20} $(BIN)/python -m pytest tests/soak -s -k nothing_is_left $(ARGS)

bench: .venv/.for-test benchmarks/.peers/.made ## A short look at every benchmark; whole ones: .venv/bin/python -m benchmarks
	@$(BIN)/python -m benchmarks quick

benchmarks/.peers/.made: .venv/.for-test benchmarks/peers/requirements.txt benchmarks/peers/package-lock.json
	@echo "Installing what Quintet is compared with"
	@$(BIN)/python -m benchmarks.peers
	@touch $@

chromium:
	@test -x "$(CHROMIUM)" || { echo 'The tests of the page need a Chromium and found none. On Debian: apt-get install chromium.' \
	  'One that lies elsewhere: make test CHROMIUM=/path/to/it' >&2; exit 1; }

clean: ## Remove the environment and everything generated; data in .quintet stays
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist

# Stamps are written last, so an interrupted set-up is done again. Scripts in an environment hold its path and its Python: where the
# folder was moved or that Python is gone, the environment is made anew.
BROKEN := $(shell test "$$(cat .venv/.made 2>/dev/null)" = "$(CURDIR)" && $(BIN)/python -c '' 2>/dev/null || echo .broken)
.PHONY: $(BROKEN)
$(BROKEN):

.venv/.made: $(BROKEN)
	@test -n "$(PYTHON)" && $(PYTHON) $(NEW_ENOUGH) \
	  || { echo 'Quintet needs Python 3.11 or newer and found none. One of another name: make PYTHON=/path/to/python' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	  || { echo 'This Python cannot make environments. On Debian: apt-get install python3-venv' >&2; exit 1; }
	@echo "Setting up .venv"
	@$(PYTHON) -m venv --clear .venv
	@$(INSTALL) "$(PIP)"
	@echo "$(CURDIR)" > $@

.venv/.for-run: .venv/.made pyproject.toml constraints.txt
	@echo "Installing what the server needs; the first time takes up to a minute"
	@$(INSTALL) -e '.[server]' -c constraints.txt
	@touch $@

PROVIDER := tests/external/provider

.venv/.for-test: .venv/.for-run $(PROVIDER)/package-lock.json
	@echo "Installing what the tests need"
	@$(INSTALL) -e '.[server,testing,postgres,valkey,otel]' --group dev -c constraints.txt
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --silent --no-audit --no-fund --prefix $(PROVIDER)
	@touch $@
