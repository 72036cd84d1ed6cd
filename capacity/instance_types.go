package capacity

import (
	"slices"
	"strings"
)

// InstanceType is what EC2 sells, before Kubernetes takes its share.
type InstanceType struct {
	Name               string
	VCPU               int
	MemoryMiB          int64
	ENIs               int // network interfaces
	IPv4PerENI         int // addresses of one interface, its own included
	Volumes            int // EBS volumes that can be attached beside the root volume, with all interfaces in use
	BaselineCPUPercent int // of each vCPU, what can be used all the time; 100 unless burstable
	HourlyUSD          float64
}

// instanceTypes is sorted by family and size. Where the figures come from:
//   - vCPU, memory, baseline: the instance type pages of AWS.
//   - ENIs and addresses: karpenter-provider-aws zz_generated.vpclimits.go of 6 Aug 2026, made from DescribeInstanceTypes.
//   - Volumes: aws-ebs-csi-driver pkg/cloud/limits (Aug 2026). Up to the sixth generation 28 attachments are shared by
//     volumes, root and interfaces (27 - ENIs); the seventh has 32 for volumes alone (31 and the root).
//   - HourlyUSD: us-east-1, on demand, Linux, 20 Jul 2026: karpenter-provider-aws zz_generated.pricing_aws.go.
var instanceTypes = []InstanceType{
	// Name, vCPU, MiB, ENIs, IPv4 per ENI, volumes, baseline %, USD per hour
	{"c5.large", 2, 4096, 3, 10, 24, 100, 0.085},
	{"c5.xlarge", 4, 8192, 4, 15, 23, 100, 0.17},
	{"c5.2xlarge", 8, 16384, 4, 15, 23, 100, 0.34},
	{"c5.4xlarge", 16, 32768, 8, 30, 19, 100, 0.68},
	{"c5.9xlarge", 36, 73728, 8, 30, 19, 100, 1.53},
	{"c6i.large", 2, 4096, 3, 10, 24, 100, 0.085},
	{"c6i.xlarge", 4, 8192, 4, 15, 23, 100, 0.17},
	{"c6i.2xlarge", 8, 16384, 4, 15, 23, 100, 0.34},
	{"c6i.4xlarge", 16, 32768, 8, 30, 19, 100, 0.68},
	{"c6i.8xlarge", 32, 65536, 8, 30, 19, 100, 1.36},
	{"c7i.large", 2, 4096, 3, 10, 31, 100, 0.08925},
	{"c7i.xlarge", 4, 8192, 4, 15, 31, 100, 0.1785},
	{"c7i.2xlarge", 8, 16384, 4, 15, 31, 100, 0.357},
	{"c7i.4xlarge", 16, 32768, 8, 30, 31, 100, 0.714},
	{"c7i.8xlarge", 32, 65536, 8, 30, 31, 100, 1.428},
	{"m5.large", 2, 8192, 3, 10, 24, 100, 0.096},
	{"m5.xlarge", 4, 16384, 4, 15, 23, 100, 0.192},
	{"m5.2xlarge", 8, 32768, 4, 15, 23, 100, 0.384},
	{"m5.4xlarge", 16, 65536, 8, 30, 19, 100, 0.768},
	{"m5.8xlarge", 32, 131072, 8, 30, 19, 100, 1.536},
	{"m6i.large", 2, 8192, 3, 10, 24, 100, 0.096},
	{"m6i.xlarge", 4, 16384, 4, 15, 23, 100, 0.192},
	{"m6i.2xlarge", 8, 32768, 4, 15, 23, 100, 0.384},
	{"m6i.4xlarge", 16, 65536, 8, 30, 19, 100, 0.768},
	{"m6i.8xlarge", 32, 131072, 8, 30, 19, 100, 1.536},
	{"m7i.large", 2, 8192, 3, 10, 31, 100, 0.1008},
	{"m7i.xlarge", 4, 16384, 4, 15, 31, 100, 0.2016},
	{"m7i.2xlarge", 8, 32768, 4, 15, 31, 100, 0.4032},
	{"m7i.4xlarge", 16, 65536, 8, 30, 31, 100, 0.8064},
	{"m7i.8xlarge", 32, 131072, 8, 30, 31, 100, 1.6128},
	{"r6i.large", 2, 16384, 3, 10, 24, 100, 0.126},
	{"r6i.xlarge", 4, 32768, 4, 15, 23, 100, 0.252},
	{"r6i.2xlarge", 8, 65536, 4, 15, 23, 100, 0.504},
	{"r6i.4xlarge", 16, 131072, 8, 30, 19, 100, 1.008},
	{"r7i.large", 2, 16384, 3, 10, 31, 100, 0.1323},
	{"r7i.xlarge", 4, 32768, 4, 15, 31, 100, 0.2646},
	{"r7i.2xlarge", 8, 65536, 4, 15, 31, 100, 0.5292},
	{"r7i.4xlarge", 16, 131072, 8, 30, 31, 100, 1.0584},
	{"t3.medium", 2, 4096, 3, 6, 24, 20, 0.0416},
	{"t3.large", 2, 8192, 3, 12, 24, 30, 0.0832},
	{"t3.xlarge", 4, 16384, 4, 15, 23, 40, 0.1664},
	{"t3.2xlarge", 8, 32768, 4, 15, 23, 40, 0.3328},
}

// SpotShare is what an hour on spot is guessed to cost, as a share of HourlyUSD: AWS's examples are at half, and prices move.
const SpotShare = 0.6

// Instance finds a type by its name.
func Instance(name string) (InstanceType, bool) {
	i := slices.IndexFunc(instanceTypes, func(t InstanceType) bool { return t.Name == name })
	if i < 0 {
		return InstanceType{}, false
	}
	return instanceTypes[i], true
}

// InstanceTypes are the names of all known types, sorted.
func InstanceTypes() []string {
	names := make([]string, len(instanceTypes))
	for i, t := range instanceTypes {
		names[i] = t.Name
	}
	slices.Sort(names)
	return names
}

// Burstable types run above their baseline on credit only.
func (t InstanceType) Burstable() bool { return t.BaselineCPUPercent < 100 }

// family is what comes before the size: m7i of m7i.2xlarge.
func (t InstanceType) family() string {
	family, _, _ := strings.Cut(t.Name, ".")
	return family
}
