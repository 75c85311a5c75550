# Everything from a bare machine with Python 3.11: each target makes what it needs first.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CORES ?= all
BIN := .venv/bin
LOCKS := envs/compute.txt envs/workflow.txt envs/dev.txt
# Named after what it stands for, so that new content means a new environment and a touch does not.
ENV := .venv/installed-$(shell cat $(LOCKS) pyproject.toml setup.py | sha256sum | cut -c1-16)
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11
DEMO := $(BIN)/python workflow/demo/make_corpus.py results/demo/corpora && \
	$(BIN)/snakemake --cores $(CORES) --configfile config/demo.yaml

.PHONY: help env demo test lint bench coverage determinism measured reference lock docs

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /make \1\t/p' Makefile | expand -t 18

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
	$(BIN)/snakefmt --check Snakefile workflow/rules
	$(BIN)/snakemake --lint

bench: $(ENV) ## measure speed and memory against the bars, with a report
	$(BIN)/python workflow/bench $(if $(AUDIO),--audio $(AUDIO))

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

measured: $(ENV) ## the tables of results/RUN into docs/measured, and into the pages
	PYTHONPATH=workflow $(BIN)/python -m documentation take results/$(RUN)
	PYTHONPATH=workflow $(BIN)/python -m documentation print

docs: $(ENV) ## the pages as a site, build/docs/index.html, which needs no network
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

reference: $(ENV) ## config/README.md anew, after an edit of the schema or of config.yaml
	PYTHONPATH=workflow $(BIN)/python -m configuration.reference_page

lock: $(ENV) ## resolve envs/*.in into the hash-locked envs/*.txt
	$(BIN)/python -m pip install --quiet --require-hashes --requirement envs/uv.txt
	for name in uv compute workflow dev runcrate; do $(COMPILE) envs/$$name.in -o envs/$$name.txt; done

# An environment without pip is what a failed attempt leaves behind: made anew.
# pip's own settings (mirrors, proxies) are unknown to uv, hence the second attempt with pip.
$(ENV):
	@[ "$$(uname -sm)" = "Linux x86_64" ] || { \
		echo "error: the locked packages are for Linux on x86-64, and this is $$(uname -sm);" \
			"here make a conda environment from envs/compute.yaml and add the packages of" \
			"envs/workflow.in"; exit 1; }
	@python=$$(for name in python3.11 python3.12 python3.13 python3; do \
		command -v $$name > /dev/null && $$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		&& echo $$name && break; done || true); \
	if [ -z "$$python" ]; then echo "error: Python 3.11 or newer is needed; install python3.11"; exit 1; fi; \
	$(BIN)/python -m pip --version > /dev/null 2>&1 || $$python -m venv --clear .venv
	@echo "Installing the environment into .venv (once, about a minute) ..."
	@$(BIN)/python -m pip install --quiet --require-hashes --requirement envs/uv.txt && \
	VIRTUAL_ENV=.venv $(BIN)/uv pip install --quiet --require-hashes $(addprefix --requirement ,$(LOCKS)) || \
	$(BIN)/python -m pip install --quiet --require-hashes $(addprefix --requirement ,$(LOCKS))
	@$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@rm -f .venv/installed-* && touch $@
