STACK ?= local
ARGS  ?=
# A stack file to try instead of Pulumi.$(STACK).yaml.
CONFIG ?=

LOCAL  := $(CURDIR)/.local
STACK_FILE := $(or $(CONFIG),Pulumi.$(STACK).yaml)
ENGINE := $(LOCAL)/engine --root $(CURDIR) --stack $(STACK) $(if $(CONFIG),--config $(CONFIG))
# The pinned programs that the local engine runs, and those that only the tests run.
FAMILIES      := pulumi language-go kubernetes etcd kwok eks charts
TEST_FAMILIES := lint gotestsum jq postgres redis traefik python vault prometheus alertmanager node-exporter logql
# Budgets of the suites. They are far above what a suite takes, and far below what would hide that it hangs.
UNIT_BUDGET   := 5m
ENGINE_BUDGET := 60m
# How the suites of local/e2e are run; those to run follow.
ENGINE_TESTS  := cd local && ALPHAPULSE_TOOLS=$(LOCAL)/tools ALPHAPULSE_ENGINE=$(LOCAL)/engine $(LOCAL)/tools/gotestsum --format standard-verbose -- \
	-count=1 -timeout $(ENGINE_BUDGET)

.DEFAULT_GOAL := help
.PHONY: help stack up preview down reset capacity cost zone-lost zone-back kubectl pulumi test suite named suites tested lint tools program

help: ## List the commands
	@echo "AlphaPulse infrastructure. Commands (STACK=local, staging or prod; local unless named):"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Further arguments go to pulumi or kubectl: make preview ARGS=--diff; a stack file to try: CONFIG=file."

up: program ## Build what is missing, start the local engine, create or update the stack
	@$(ENGINE) up $(ARGS)

preview: program ## Say what `up` would do; needs no credentials
	@$(ENGINE) preview $(ARGS)

down: program ## Destroy the stack and say what is left
	@$(ENGINE) down $(ARGS)

reset: $(LOCAL)/engine ## Throw the local engine away, whatever it holds
	@$(ENGINE) reset

capacity: ## Say per node pool what is asked and what fits; fails when it does not
	@go run ./report capacity $(STACK_FILE)

cost: ## Say what the stack costs a month, beside the source's own estimate
	@go run ./report cost $(STACK_FILE)

zone-lost: tools ## Lose a zone, to see what comes of it: make zone-lost ZONE=us-east-1a
	@$(ENGINE) zone-lost $(ZONE)

zone-back: tools ## Bring a lost zone back
	@$(ENGINE) zone-back $(ZONE)

kubectl: tools ## Run the pinned kubectl: make kubectl ARGS="get pods -A"
	@$(ENGINE) kubectl $(ARGS)

pulumi: program ## Run the pinned pulumi: make pulumi ARGS="stack output"
	@$(ENGINE) pulumi $(ARGS)

tools: $(LOCAL)/engine
	@tools/install $(LOCAL)/tools $(FAMILIES)

test: program ## Run everything: linters, unit tests, and the whole on the local engine
	@tools/suite test $(MAKE) --no-print-directory suites

suite: named program tested ## Run one suite of local/e2e: make suite NAME=redis ARGS="-run TestR1"
	@tools/suite $(NAME) sh -c '$(ENGINE_TESTS) $(ARGS) ./e2e/$(NAME)'

# Asked before anything is built for it. The one named . is that of whole stacks, in local/e2e itself.
named:
	@[ -n "$(NAME)" ] && ls local/e2e/$(NAME)/*_test.go >/dev/null 2>&1 || \
		{ echo "error: there is no suite \"$(NAME)\"; suites: . $(sort $(patsubst local/e2e/%/,%,$(dir $(wildcard local/e2e/*/*_test.go))))" >&2; exit 1; }

# The programs that only the tests run: pinned ones, and those that are made of this project's packages.
tested:
	@tools/install $(LOCAL)/tools $(TEST_FAMILIES)
	@tools/compile violations -o bin/violations ./rules/violations
	@tools/compile manifests -o bin/manifests ./workloads/manifests
	@tools/seventh $(LOCAL)/seventh
	@tools/compile seventh -overlay $(LOCAL)/seventh/overlay.json -o bin/seventh .

suites: tested
	@cd observability/checks && ../../tools/compile checks ./...
	@tools/suite lint    $(MAKE) --no-print-directory lint
	@tools/suite unit    go test -timeout $(UNIT_BUDGET) ./...
	@# Asked anew: some read the program's go.mod, which is outside of their module, where go does not look for what has changed.
	@tools/suite stand-ins sh -c 'cd local && go test -count=1 -timeout $(UNIT_BUDGET) $$(go list ./... | grep -v /e2e)'
	@tools/suite watching sh -c 'cd observability/checks && ALPHAPULSE_TOOLS=$(LOCAL)/tools go test -count=1 -timeout $(UNIT_BUDGET) ./...'
	@# The longest begin first: one that begins last runs alone at the end.
	@tools/suite engine  sh -c '$(ENGINE_TESTS) -p 3 ./e2e/interruptions ./e2e/production ./e2e/vault ./e2e/traefik ./e2e/...'

lint: ## Run the linters on all modules
	@tools/install $(LOCAL)/tools lint
	@$(LOCAL)/tools/golangci-lint run --allow-parallel-runners ./...
	@cd local && $(LOCAL)/tools/golangci-lint run --allow-parallel-runners --config ../.golangci.yml ./...
	@cd observability/checks && $(LOCAL)/tools/golangci-lint run --allow-parallel-runners --config ../../.golangci.yml ./...

# The engine would say so, too, after the minutes that it takes to build.
stack:
	@[ -f "$(STACK_FILE)" ] || { echo "error: there is no stack file $(STACK_FILE); stacks: $(patsubst Pulumi.%.yaml,%,$(wildcard Pulumi.*.yaml))" >&2; exit 1; }

# Always asked: Go knows better than make what has changed.
.PHONY: $(LOCAL)/engine
$(LOCAL)/engine: stack
	@[ -x $@ ] || echo "engine: compiling the local engine, about 1 minute on 2 cores the first time ..."
	@cd local && ../tools/compile engine -o $@ .

# Built before pulumi starts, which would show nothing for the minutes that the first build takes.
program: tools
	@[ -x bin/alphapulse ] || echo "program: compiling the SDKs, about 4 minutes on 2 cores the first time ..."
	@tools/compile program -o bin/alphapulse .
