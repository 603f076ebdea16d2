# make demo        the whole bridge on this machine, with a page to chat on: http://127.0.0.1:8765
# make demo ASK="what's the weather in Chicago today?"    one question, in the terminal
# make demo STYLE=stream    with Slack's own streams everywhere, or STYLE=edit nowhere
# make demo AGENT=harness    with another kind of agent: harness, runtime or classic
# make demo AGENT=http://127.0.0.1:8080    with your own agent, which serves POST /invocations there
# make demo AGENT=agent.py:handler    with a function of yours; or with an ARN, and your AWS credentials
# make bridge      the operator's command, .venv/bin/bridge: see its --help
# make test        format, lint, types, insecure calls and all tests
# make coverage    all tests once more, with what they run of functions/ and sample/, in their processes too
# make synth       the CloudFormation template, into cdk.out/; needs no AWS account
# make bootstrap   prepares the AWS account of your credentials for the CDK, once for each region
# make deploy      the bridge, into the AWS account of your credentials
# make deploy CONFIG=bridge.prod.toml    another file than bridge.toml; of synth and bootstrap too
# make deploy YES=1    without asking before it widens permissions: where there is no terminal
# make deploy-check    deploys the template into an AWS on loopback and uses it there; needs Python 3.13
# make deploy-check AUTH=true    with signatures checked, and each action taken away from the functions' roles
# make bench       measurements, in about thirteen minutes; see bench/README.md
# make faults      every fault at every external call of a turn; writes tests/faults/README.md
# make soak        500 questions over 100 threads with faults of all kinds
# make fuzz        200,000 requests, and as much other input that nobody sends
# make format      format the code
# make lock        newest versions of all dependencies, into the lock files
# make clean       removes what the others have installed and built

# The first Python that is new enough.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
# What Lambda runs, if it is here: the tests of functions/ and sample/tools/ run under it too.
PYTHON_OF_LAMBDA ?= $(shell for python in python3.13 $${PYENV_ROOT:-$$HOME/.pyenv}/versions/3.13*/bin/python; do \
	$$python -c '' 2>/dev/null && echo $$python && break; done)
export PYTHON_OF_LAMBDA
# Many tests wait most of the time: for a lease to run out, or for a browser.
PROCESSES ?= $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 2) * 3 // 2)')
LOCK = .venv/bin/uv pip compile --quiet --upgrade --universal --generate-hashes --no-emit-index-url \
	--custom-compile-command "make lock"
CDK = npx --no-install cdk
# The entry point of pyproject.toml; what it runs stays here.
INSTALL_BRIDGE = .venv/bin/uv pip install --quiet --offline --python .venv --no-deps --editable .
# A word of its own, whatever is in it.
SETTINGS = $(if $(CONFIG), --context "config=$$CONFIG")
# jsii's notice about Node 20 takes half a screen.
export JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION = 20

.PHONY: help demo bridge test coverage synth bootstrap deploy deploy-check bench faults soak fuzz format lock clean
help:
	@sed -n 's/^# make/make/p' Makefile

# exec: who ends make ends the demo, and not only a shell between them.
demo: .venv/.demo
	@exec .venv/bin/python -m simulator $(if $(PORT),--port "$$PORT") $(if $(STYLE),--style "$$STYLE") $(if $(AGENT),--agent "$$AGENT") $(if $(filter undefined,$(origin ASK)),,--ask "$$ASK")
# Make puts what it was called with into the environment: there the shell changes nothing of it. Here make itself
# must not either, as a question may hold $.
ifneq ($(origin ASK),undefined)
override ASK := $(value ASK)
export ASK
endif

bridge: .venv/.demo

test: .venv/.dev node_modules/.installed $(if $(PYTHON_OF_LAMBDA),.venv-3.13/.dev)
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/bandit --quiet --recursive --configfile pyproject.toml functions sample
	$(if $(PYTHON_OF_LAMBDA),.venv-3.13/bin/python -m pytest tests/functions tests/sample/tools --quiet --numprocesses=$(PROCESSES) --dist=loadfile,@echo "no Python 3.13 found: the tests of what runs in Lambda run under $$(.venv/bin/python --version) only")
	.venv/bin/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile

coverage: .venv/.dev node_modules/.installed
	.venv/bin/python -m pytest --numprocesses=$(PROCESSES) --dist=loadfile --cov --cov-report=term

synth: .venv/.dev node_modules/.installed
	$(CDK) synth --quiet$(SETTINGS)

bootstrap: .venv/.dev node_modules/.installed
	$(CDK) bootstrap$(SETTINGS)

# --force: CloudFormation looks the sample agent's ARN up when it updates the bridge, and the ARN does not stand in the
# bridge's template. When the same sample was made anew, that template is the same, and the CDK would skip the bridge.
deploy: .venv/.dev node_modules/.installed
	.venv/bin/python -m infra.account$(if $(CONFIG), "$$CONFIG")
	$(CDK) deploy --all --force$(SETTINGS)$(if $(filter 1,$(YES)), --require-approval never)

deploy-check: .venv/.dev node_modules/.installed .venv-deploy-check/.installed
	.venv/bin/python -m tests.deploy $(if $(filter true,$(AUTH)),--auth)

bench: .venv-bench/.installed
	.venv-bench/bin/python -m bench

faults: .venv/.dev
	.venv/bin/python -m tests.faults

soak: .venv/.dev
	.venv/bin/python -m tests.soak

fuzz: .venv/.dev
	FUZZ_CASES=33400 .venv/bin/python -m pytest tests/fuzz --hypothesis-profile=fuzz --timeout=0

format: .venv/.dev
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .

lock: .venv/.dev
	$(LOCK) --python-version 3.11 pyproject.toml --extra demo --extra dev --output-file requirements/dev.txt
	$(LOCK) --python-version 3.11 --constraint requirements/dev.txt pyproject.toml --extra demo --output-file requirements/demo.txt
	$(LOCK) --python-version 3.13 --constraint requirements/dev.txt pyproject.toml --output-file functions/requirements.txt
	echo tzdata | $(LOCK) --python-version 3.13 --constraint requirements/dev.txt - --output-file sample/tools/requirements.txt
	$(LOCK) --python-version 3.11 --constraint requirements/dev.txt pyproject.toml --extra demo --group bench --output-file requirements/bench.txt
	$(LOCK) --python-version 3.13 --group deploy-check --output-file requirements/deploy-check.txt
	echo uv | $(LOCK) --python-version 3.11 --constraint requirements/dev.txt - --output-file requirements/uv.txt

clean:
	rm -rf .venv .venv-3.13 .venv-bench .venv-deploy-check node_modules cdk.out

# --- what each needs ------------------------------------------------------------------------------------------

.venv/bin/uv: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed and was not found; set PYTHON=/path/to/it" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "PYTHON=$(PYTHON) is no Python 3.11 or newer" >&2; exit 1; }
	$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }
	.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

.venv/.demo: .venv/bin/uv requirements/demo.txt
	.venv/bin/uv pip install --quiet --python .venv --require-hashes -r requirements/demo.txt
	$(INSTALL_BRIDGE)
	@touch $@

.venv/.dev: .venv/bin/uv requirements/dev.txt
	.venv/bin/uv pip install --quiet --python .venv --require-hashes -r requirements/dev.txt
	$(INSTALL_BRIDGE)
	@touch $@ .venv/.demo

.venv-3.13/.dev: .venv/bin/uv requirements/dev.txt
	.venv/bin/uv venv --quiet --clear --python $(PYTHON_OF_LAMBDA) .venv-3.13
	.venv/bin/uv pip install --quiet --python .venv-3.13 --require-hashes -r requirements/dev.txt
	@touch $@

# With the Python that Lambda runs, where it is here.
.venv-bench/.installed: .venv/bin/uv requirements/bench.txt
	.venv/bin/uv venv --quiet --clear --python $(or $(PYTHON_OF_LAMBDA),.venv/bin/python) .venv-bench
	.venv/bin/uv pip install --quiet --python .venv-bench --require-hashes -r requirements/bench.txt
	@touch $@

.venv-deploy-check/.installed: .venv/bin/uv requirements/deploy-check.txt
	@test -n "$(PYTHON_OF_LAMBDA)" || { echo "Python 3.13, which Lambda runs, is needed and was not found; set PYTHON_OF_LAMBDA=/path/to/it" >&2; exit 1; }
	.venv/bin/uv venv --quiet --clear --python $(PYTHON_OF_LAMBDA) .venv-deploy-check
	.venv/bin/uv pip install --quiet --python .venv-deploy-check/bin/python --require-hashes -r requirements/deploy-check.txt
	@touch $@

node_modules/.installed: package-lock.json
	@node -e 'process.exit(Number(process.versions.node.split(".")[0] < 20))' 2>/dev/null || { echo "Node 22 or 24 is needed for the AWS CDK and was not found" >&2; exit 1; }
	npm ci --no-audit --no-fund --loglevel=error
	@touch $@
