# Two commands need nothing but Python 3.11 or newer: `make app` and `make test`.

PYTHON ?= python3
PORT ?= 8501
VENV := .venv
BIN := $(VENV)/bin
RUN := $(BIN)/python -m
INSTALL := $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes
COMPILE := $(BIN)/uv --no-config pip compile --quiet --universal --python-version 3.11 \
	--fork-strategy fewest --generate-hashes --no-emit-index-url --custom-compile-command "make lock" $(LOCK_FLAGS)
PYTEST := $(RUN) pytest

.DELETE_ON_ERROR:
.PHONY: help app test lint docs soak sweep oracle bench lock sbom clean

help:
	@echo "make app    open the dashboard on http://127.0.0.1:$(PORT) (PORT=… for another)"
	@echo "make test   lint, types and the everyday suite"
	@echo "make docs   the documentation as pages, in build/docs"
	@echo "make soak   long load, memory and fault runs"
	@echo "make sweep  long property and parity sweeps"
	@echo "make reliability  what all of these recorded, as docs/reliability.md"
	@echo "make oracle simulated pools anew, and the report that compares them (some ten minutes)"
	@echo "make mutate which small faults in the engine its tests would notice (a quarter of an hour)"
	@echo "make bench  speed of the engine and of a page"
	@echo "make sbom   what a hosted installation is made of, and under which licences, in build/"
	@echo "make lock   renew the lock files (LOCK_FLAGS=--upgrade for newer versions)"
	@echo "make clean  remove the environment and every cache"

app: $(VENV)/app.stamp
	$(RUN) streamlit run app.py --server.address 127.0.0.1 --server.port $(PORT) \
		--server.headless $(if $(CI),true,false)

test: lint
	$(PYTEST) -n 2 --dist loadfile

lint: $(VENV)/test.stamp
	$(RUN) ruff check .
	$(RUN) ruff format --check .
	$(RUN) mypy

# What the reference says of the code is renewed first.
docs: $(VENV)/docs.stamp
	$(RUN) docs.site
	$(RUN) sphinx -c docs -d build/doctrees --fail-on-warning --keep-going --nitpicky . build/docs

# What they record is kept in build/, for `make reliability`.
soak sweep: $(VENV)/test.stamp
	$(PYTEST) -m $@ --hypothesis-profile $@ --junitxml=build/$@.xml

reliability: $(VENV)/test.stamp
	$(PYTEST) -n 2 --dist loadfile --junitxml=build/everyday.xml
	$(PYTEST) benchmarks -k l2 --benchmark-enable --junitxml=build/bench.xml
	$(RUN) tests.reliability build/*.xml > docs/reliability.md.new && mv docs/reliability.md.new docs/reliability.md

# What the simulator shows is kept; the report sets the closed forms beside it.
SIMULATED := hardware_catalog/measured/simulated.csv

oracle: $(VENV)/test.stamp
	$(RUN) tests.oracle.comparison > $(SIMULATED).new && mv $(SIMULATED).new $(SIMULATED)
	$(RUN) planner validate -o docs/validation.md

# Faults are put into a copy, mutants/, anew each time.
mutate: $(VENV)/test.stamp
	rm -rf mutants
	nice $(RUN) tests.mutants run --max-children 1
	$(RUN) tests.mutants report > docs/mutation.md.new && mv docs/mutation.md.new docs/mutation.md

bench: $(VENV)/test.stamp
	$(PYTEST) benchmarks --benchmark-enable --benchmark-only --benchmark-columns=min,median,max,rounds

sbom: requirements-hosted.lock $(VENV)/test.stamp
	mkdir -p build
	$(RUN) cyclonedx_py requirements $< --output-reproducible -o build/sbom.json
	$(RUN) piplicenses --packages $$(sed -n 's/^\([a-z0-9._-]*\)\(\[.*\]\)\{0,1\}==.*/\1/p' $<) \
		--format=markdown --with-urls --output-file=build/licences.md

# Each lock stands on the one before it, so every environment runs the same base.
lock: $(BIN)/uv
	$(COMPILE) --group uv -o requirements-uv.lock
	$(COMPILE) -o requirements.lock pyproject.toml
	for extra in docs hosted postgres spark test; do \
		$(COMPILE) -c requirements.lock --extra $$extra -o requirements-$$extra.lock pyproject.toml \
		|| exit 1; \
	done

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache .hypothesis .benchmarks test-results mutants
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/uv: requirements-uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "Switchyard needs Python 3.11 or newer as $(PYTHON); name another with make PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) lacks the venv module; install it (Debian: apt-get install python3-venv) or name another Python with make PYTHON=…" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(RUN) pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

$(VENV)/app.stamp: requirements.lock | $(BIN)/uv
	$(INSTALL) -r requirements.lock
	@touch $@

$(VENV)/docs.stamp: requirements-docs.lock | $(BIN)/uv
	$(INSTALL) -r requirements-docs.lock
	@touch $@ $(VENV)/app.stamp

$(VENV)/test.stamp: requirements-test.lock | $(BIN)/uv
	$(INSTALL) -r requirements-test.lock
	@touch $@ $(VENV)/app.stamp $(VENV)/docs.stamp
