# The commands of this project; `make` lists them. Needs only Python 3.11 or newer with venv, and make.
# `make run PORT=8001`, `make run PYTHON=python3.13`, `make test ARGS="-k release"`

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
ARGS ?=
# Apart, as what it needs would meddle with the tests.
LOAD_VENV ?= .venv-load

# uv installs in seconds where it is at hand; nobody needs it.
ifneq ($(shell command -v uv 2>/dev/null),)
INSTALL := uv pip install --quiet --compile-bytecode --python $(PY)
else
INSTALL := $(PY) -m pip install --quiet --disable-pip-version-check
endif

# An interpreter that was removed, or an environment that was moved or left half made: make it anew.
ifneq ($(shell $(PY) -c "import pip, sys; print(sys.version_info >= (3, 11))" 2>/dev/null),True)
$(shell rm -f $(VENV)/.made)
endif

# Types and imports are checked without a database; these only let the settings be read.
WITHOUT_DATABASE := ESCROW_LOCAL=1 DATABASE_URL=postgres://nowhere/none REDIS_URL=redis://nowhere

.DEFAULT_GOAL := help
.PHONY: help run test check format demo bench audit docs shell clean pins audit-dependencies sbom load

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-19s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/.run ## set up what is missing, start everything, stop it with Ctrl-C
	@$(PY) -m escrow_site.local run

test: $(VENV)/.test ## set up what the tests need and run all of them
	@$(PY) -m scripts.install_chromium
	$(PY) -m pytest -n auto $(ARGS)

check: $(VENV)/.test ## style, types, direction of imports, migrations, templates, generated pages
	$(PY) -m ruff check --output-format concise .
	$(PY) -m ruff format --check .
	$(WITHOUT_DATABASE) $(PY) -m mypy
	$(PY) $(VENV)/bin/lint-imports
	$(PY) manage.py check --fail-level WARNING
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) manage.py check_templates
	$(PY) manage.py generate_states --check
	@$(PY) -m scripts.audit_dependencies

format: $(VENV)/.test ## put the code in the order that `make check` wants
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

demo: $(VENV)/.run ## add the demo people and Jobs
	$(PY) manage.py demo $(ARGS)

bench: $(VENV)/.run ## measure against docs/performance.md
	$(PY) -m bench $(ARGS)

load: $(LOAD_VENV)/.made ## fifty people at work while the worker is killed and the database restarted
	@$(LOAD_VENV)/bin/python -m load $(ARGS)

audit: $(VENV)/.run ## prove that every balance, state and document agrees with the ledger
	$(PY) manage.py audit_ledger $(ARGS)

audit-dependencies: $(VENV)/.test ## no pinned package has a known weakness (part of `make check`)
	@$(PY) -m scripts.audit_dependencies

SBOM ?= sbom.json
sbom: $(VENV)/.test ## list what a server installs, for scanners (CycloneDX, sbom.json)
	@$(VENV)/bin/cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible \
	  --output-file $(SBOM) requirements.txt
	@echo "Written: $(SBOM)"

docs: $(VENV)/.run ## write the pages that are generated from the code
	$(PY) manage.py generate_states > docs/states.md.new
	mv docs/states.md.new docs/states.md

shell: $(VENV)/.run ## a Python prompt with the models loaded
	$(PY) manage.py shell

clean: ## remove what can be made again; your data in .local stays
	rm -rf $(VENV) $(LOAD_VENV) staticfiles .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf .local/tests screenshots test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

pins: $(VENV)/.made ## compile requirements*.txt from requirements*.in
	$(PY) -m pip install --quiet --disable-pip-version-check uv
	for name in requirements requirements-dev requirements-load; do \
	  $(PY) -m uv pip compile --quiet --universal --fork-strategy fewest --python-version 3.11 \
	    --generate-hashes --no-annotate --upgrade --custom-compile-command "make pins" \
	    $$name.in --output-file $$name.txt || exit 1; \
	done

$(LOAD_VENV)/.made: requirements-load.txt
	@echo "Setting up the load run (about a minute, once) ..."
	@$(PYTHON) -m venv --clear $(LOAD_VENV)
	@$(LOAD_VENV)/bin/python -m pip install --quiet --disable-pip-version-check \
	  --require-hashes -r requirements-load.txt
	@touch $@

# The marks are made last: whatever was interrupted is done again.
$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.13 ...")'
	@echo "Setting up (about a minute, once) ..."
	@$(PYTHON) -m venv --clear $(VENV) || { echo "On Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@touch $@

$(VENV)/.run: requirements.txt $(VENV)/.made
	@$(INSTALL) --require-hashes -r requirements.txt
	@touch $@

$(VENV)/.test: requirements-dev.txt $(VENV)/.made
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@touch $(VENV)/.run $@
