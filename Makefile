# The only front door: everything a person or a machine does with this project starts here.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-test run test schemas soak bench dist clean-data

ADMIN := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
WASM := wasm32-unknown-unknown
CHROMIUM := chromium chromium-browser google-chrome google-chrome-stable
# Stripe's own libraries, which judge the emulator.
JUDGES := emulator/tests/sdk
PYTHON_JUDGE := target/sdk-python
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD := 1

# $(call install,<Debian package>,<Homebrew arguments>): from whichever is there.
define install
	if command -v apt-get >/dev/null; then \
		echo "Installing $(1) with apt-get"; \
		if [ -n "$(ADMIN)" ] && ! command -v sudo >/dev/null; then \
			echo "$(1) is missing: run 'apt-get install $(1)' as root, then try again." >&2; exit 1; fi; \
		export DEBIAN_FRONTEND=noninteractive; \
		$(ADMIN) apt-get install -qq -y --no-install-recommends $(1) >/dev/null 2>&1 \
		|| { $(ADMIN) apt-get update -qq && $(ADMIN) apt-get install -qq -y --no-install-recommends $(1) >/dev/null; } \
		|| { echo "apt-get could not install $(1): install it, then try again." >&2; exit 1; }; \
	elif command -v brew >/dev/null; then \
		echo "Installing $(1) with Homebrew"; brew install --quiet $(2); \
	else \
		echo "$(1) is missing, and there is neither apt-get nor brew: install it, then try again." >&2; exit 1; \
	fi
endef

# $(call need,<tool>,<what to do>)
need = command -v $(1) >/dev/null || { echo "$(1) is missing: $(2)" >&2; exit 1; }

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what the app needs and is missing: the wasm target, redis-server
	@$(call need,cargo,install Rust from https://rustup.rs)
	@cargo --version >/dev/null 2>&1 || { $(call need,rustup,install Rust from https://rustup.rs); rustup toolchain install stable --no-self-update --profile minimal --component clippy,rustfmt; }
	@libdir=$$(rustc --print target-libdir --target $(WASM)); if [ ! -d "$$libdir" ]; then \
		$(call need,rustup,install the target $(WASM) for your Rust); rustup target add $(WASM); fi
	@command -v redis-server >/dev/null || { $(call install,redis-server,redis); }

setup-test: setup ## install what the tests need besides: Chromium, the packages of end2end, and Stripe's libraries
	@$(call need,npm,install Node.js 20.11 or newer from https://nodejs.org)
	@$(call need,python3,install Python 3.10 or newer)
	@for name in $(CHROMIUM); do command -v $$name >/dev/null && exit 0; done; \
		[ -d "/Applications/Google Chrome.app" ] || { $(call install,chromium,--cask google-chrome); }
	@for packages in end2end $(JUDGES)/node; do (cd $$packages && \
		if [ package-lock.json -nt node_modules/.package-lock.json ]; then npm ci --no-audit --no-fund --loglevel=error; fi); done
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { $(call install,python3-venv,python3); }
	@if [ $(JUDGES)/python/requirements.txt -nt $(PYTHON_JUDGE)/installed ]; then \
		python3 -m venv --clear $(PYTHON_JUDGE) \
		&& $(PYTHON_JUDGE)/bin/pip install --quiet --disable-pip-version-check -r $(JUDGES)/python/requirements.txt \
		&& touch $(PYTHON_JUDGE)/installed; fi

run: setup ## build everything and start Redis, the Stripe emulator and the app
	@cargo xtask build
	@target/debug/unsplit dev --with-parent

test: setup setup-test ## formatting, clippy, all Rust tests, Stripe's libraries against the emulator, and the browser tests
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy --lib --target $(WASM) --no-default-features --features hydrate --target-dir target/wasm -- -D warnings
	cargo test --workspace
	cd $(JUDGES)/node && npm test --silent
	$(PYTHON_JUDGE)/bin/python -m unittest discover -s $(JUDGES)/python
	cargo xtask build
	cd end2end && npx tsc && npx playwright test
	@if command -v cargo-leptos >/dev/null && command -v wasm-bindgen >/dev/null; then cargo leptos build; fi

schemas: setup-test ## derive emulator/tests/schemas anew from the types of Stripe's library
	@cd $(JUDGES)/node && npm run --silent schemas

bench: setup ## measure Unsplit beside its peers, and write bench/RESULTS.md (half an hour after the release build)
	@$(call need,python3,install Python 3.9 or newer)
	@$(call need,npm,install Node.js 20.9 or newer from https://nodejs.org)
	@[ -d /proc/self ] || { echo "make bench reads /proc: run it on Linux" >&2; exit 1; }
	@command -v wrk >/dev/null || { $(call install,wrk,wrk); }
	@cd bench/peers/theo-next && npm ci --no-audit --no-fund --loglevel=error && NEXT_TELEMETRY_DISABLED=1 npm run --silent build >/dev/null
	@python3 -c 'import ensurepip, venv' 2>/dev/null || { $(call install,python3-venv,python3); }
	@peer=$${CARGO_TARGET_DIR:-target}/bench/localstripe; [ -x $$peer/bin/localstripe ] || { python3 -m venv $$peer \
		&& $$peer/bin/pip install --quiet --disable-pip-version-check localstripe==1.15.10; }
	cargo build --release -p unsplit -p stripe-emulator --bins
	for peer in bare sample; do cargo build --release --manifest-path bench/peers/$$peer/Cargo.toml --target-dir "$${CARGO_TARGET_DIR:-target}"; done
	python3 bench/run.py $(BENCH)

soak: setup ## ten thousand random storms and two hundred kills, for half an hour
	SCHEDULES=10000 KILLS=200 cargo test --test suite -- storm kills --nocapture

dist: setup ## build the optimised server and client into dist/, which runs anywhere with a Redis
	@cargo xtask dist
	@bytes=$$(cat dist/site/pkg/*.js dist/site/pkg/*.wasm | gzip -6c | wc -c); \
		[ $$bytes -le 80000 ] || { echo "the client has $$bytes bytes gzipped, and 80000 are allowed" >&2; exit 1; }
	@echo "dist/ is ready; dist/RUN.txt says how to run it"

clean-data: ## forget all data of `make run`: accounts, Redis, and the emulator's Stripe
	@rm -rf .data
