package config

import "slices"

// Operator looks after something for the others, in a namespace of its own that has its name (C4, C5).
type Operator struct {
	Name string
	// Chart and Repository are Helm's; Version, the chart's, is pinned in versions.go. Without a chart the program writes the objects itself.
	Chart, Repository, Version string
	// OwnDefinitions: the kinds come with a chart of their own, and not with this one, which has them, too.
	OwnDefinitions bool
	// Apart wants each pod of a program on a node of its own, and placed nowhere else.
	Apart    bool
	Programs []Program
}

// Program is one Deployment of an operator.
type Program struct {
	Name       string
	Image, Tag string
	Replicas   int
	// Requests are for one pod; capacity is planned with them.
	Requests Amount
}

// Reference is the image as its publisher names it.
func (p Program) Reference() string { return p.Image + ":" + p.Tag }

// Program finds one of the operator's programs; the table has it, or this program is wrong.
func (o Operator) Program(name string) Program {
	i := slices.IndexFunc(o.Programs, func(p Program) bool { return p.Name == name })
	if i < 0 {
		panic("the operator " + o.Name + " has no program " + name)
	}
	return o.Programs[i]
}

var (
	// LoadBalancerController makes network load balancers that lead to pods.
	LoadBalancerController = Operator{
		Name:  "load-balancer-controller",
		Chart: "aws-load-balancer-controller", Repository: "https://aws.github.io/eks-charts", Version: LoadBalancerControllerVersion,
		Programs: []Program{
			{"controller", "public.ecr.aws/eks/aws-load-balancer-controller", "v" + LoadBalancerControllerVersion, 2, Amount{CPU: "100m", Memory: "200Mi"}},
		},
	}
	// Karpenter makes and removes nodes as pods need them (C4).
	Karpenter = Operator{
		Name:  "karpenter",
		Chart: "oci://public.ecr.aws/karpenter/karpenter", Version: KarpenterVersion, OwnDefinitions: true, Apart: true,
		Programs: []Program{
			{"controller", "public.ecr.aws/karpenter/controller", KarpenterVersion, 2, Amount{CPU: "250m", Memory: "512Mi"}},
		},
	}
	// KarpenterDefinitions are the kinds that Karpenter knows: a chart of their own, so that they are updated with it and go after it.
	KarpenterDefinitions = Operator{Name: "karpenter", Chart: "oci://public.ecr.aws/karpenter/karpenter-crd", Version: KarpenterVersion}
	// CertManager gets and renews certificates (W1).
	CertManager = Operator{
		Name:  "cert-manager",
		Chart: "cert-manager", Repository: "https://charts.jetstack.io", Version: CertManagerVersion,
		Programs: []Program{
			{"controller", "quay.io/jetstack/cert-manager-controller", CertManagerVersion, 2, Amount{CPU: "50m", Memory: "128Mi"}},
			{"cainjector", "quay.io/jetstack/cert-manager-cainjector", CertManagerVersion, 2, Amount{CPU: "50m", Memory: "128Mi"}},
			{"webhook", "quay.io/jetstack/cert-manager-webhook", CertManagerVersion, 2, Amount{CPU: "20m", Memory: "64Mi"}},
		},
	}
	// ExternalSecrets copies secrets from AWS Secrets Manager into the cluster (S2).
	ExternalSecrets = Operator{
		Name:  "external-secrets",
		Chart: "external-secrets", Repository: "https://charts.external-secrets.io", Version: ExternalSecretsVersion,
		Programs: []Program{
			{"controller", externalSecretsImage, "v" + ExternalSecretsVersion, 2, Amount{CPU: "50m", Memory: "128Mi"}},
			{"webhook", externalSecretsImage, "v" + ExternalSecretsVersion, 2, Amount{CPU: "20m", Memory: "64Mi"}},
			{"cert-controller", externalSecretsImage, "v" + ExternalSecretsVersion, 1, Amount{CPU: "20m", Memory: "128Mi"}},
		},
	}
	// Reloader rolls workloads when a Secret they read changes (W6).
	Reloader = Operator{
		Name: "reloader",
		Programs: []Program{
			{"controller", "ghcr.io/stakater/reloader", "v" + ReloaderVersion, 1, Amount{CPU: "20m", Memory: "128Mi"}},
		},
	}
	// KEDA scales workers by the length of their queues (W3, W4).
	KEDA = Operator{
		Name:  "keda",
		Chart: "keda", Repository: "https://kedacore.github.io/charts", Version: KEDAVersion,
		Programs: []Program{
			{"operator", "ghcr.io/kedacore/keda", KEDAVersion, 2, Amount{CPU: "100m", Memory: "128Mi"}},
			{"metrics-server", "ghcr.io/kedacore/keda-metrics-apiserver", KEDAVersion, 2, Amount{CPU: "50m", Memory: "128Mi"}},
			{"webhooks", "ghcr.io/kedacore/keda-admission-webhooks", KEDAVersion, 2, Amount{CPU: "20m", Memory: "64Mi"}},
		},
	}
)

// BrokerAuthentication is KEDA's name for how it gets to the broker, in the platform's namespace.
const BrokerAuthentication = "broker"

const externalSecretsImage = "ghcr.io/external-secrets/external-secrets"

// StateMetrics is the name of the add-on kube-state-metrics, and of the namespace that EKS runs it in.
const StateMetrics = "kube-state-metrics"

// Operators are all of them.
var Operators = []Operator{LoadBalancerController, Karpenter, CertManager, ExternalSecrets, Reloader, KEDA}
