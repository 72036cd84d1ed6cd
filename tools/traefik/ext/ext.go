// Package ext stands for Traefik's module of the same name, which the Go proxy does not have: Traefik's go.mod takes it from a folder
// of its repository that is not in the zip of github.com/traefik/traefik/v3. It holds hooks for extensions; without any they are empty.
package ext

// HTTP is embedded in the dynamic HTTP configuration.
type HTTP struct{}

// Router is embedded in the configuration of a router.
type Router struct{}
