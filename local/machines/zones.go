package machines

import (
	"fmt"
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// A lost zone is a record that stands outside all accounts: the zone is lost to all of them.
const (
	zones    = "zones"
	zoneType = "aws:index/availabilityZone:AvailabilityZone"
)

// subnetType is what subnets are in the inventory.
const subnetType = "aws:ec2/subnet:Subnet"

// Lost tells whether a zone is out.
func Lost(zone string) (bool, error) {
	store, err := inventory.Open(zones, regionOf(zone))
	if err != nil {
		return false, err
	}
	_, lost, err := store.Get(zoneType, zone)
	return lost, err
}

// Lose takes a zone out: nothing is launched there any more, and the account's machines there end at once. Their volumes stay. It gives
// how many have ended.
func Lose(account, zone string) (ended int, err error) {
	store, err := known(account, zone)
	if err != nil {
		return 0, err
	}
	out, err := inventory.Open(zones, regionOf(zone))
	if err != nil {
		return 0, err
	}
	r := map[string]any{"state": "unavailable"}
	if err := out.Put(inventory.Record{Type: zoneType, ID: zone, Inputs: r, Outputs: r}); err != nil {
		return 0, err
	}
	all, err := store.List(Type)
	if err != nil {
		return 0, err
	}
	for _, m := range all {
		if m.Outputs["availabilityZone"] != zone {
			continue
		}
		if err := store.Delete(m.Type, m.ID); err != nil {
			return ended, err
		}
		ended++
	}
	return ended, nil
}

// Return brings a zone back. What ran there does not come back with it.
func Return(account, zone string) error {
	if _, err := known(account, zone); err != nil {
		return err
	}
	out, err := inventory.Open(zones, regionOf(zone))
	if err != nil {
		return err
	}
	return out.Delete(zoneType, zone)
}

// known gives the account's store in a zone's region, if any subnet of it is in the zone.
func known(account, zone string) (*inventory.Store, error) {
	store, err := inventory.Open(account, regionOf(zone))
	if err != nil {
		return nil, err
	}
	subnets, err := store.List(subnetType)
	if err != nil {
		return nil, err
	}
	var there []string
	for _, s := range subnets {
		there = append(there, ZoneOf(s))
	}
	slices.Sort(there)
	there = slices.Compact(there)
	if !slices.Contains(there, zone) {
		return nil, fmt.Errorf("no subnet of account %s is in zone %q, but in: %s", account, zone, strings.Join(there, ", "))
	}
	return store, nil
}

// ZoneOf is the zone of a subnet.
func ZoneOf(subnet inventory.Record) string {
	zone, _ := subnet.Outputs["availabilityZone"].(string)
	return zone
}

// regionOf is a zone's name without its letter.
func regionOf(zone string) string { return strings.TrimRight(zone, "abcdefghijklmnopqrstuvwxyz") }
