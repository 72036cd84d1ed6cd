// The program of local/e2e/traefik: it prints what the ingress and the services behind it ask Kubernetes for, as a JSON array. The tests are
// in another Go module, and would have to compile the SDKs once more to run the components themselves.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/recorder"
	"github.com/alphapulse/infrastructure/workloads"
)

// manifests STACK-FILE AUTHORITY-FILE RANGE...: the ranges stand for Cloudflare's, the authority is the one of its client certificate.
func main() {
	if err := print(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func print(stackFile, authorityFile string, trusted []string) error {
	raw, err := config.FromFile(stackFile)
	if err != nil {
		return err
	}
	platform, problems := config.Load(raw)
	if err := problems.Err(); err != nil {
		return err
	}
	authority, err := os.ReadFile(authorityFile)
	if err != nil {
		return err
	}
	run, err := recorder.Try(recorder.Up, func(ctx *pulumi.Context) error {
		provider, err := kubernetes.NewProvider(ctx, "cluster", &kubernetes.ProviderArgs{})
		if err != nil {
			return err
		}
		place := workloads.Place{
			Namespace: pulumi.String(platform.Name()), Provider: provider, Pools: platform.Cluster.Pool,
			Image: func(name string) (pulumi.StringInput, error) { return pulumi.String(name), nil },
		}
		if _, err := workloads.NewAPI(ctx, place, platform.Workloads.API); err != nil {
			return err
		}
		if _, err := workloads.NewBilling(ctx, place, platform.Workloads.Billing); err != nil {
			return err
		}
		_, err = workloads.NewIngress(ctx, place, &workloads.IngressArgs{
			Name: platform.Name(), Spec: platform.Workloads.Ingress, Host: platform.Edge.Host, Routes: platform.Ingress.Routes, Trusted: trusted,
			OriginAuthority: pulumi.String(authority), SecurityGroupID: pulumi.String("sg-origin"), Issuer: pulumi.String("letsencrypt-prod"),
		})
		return err
	})
	if err != nil {
		return err
	}
	var objects []map[string]any
	for _, made := range run.Resources {
		if !strings.HasPrefix(made.Type, "kubernetes:") {
			continue
		}
		if metadata, _ := made.Inputs["metadata"].(map[string]any); metadata != nil && metadata["name"] == nil {
			metadata["name"] = recorder.MadeUpName(made.Name) // by which others know it
		}
		objects = append(objects, made.Inputs)
	}
	return json.NewEncoder(os.Stdout).Encode(objects)
}
