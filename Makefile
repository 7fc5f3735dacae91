# The one entry. Every step leaves a stamp in build/stamps and runs again only when its inputs changed.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

PYTHON ?= python3
PAYMENTS ?= examples/payments.csv
TESTS ?= tests
# Tests that share an anvil or a key carry the same xdist_group and so run in one worker. Twice as many workers as cores:
# many tests wait for chains, clocks and disks.
PYTEST_ARGS ?= -n 4 --dist loadgroup

BIN := .venv/bin
SLUICE := $(BIN)/sluice
STAMPS := build/stamps
# The same as rollup/toolchain.py sets for a plain `pytest` or `ape run`.
export PATH := $(CURDIR)/tools:$(CURDIR)/node_modules/.bin:$(CURDIR)/$(BIN):$(PATH)
export SOLCX_BINARY_PATH := $(CURDIR)/tools/solcx
export PIP_DISABLE_PIP_VERSION_CHECK := 1

# Paths that exist are inputs; a layer that is not there yet is none.
sources = $(shell find $(wildcard $(1)) -type f \( -name '$(2)' \) -not -path '*/generated/*' -not -path '*/target/*' 2>/dev/null)
NATIVE := $(call sources,native,*.rs) native/Cargo.toml native/Cargo.lock .cargo/config.toml pyproject.toml
CIRCUITS := $(call sources,circuits rollup/circuits,*.circom' -o -name '*.py) rollup/core/constants.py
CONTRACTS := $(call sources,contracts,*.sol) ape-config.yaml rollup/core/constants.py
# `sluice build circuits|keys|contracts`, each again a no-op when the content of its inputs is unchanged.
ARTEFACTS := $(if $(wildcard rollup/cli/main.py),circuits keys contracts)

# Named by content, not dated: a checkout or rebase re-dates these locks, and the packages cost minutes.
digest = $(shell cat $(1) | sha256sum | cut -c1-16)
VENV := $(STAMPS)/venv-$(call digest,requirements.txt)
# halmos needs another eth-hash than ape, so it has an environment of its own.
HALMOS := $(STAMPS)/halmos-$(call digest,requirements-halmos.txt)
# Four minutes of a CPU to build, so only the long tests have it.
CIRCOMSPECT_VERSION := 0.9.0
CIRCOMSPECT := $(STAMPS)/circomspect-$(CIRCOMSPECT_VERSION)
NPM := $(STAMPS)/npm-$(call digest,package.json package-lock.json .npmrc)

# $(call step,what it does,command): runs it, says how long it took, leaves the stamp.
define step
@mkdir -p $(STAMPS); echo "==> $(1)"; start=$$SECONDS; $(2); echo "    $$((SECONDS - start)) s"; touch $@
endef

.PHONY: help setup check demo test test-long gas bench lint format lock clean circuits keys contracts circomspect
help: ## show this
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 20

check:
	@PYTHON=$(PYTHON) tools/check

setup: check $(STAMPS)/native $(NPM) $(ARTEFACTS:%=$(STAMPS)/%) ## everything that demo and test need

demo: setup ## the main job on PAYMENTS=file.csv
	$(SLUICE) demo --payments "$(PAYMENTS)"

test: setup $(HALMOS) $(if $(filter tests,$(TESTS)),$(STAMPS)/kernels) ## every test but the long ones; TESTS=path narrows
	$(BIN)/pytest $(PYTEST_ARGS) -m "not long" $(TESTS)

test-long: setup $(HALMOS) $(CIRCOMSPECT) ## every test
	cd native && LANE_CASES=10000000 $(KERNEL_TESTS)
	$(BIN)/pytest $(PYTEST_ARGS) $(TESTS)

gas: setup ## measure tests/contracts/gas.json anew; README's figures follow
	$(BIN)/pytest --write-gas tests/contracts/test_rollup_gas.py
	$(BIN)/python -m bench.page

bench: setup ## measure; results go to bench/results
	$(SLUICE) bench

lint: check $(VENV) $(NPM) ## ruff, mypy, clippy, rustfmt, forge fmt
	@PYTHON=$(PYTHON) tools/check lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict rollup
	cd native && cargo clippy --locked --all-targets -- -D warnings
	cd native && cargo fmt --check
	forge fmt --check contracts tests/forge

format: $(VENV) $(NPM) ## what lint asks for, where a tool can do it
	$(BIN)/ruff check --fix-only
	$(BIN)/ruff format
	cd native && cargo fmt
	forge fmt contracts tests/forge

# --no-deps at install: the file is the whole closure, for every Python from 3.11 on, so pip has nothing to resolve.
lock: ## refresh the Python lock file from pyproject.toml
	$(PYTHON) -m venv build/lock && build/lock/bin/pip install -q uv
	build/lock/bin/uv pip compile pyproject.toml --quiet --extra ape --extra dev --extra node --universal --python-version 3.11 \
	  --override requirements-overrides.txt --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	  --custom-compile-command 'make lock' -o requirements.txt
	echo halmos==0.3.3 | build/lock/bin/uv pip compile - --quiet --universal --python-version 3.11 \
	  --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate \
	  --custom-compile-command 'make lock' -o requirements-halmos.txt

clean: ## remove all that was built; venv and npm packages too
	rm -rf build .venv node_modules native/target rollup/_native*.so

circuits keys contracts: %: $(STAMPS)/%

circomspect: $(CIRCOMSPECT)

# `check` comes first, but as an order-only input: it must not make anything out of date.
$(VENV): | check
	$(call step,Python packages,rm -rf .venv $(STAMPS)/venv-* && $(PYTHON) -m venv .venv && $(BIN)/pip install -q --require-hashes --no-deps -r requirements.txt)

$(HALMOS): | check
	$(call step,halmos,rm -rf build/halmos $(STAMPS)/halmos-* && $(PYTHON) -m venv build/halmos && build/halmos/bin/pip install -q --require-hashes --no-deps -r requirements-halmos.txt)

$(CIRCOMSPECT): | check
	$(call step,circomspect,rm -rf build/circomspect $(STAMPS)/circomspect-* && cargo install --quiet --locked --root build/circomspect --version $(CIRCOMSPECT_VERSION) circomspect)

$(NPM): | check
	$(call step,npm packages,rm -f $(STAMPS)/npm-* && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)

$(STAMPS)/native: $(NATIVE) $(VENV)
	$(call step,native extension,$(BIN)/pip install -q --no-deps --no-build-isolation --config-settings=build-args=--locked -e .)

# Every kind of field arithmetic against arkworks, and what else is tested in Rust. What this machine cannot run is named by a line with SKIPPED.
KERNEL_TESTS := cargo test --release --locked --lib -- --show-output

$(STAMPS)/kernels: $(NATIVE)
	$(call step,native tests,(cd native && $(KERNEL_TESTS)))

$(STAMPS)/circuits: $(CIRCUITS) $(NPM) $(STAMPS)/native
	$(call step,circuits,$(SLUICE) build constants && $(SLUICE) build circuits)

$(STAMPS)/keys: $(STAMPS)/circuits
	$(call step,development keys,$(SLUICE) build keys)

$(STAMPS)/contracts: $(CONTRACTS) $(STAMPS)/keys
	$(call step,contracts,$(SLUICE) build contracts)
