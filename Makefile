# A menu: short names for what CMake, the presets and scripts/ do.  `make help` lists it.
.DEFAULT_GOAL := release
.PHONY: help release demo check test asan tsan fuzz bench coverage format lint docs mutants install clean

PREFIX ?= /usr/local
SECONDS ?= 60

help: ## this list
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  \1\t/' | expand -t 14

release: ## build what is installed and measured, in build/release
	scripts/install-packages build engine server optional
	cmake --preset release
	cmake --build --preset release
	scripts/check-size

demo: ## recognize a digit with `quern run`, then by asking `quern serve`
	scripts/demo

check: ## what a reviewer would run: build, tests, checks; ends with the counts
	scripts/install-packages
	scripts/check

test: ## the C tests of a debug build
	scripts/check dev

asan: ## C tests under address and undefined-behaviour sanitizers
	scripts/check asan

tsan: ## tests of what has threads, under the thread sanitizer
	scripts/check tsan

fuzz: ## every fuzzer for SECONDS (60)
	scripts/fuzz $(SECONDS)

bench: ## the benchmarks, of a release build
	scripts/bench

coverage: ## which lines the tests reach, per folder
	scripts/coverage

format: ## format all C files
	git ls-files '*.c' '*.h' | grep -v '_table\.h$$' | xargs clang-format -i

lint: ## formatting and clang-tidy
	scripts/check format lint

docs: ## rewrite the pages that are printed from tables, check links
	scripts/docs
	scripts/check-docs

mutants: ## corrupt one table row after the other; do the tests notice?
	scripts/mutants

install: release ## install into PREFIX (/usr/local)
	cmake --install build/release --prefix $(PREFIX) --strip

clean: ## remove all builds
	rm -rf build
