# Every command starts here; `make help` lists them.
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup setup-test demo up test check fuzz bench load chaos lock clean

help: ## List the commands
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1|/p' $(MAKEFILE_LIST) | awk -F '|' '{ printf "  make %-11s %s\n", $$1, $$2 }'

setup: ## Make .venv, and find or install what the system must have
	@scripts/setup

setup-test: ## The same with what only the tests need
	@scripts/setup --test

demo: setup ## Make a video of the bundled sample: out/demo.mp4
	@$(BIN)/ethereal demo

up: setup ## Run everything on this machine until Ctrl-C
	@$(BIN)/ethereal up

test: setup-test ## Run all tests, on all cores; one file: make test ARGS=tests/unit/test_x.py
	$(BIN)/pytest $(or $(ARGS),-n logical --maxprocesses 4 --dist loadfile)

check: setup ## Format, lint, types, the arrows between the floors, known vulnerabilities
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python scripts/audit.py

fuzz: setup-test ## Send the API what nobody would, for five minutes: make fuzz ARGS="600 2" (seconds, seed)
	@$(BIN)/python -m tests.fuzz $(ARGS)

bench: setup ## Measure speed, memory and start-up here; into bench/results/bench.json
	@$(BIN)/ethereal bench $(ARGS)

load: setup-test ## Queue 1,000 jobs; then clients poll, follow and submit for 5 minutes; into bench/results/load.json
	@$(BIN)/python bench/load.py $(ARGS)

chaos: setup-test ## 2,000 jobs under 300 random faults, beside plain Celery; into bench/results/chaos.json
	$(BIN)/python -m bench.chaos $(ARGS)

lock: setup ## Resolve requirements.lock from pyproject.toml; newest versions: make lock ARGS=--upgrade
	@PATH="$(CURDIR)/$(BIN):$$PATH" sh -c 'command -v uv' >/dev/null || $(BIN)/pip install --quiet uv
	PATH="$(CURDIR)/$(BIN):$$PATH" uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
	  --generate-hashes --no-header --no-emit-index-url --quiet $(ARGS) --output-file requirements.lock

clean: ## Remove what was made, .venv too; jobs and videos stay
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
	find ethereal tasks web tests -name __pycache__ -type d -exec rm -rf {} +
