// The program of local/e2e/rules: inside a component it registers what breaks rules, or its twin that keeps them.
package main

import (
	"fmt"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/cloudwatch"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/ec2"
	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/kms"
	"github.com/pulumi/pulumi-eks/sdk/v2/go/eks"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/rules"
)

// cases by the config's `case`.
var cases = map[string]func(ctx *pulumi.Context, clean bool, inside pulumi.ResourceOption) error{
	"several":    several,
	"remote":     remote,
	"guardrails": guardrails,
	"alone":      alone,
}

func main() { pulumi.Run(rules.Enforced(run)) }

func run(ctx *pulumi.Context) error {
	name, _ := ctx.GetConfig("violations:case")
	clean, _ := ctx.GetConfig("violations:clean")
	register, ok := cases[name]
	if !ok {
		return fmt.Errorf("violations:case: %q is no case", name)
	}
	inside, err := component(ctx, name)
	if err != nil {
		return err
	}
	return register(ctx, clean == "true", inside)
}

// component is what a case is hidden in.
func component(ctx *pulumi.Context, name string) (pulumi.ResourceOption, error) {
	parent := &pulumi.ResourceState{}
	err := ctx.RegisterComponentResource("violations:index:Case", name, parent)
	return pulumi.Parent(parent), err
}

// several breaks three rules, of which the last concerns a resource that waits for another; what is in between is clean.
func several(ctx *pulumi.Context, clean bool, inside pulumi.ResourceOption) error {
	first, err := kms.NewKey(ctx, "first", &kms.KeyArgs{EnableKeyRotation: pulumi.Bool(clean)}, inside)
	if err != nil {
		return err
	}
	if _, err := kms.NewKey(ctx, "clean", &kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}, inside); err != nil {
		return err
	}
	days, window := 100, 31
	if clean {
		days, window = 90, 30
	}
	if _, err := kms.NewKey(ctx, "hidden", &kms.KeyArgs{
		EnableKeyRotation:    pulumi.Bool(true),
		DeletionWindowInDays: pulumi.ToSecret(pulumi.Int(window)).(pulumi.IntOutput),
	}, inside); err != nil {
		return err
	}
	_, err = cloudwatch.NewLogGroup(ctx, "waits", &cloudwatch.LogGroupArgs{KmsKeyId: first.Arn, RetentionInDays: pulumi.Int(days)}, inside)
	return err
}

// remote breaks a rule in a child that the EKS component's plugin registers.
func remote(ctx *pulumi.Context, clean bool, inside pulumi.ResourceOption) error {
	_, err := cluster(ctx, clean, inside)
	return err
}

func cluster(ctx *pulumi.Context, clean bool, inside ...pulumi.ResourceOption) (*eks.Cluster, error) {
	vpc, err := ec2.NewVpc(ctx, "vpc", &ec2.VpcArgs{CidrBlock: pulumi.String("10.0.0.0/16")}, inside...)
	if err != nil {
		return nil, err
	}
	var subnets pulumi.StringArray
	for i, zone := range []string{"us-east-1a", "us-east-1b"} {
		subnet, err := ec2.NewSubnet(ctx, zone, &ec2.SubnetArgs{
			VpcId: vpc.ID(), CidrBlock: pulumi.Sprintf("10.0.%d.0/24", i), AvailabilityZone: pulumi.String(zone),
		}, inside...)
		if err != nil {
			return nil, err
		}
		subnets = append(subnets, subnet.ID())
	}
	key, err := kms.NewKey(ctx, "secrets", &kms.KeyArgs{EnableKeyRotation: pulumi.Bool(true)}, inside...)
	if err != nil {
		return nil, err
	}
	logs := []string{"api", "audit", "authenticator", "controllerManager", "scheduler"}
	if !clean {
		logs = logs[:2]
	}
	apiOnly := eks.AuthenticationModeApi
	return eks.NewCluster(ctx, "cluster", &eks.ClusterArgs{
		Name: pulumi.String("rules"), AuthenticationMode: &apiOnly, Version: pulumi.String("1.36"),
		VpcId: vpc.ID().ToStringOutput().ToStringPtrOutput(), SubnetIds: subnets,
		EndpointPrivateAccess: pulumi.Bool(true), EndpointPublicAccess: pulumi.Bool(false),
		EncryptionConfigKeyArn: key.Arn, EnabledClusterLogTypes: pulumi.ToStringArray(logs),
		SkipDefaultNodeGroup: pulumi.BoolRef(true), UseDefaultVpcCni: pulumi.BoolRef(true),
	}, inside...)
}
