# Needs Python 3.11 or later, and nothing else. `make demo` and `make test` set up what they need, once.
SHELL := /bin/bash
# Hundreds of processes are started, and each would compile our own modules again: half of the time of a short one.
unexport PYTHONDONTWRITEBYTECODE
.DEFAULT_GOAL := help

# The first interpreter that works (a shim may stand on PATH and fail) and is new enough.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && { echo $$p; break; }; done)
BIN := .venv/bin
UV ?= $(if $(wildcard $(BIN)/uv),$(BIN)/uv,uv)
PIP_INSTALL := -m pip install -qq --disable-pip-version-check --no-deps
CODE := layers infra tests $(wildcard functions benchmarks)
TYPED := layers/connector/ml_connector infra $(wildcard functions benchmarks)
LOCKS := runtime layer dev ministack lambda sam

# $(call title,SECTION): its heading, and when it began, for the seconds that `make test` prints at its end
SECTIONS := .build/sections
title = @mkdir -p .build; echo "$$(date +%s) $(1)" >> $(SECTIONS); printf '\n\033[1m== %s ==\033[0m\n' '$(1)'
# $(call environment,FOLDER,LOCK)
define environment
@test -n "$(PYTHON)" || { echo "Python 3.11 or later is needed (or name it: make PYTHON=...)"; exit 1; }
@echo "$(1): installing requirements/$(2).txt"
@$(PYTHON) -m venv $(1)
@$(1)/bin/python $(PIP_INSTALL) --require-hashes -r requirements/$(2).txt
endef

.PHONY: help setup demo check test packaging lint types template unit property fuzz fuzz-some contract e2e budgets simulation simulation-some weakenings simulate explore explore-some fmt layer \
	layer-local sam-validate deploy lock clean from-now

help: ## this list
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort | expand -t 16

setup: .venv/.ready .venv-ministack/.ready .venv-lambda/.ready ## the virtual environments

# The product, and everything that checks it.
.venv/.ready: requirements/dev.txt pyproject.toml
	$(call environment,.venv,dev)
	@$(BIN)/python $(PIP_INSTALL) --no-build-isolation --editable .
	@touch $@

# The AWS emulator, which pins its own botocore.
.venv-ministack/.ready: requirements/ministack.txt
	$(call environment,.venv-ministack,ministack)
	@touch $@

# What a Lambda runtime brings: functions on the emulator run here, with the layer and their code.
.venv-lambda/.ready: requirements/lambda.txt
	$(call environment,.venv-lambda,lambda)
	@touch $@

.venv-sam/.ready: requirements/sam.txt
	$(call environment,.venv-sam,sam)
	@touch $@

demo: setup layer-local ## the whole product on this machine, with simulated vendors
	@$(BIN)/ml-connector demo $(ARGS)

check: from-now lint types unit ## before each commit: style, types and unit tests, within a minute
	$(call title,all passed)

test: from-now lint types template unit property fuzz-some packaging contract e2e budgets simulation-some sam-validate ## everything that CI runs, stopping at the first failure
	$(call title,all passed)
	@awk 'NR > 1 { printf "%6d s  %s\n", $$1 - at, name } \
		{ if (!from) from = $$1; at = $$1; name = substr($$0, length($$1) + 2) } \
		END { printf "%6d s  together\n", at - from }' $(SECTIONS)

from-now:
	@rm -f $(SECTIONS)

lint: .venv/.ready ## style
	$(call title,lint)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/ruff format --check $(CODE)

types: .venv/.ready ## static types
	$(call title,types)
	@$(BIN)/mypy $(TYPED)

template: .venv/.ready ## the template: linted, and what must hold of it
	$(call title,template)
	@$(BIN)/cfn-lint template.yaml
	@$(BIN)/pytest tests/template -n 2 $(ARGS)

unit: .venv/.ready ## memory only, no network
	$(call title,unit)
	@$(BIN)/pytest tests/unit -n 2 $(ARGS)

packaging: .venv/.ready ## the wheel: built, installed and used without network
	$(call title,packaging)
	@$(BIN)/pytest tests/packaging $(ARGS)

contract: setup ## each client against its vendor's sandbox
	$(call title,contract)
	@$(BIN)/pytest tests/contract -n 2 $(ARGS)

e2e: setup .venv-sam/.ready layer-local ## the real template on the local stack
	$(call title,e2e)
	@$(BIN)/pytest tests/e2e -n 6 $(ARGS) # they wait more than they compute

budgets: setup layer-local ## what imports, memory, calls and AWS may cost: see docs/performance.md
	$(call title,budgets)
	@$(BIN)/pytest tests/budgets -m 'not timed' -n 2 --dist loadfile $(ARGS)
	@$(BIN)/pytest tests/budgets -m timed $(ARGS) # one after the other: two at once would time each other

simulation-some: .venv/.ready
	$(call title,simulation)
	@SECONDS=80 HISTORIES=80 $(BIN)/pytest tests/simulation -m 'not weakenings' $(ARGS) # it uses both cores itself

simulation: .venv/.ready ## the whole product under seeded faults: 300 histories
	$(call title,simulation)
	@$(BIN)/pytest tests/simulation -m 'not weakenings' $(ARGS) # it uses both cores itself

weakenings: .venv/.ready ## that the checker can fail: the product with one safeguard taken out at a time
	$(call title,weakenings)
	@$(BIN)/pytest tests/simulation/test_weakenings.py -n 2 $(ARGS)

simulate: .venv/.ready ## more histories, with figures: make simulate SEEDS=10000 FROM=0 [ERP=sap_b1]
	@$(BIN)/python -m tests.simulation --seeds $(or $(SEEDS),1000) --from $(or $(FROM),0) $(if $(ERP),--erp $(ERP)) $(ARGS)

explore: .venv/.ready ## every event in one document's life: make explore ERP=syspro [DEPTH=2] [PART=0/10] [ARGS=--one-in=100]
	@$(BIN)/python -m tests.exploration --erp $(ERP) --depth $(or $(DEPTH),1) --part $(or $(PART),0/1) $(ARGS)

explore-some: .venv/.ready ## a rotating few of these events, for each ERP
	$(call title,exploration)
	@$(BIN)/pytest tests/exploration -n 2 $(ARGS)

property: .venv/.ready ## laws of the small parts, tried with drawn examples
	$(call title,property)
	@$(BIN)/pytest tests/property -n 2 $(ARGS)

fuzz-some: .venv/.ready
	$(call title,fuzz)
	@$(BIN)/pytest tests/fuzz -n 2 $(ARGS)

fuzz: .venv/.ready ## 100,000 spoilt inputs from a new seed: webhooks, secrets, vendors' answers
	$(call title,fuzz)
	@$(BIN)/python -m tests.fuzz $(ARGS)

sam-validate: .venv-sam/.ready ## the template as the SAM command line sees it
	$(call title,sam validate)
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam validate --lint --template template.yaml

fmt: .venv/.ready ## format and fix what can be fixed
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

layer: .venv/.ready ## the layer for Lambda: Linux arm64, Python 3.13 (one must be here, to compile it)
	@$(BIN)/python -m infra.local.layer .build/layer $(if $(PYTHON_LAMBDA),--python $(PYTHON_LAMBDA))

layer-local: .venv/.ready ## the layer with this interpreter's wheels, for the local stack
	@$(BIN)/python -m infra.local.layer .build/layer-local --local

deploy: layer .venv-sam/.ready ## to AWS, as samconfig.toml says
	@.venv-sam/bin/sam deploy $(ARGS)

lock: ## pin requirements/*.in again, with hashes and without addresses
	@for name in $(LOCKS); do $(UV) pip compile --quiet --generate-hashes --universal --python-version 3.11 \
		--no-header --no-annotate --no-emit-index-url $(ARGS) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean: ## everything that was made here
	@rm -rf .venv .venv-ministack .venv-lambda .venv-sam .build .aws-sam .demo .mypy_cache .ruff_cache .pytest_cache
