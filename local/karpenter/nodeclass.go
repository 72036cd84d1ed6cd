package karpenter

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	aws "github.com/aws/karpenter-provider-aws/pkg/apis/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	karpenter "sigs.k8s.io/karpenter/pkg/apis/v1"

	"github.com/alphapulse/infrastructure/local/inventory"
	"github.com/alphapulse/infrastructure/local/machines"
)

// What node classes refer to, in the inventory.
const (
	subnetType   = "aws:ec2/subnet:Subnet"
	groupType    = "aws:ec2/securityGroup:SecurityGroup"
	profileType  = "aws:iam/instanceProfile:InstanceProfile"
	roleType     = "aws:iam/role:Role"
	accessType   = "aws:eks/accessEntry:AccessEntry"
	retryMissing = 5 * time.Second // what a class refers to may come after it
)

// nodeClasses looks up what each EC2NodeClass refers to, and says whether machines can be launched with it. A class stays until the last
// of its machines is gone.
type nodeClasses struct {
	client           client.Client
	regional, global *inventory.Store
	cluster          string
}

// Register starts the controller with the others.
func (n *nodeClasses) Register(_ context.Context, m manager.Manager) error {
	return builder.ControllerManagedBy(m).Named("nodeclass").For(&aws.EC2NodeClass{}).
		Complete(reconcile.AsReconciler[*aws.EC2NodeClass](m.GetClient(), n))
}

// Reconcile brings one class up to date.
func (n *nodeClasses) Reconcile(ctx context.Context, class *aws.EC2NodeClass) (reconcile.Result, error) {
	stored := class.DeepCopy()
	if class.DeletionTimestamp != nil {
		var claims karpenter.NodeClaimList
		if err := n.client.List(ctx, &claims); err != nil {
			return reconcile.Result{}, err
		}
		if slices.ContainsFunc(claims.Items, func(c karpenter.NodeClaim) bool { return c.Spec.NodeClassRef.Name == class.Name }) {
			return reconcile.Result{RequeueAfter: time.Second}, nil
		}
		controllerutil.RemoveFinalizer(class, aws.TerminationFinalizer)
		return reconcile.Result{}, client.IgnoreNotFound(n.client.Patch(ctx, class, client.MergeFrom(stored)))
	}
	if controllerutil.AddFinalizer(class, aws.TerminationFinalizer) {
		if err := n.client.Patch(ctx, class, client.MergeFrom(stored)); err != nil {
			return reconcile.Result{}, client.IgnoreNotFound(err)
		}
		stored = class.DeepCopy()
	}
	again := reconcile.Result{}
	for _, part := range []struct {
		condition string
		resolve   func(*aws.EC2NodeClass) error
	}{
		{aws.ConditionTypeSubnetsReady, n.subnets},
		{aws.ConditionTypeSecurityGroupsReady, n.securityGroups},
		{aws.ConditionTypeAMIsReady, images},
		{aws.ConditionTypeInstanceProfileReady, n.instanceProfile},
		{aws.ConditionTypeValidationSucceeded, func(*aws.EC2NodeClass) error { return nil }},
		{aws.ConditionTypePlacementGroupReady, func(*aws.EC2NodeClass) error { return nil }},
		{aws.ConditionTypeCapacityReservationsReady, func(*aws.EC2NodeClass) error { return nil }},
	} {
		if err := part.resolve(class); err != nil {
			class.StatusConditions().SetFalse(part.condition, "NotFound", err.Error())
			again.RequeueAfter = retryMissing
			continue
		}
		class.StatusConditions().SetTrue(part.condition)
	}
	if equality.Semantic.DeepEqual(stored, class) {
		return again, nil
	}
	return again, client.IgnoreNotFound(n.client.Status().Patch(ctx, class, client.MergeFrom(stored)))
}

func (n *nodeClasses) subnets(class *aws.EC2NodeClass) error {
	class.Status.Subnets = nil
	for _, term := range class.Spec.SubnetSelectorTerms {
		if term.ID == "" {
			return fmt.Errorf("the local engine finds subnets by id only")
		}
		s, ok, err := n.regional.Get(subnetType, term.ID)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("there is no subnet %s", term.ID)
		}
		class.Status.Subnets = append(class.Status.Subnets, aws.Subnet{ID: s.ID, Zone: machines.ZoneOf(s)})
	}
	return nil
}

func (n *nodeClasses) securityGroups(class *aws.EC2NodeClass) error {
	class.Status.SecurityGroups = nil
	for _, term := range class.Spec.SecurityGroupSelectorTerms {
		if term.ID == "" {
			return fmt.Errorf("the local engine finds security groups by id only")
		}
		g, ok, err := n.regional.Get(groupType, term.ID)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("there is no security group %s", term.ID)
		}
		name, _ := g.Inputs["name"].(string)
		class.Status.SecurityGroups = append(class.Status.SecurityGroups, aws.SecurityGroup{ID: g.ID, Name: name})
	}
	return nil
}

// images are made up: there is nothing to boot.
func images(class *aws.EC2NodeClass) error {
	class.Status.AMIs = nil
	for _, term := range class.Spec.AMISelectorTerms {
		id := term.ID
		if id == "" {
			id = fmt.Sprintf("ami-%.17x", sha256.Sum256([]byte(term.Alias)))[:21]
		}
		class.Status.AMIs = append(class.Status.AMIs, aws.AMI{ID: id, Name: term.Alias, Requirements: []core.NodeSelectorRequirement{
			{Key: core.LabelArchStable, Operator: core.NodeSelectorOpIn, Values: []string{karpenter.ArchitectureAmd64}}}})
	}
	return nil
}

// instanceProfile wants a role behind the profile that the cluster lets in: AWS would launch the machine, which would never join.
func (n *nodeClasses) instanceProfile(class *aws.EC2NodeClass) error {
	if class.Spec.InstanceProfile == nil {
		return fmt.Errorf("the local engine wants an instance profile, and makes none for a role")
	}
	name := *class.Spec.InstanceProfile
	profile, ok, err := n.global.Get(profileType, name)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("there is no instance profile %s", name)
	}
	roleName, _ := profile.Inputs["role"].(string)
	role, ok, err := n.global.Get(roleType, roleName)
	if err != nil {
		return err
	}
	if !ok {
		return fmt.Errorf("instance profile %s has no role", name)
	}
	entry := fmt.Sprintf("%s:%s", n.cluster, role.Outputs["arn"])
	access, ok, err := n.regional.Get(accessType, entry)
	if err != nil {
		return err
	}
	if !ok || access.Outputs["type"] != "EC2_LINUX" {
		return fmt.Errorf("cluster %s has no access entry of type EC2_LINUX for role %s: its machines could not join", n.cluster, roleName)
	}
	class.Status.InstanceProfile = name
	return nil
}
