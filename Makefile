# The two commands of the README, and the longer ones. Everything is done by scripts/ and CMake; this file only names it.
SHELL := /bin/bash
HOME_DIR ?= .sallyport

.PHONY: run build test vault-test soak faults bench train lint fuzz api-fuzz clean

run: ## install what is missing, build, prepare ./.sallyport, serve on 127.0.0.1:8000
	@scripts/setup
	@scripts/build release sallyport sallyport-calculator
	@scripts/run $(HOME_DIR)

build: ## build the release binaries
	@scripts/setup
	@scripts/build release

test: ## the whole test suite; what .ci/run calls
	@scripts/setup --tests
	@scripts/test

vault-test: ## the vault against a real HashiCorp Vault (KV version 2, transit), built from its Go module; not part of `test`
	@scripts/setup --tests
	@scripts/go-vault
	@scripts/build release sallyport sallyport-calculator
	@SALLYPORT_BIN=build/release/bin/sallyport python3 tests/run.py tests/vault/kv_real.py tests/vault/transit_real.py

soak: ## 200 clients of every revision for SOAK_SECONDS (600), a tool server dying every 10 s; not part of `test`
	@scripts/setup --tests
	@scripts/build release sallyport sallyport-calculator
	@scripts/npm-ci tests/e2e/node
	@python3 tests/soak/soak.py

faults: ## killed at FAULT_RUNS (10000) steps of keys, vault, backup and restore, what is left is opened again; not part of `test`
	@scripts/setup --tests
	@scripts/faults

bench: ## side by side with plain nginx, between the eras beside within one, beside a flood of logins, a decision beside OPA's, TLS beside nginx's; prints ratios
	@scripts/setup --bench
	@scripts/build release sallyport sallyport-calculator
	@bench/run
	@bench/bridged
	@bench/logins
	@bench/policy
	@bench/lists
	@bench/tls

train: ## measure anew which code a call runs through: bench/calls.profdata, by which the release build is laid out
	@scripts/setup --bench
	@bench/train

lint: ## clang-format and clang-tidy on changed files
	@scripts/lint

fuzz: ## every fuzz target for FUZZ_SECONDS (60) each
	@scripts/setup --tests
	@scripts/fuzz

api-fuzz: ## schemathesis against a live gateway, from its own /openapi.json, API_FUZZ_SECONDS (120) a caller; not part of `test`
	@scripts/setup --api-fuzz
	@scripts/build release sallyport sallyport-calculator
	@scripts/pip-venv build/schemathesis tests/api_fuzz/requirements.txt
	@python3 tests/api_fuzz/api_fuzz.py

clean:
	rm -rf build
