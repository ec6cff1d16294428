# Everything a person types. `make` alone says what there is.

PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
INSTALLED_DEV := .venv/.installed-dev
# Three at a time for two processors, as browser tests mostly wait. A file's tests stay together: its server is for all
# of them. Which file comes when says tests/support/order.py.
WORKERS := -n 3 --dist loadfile --no-loadscope-reorder
FAST := $(WORKERS) --hypothesis-profile=fast -m "not slow and not local_model" -k "not postgresql"

# Some systems set this; without compiled files every start takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run install test test-fast check style types suite proxy bench lock

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(INSTALLED)  ## Start Switchboard, after installing what it needs
	@exec $(PYTHON) server.py

install: $(INSTALLED)  ## Install what Switchboard needs into .venv

test: $(INSTALLED_DEV)  ## Check the code and run all tests, in Chromium too where it can be had
	@scripts/install-chromium
	@scripts/install-services
	@$(MAKE) --no-print-directory style
	@$(MAKE) --no-print-directory -j 3 proxy types suite

test-fast: $(INSTALLED_DEV)  ## Run the tests that need no browser, no page, no PostgreSQL and no patience
	@$(PYTHON) -m pytest tests/unit tests/store $(FAST)

check: style types  ## Check style and types

style: $(INSTALLED_DEV)
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .

types: $(INSTALLED_DEV)
	@$(PYTHON) -m mypy

# After the style, beside the types: mypy takes half a minute of one processor.
suite: $(INSTALLED_DEV)
	@$(PYTHON) -m pytest $(WORKERS)

# Half a minute of one processor, beside the suite too; its tests come late, wait for it, and are skipped without it.
proxy: $(INSTALLED_DEV)
	@$(PYTHON) -m bench.proxy_environment

bench: $(INSTALLED_DEV)  ## Measure speed beside a plain Streamlit chat, in Chromium
	@scripts/install-chromium
	@$(PYTHON) -m bench

lock:  ## Pin all packages anew from requirements.in and requirements-dev.in (needs uv)
	@scripts/lock

$(INSTALLED): requirements.txt requirements-model.txt
	@scripts/install requirements.txt requirements-model.txt
	@touch $@

$(INSTALLED_DEV): requirements-dev.txt requirements-wire.txt $(INSTALLED)
	@scripts/install requirements-dev.txt requirements-wire.txt
	@touch $@
