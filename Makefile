# The two commands of the README, and the longer ones. Everything is done by scripts/ and CMake; this file only names it.
SHELL := /bin/bash
HOME_DIR ?= .sallyport

.PHONY: run build test unit e2e bench lint format fuzz setup clean

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

bench: ## side by side with plain nginx; prints ratios
	@scripts/setup --bench
	@scripts/build release sallyport
	@bench/run

lint: ## clang-format and clang-tidy on changed files
	@scripts/lint

fuzz: ## every fuzz target for FUZZ_SECONDS (60) each
	@scripts/setup --tests
	@scripts/fuzz

clean:
	rm -rf build
