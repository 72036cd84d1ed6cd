package clouds

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/alphapulse/infrastructure/local/inventory"
	"github.com/alphapulse/infrastructure/local/machines"
)

// What EKS answers when a minimum is raised above the size that a program ignores changes of: the case of docs/runbooks.
func TestSizeOutOfBoundsIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		low, desired, high float64
		want               string
	}{
		"within":              {3, 4, 6, ""},
		"below a new minimum": {8, 4, 9, "InvalidParameterException: Minimum capacity 8 can't be greater than desired size 4"},
		"above a new maximum": {1, 4, 3, "InvalidParameterException: desired capacity 4 can't be greater than max size 3"},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := desiredSize(inventory.Record{Inputs: map[string]any{
				"scalingConfig": map[string]any{"minSize": c.low, "desiredSize": c.desired, "maxSize": c.high},
			}})
			if c.want == "" {
				require.NoError(t, err)
				assert.Equal(t, 4, n)
				return
			}
			assert.ErrorContains(t, err, c.want)
		})
	}
}

// An auto scaling group starts its machines in the emptiest zone that there is (C2, C3).
func TestC3AGroupRefillsInZonesThatAreThere(t *testing.T) {
	c := newCloud(t)
	p := c.Provider
	vpc := c.make("ec2.Vpc", "v", props{"cidrBlock": "10.0.0.0/16"})
	var ids []any
	for i, zone := range []string{"a", "b", "c"} {
		ids = append(ids, c.make("ec2.Subnet", zone, props{"vpcId": vpc, "cidrBlock": fmt.Sprintf("10.0.%d.0/24", i), "availabilityZone": p.region + zone}))
	}
	group := inventory.Record{ID: "g", Inputs: map[string]any{"subnetIds": ids}}
	in := func(subnets ...any) (there []inventory.Record) {
		for _, id := range subnets {
			there = append(there, inventory.Record{Inputs: map[string]any{"subnetId": id}})
		}
		return there
	}
	next := func(there ...any) any {
		subnet, err := p.emptiest(group, in(there...))
		require.NoError(t, err)
		return subnet.ID
	}
	assert.Equal(t, ids[0], next())
	assert.Equal(t, ids[1], next(ids[0]))
	assert.Equal(t, ids[1], next(ids[0], ids[2]))
	_, err := machines.Lose(p.account, p.region+"b")
	require.NoError(t, err)
	assert.Equal(t, ids[0], next(ids[0], ids[2]))
	for _, zone := range []string{"a", "c"} {
		_, err := machines.Lose(p.account, p.region+zone)
		require.NoError(t, err)
	}
	_, err = p.emptiest(group, nil)
	assert.ErrorContains(t, err, "InsufficientInstanceCapacity")
	_, err = machines.Lose(p.account, p.region+"z")
	assert.ErrorContains(t, err, "but in: "+p.region+"a, "+p.region+"b, "+p.region+"c")
}

// Who waits for a group to be sized by somebody else finds another group than he saw before (C2).
func TestC2AGroupThatIsBeingDeletedIsNotRefilled(t *testing.T) {
	p := newCloud(t).Provider
	group := inventory.Record{Type: token("eks.NodeGroup"), ID: "saas:general", Outputs: props{"status": "ACTIVE"}, Inputs: props{
		"clusterName": "saas", "nodeGroupName": "general", "scalingConfig": props{"minSize": 1.0, "desiredSize": 1.0, "maxSize": 1.0},
	}}
	require.NoError(t, p.put(group))
	store, err := p.store(machines.Type, "")
	require.NoError(t, err)
	unlock, err := store.Lock("size." + group.ID)
	require.NoError(t, err)
	refilled := make(chan error)
	go func() { refilled <- Refill(t.Context(), p.account, p.region, "saas") }()
	group.Outputs["status"] = deleting
	require.NoError(t, p.put(group))
	unlock()
	assert.NoError(t, <-refilled, "it would want subnets and a control plane for a machine")
}
