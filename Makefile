# `make report` and `make test` need Python >= 3.11 with venv, and make; everything else they bring along.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help

.PHONY: help report test lint bench accuracy lab lock clean

help:  ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

report: .venv/ready  ## Make the report of the bookshop (SOURCE=name or mapping.toml for another base)
	$(BIN)/moshtari report $(SOURCE)

test: .venv/ready  ## Run all tests: helpers, notebooks, a whole report
	$(BIN)/python -m pytest

lint: .venv/ready  ## Check style with ruff
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

bench: .venv/ready  ## Measure speed and memory, as ratios; writes reports/bench-*.md
	$(BIN)/python -m tests.benchmarks

accuracy: .venv/ready  ## Measure what the chapters find of the bookshop's hidden truth; writes reports/accuracy-*.md
	$(BIN)/python -m tests.accuracy

lab: .venv/ready  ## Open JupyterLab on the notebooks
	$(BIN)/jupyter lab --notebook-dir=notebooks

lock: .venv/ready  ## Renew requirements.lock from pyproject.toml
	$(BIN)/uv pip compile pyproject.toml --group dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --no-emit-find-links --upgrade -o requirements.lock

clean:  ## Remove the environment and all reports
	rm -rf .venv reports/*/

# The stamp is renewed whenever the lock or the project's metadata change; pip fetches only uv, uv the rest.
.venv/ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Moshtari needs Python >= 3.11; this is " + sys.version.split()[0] + ". Name another: make PYTHON=python3.12 ...")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check "$$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)"
	$(BIN)/uv pip sync --quiet --python $(BIN)/python --require-hashes requirements.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@
