package capacity

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
)

func TestD4CommittedStacksStayWithinTheDatabasesConnections(t *testing.T) {
	for _, stack := range []string{"prod", "staging", "local"} {
		c := ConnectionsFor(committed(t, stack))
		assert.Empty(t, c.Problems(), stack)
		assert.LessOrEqual(t, c.Reserved+c.Poolers*c.PoolSize, c.Limit, stack)
		assert.LessOrEqual(t, c.Limit, config.PostgresConnections, stack)
		assert.GreaterOrEqual(t, c.PoolSize, leastPool, stack)
	}
}

// Without the pooler the source's workloads would open ten times what the database takes.
func TestD4ProdsWorkloadsNeedThePooler(t *testing.T) {
	c := ConnectionsFor(committed(t, "prod"))
	assert.Equal(t, Connections{
		Limit: 200, Reserved: 20, Poolers: 6, PoolSize: 30, MaxClients: 2560, Users: c.Users, pooler: c.pooler, class: "db.r5.xlarge",
	}, c)
	require.Len(t, c.Users, 9, "the API, six kinds of agents, risk and billing")
	assert.Equal(t, ConnectionUser{"api", 100, 10}, c.Users[0])
	assert.Equal(t, 100*10+6*40*4+20*4+6*5, c.Clients())
	assert.Contains(t, c.Table(), "db.r5.xlarge takes 200; 20 reserved, 6 pooler pods in a rollout with 30 each = 200")
	assert.Contains(t, c.Table(), "2070 from workloads in all; one pooler pod takes 2560")
}

func TestD4SmallDatabaseMakesSmallPools(t *testing.T) {
	c := ConnectionsFor(committed(t, "local"))
	assert.Equal(t, []int{112, 15}, []int{c.Limit, c.PoolSize})
}

func TestD4BudgetThatDoesNotHoldIsRefusedWithTheNumbers(t *testing.T) {
	for _, c := range []struct {
		name, stack, key string
		value            any
		at, want         string
	}{
		{"too many poolers", "prod", "workloads.pooler.replicas.max", 19, "workloads.pooler.replicas.max",
			"db.r5.xlarge takes 200 connections, 20 of them reserved; 38 pods in a rollout leave 4 for each, and less than 5 make everybody wait; would fit: max: 18"},
		{"too many poolers for a small database", "local", "workloads.pooler.replicas.max", 10, "workloads.pooler.replicas.max",
			"db.t4g.micro takes 112 connections, 20 of them reserved; 20 pods in a rollout leave 4 for each, and less than 5 make everybody wait; would fit: max: 9"},
		{"too many clients", "prod", "workloads.api.connections", 40, "workloads.pooler.limits.memory",
			"workloads open 5070 connections at most, and all may reach one pod, which has memory for 2560: 2510 too few; would fit: memory: 413Mi, or fewer `connections`"},
	} {
		t.Run(c.name, func(t *testing.T) {
			raw, err := config.FromFile("../Pulumi." + c.stack + ".yaml")
			require.NoError(t, err)
			platform, problems := config.Load(recorder.Change(t, raw, "alphapulse:"+c.key, c.value))
			require.NoError(t, problems.Err())
			refused := ConnectionsFor(platform).Problems()
			require.Len(t, refused, 1)
			assert.Equal(t, "alphapulse:"+c.at, refused[0].Key)
			assert.Equal(t, c.want, refused[0].Want)
		})
	}
}

func TestD4RemedyOfTheBudgetFits(t *testing.T) {
	platform := committed(t, "prod")
	platform.Workloads.Pooler.Replicas.Max = 18
	assert.Empty(t, ConnectionsFor(platform).Problems())
	platform.Workloads.API.Connections, platform.Workloads.Pooler.Limits.Memory = 40, "413Mi"
	assert.Empty(t, ConnectionsFor(platform).Problems())
}

func TestD4WhatConfigRefusesIsNotCounted(t *testing.T) {
	assert.Empty(t, ConnectionsFor(config.Platform{}).Problems())
}
