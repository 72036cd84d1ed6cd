// The local engine is one program under several names: the command line behind the Makefile, the plugins that the Pulumi engine
// starts, the controllers that AWS runs beside a cluster, and the `aws` that clusters are entered with.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/alphapulse/infrastructure/local/cloud"
	"github.com/alphapulse/infrastructure/local/clouds"
	"github.com/alphapulse/infrastructure/local/engine"
	"github.com/alphapulse/infrastructure/local/generators"
	"github.com/alphapulse/infrastructure/local/karpenter"
	"github.com/alphapulse/infrastructure/local/kubernetes"
)

func main() {
	if err := run(os.Args); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 1 && args[1] == "cloud-controllers" { // started by whichever of us made the cluster
		return controllers(args[2:])
	}
	if len(args) == 6 && args[1] == cloud.KarpenterCommand { // started by them
		return karpenter.Run(args[2], args[3], args[4], args[5])
	}
	name := filepath.Base(args[0])
	switch name {
	case "pulumi-resource-aws", "pulumi-resource-cloudflare":
		return clouds.Serve(strings.TrimPrefix(name, "pulumi-resource-"))
	case "pulumi-resource-random", "pulumi-resource-tls":
		return generators.Serve(strings.TrimPrefix(name, "pulumi-resource-"))
	case "pulumi-resource-kubernetes":
		return kubernetes.Serve()
	case "aws":
		return engine.AWSCommand(args[1:])
	default:
		return engine.Main(args[1:])
	}
}

// controllers runs what AWS runs beside one cluster, until it is told to stop.
func controllers(args []string) error {
	flags := flag.NewFlagSet("cloud-controllers", flag.ContinueOnError)
	name := flags.String("cluster", "", "the cluster's name")
	kubeconfig := flags.String("kubeconfig", "", "the administrator's kubeconfig")
	account := flags.String("account", "", "the cluster's AWS account")
	region := flags.String("region", "", "the cluster's region")
	subnets := flags.String("subnets", "", "the subnets of its load balancers, separated by commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return cloud.Run(ctx, cloud.Cluster{
		Name: *name, Kubeconfig: *kubeconfig, Account: *account, Region: *region, Subnets: strings.Split(*subnets, ","),
	})
}
