STACK ?= local
ARGS  ?=
# A stack file to try instead of Pulumi.$(STACK).yaml.
CONFIG ?=

LOCAL  := $(CURDIR)/.local
ENGINE := $(LOCAL)/engine --root $(CURDIR) --stack $(STACK) $(if $(CONFIG),--config $(CONFIG))
# What `make up` needs, and what the tests need beside it.
FAMILIES      := pulumi language-go kubernetes etcd kwok eks
TEST_FAMILIES := lint

.DEFAULT_GOAL := help
.PHONY: help up preview down reset capacity kubectl pulumi test lint tools program

help: ## List the commands
	@echo "AlphaPulse infrastructure. Commands (STACK=local, staging or prod; local unless named):"
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "Further arguments go to pulumi or kubectl: make preview ARGS=--refresh; a stack file to try: CONFIG=file."

up: program ## Build what is missing, start the local engine, create or update the stack
	@$(ENGINE) up $(ARGS)

preview: program ## Say what `up` would do; needs no credentials
	@$(ENGINE) preview $(ARGS)

down: program ## Destroy the stack and say what is left
	@$(ENGINE) down $(ARGS)

reset: $(LOCAL)/engine ## Throw the local engine away, whatever it holds
	@$(ENGINE) reset

capacity: ## Say per node pool what is asked and what fits; fails when it does not
	@go run ./capacity/report $(if $(CONFIG),$(CONFIG),Pulumi.$(STACK).yaml)

kubectl: tools ## Run the pinned kubectl: make kubectl ARGS="get pods -A"
	@$(ENGINE) kubectl $(ARGS)

pulumi: program ## Run the pinned pulumi: make pulumi ARGS="stack output"
	@$(ENGINE) pulumi $(ARGS)

tools: $(LOCAL)/engine
	@tools/install $(LOCAL)/tools $(FAMILIES)

# Always asked: Go knows better than make what has changed.
.PHONY: $(LOCAL)/engine
$(LOCAL)/engine:
	@cd local && go build -o $@ .

# Built before pulumi starts, which would show nothing for the minutes that the first build takes.
program: tools
	@[ -x bin/alphapulse ] || echo "program: compiling the SDKs, about 4 minutes on 2 cores the first time ..."
	@go build -o bin/alphapulse .
