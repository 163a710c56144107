# FitSense. `make help` explains every target; `make demo` and `make test` need nothing done before.

PYTHON ?= python3
BIN := .venv/bin
DEMO_OUT ?= out
ENGINE ?=

.DEFAULT_GOAL := help
.PHONY: $(shell sed -nE "s/^([a-z-]+):.*/\1/p" $(firstword $(MAKEFILE_LIST)))

help:  ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-16s %s\n", $$1, $$2}'

setup: .venv/.ready  ## Make .venv with everything pinned; does nothing when nothing changed

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed; say make PYTHON=..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev,local]'
	@$(BIN)/python -m compileall -q deploy functions shared  # as pip does for what it installs: commands start faster
	@touch $@

demo: setup setup-trainer setup-vllm  ## The whole mission, 12 minutes: dataset, student, promotion, vLLM, a person; KEEP=1 leaves it running
	$(BIN)/python -m deploy.demo deploy/runs/tiny.yaml --out $(DEMO_OUT)

demo-student: setup setup-trainer  ## Its first part: a dataset, a student trained and judged, asked into dev and prod
	$(BIN)/python -m deploy.demo deploy/runs/tiny.yaml --no-serve --out $(DEMO_OUT)

demo-dataset: setup  ## Its beginning, in seconds: 200 synthetic people, four reports, and where to look
	$(BIN)/fitsense run deploy/runs/small.yaml --out $(DEMO_OUT)

test: setup check  ## Everything that CI runs: checks, then all tests: the slow ones and the trainer's, but not test-serving
	$(BIN)/pytest -q -n auto -m 'not serving'
	$(MAKE) check-terraform test-trainer

setup-trainer: trainer-job/.venv/.ready  ## Make the trainer's own environment: PyTorch and all, some minutes

trainer-job/.venv/.ready: trainer-job/requirements.txt
	$(PYTHON) -m venv trainer-job/.venv
	trainer-job/.venv/bin/pip install --quiet --disable-pip-version-check --requirement trainer-job/requirements.txt
	@touch $@

test-trainer: check-trainer  ## The trainer's tests, in the trainer's environment, the slow ones too
	PYTHONPATH=.:trainer-job trainer-job/.venv/bin/python -m pytest -q --import-mode=importlib --override-ini addopts=--strict-markers tests/unit/trainer_job

check-trainer: setup-trainer  ## Types of the trainer, in the trainer's environment
	trainer-job/.venv/bin/mypy --config-file trainer-job/mypy.ini

setup-vllm: vllm-vm/.venv/.ready  ## Make the model server's own environment, vLLM for CPUs: 3.4 GB, some minutes

# --no-deps, because the list is whole and vLLM asks for three packages that only exist as CUDA builds.
vllm-vm/.venv/.ready: vllm-vm/requirements.txt
	$(PYTHON) -m venv vllm-vm/.venv
	vllm-vm/.venv/bin/pip install --quiet --disable-pip-version-check --no-deps --requirement vllm-vm/requirements.txt
	@touch $@

test-serving: setup setup-trainer setup-vllm  ## A model trained, promoted, served and rolled back on real vLLM; some minutes
	$(BIN)/pytest -q -m serving tests/serving
	PYTHONPATH=.:trainer-job trainer-job/.venv/bin/python -m pytest -q --import-mode=importlib --override-ini addopts=--strict-markers tests/served_adapter

test-fast: setup  ## The quick tests only
	$(BIN)/pytest -q -n auto

check: setup  ## Lint, formatting, types, import rules, fresh schemas; changes nothing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m deploy.export_schemas --check

fix: setup  ## Format, and mend what the linter can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schemas: setup  ## Write schemas/ from the models
	$(BIN)/python -m deploy.export_schemas

constraints: setup  ## Pin the newest versions that fit pyproject.toml
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --no-header --no-annotate --extra dev --extra local pyproject.toml --output-file constraints.txt

# Of its own, because it pins a hundred packages.
.venv-checkov/.ready: deploy/terraform/.checkov.yaml
	$(PYTHON) -m venv .venv-checkov
	.venv-checkov/bin/pip install --quiet --disable-pip-version-check checkov==3.3.30
	@touch $@

infra-check: setup check-terraform  ## Terraform, images, skaffold, workflows and the rules they keep; says what it could not check
	$(BIN)/pytest -q -rs -n auto -m 'slow or not slow' tests/infra

# By hand, the real provider comes first where it can be downloaded; make test takes what needs no network.
infra-check: ENGINE := --provider

check-terraform: setup  ## The part of infra-check that is no test: each Terraform folder, checkov, the cost page
	@$(MAKE) --silent .venv-checkov/.ready || echo "checkov cannot be installed here"
	$(BIN)/python -m deploy.infra.check $(ENGINE)
	$(BIN)/python -m deploy.infra.cost --check

hooks: setup  ## Run make check before each commit
	$(BIN)/pre-commit install

bench-pipeline: setup  ## CPU seconds and memory of whole runs against the earlier system's, as ratios
	$(BIN)/python -m tests.bench.bench_pipeline

bench-teacher: setup  ## Calling a remote teacher: 800 prompts, 64 in flight, faults, a kill -9
	$(BIN)/python -m tests.bench.bench_teacher

bench-services: setup  ## The services with wrk on a real Postgres: requests per second and core, as ratios
	$(BIN)/python -m tests.bench.bench_services

bench-functions: setup  ## Import time, latency and rate of each function on the emulators, as ratios
	$(BIN)/python -m tests.bench.bench_functions

bench-train: setup setup-trainer  ## Training by tiny_cpu against TRL's SFTTrainer, tokens a second, as ratios
	PYTHONPATH=.:trainer-job trainer-job/.venv/bin/python -m tests.bench.bench_train

bench-evaluation: setup-trainer  ## An evaluation of 200 prompts on the tiny model: seconds, tokens a second
	OMP_NUM_THREADS=1 PYTHONPATH=.:trainer-job trainer-job/.venv/bin/python -m tests.bench.bench_evaluation

bench-router: setup  ## The router's processor time and latency beside a bare pass-through and the LiteLLM proxy
	$(BIN)/python -m tests.bench.bench_router

bench-serving: setup setup-vllm  ## Ten users at once on real vLLM: throughput, fairness, overload
	PYTHONPATH=.:vllm-vm $(BIN)/python -m tests.bench.bench_serving

clean:  ## Remove what the targets above made
	rm -rf .venv .venv-checkov trainer-job/.venv vllm-vm/.venv out .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
