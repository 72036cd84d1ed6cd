package engine

import (
	"context"
	"fmt"

	"github.com/alphapulse/infrastructure/local/machines"
)

// zoneLost ends all that runs in a zone. What becomes of it is for the autoscalers to show.
func (e *Engine) zoneLost(ctx context.Context, args []string) error {
	account, zone, err := e.zone(ctx, "zone-lost", args)
	if err != nil {
		return err
	}
	ended, err := machines.Lose(account, zone)
	if err != nil {
		return fmt.Errorf("losing zone %s: %w", zone, err)
	}
	fmt.Printf("zone-lost: zone=%s machines=%d\n", zone, ended)
	return nil
}

// zoneBack lets machines be launched in a zone again.
func (e *Engine) zoneBack(ctx context.Context, args []string) error {
	account, zone, err := e.zone(ctx, "zone-back", args)
	if err != nil {
		return err
	}
	if err := machines.Return(account, zone); err != nil {
		return fmt.Errorf("bringing zone %s back: %w", zone, err)
	}
	fmt.Printf("zone-back: zone=%s\n", zone)
	return nil
}

// zone reads the one argument, and has the control planes running, which must see what happens.
func (e *Engine) zone(ctx context.Context, command string, args []string) (account, zone string, err error) {
	if len(args) != 1 || args[0] == "" {
		return "", "", fmt.Errorf("name one zone: make %s ZONE=us-east-1a", command)
	}
	if err := e.begin(ctx); err != nil {
		return "", "", err
	}
	account, err = e.account()
	return account, args[0], err
}
