# Every target makes .venv first where it is missing or out of date; see .ci/setup.sh.

PYTHON_BIN = .venv/bin/python
PYTEST = $(PYTHON_BIN) -m pytest
# One worker a core, each with a database of its own.
PYTEST_OPTIONS = -n logical
SOAK_SECONDS = 1200
UP_OPTIONS =
QUICK =

.PHONY: help setup demo demo-reset stop test soak lint bench pins clean

help:
	@echo 'make demo        the whole application with a demo world, on this machine'
	@echo 'make demo-reset  the same, with all demo data made afresh'
	@echo 'make stop        stop what a killed demo left running'
	@echo 'make test        the test suite'
	@echo 'make soak        the long tests: fuzzing, races, simulations (20 minutes at most)'
	@echo 'make lint        style, types, import rules, templates, migrations'
	@echo 'make bench       the benchmarks (QUICK=1: under 45 s each)'
	@echo 'make setup       only the virtual environment'
	@echo 'make clean       stop, and delete the environment, the embedded data and all caches'

setup:
	@sh .ci/setup.sh dev

demo:
	@sh .ci/setup.sh runtime
	@exec $(PYTHON_BIN) manage.py up --demo $(UP_OPTIONS)

demo-reset:
	@sh .ci/setup.sh runtime
	@$(PYTHON_BIN) manage.py up --erase
	@exec $(PYTHON_BIN) manage.py up --demo $(UP_OPTIONS)

stop:
	@sh .ci/setup.sh runtime
	@$(PYTHON_BIN) manage.py up --stop

test:
	@sh .ci/setup.sh dev
	$(PYTEST) $(PYTEST_OPTIONS)

soak:
	@sh .ci/setup.sh dev
	$(PYTHON_BIN) .ci/within.py $(SOAK_SECONDS) $(PYTEST) -m soak $(PYTEST_OPTIONS)

lint:
	@sh .ci/setup.sh dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	$(PYTHON_BIN) -m mypy config core registry routing annotation manage.py
	.venv/bin/lint-imports
	.venv/bin/djlint templates --lint
	$(PYTHON_BIN) manage.py makemigrations --check --dry-run
	$(PYTHON_BIN) manage.py check

bench:
	@sh .ci/setup.sh dev
	@sh .ci/bench.sh $(if $(QUICK),--quick)

pins:
	$(PYTHON_BIN) .ci/pins.py

clean:
	@if [ -x $(PYTHON_BIN) ]; then $(PYTHON_BIN) -m core.embedded stop; fi
	rm -rf .venv .whetstone .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
