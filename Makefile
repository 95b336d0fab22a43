# Swarmkeeper. `make help` lists what there is; every line of it comes from a `##` comment below.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

export PATH := $(CURDIR)/node_modules/.bin:$(PATH)

# TypeScript scripts of deploy/ run in one process, so that Ctrl-C reaches them and nobody else.
# DEP0123: gRPC names the server in TLS also when that is an IP address; nobody here can change it.
TS := node --disable-warning=DEP0123 --import tsx
# Host programs that a local cluster needs, and those that tests need; deploy/setup/host.sh knows them.
RUN_PARTS := etcd docker busybox
TEST_PARTS := $(RUN_PARTS) network

.PHONY: help setup deps build fmt check test test-unit sim test-integration test-e2e coverage \
  generate bench run up down images clean \
  lab lab-break lab-heal lab-shell lab-down chaos

help: ## Show this list
	@awk -F ':.*## ' '/^##: / { print "\n" substr($$0, 5) } \
	  /^[a-z0-9-]+:.*## / { printf "  %-18s%s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##: Prepare
setup: deps ## Install what is missing: npm packages; etcd and Docker from Debian's packages when root
	@deploy/setup/host.sh $(TEST_PARTS)

deps: # npm packages only; instant when package-lock.json has not changed
	@deploy/setup/npm.sh

build: deps ## Bundle swarm-manager, swarm-agent and swarmctl into dist/
	@$(TS) deploy/build/bundle.ts

##: Keep the house in order
fmt: deps ## Format every file
	@prettier --write --log-level warn --cache .

check: deps ## The one gate: format, lint, types, boundaries, unused, generated files, unit tests
	@$(TS) deploy/check/gate.ts $(addprefix --without ,$(WITHOUT))

generate: deps ## Write the generated files again (OpenAPI, docs/metrics.md)
	@$(TS) deploy/generate/generate.ts

##: Test
test: setup build ## Every test: unit, simulation, integration (real etcd), end to end (real Docker Engine)
	@vitest run

test-unit: deps ## Unit tests: need nothing but Node
	@vitest run --project 'unit*'

sim: deps ## Simulate whole clusters and all that can go wrong (SEEDS=1000 FROM=1 JOBS=, or SEED= for one)
	@$(TS) test/sim/main.ts --seeds=$(or $(SEEDS),1000) --from=$(or $(FROM),1) $(addprefix --jobs=,$(JOBS)) \
	  $(addprefix --seed=,$(SEED)) $(addprefix --failures=,$(FAILURES)) $(if $(TRACE),--trace)

test-integration: deps ## Tests against a real etcd
	@deploy/setup/host.sh etcd
	@vitest run --project integration

test-e2e: setup build ## Whole clusters against a real Docker Engine
	@vitest run --project e2e --project clock

coverage: setup build ## Every test, with coverage in coverage/index.html
	@vitest run --coverage

bench: setup build ## Measure everything that docs/benchmarks.md tells, on this machine
	@for file in test/bench/*.bench.ts; do $(TS) $$file; done

##: Run
run: build ## Start a local cluster and the hello example; Ctrl-C removes everything again
	@deploy/setup/host.sh $(RUN_PARTS)
	@$(TS) deploy/local/main.ts run

up: build ## Start a local cluster in the background; .run/env has the shell exports
	@deploy/setup/host.sh $(RUN_PARTS)
	@$(TS) deploy/local/main.ts up

down: deps ## Stop the local cluster and remove what it made, whatever state it is in
	@$(TS) deploy/local/main.ts down

##: A lab of many hosts (docs/lab.md)
lab: build ## Start 5 hosts, 3 managers and 3 members of etcd as machines of their own (NODES=, MANAGERS=)
	@deploy/setup/host.sh $(TEST_PARTS)
	@$(TS) test/lab/main.ts up

lab-break: deps ## Let something go wrong in the lab: FAULT=name, TARGET=machine; without, list the names
	@$(TS) test/lab/main.ts break

lab-heal: deps ## Take back all that was broken, and wait until the cluster is whole
	@$(TS) test/lab/main.ts heal

lab-shell: deps ## Open a shell on a machine of the lab: ON=h2
	@$(TS) test/lab/main.ts shell

chaos: build ## Random faults against a steady load in a lab of its own: MINUTES=30, SEED=
	@deploy/setup/host.sh $(TEST_PARTS)
	@$(TS) test/lab/main.ts chaos

lab-down: deps ## Remove the lab, whatever state it is in
	@$(TS) test/lab/main.ts down

##: Ship
images: ## Build the images of manager and agent with docker
	@deploy/images/build.sh

clean: ## Remove what was built (a running local cluster is left alone: make down)
	@rm -rf dist coverage node_modules/.cache
