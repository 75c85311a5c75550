# Everything from a bare machine with Python 3.11, 3.12 or 3.13: each target makes what it needs first.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CORES ?= all
BIN := .venv/bin
LOCKS := envs/compute.txt envs/workflow.txt envs/dev.txt
# Where a PyTorch for CPUs alone comes from (envs/install.sh), kept until another is named, or none.
ifeq ($(origin TORCH_INDEX), undefined)
TORCH_INDEX := $(shell cat .venv/torch-index 2> /dev/null)
endif
# Named after what it stands for, so that new content means a new environment and a touch does not.
ENV := .venv/installed-$(shell { cat $(LOCKS) envs/installers.txt pyproject.toml setup.py; \
	echo '$(TORCH_INDEX)'; } | cksum | tr ' ' -)
# One lock for all platforms and Pythons, with one version of each package for all of them.
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
	--universal --fork-strategy fewest --python-version 3.11
DEMO := $(BIN)/python workflow/demo/make_corpus.py results/demo/corpora && \
	$(BIN)/snakemake --cores $(CORES) --configfile config/demo.yaml

.PHONY: help env demo test lint bench coverage determinism measured reference docs image audit licences lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]*:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

env: $(ENV) ## make the environment in .venv from the locked packages

demo: $(ENV) ## the whole workflow on tiny synthetic corpora, into results/demo
	$(DEMO)

# A file of tests is done by one worker, which makes its shared fixtures once; tests/conftest.py says
# which files come first. Eight workers, at half a gigabyte each, are as many as there is work for.
test: $(ENV) ## run every test, on all cores
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 8 --dist loadfile \
		--no-loadscope-reorder

lint: $(ENV) ## check style, types and spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/snakefmt --check Snakefile workflow/Snakefile workflow/rules
	$(BIN)/snakemake --lint
	$(BIN)/snakemake --snakefile workflow/Snakefile --lint

bench: $(ENV) ## measure speed and memory against the bars, with a report
	$(BIN)/python workflow/bench $(if $(AUDIO),--audio $(AUDIO)) $(BENCH)

coverage: $(ENV) ## how often intervals hold the truth, by simulation, with a report
	$(BIN)/python workflow/bench/intervals.py

determinism: $(ENV) ## the demo twice; tables and figures must agree byte for byte
	rm -rf results/demo results/.first
	$(DEMO)
	mv results/demo results/.first
	$(DEMO)
	for part in tables figures; do diff --recursive --exclude=.records \
		--exclude='cost.*' results/.first/$$part results/demo/$$part; done
	rm -rf results/.first
	@echo "The tables and figures of both runs agree byte for byte."

measured: $(ENV) ## the tables, or the report, of results/RUN into docs/measured, and into the pages
	PYTHONPATH=workflow $(BIN)/python -m documentation take results/$(RUN)
	PYTHONPATH=workflow $(BIN)/python -m documentation print

docs: $(ENV) ## the pages as a site, build/docs/index.html, which needs no network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

reference: $(ENV) ## config/README.md anew, after an edit of the schema or of config.yaml
	PYTHONPATH=workflow $(BIN)/python -m documentation reference

image: envs/l2i.sif ## an image for --sdm apptainer, where Apptainer is installed

envs/l2i.sif: envs/l2i.def envs/installers.txt envs/compute.txt
	apptainer build --force $@ $<

audit: $(ENV) ## ask for known vulnerabilities of all that is locked
	@envs/audit.sh envs/*.txt

licences: $(ENV) ## the licences of all that is locked, into docs/licences.md
	PYTHONPATH=workflow $(BIN)/python -m documentation licences

lock: $(ENV) ## resolve envs/*.in into the hash-locked envs/*.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement envs/installers.txt
	for name in installers compute workflow dev runcrate audit; do $(COMPILE) envs/$$name.in -o envs/$$name.txt; done

$(ENV):
	@PYTHON='$(PYTHON)' TORCH_INDEX='$(TORCH_INDEX)' envs/install.sh $(LOCKS)
	@PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --no-deps --no-build-isolation \
		--editable . # setuptools would warn in twenty lines of what editable means
	@rm -f .venv/installed-* && touch $@
