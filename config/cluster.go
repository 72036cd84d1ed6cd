package config

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strings"
)

// Cluster is the EKS cluster and its node pools (C1, C2).
type Cluster struct {
	// Version is the Kubernetes minor, "1.36".
	Version string `json:"version"`
	// PublicAccessCIDRs are the ranges of the internet that may reach the API server from outside the VPC; with none there is no public endpoint.
	PublicAccessCIDRs []string `json:"publicAccessCidrs"`
	// AdministratorRoles are the IAM roles that may do everything in the cluster. The role that makes it has to be one of them.
	AdministratorRoles []string `json:"administratorRoles"`
	// BreakGlassRole is for the night when the others fail. CloudTrail and the audit log have its use; nothing here calls anybody when it is used.
	BreakGlassRole string `json:"breakGlassRole"`
	LogDays        int    `json:"logDays"`
	// NodeRelease is the release of EKS's AL2023 image that all nodes run, "1.36.2-20261101". Left out, a node group takes the newest when it
	// is made and whenever its machines or its version change, which no preview shows.
	NodeRelease string     `json:"nodeRelease"`
	NodePools   []NodePool `json:"nodePools"`
	// AddOns pins versions by add-on name. What is not pinned runs EKS's default for the minor, looked up in preview and exported.
	AddOns map[string]string `json:"addOns"`
}

// NodePool is nodes of one kind: Min of them always, as a managed node group; beyond, up to Max, Karpenter makes and removes them.
type NodePool struct {
	Name          string            `json:"name"`
	InstanceTypes []string          `json:"instanceTypes"`
	Min           int               `json:"min"`
	Max           int               `json:"max"`
	DiskGiB       int               `json:"diskGiB"`
	CapacityType  string            `json:"capacityType"`
	Labels        map[string]string `json:"labels"`
	Taints        []Taint           `json:"taints"`
}

// Taint keeps pods that do not tolerate it off a pool's nodes. Effect is Kubernetes' word: NoSchedule, NoExecute, PreferNoSchedule.
type Taint struct {
	Key    string `json:"key"`
	Value  string `json:"value"`
	Effect string `json:"effect"`
}

// OnDemand and Spot are EKS's words for how a pool's instances are paid for.
const (
	OnDemand = "ON_DEMAND"
	Spot     = "SPOT"
)

const (
	// PoolLabel is on every node, with the pool's name. It is the source's own label for the compute-optimized pool.
	PoolLabel = "workload-type"
	// PlatformPool is where add-ons and operators run. It alone has no taints, so that whatever names no pool lands there.
	PlatformPool = "general"
)

// preferNoSchedule is the effect that only asks to go elsewhere.
const preferNoSchedule = "PreferNoSchedule"

var (
	poolName   = regexp.MustCompile(`^[a-z]([a-z0-9-]{0,28}[a-z0-9])?$`)
	effects    = []string{"NoSchedule", "NoExecute", preferNoSchedule}
	addOnBuild = regexp.MustCompile(`^v[0-9]+\.[0-9]+\.[0-9]+-eksbuild\.[0-9]+$`)
	// nodeRelease is a version of Kubernetes and a day.
	nodeRelease = regexp.MustCompile(`^1\.[0-9]+\.[0-9]+-20[0-9]{6}$`)
)

// keepsOff says whether no pod comes without tolerating the taint. An effect that is none is reported as that.
func (t Taint) keepsOff() bool { return t.Effect != preferNoSchedule }

// Pool finds a node pool by name.
func (c Cluster) Pool(name string) (NodePool, bool) {
	i := slices.IndexFunc(c.NodePools, func(p NodePool) bool { return p.Name == name })
	if i < 0 {
		return NodePool{}, false
	}
	return c.NodePools[i], true
}

func (c *Cluster) setDefaults() {
	for i := range c.NodePools {
		if c.NodePools[i].CapacityType == "" {
			c.NodePools[i].CapacityType = OnDemand
		}
	}
}

func (c Cluster) validate(aws AWS) (ps Problems) {
	if _, ok := KubernetesSupport[c.Version]; !ok {
		ps.add("version", c.Version, "is not a Kubernetes minor that EKS has under standard support; legal: %s",
			strings.Join(sortedKeys(KubernetesSupport), ", "))
	}
	for i, cidr := range c.PublicAccessCIDRs {
		key := fmt.Sprintf("publicAccessCidrs[%d]", i)
		prefix, err := netip.ParsePrefix(cidr)
		switch {
		case err != nil || prefix != prefix.Masked() || !prefix.Addr().Is4():
			ps.add(key, cidr, "must be an IPv4 address range such as 203.0.113.0/24")
		case prefix.Addr().IsPrivate() || prefix.Addr().IsLoopback() || prefix.Addr().IsLinkLocalUnicast():
			ps.add(key, cidr, "is no range of the internet, and EKS refuses it; inside the VPC the private endpoint is there anyway")
		case prefix.Bits() < 8: // nobody owns so much, and two halves are the whole
			ps.add(key, cidr, "would open the API server to the whole internet, or to a large part; name the ranges of your offices and pipelines, /8 at most")
		}
	}
	for i, role := range c.AdministratorRoles {
		key := fmt.Sprintf("administratorRoles[%d]", i)
		checkRole(&ps, key, role, aws.Account)
		alike := slices.IndexFunc(c.AdministratorRoles, func(other string) bool { return EntryName(other) == EntryName(role) })
		switch {
		case slices.Index(c.AdministratorRoles, role) < i:
			ps.add(key, role, "is named twice")
		case alike < i && roleARN.MatchString(role):
			ps.add(key, role, "would have the access entry of administratorRoles[%d], %s: in their names a slash is a hyphen; rename one of the roles",
				alike, c.AdministratorRoles[alike])
		}
	}
	checkRole(&ps, "breakGlassRole", c.BreakGlassRole, aws.Account)
	if slices.Contains(c.AdministratorRoles, c.BreakGlassRole) {
		ps.add("breakGlassRole", c.BreakGlassRole, "must not be one of administratorRoles: it is for when those fail")
	}
	checkRetention(&ps, "logDays", c.LogDays)
	if c.NodeRelease != "" && (!nodeRelease.MatchString(c.NodeRelease) || !strings.HasPrefix(c.NodeRelease, c.Version+".")) {
		ps.add("nodeRelease", c.NodeRelease, "must be a release of EKS's AL2023 image for Kubernetes %s, such as %s.2-20261101: "+
			"`aws ssm get-parameter --name /aws/service/eks/optimized-ami/%s/amazon-linux-2023/x86_64/standard/recommended/release_version` has the newest",
			c.Version, c.Version, c.Version)
	}
	for name, version := range c.AddOns {
		key := "addOns." + name
		if _, ok := FindAddOn(name); !ok {
			ps.add(key, version, "is no add-on of this program; legal: %s", strings.Join(addOnNames(), ", "))
		} else if !addOnBuild.MatchString(version) {
			ps.add(key, version, "must be a build of EKS such as v1.13.2-eksbuild.1")
		}
	}
	return append(ps, c.validatePools()...)
}

func (c Cluster) validatePools() (ps Problems) {
	if _, ok := c.Pool(PlatformPool); !ok {
		ps.missing("nodePools", fmt.Sprintf("a pool named %q, where add-ons and operators run", PlatformPool))
	}
	seen := map[string]bool{}
	for i, pool := range c.NodePools {
		prefix := fmt.Sprintf("nodePools[%d].", i)
		if seen[pool.Name] {
			ps.add(prefix+"name", pool.Name, "is the name of two pools")
		}
		seen[pool.Name] = true
		if pool.Name == PlatformPool && len(pool.Taints) > 0 {
			ps.add(prefix+"taints", fmt.Sprintf("%+v", pool.Taints), "must be empty: whatever names no pool runs in %s", PlatformPool)
		}
		if pool.Name != PlatformPool && !slices.ContainsFunc(pool.Taints, Taint.keepsOff) {
			ps.add(prefix+"taints", fmt.Sprintf("%+v", pool.Taints), "must have one with the effect NoSchedule or NoExecute: whatever names no pool runs in %s, and not here", PlatformPool)
		}
		ps = append(ps, pool.validate().under(prefix)...)
	}
	return ps
}

func (p NodePool) validate() (ps Problems) {
	if !poolName.MatchString(p.Name) {
		ps.add("name", p.Name, "must be 1 to 30 lower-case letters, digits or hyphens, beginning with a letter and not ending with a hyphen")
	}
	if len(p.InstanceTypes) == 0 {
		ps.missing("instanceTypes", "at least one EC2 instance type")
	}
	if p.Min < 0 || p.Max < 1 || p.Max < p.Min || p.Max > 100 {
		ps.add("max", fmt.Sprintf("min %d, max %d", p.Min, p.Max), "must be 0 <= min <= max <= 100 nodes, and max at least 1")
	} else if apart := Karpenter.Program("controller").Replicas; p.Name == PlatformPool && p.Min < apart {
		ps.add("min", p.Min, "must be at least %d: Karpenter, which makes all further nodes, runs on these only, each of its pods on its own", apart)
	}
	if p.DiskGiB < 20 || p.DiskGiB > 16384 {
		ps.add("diskGiB", p.DiskGiB, "must be 20 to 16384 GiB")
	}
	if p.CapacityType != OnDemand && p.CapacityType != Spot {
		ps.add("capacityType", p.CapacityType, "must be %s or %s", OnDemand, Spot)
	}
	if value, ok := p.Labels[PoolLabel]; ok && value != p.Name {
		ps.add("labels."+PoolLabel, value, "is set by the program to the pool's name %q; leave it out", p.Name)
	}
	for i, taint := range p.Taints {
		if taint.Key == "" || !slices.Contains(effects, taint.Effect) {
			ps.add(fmt.Sprintf("taints[%d]", i), fmt.Sprintf("%+v", taint), "must have a key and an effect of %s", strings.Join(effects, ", "))
		}
	}
	return ps
}

// documentation are the ranges that examples are written with, and that nobody has (RFC 5737).
var documentation = []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.51.100.0/24"), netip.MustParsePrefix("203.0.113.0/24")}

// Placeholders are the ranges for the API server that still are an example.
func (c Cluster) Placeholders() (ranges []string) {
	for _, cidr := range c.PublicAccessCIDRs {
		prefix, err := netip.ParsePrefix(cidr)
		if err == nil && slices.ContainsFunc(documentation, func(d netip.Prefix) bool { return d.Bits() <= prefix.Bits() && d.Contains(prefix.Addr()) }) {
			ranges = append(ranges, cidr)
		}
	}
	return ranges
}

// EntryName is the name of an administrator's access entry: the role's path and name.
func EntryName(role string) string {
	_, path, _ := strings.Cut(role, ":role/")
	return "admin-" + strings.ReplaceAll(path, "/", "-")
}

func checkRole(ps *Problems, key, role, account string) {
	switch {
	case !roleARN.MatchString(role):
		ps.add(key, role, "must be the ARN of an IAM role such as arn:aws:iam::111122223333:role/deploy")
	case accountID.MatchString(account) && !strings.Contains(role, ":"+account+":"):
		ps.add(key, role, "is a role of another account than aws.account, %s", account)
	}
}
