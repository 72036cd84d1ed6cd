package config

// Operator is a chart that looks after something for the others, in a namespace of its own that has its name (C4, C5).
type Operator struct {
	Name string
	// Chart and Repository are Helm's, Image is what the chart runs; Version, of both, is pinned in versions.go.
	Chart, Repository, Image, Version string
	Replicas                          int
	Requests                          Amount
}

// Tag is the image's.
func (o Operator) Tag() string { return "v" + o.Version }

// LoadBalancerController makes network load balancers that lead to pods.
var LoadBalancerController = Operator{
	Name:  "load-balancer-controller",
	Chart: "aws-load-balancer-controller", Repository: "https://aws.github.io/eks-charts",
	Image: "public.ecr.aws/eks/aws-load-balancer-controller", Version: LoadBalancerControllerVersion,
	Replicas: 2, Requests: Amount{CPU: "100m", Memory: "200Mi"},
}

// Operators are all of them; capacity is planned with their requests.
var Operators = []Operator{LoadBalancerController}
