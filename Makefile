# `make` alone lists the targets. Only Python 3.11 or newer is needed beside make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
# File by file in two processes, the long files of tests/ before the short notebooks.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
MUTANTS := tests/test_the_check_bites.py

.DEFAULT_GOAL := help
.PHONY: help lab run test test-all lint mutants site record bench clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

# Two notebooks run side by side there: more threads than cores would slow both.
test test-all mutants: export OMP_NUM_THREADS = 1

lab: $(READY) ## open the series in JupyterLab
	$(BIN)/jupyter lab --notebook-dir=. notebooks/01-training-data.ipynb

run: $(READY) ## execute all notebooks in order, without a browser
	@$(BIN)/python tools/execute.py run

test: $(READY) lint ## run all checks but the slow ones (JupyterLab, other processors, mistakes)
	$(PYTEST) -m 'not slow'

test-all: $(READY) lint ## run all checks
	$(PYTEST) --ignore=$(MUTANTS)
	$(BIN)/python -m pytest -n 2 $(MUTANTS)

lint: $(READY) ## check the style of code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

mutants: $(READY) ## list which check catches which deliberate mistake
	@$(BIN)/python -m pytest -q -n 2 -rP $(MUTANTS) | grep ': '

site: $(READY) ## build the static site in build/site
	@$(BIN)/python tools/build_site.py

record: $(READY) ## execute all notebooks and save their outputs (TIMINGS=1: timings too)
	@$(BIN)/python tools/execute.py record $(if $(TIMINGS),--timings)

# EXTRAS=1 installs the other trainers beforehand; without them their lines say so.
bench: $(READY) ## compare speeds side by side, in some minutes: bench.md, bench.png
	$(if $(EXTRAS),$(BIN)/python -m pip install --disable-pip-version-check -e '.[bench]')
	@$(BIN)/python tools/bench.py

clean: ## remove the environment and everything built
	rm -rf $(VENV) build .pytest_cache .ruff_cache *.egg-info

# Made again whenever the versions change.
$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed: this is '$(PYTHON)', $$($(PYTHON) --version 2>&1)."; \
	  echo "Install a newer one, or name it: make PYTHON=python3.12 ..."; exit 1; }
	@echo "Setting up $(VENV): this takes some minutes once (1.6 GB, most of it PyTorch)."
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing (Debian and Ubuntu: apt-get install python3-venv)."; \
	  rm -rf $(VENV); exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check -r requirements.txt
	@touch $@
