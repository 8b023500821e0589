# Two commands are enough: `make run` and `make test`.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check
PORT   ?= 5006

# A hundred processes in the tests: none compiles Python's files again that another has compiled.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help run test test-all test-faults lint audit demo bench clean

help:                        ## list what can be done
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

run: $(VENV)/.glocal-engine  ## install, build the default survey if it is not there, serve it
	@$(BIN)/glocal serve --port $(PORT) --demo-if-missing

test: $(VENV)/.glocal-test   ## install what the tests need and run them
	$(BIN)/python -m pytest

test-all: $(VENV)/.glocal-test  ## the same, with the tests that take minutes each
	$(BIN)/python -m pytest -m "not faults"

test-faults: $(VENV)/.glocal-test  ## kill a worker on purpose: on a machine with nothing else to do
	$(BIN)/python -m pytest -m faults -n 0

lint: $(VENV)/.glocal-test   ## style, import contracts, static types of the engine
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/codespell
	$(BIN)/mypy

audit: $(BIN)/python         ## look the pinned libraries up in a database of vulnerabilities, if one can be reached
	$(PIP) install -q pip-audit
	@PYTHON=$(BIN)/python .ci/audit

demo: $(VENV)/.glocal-engine ## build the default survey again
	@$(BIN)/glocal demo

bench: $(VENV)/.glocal-test  ## print how fast the kernels and the page are
	$(BIN)/python benchmarks/bench_library.py
	$(BIN)/python benchmarks/bench_relations.py
	$(BIN)/python benchmarks/bench_posterior.py
	$(BIN)/python benchmarks/bench_smoothing.py
	$(BIN)/python benchmarks/bench_spectra.py
	$(BIN)/python benchmarks/bench_cubes.py
	$(BIN)/python benchmarks/bench_app.py

clean:                       ## forget the virtual environment (the survey stays)
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Glocal needs Python 3.11 or newer: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.glocal-engine: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e '.[engine]'
	@touch $@

$(VENV)/.glocal-test: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install -q -c constraints.txt -e '.[test]'
	@touch $@ $(VENV)/.glocal-engine
