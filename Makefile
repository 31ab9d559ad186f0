# `make` alone lists the targets. Only Python 3.11 or newer is needed beside make; uv is used
# where it is found, and is faster.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The set-up ends by copying what it installed: `make run` needs the one, `make test` both.
READY := $(VENV)/requirements.txt
DEV := $(VENV)/requirements-dev.txt
# Which build of PyTorch: cpu, cu130 ... as its index names them, or any, as pip finds it.
# Linux without an NVIDIA driver has no use for the CUDA libraries, which are several GB.
TORCH ?= $(if $(shell uname | grep -v Linux; command -v nvidia-smi; ls -d /proc/driver/nvidia 2>/dev/null),any,cpu)
INDEX = https://download.pytorch.org/whl/$(TORCH)
# File by file in two processes, those with the most tests first, so that neither is left alone
# with a long file; test-all goes by name, for tests/test_jupyter.py is long and has few.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadfile
MISTAKES := tests/test_mistakes.py
OTHERS := tests/test_other_processors.py

.DEFAULT_GOAL := help
.PHONY: help lab run test test-all test-versions lint mistakes site pdf otter links record bench pins clean anew
.NOTPARALLEL:

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

# Two notebooks run side by side there: more threads than cores would slow both.
test test-all mistakes: export OMP_NUM_THREADS = 1

# tools/lab answers the question about news, and its kernel leaves out the version of Python,
# which JupyterLab would write into a notebook as soon as it opens.
lab: $(READY) ## open the series in JupyterLab
	JUPYTER_PATH='$(CURDIR)/tools/lab' $(BIN)/jupyter lab --LabApp.app_settings_dir=tools/lab \
	  --notebook-dir=. notebooks/01-training-data.ipynb

run: $(READY) ## execute all notebooks in order, without a browser
	@$(BIN)/python tools/execute.py run

test: $(DEV) lint ## run all checks but the slow ones (JupyterLab, PDF, other processors, mistakes)
	$(PYTEST) -m 'not slow'

test-all: $(DEV) lint ## run all checks
	$(PYTEST) --no-loadscope-reorder --ignore=$(MISTAKES) --ignore=$(OTHERS)
	$(BIN)/python -m pytest -q -n 2 $(OTHERS)
	$(BIN)/python -m pytest -q -s $(MISTAKES)

# Each set in an environment of its own; PyTorch and whatever a set does not name stay as pinned.
VERSIONS := $(patsubst tests/versions/%.txt,build/versions/%,$(wildcard tests/versions/$(or $(SET),*).txt))
test-versions: export OMP_NUM_THREADS = 1
test-versions: $(VERSIONS:=/ready) ## run the series with Colab's and with the oldest versions (SET=colab: one)
	@red=; for env in $(VERSIONS); do echo "$$env:"; \
	  $$env/bin/python -m pytest -q -n 2 --dist loadfile notebooks || red=1; done; [ -z "$$red" ]

build/versions/%/ready: tests/versions/%.txt pyproject.toml requirements.txt
	@$(PYTHON) -m venv --clear $(@D)
	@cut -d' ' -f1 $< | grep == > $(@D)/wanted.txt
	@grep == requirements.txt requirements-dev.txt -h | grep -vE "^($$(cut -d= -f1 $(@D)/wanted.txt | paste -sd'|'))==" \
	  >> $(@D)/wanted.txt
	@$(@D)/bin/python -m pip install -q --disable-pip-version-check -c $(@D)/wanted.txt \
	  $(if $(filter any,$(TORCH)),,--retries 0 --timeout 5 --extra-index-url $(INDEX)) \
	  -e '.[jupyter]' pytest pytest-xdist
	@touch $@

lint: $(DEV) ## check the style of code and notebooks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

mistakes: $(DEV) ## make deliberate mistakes: which check catches which (SAMPLE=60: how many)
	@SAMPLE=$(SAMPLE) $(BIN)/python -m pytest -q -s $(MISTAKES)

SPHINX = $(BIN)/sphinx-build -qE -c tools/site -d build/doctrees
site: $(DEV) ## build the static site: build/site/index.html (REPO=owner/name: links to run it)
	@rm -rf build/site
	@$(SPHINX) -W $(if $(REPO),-A repo=$(REPO)) . build/site

pdf: site ## print the series as one PDF, with Chromium: build/series.pdf
	@$(BIN)/python tools/paper.py

otter: $(DEV) ## export the exercises for a class, to be graded by otter-grader: build/otter
	@rm -rf build/otter
	@$(BIN)/python tools/classroom.py

links: $(DEV) ## try every link to another site
	@$(SPHINX) -b linkcheck . build/links

record: $(READY) ## execute all notebooks and save what changed (ALL=1: every output)
	@$(BIN)/python tools/execute.py record $(if $(ALL),--all)

# EXTRAS=1 installs the other trainers beforehand; without them their lines say so.
bench: $(DEV) ## compare speeds side by side, in some minutes: bench.md, bench.png
	$(if $(EXTRAS),$(BIN)/python -m pip install --disable-pip-version-check -e '.[bench]')
	@$(BIN)/python tools/bench.py

clean: ## remove the environment and everything built
	rm -rf $(VENV) build .pytest_cache .ruff_cache *.egg-info

# An environment that finds this folder's packages is whole and was made here. Another one was
# moved, copied, cut short or never made, and is made anew.
FINDS := $(shell $(BIN)/python -Ic 'import exercises, helpers; print(*helpers.__path__)' 2>/dev/null)
ifneq ($(and $(wildcard $(READY) $(DEV)),$(FINDS)),$(CURDIR)/helpers)
ANEW := anew
endif

# uv knows nothing of pip's settings, and must find what pip finds. pip compiles no bytecode:
# what a notebook imports is compiled at its first run, the rest never.
UV := $(shell command -v uv 2>/dev/null)
ifdef UV
INSTALL = UV_FIND_LINKS=$$($(BIN)/python -m pip config list | \
  sed -n "s/.*find-links='\(.*\)'/\1/p" | xargs | tr ' ' ,) uv pip install --python $(BIN)/python
else
INSTALL = $(BIN)/python -m pip install --disable-pip-version-check --no-compile
endif
unexport PYTHONDONTWRITEBYTECODE

$(DEV): requirements.txt
$(READY) $(DEV): $(VENV)/%: % $(ANEW)
	@if [ $(TORCH) = any ]; then echo 'PyTorch: the usual build.'; \
	elif $(BIN)/python -c "import urllib.request as r; r.urlopen('$(INDEX)/torch/', timeout=5)" 2>/dev/null; then \
	  echo "PyTorch: the $(TORCH) build, from $(INDEX)."; \
	  $(INSTALL) --no-deps --index-url $(INDEX) $$(grep '^torch==' requirements.txt); \
	else echo "PyTorch: $(INDEX) does not answer, so whichever build is found elsewhere."; fi
	@$(INSTALL) -r $<
	@cp $(filter %.txt,$^) $(VENV)
	@$(BIN)/python -c "import importlib.metadata as m; print('Ready, with PyTorch', m.version('torch'))"

anew:
	@[ -w . ] || { echo "$(CURDIR) is not yours to write to: copy it to where you may write."; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed: this is '$(PYTHON)', $$($(PYTHON) --version 2>&1)."; \
	  echo "Install a newer one, or name it: make PYTHON=python3.12 ..."; exit 1; }
	@[ ! -e $(VENV) ] || echo "The $(VENV) here is unfinished, or was moved or copied: it is made anew."
	@rm -rf $(VENV)
	@echo "Setting up $(VENV) with $(if $(UV),uv,pip): once, a minute or more (1.3 GB, most of it PyTorch)."
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python's venv module is missing (Debian and Ubuntu: apt-get install python3-venv)."; \
	  rm -rf $(VENV); exit 1; }

# What uv may choose: it keeps the present versions wherever it can (UPGRADE='-P numpy').
# The CUDA libraries are left out: a build of PyTorch that needs them names them itself.
pins: PINS = uv pip compile -q --universal --python-version 3.11 \
  --no-annotate --no-header $(UPGRADE)
pins: ## renew the requirements files from pyproject.toml (needs uv)
	@mkdir -p build
	@grep -h == requirements*.txt | tee build/reader.txt > build/dev.txt
	echo '-e .[jupyter]' | $(PINS) -o build/reader.txt -
	@echo '# Made by `make pins` from pyproject.toml: what `make run` and `make lab` need.' > requirements.txt
	@grep -vE '^(cuda|nvidia|triton)' build/reader.txt >> requirements.txt
	printf '%s\n' '-r requirements.txt' '-e .[dev]' | $(PINS) -o build/dev.txt -
	@echo '# Made by `make pins` from pyproject.toml: what the checks and the site need, too.' > requirements-dev.txt
	@echo '-r requirements.txt' >> requirements-dev.txt
	@grep -vE '^(cuda|nvidia|triton)' build/dev.txt | grep -vxFf requirements.txt >> requirements-dev.txt
