# Every target makes the environment it needs; `make demo` and `make test` are all a newcomer has to know.
PYTHON_BENCH = $(shell ./samplemind --environment bench)
PYTHON_DEV = $(shell ./samplemind --environment dev)
PYTHON_AUDIT = $(shell SAMPLEMIND_VENV=$(CURDIR)/.venv-audit ./samplemind --environment audit)
PYTHON_DOCS = $(shell SAMPLEMIND_VENV=$(CURDIR)/.venv-docs ./samplemind --environment docs)

.DEFAULT_GOAL := help
.PHONY: help demo up web web-if-node web-types test test-unit lint format bench accuracy faults safeguards coverage requirements audit sbom manifests docs compare fuzz clean

help: ## Show what there is
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

demo: web-if-node ## Start the whole cluster here, analyse a small library, show the result
	./samplemind demo $(if $(LIBRARY),--library "$(LIBRARY)") $(if $(EXIT),--exit) $(ARGS)

up: ## Start the whole cluster here and keep it up
	./samplemind up $(ARGS)

web: web/dist/index.html ## Build the web app (needs Node.js 20.19 or newer)

WEB_SOURCES = $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist*' -not -path 'web/public/*' -not -name schema.d.ts)

web/node_modules/.package-lock.json: web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error --fetch-timeout=60000 --fetch-retries=1
	@touch $@

web/dist/index.html: web/node_modules/.package-lock.json $(WEB_SOURCES)
	cd web && npm run --silent build
	@touch $@

web-if-node:
	@if node -e 'process.exit(+process.versions.node.split(".")[0] < 20 ? 1 : 0)' 2>/dev/null && command -v npm >/dev/null; then \
		$(MAKE) --no-print-directory web || echo "The web app could not be built (see above); the gateway has a small page of its own."; \
	else echo "There is no Node.js 20 here, so the web app is not built; the gateway has a small page of its own."; fi

web-types: ## Take over a change of the API into the web app's types
	$(PYTHON_DEV) -m api.describe > web/openapi.json

test: web-if-node ## Install and pass every test, in two runs side by side; make test ARGS=tests/api runs those
	$(PYTHON_DEV) -m $(if $(ARGS),pytest $(ARGS),tests.halves)

test-unit: ## The tests that need no server: seconds
	$(PYTHON_DEV) -m pytest -m "not integration and not faults and not browser" $(ARGS)

lint: ## Style, types, floors
	$(PYTHON_DEV) -m ruff check .
	$(PYTHON_DEV) -m ruff format --check .
	$(PYTHON_DEV) -m mypy
	$(dir $(PYTHON_DEV))lint-imports

format: ## Mend style
	$(PYTHON_DEV) -m ruff check --fix .
	$(PYTHON_DEV) -m ruff format .

bench: ## Measure everything against what it is compared with, and write docs/performance.md (with LABELS= docs/accuracy.md too)
	$(PYTHON_BENCH) -m benchmarks.performance_page $(ARGS)
	$(if $(LABELS),$(PYTHON_BENCH) -m benchmarks.accuracy $(LABELS) --doc docs/accuracy.md)

compare: ## This tree against another commit, in turns: make compare BASE=origin/main; exits 1 where it is slower or less right
	$(PYTHON_DEV) -m benchmarks.compare --base $(or $(BASE),origin/main) $(ARGS)

accuracy: ## How right it is on labelled audio: make accuracy LABELS=held=labels.csv; writes docs/accuracy.md
	$(PYTHON_BENCH) -m benchmarks.accuracy $(LABELS) --doc docs/accuracy.md $(ARGS)

faults: ## Every fault of the matrix with ten seeds and 5,000 files: hours, goes on where it was stopped; writes docs/reliability.md
	$(PYTHON_DEV) -m tests.faults --page docs/reliability.md $(ARGS)

safeguards: ## Each of those faults with the safeguard against it switched off: what holds the cluster up must be missed
	$(PYTHON_DEV) -m tests.faults --without --page docs/reliability.md $(ARGS)

coverage: ## What the kernels' tests reach, compiled and without the compiler
	$(PYTHON_DEV) -m pytest tests/workers/kernels -q --cov=workers/kernels --cov-report=
	NUMBA_DISABLE_JIT=1 $(PYTHON_DEV) -m pytest tests/workers/kernels -q --cov=workers/kernels --cov-append \
		--cov-report=term --cov-fail-under=95

requirements: ## Compile the hashed pins again
	UV=$(dir $(PYTHON_DEV))uv requirements/compile.sh $(ARGS)

manifests: ## Hold workflows, docker-compose.yml, deploy/k8s and the Dockerfile against their schemas and known mistakes
	$(dir $(PYTHON_AUDIT))zizmor --offline --quiet .github/workflows
	$(PYTHON_AUDIT) -m check_jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(PYTHON_AUDIT) -m check_jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(dir $(PYTHON_AUDIT))kubernetes-validate --strict --quiet $(filter-out %/kustomization.yaml %/scaling.yaml,$(wildcard deploy/k8s/*.yaml))
	$(dir $(PYTHON_AUDIT))hadolint --failure-threshold warning deploy/image/Dockerfile

docs: ## Build the documentation as a site, docs/_site/index.html; a link that leads nowhere fails
	$(PYTHON_DOCS) -m sphinx --fail-on-warning --keep-going --quiet --builder html docs docs/_site
	@echo "docs/_site/index.html"

audit: ## Ask the advisory service about every pin
	$(PYTHON_AUDIT) requirements/audit.py $(ARGS)

sbom: ## Write what each image holds into sbom/, as CycloneDX
	@mkdir -p sbom
	for group in gateway worker flower cluster; do $(PYTHON_AUDIT) -m cyclonedx_py requirements --pyproject pyproject.toml \
		--output-reproducible --of JSON -o sbom/$$group.cdx.json requirements/$$group.txt || exit 1; done

fuzz: ## Send the gateway what its description allows and what it does not, for minutes
	SAMPLEMIND_FUZZ_EXAMPLES=$(or $(EXAMPLES),300) $(PYTHON_DEV) -m pytest tests/api/test_security_fuzz.py $(ARGS)

clean: ## Remove the environment and caches (never your data)
	rm -rf .venv .venv.lock .venv-audit .venv-audit.lock .venv-docs .venv-docs.lock docs/_site sbom .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
