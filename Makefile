# Everything runs in .venv, made on first use; nothing but Python 3.11+ and make is needed.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test test-slow lint docs bench lock clean

demo: .venv/.with-plot
	$(BIN)/cosmoflow sample scripts/configs/demo.toml --resume

# Most tests compile for longer than they run: optimising what is compiled would cost more than it saves.
test: export XLA_FLAGS += --xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true
test: .venv/.with-test
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow"

test-slow: .venv/.with-test
	$(BIN)/python -m pytest -n 2 --dist loadfile -m slow

lint: .venv/.with-lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright
	$(BIN)/codespell cosmoflow data docs scripts README.md CHANGELOG.md

docs: .venv/.with-docs
	$(BIN)/mkdocs build --strict

bench: .venv/.with-bench
	$(BIN)/python scripts/benchmarks/startup.py
	$(BIN)/python scripts/benchmarks/compile.py
	$(BIN)/python scripts/benchmarks/rehearsal.py
	$(BIN)/python scripts/benchmarks/storage.py
	$(BIN)/python scripts/benchmarks/devices.py
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps pdmp-jax==0.1.1  # it asks for an old JAX
	$(BIN)/python scripts/benchmarks/samplers.py
	$(BIN)/python scripts/benchmarks/samplers_scaling.py
	$(BIN)/python scripts/benchmarks/reversible.py
	$(BIN)/python scripts/benchmarks/background.py
	$(BIN)/python scripts/benchmarks/two_point.py
	$(BIN)/python scripts/benchmarks/des_y1.py
	$(BIN)/python scripts/benchmarks/gaussian_field.py
	$(BIN)/python scripts/benchmarks/field_calibration.py
	$(BIN)/python scripts/benchmarks/amortised.py
	$(BIN)/python scripts/benchmarks/field_cost.py
	$(BIN)/python scripts/benchmarks/field_level.py
	$(BIN)/python scripts/benchmarks/field_flows.py
	$(BIN)/python scripts/figures/published_posteriors.py
	$(BIN)/python scripts/benchmarks/flows.py
	$(BIN)/python scripts/benchmarks/flows_study.py
	$(BIN)/python scripts/benchmarks/flows_portrait.py
	$(BIN)/python scripts/benchmarks/generative.py --grid reduced

lock: .venv/.with-lint
	$(BIN)/pip install --quiet uv
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --all-extras --no-annotate --no-header --upgrade pyproject.toml --output-file constraints.txt

.venv/.with-%: pyproject.toml constraints.txt | .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint constraints.txt --editable '.[$*]'
	@touch $@

.venv:
	$(PYTHON) -c 'import sys; sys.exit("cosmoflow needs Python 3.11 or newer, but $(PYTHON) is " + sys.version.split()[0] + "; name another with make PYTHON=...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

clean:
	rm -rf .venv site dist .tutorials
