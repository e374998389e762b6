# Leadline. `make run` and, in a second terminal, `make demo`; README.md says more.

SHELL := /bin/sh
PY := .venv/bin/python
PORT ?= 8000
SCALE ?= 1
export PORT
# Nothing is written outside .venv and var/: packages are compiled when they are installed.
export PYTHONDONTWRITEBYTECODE := 1
export PYTHONUNBUFFERED := 1

.DEFAULT_GOAL := help
.PHONY: help run demo seed test test-both coverage faults browser client-types vendor lint audit format bench lock installed
.PHONY: installed-dev messages

help:  ## what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

run: installed  ## start the whole product in the foreground (PORT=8000)
	@exec $(PY) -m config.bootstrap.start --stop-with-parent

demo: installed  ## play a day of every provider's webhooks into the running product
	@$(PY) manage.py demo

seed: installed  ## believable agencies in the database: SCALE=small (one) or large (fifty), or how many
	@$(PY) manage.py migrate --verbosity 0 && $(PY) manage.py seed --scale "$(SCALE)" $(SEED_OPTIONS)

test: installed-dev  ## the whole suite, on SQLite and on PostgreSQL + Redis
	@$(PY) -m tests.run

test-both: installed-dev  ## the suite with every test of a database on both back ends
	@LEADLINE_BOTH=1 $(PY) -m tests.run

coverage: installed-dev  ## the suite again, and which branches of the product it takes
	@rm -rf var/coverage && mkdir -p var/coverage
	@LEADLINE_COVERAGE=1 $(PY) -m tests.run
	@.venv/bin/coverage combine -q && .venv/bin/coverage report

faults: installed-dev  ## kill processes and stop servers, then count: one table
	@$(PY) -m tests.run -m fault -n 1

browser: installed-dev  ## open pages in a headless Chromium; screenshots go to var/browser
	@$(PY) -m tests.run -m browser

client-types:  ## types for TypeScript, made from docs/openapi.json, compile (needs node and npm; not in the suite)
	@rm -rf var/client-types && mkdir -p var && cp -r tests/api/typescript var/client-types
	@cd var/client-types && npm install --silent --no-audit --no-fund && npm run --silent check

vendor:  ## make templates/static/vendor/{tabler,chartjs} anew, after templates use another class or icon (needs node and npm)
	@rm -rf var/vendor && mkdir -p var/vendor && cp -r config/frontend/. var/vendor/
	@cd var/vendor && npm ci --silent --no-audit --no-fund && node vendor.mjs $(CURDIR)

messages: installed-dev  ## gather the texts of pages and mails into config/locale, and compile them (needs gettext)
	@$(PY) manage.py makemessages

lint: installed-dev  ## formatter, linter, types, import contracts, templates
	@$(PY) -m tests.lint

audit: installed-dev  ## ask PyPI what is known to be unsafe in what is locked
	@.venv/bin/pip-audit --require-hashes --disable-pip --progress-spinner off -r requirements.txt

format: installed-dev  ## let the formatter and the linter mend what they can
	@.venv/bin/ruff format . && .venv/bin/ruff check --fix .

bench: installed-dev  ## every benchmark beside its yardstick
	@$(PY) -m benchmarks

lock:  ## resolve the dependencies anew
	@UV_PYTHON_DOWNLOADS=never .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header -q pyproject.toml -o requirements.txt
	@UV_PYTHON_DOWNLOADS=never .venv/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-annotate --no-header -q --extra dev pyproject.toml -o requirements-dev.txt -c requirements.txt

installed: $(PY)
	@$(PY) -m config.bootstrap.install

installed-dev: $(PY)
	@$(PY) -m config.bootstrap.install --dev

# The first python3 that is new enough makes the virtual environment; PYTHON=… chooses another.
$(PY):
	@for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	  if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    rm -rf .venv var/installed && "$$python" -m venv .venv && exit 0; \
	    rm -rf .venv; \
	    echo "Python's venv module is missing or broken. On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; \
	  fi; \
	done; \
	echo "Leadline needs Python 3.11 or newer, and python3 is not. Install it, or say where it is: make $(MAKECMDGOALS) PYTHON=/path/to/python3.11" >&2; exit 1
