package rules

import "testing"

const everyLog = `"api","audit","authenticator","controllerManager","scheduler"`

func vpc(settings string) string {
	return `{"vpcConfig":{"endpointPrivateAccess":true,` + settings + `}}`
}

var clusterCases = []breakage{
	{"eks-authentication", eksCluster, `{"accessConfig":{"authenticationMode":"API_AND_CONFIG_MAP"}}`, "set it to API", `{"accessConfig":{"authenticationMode":"API"}}`},
	{"eks-version", eksCluster, `{"version":"1.33"}`, "version 1.33: EKS does not run it under standard support", `{"version":"1.36"}`},
	{"eks-logs", eksCluster, `{"enabledClusterLogTypes":["api","audit","authenticator","scheduler"]}`, "controllerManager is missing", `{"enabledClusterLogTypes":[` + everyLog + `]}`},
	{"eks-logs", eksCluster, `{}`, "enabledClusterLogTypes (not set): api is missing", `{"enabledClusterLogTypes":[` + everyLog + `]}`},
	{"eks-secrets-encryption", eksCluster, `{}`, "not encrypted with our key", `{"encryptionConfig":{"provider":{"keyArn":"arn:k"},"resources":["secrets"]}}`},
	{"eks-endpoint", eksCluster, `{"vpcConfig":{"endpointPublicAccess":false}}`, "vpcConfig.endpointPrivateAccess (not set)", vpc(`"endpointPublicAccess":false`)},
	{"eks-endpoint", eksCluster, vpc(`"subnetIds":[]`), "open to the internet", vpc(`"publicAccessCidrs":["203.0.113.0/24"]`)},
	{"eks-endpoint", eksCluster, vpc(`"endpointPublicAccess":true,"publicAccessCidrs":["203.0.113.0/24","0.0.0.0/0"]`), "open to the internet",
		vpc(`"endpointPublicAccess":true,"publicAccessCidrs":["203.0.113.0/24"]`)},
	{"eks-endpoint", eksCluster, vpc(`"publicAccessCidrs":["0.0.0.0/1","128.0.0.0/1"]`), "open to the internet", vpc(`"publicAccessCidrs":["203.0.113.0/24"]`)},
	{"eks-public-cidrs", eksCluster, vpc(`"publicAccessCidrs":["203.0.113.0/24","10.0.0.0/8"]`), "vpcConfig.publicAccessCidrs[1] 10.0.0.0/8: EKS refuses", vpc(`"publicAccessCidrs":["203.0.113.0/24"]`)},
	{"eks-public-cidrs", eksCluster, vpc(`"publicAccessCidrs":["100.64.1.0/24"]`), "EKS refuses ranges", vpc(`"publicAccessCidrs":[]`)},
	{"eks-public-cidrs", eksCluster, vpc(`"publicAccessCidrs":["office"]`), "is not a range", vpc(`"publicAccessCidrs":["203.0.113.7/32"]`)},
	{"eks-service-range", eksCluster, `{"kubernetesNetworkConfig":{"serviceIpv4Cidr":"8.8.0.0/16"}}`, "EKS takes private ranges", `{"kubernetesNetworkConfig":{"serviceIpv4Cidr":"172.20.0.0/16"}}`},
	{"eks-service-range", eksCluster, `{"kubernetesNetworkConfig":{"serviceIpv4Cidr":"10.0.0.0/8"}}`, "from /24 to /12", `{"kubernetesNetworkConfig":{"serviceIpv4Cidr":"10.100.0.0/16"}}`},
	{"eks-cluster-subnets", eksCluster, vpc(`"subnetIds":["subnet-1"]`), "two zones", vpc(`"subnetIds":["subnet-1","subnet-2"]`)},
	{"eks-addon-conflicts", addOn, `{"addonName":"coredns"}`, "resolveConflictsOnCreate (not set): EKS has put its own", `{"addonName":"coredns","resolveConflictsOnCreate":"OVERWRITE"}`},
	{"eks-addon-conflicts", addOn, `{"addonName":"kube-proxy","resolveConflictsOnCreate":"NONE"}`, "set it to OVERWRITE", `{"addonName":"metrics-server"}`},
	{"eks-addon-conflicts", addOn, `{"addonName":"metrics-server","resolveConflicts":"OVERWRITE"}`, "deprecated", `{"addonName":"metrics-server","resolveConflictsOnCreate":"NONE"}`},
	{"eks-addon-conflicts", addOn, `{"addonName":"metrics-server","resolveConflictsOnCreate":"PRESERVE"}`, "use one of NONE OVERWRITE", `{"addonName":"metrics-server"}`},
	{"eks-addon-values", addOn, `{"configurationValues":"replicaCount: 2"}`, "is no JSON object", `{"configurationValues":"{\"replicaCount\":2}"}`},
	{"eks-network-policy", addOn, `{"addonName":"vpc-cni"}`, "network policies are off", `{"addonName":"vpc-cni","configurationValues":"{\"enableNetworkPolicy\":\"true\"}"}`},
	{"eks-network-policy", addOn, `{"addonName":"vpc-cni","configurationValues":"{\"enableNetworkPolicy\":true}"}`, "a string", `{"addonName":"coredns"}`},
	{"eks-network-policy", addOn, `{"addonName":"vpc-cni","addonVersion":"v1.13.4-eksbuild.1","configurationValues":"{\"enableNetworkPolicy\":\"true\"}"}`, "came with 1.14",
		`{"addonName":"vpc-cni","addonVersion":"v1.20.0-eksbuild.1","configurationValues":"{\"enableNetworkPolicy\":\"true\"}"}`},
	{"eks-access-entry", accessEntry, `{"type":"NODE"}`, "use one of STANDARD", `{"type":"STANDARD","kubernetesGroups":["viewers"]}`},
	{"eks-access-entry", accessEntry, `{"type":"EC2_LINUX","kubernetesGroups":["nodes"]}`, "EKS itself names nodes", `{"type":"EC2_LINUX"}`},
	{"eks-access-entry", accessEntry, `{"type":"EC2_LINUX","userName":"node"}`, "EKS itself names nodes", `{"userName":"deployer"}`},
	{"eks-access-entry", accessEntry, `{"kubernetesGroups":["system:masters"]}`, "kubernetesGroups[0] system:masters: EKS refuses groups", `{"kubernetesGroups":["masters"]}`},
	{"eks-access-entry", accessEntry, `{"principalArn":"arn:aws:sts::1:assumed-role/admin/me"}`, "is a session", `{"principalArn":"arn:aws:iam::1:role/admin"}`},
	{"eks-access-scope", accessScope, `{"policyArn":"arn:aws:iam::aws:policy/AdministratorAccess"}`, "is not an access policy",
		`{"policyArn":"arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"}`},
	{"eks-access-scope", accessScope, `{"accessScope":{"type":"namespace"}}`, "name the namespaces", `{"accessScope":{"type":"namespace","namespaces":["monitoring"]}}`},
	{"eks-access-scope", accessScope, `{"accessScope":{"type":"cluster","namespaces":["monitoring"]}}`, "has no namespaces", `{"accessScope":{"type":"cluster"}}`},
}

func TestC1ClusterAndC4AddOnArguments(t *testing.T) { breakEach(t, clusterCases) }

const imds1 = `{"httpTokens":"required","httpPutResponseHopLimit":1}`

func disk(ebs string) string {
	return `{"blockDeviceMappings":[{"deviceName":"/dev/xvda","ebs":` + ebs + `}]}`
}

var nodeCases = []breakage{
	{"eks-node-image", nodeGroup, `{"amiType":"AL2_x86_64","version":"1.33"}`, "no image for Kubernetes 1.33", `{"amiType":"AL2_x86_64","version":"1.32"}`},
	{"eks-node-image", nodeGroup, `{"amiType":"AL2_ARM_64"}`, "use AL2023_x86_64_STANDARD", `{"amiType":"AL2023_x86_64_STANDARD","version":"1.36"}`},
	{"eks-version", nodeGroup, `{"version":"1.28"}`, "standard support", `{"version":"1.35"}`},
	{"eks-node-subnets", nodeGroup, `{}`, "name the private subnets", `{"subnetIds":["subnet-1"]}`},
	{"eks-node-template", nodeGroup, `{"launchTemplate":{"id":"lt-1","version":"1"},"diskSize":100}`, "diskSize 100: EKS refuses it beside a launch template", `{"diskSize":100}`},
	{"eks-node-template", nodeGroup, `{"launchTemplate":{"id":"lt-1","version":"1"},"remoteAccess":{"ec2SshKey":"k"}}`, "remoteAccess", `{"launchTemplate":{"id":"lt-1","version":"1"}}`},
	{"eks-node-template", nodeGroup, `{"launchTemplate":{"id":"lt-1","name":"t","version":"1"}}`, "named twice", `{"launchTemplate":{"name":"t","version":"1"}}`},
	{"eks-node-template", nodeGroup, `{"launchTemplate":{"id":"lt-1"}}`, "launchTemplate.version (not set)", `{"launchTemplate":{"id":"lt-1","version":"1"}}`},
	{"eks-node-taints", nodeGroup, `{"taints":[{"key":"a","effect":"NoSchedule"}]}`, "taints[0].effect NoSchedule: is not an effect", `{"taints":[{"key":"a","effect":"NO_SCHEDULE"}]}`},
	{"eks-node-capacity", nodeGroup, `{"capacityType":"spot"}`, "use one of ON_DEMAND", `{"capacityType":"SPOT"}`},
	{"eks-node-scaling", nodeGroup, `{"scalingConfig":{"minSize":3,"desiredSize":2,"maxSize":5}}`, "minSize <= desiredSize", `{"scalingConfig":{"minSize":2,"desiredSize":2,"maxSize":5}}`},
	{"eks-node-update", nodeGroup, `{"updateConfig":{"maxUnavailable":1,"maxUnavailablePercentage":33}}`, "one of the two", `{"updateConfig":{"maxUnavailablePercentage":33}}`},
	{"eks-node-update", nodeGroup, `{"updateConfig":{"maxUnavailablePercentage":0}}`, "use 1 to 100", `{"updateConfig":{"maxUnavailable":1}}`},
	{"eks-node-labels", nodeGroup, `{"labels":{"node-role.kubernetes.io/worker":""}}`, "labels.node-role.kubernetes.io/worker", `{"labels":{"workload-type":"services","kubernetes.io.example/a":"b"}}`},
	{"node-template-settings", launchTemplate, `{"iamInstanceProfile":{"name":"p"}}`, "leave it to the node group", `{"description":"Nodes"}`},
	{"node-template-settings", launchTemplate, `{"instanceType":"m6i.large"}`, "two places", `{}`},
	{"node-template-settings", launchTemplate, `{"networkInterfaces":[{"subnetId":"subnet-1"}]}`, "networkInterfaces[0].subnetId", `{"networkInterfaces":[{"securityGroups":["sg-1"]}]}`},
	{"node-metadata", launchTemplate, `{}`, "metadataOptions.httpTokens (not set)", `{"metadataOptions":` + imds1 + `}`},
	{"node-metadata", launchTemplate, `{"metadataOptions":{"httpTokens":"required","httpPutResponseHopLimit":2}}`, "httpPutResponseHopLimit 2", `{"metadataOptions":` + imds1 + `}`},
	{"node-disks", launchTemplate, `{}`, "the image's own disk", disk(`{"encrypted":"true","volumeType":"gp3"}`)},
	{"node-disks", launchTemplate, disk(`{"volumeType":"gp3"}`), "blockDeviceMappings[0].ebs.encrypted (not set)", disk(`{"encrypted":"True","volumeType":"gp3"}`)},
	{"node-disks", launchTemplate, disk(`{"encrypted":"true","volumeType":"gp2"}`), "set it to gp3", disk(`{"encrypted":"true","volumeType":"gp3"}`)},
	{"node-class-metadata", nodeClass, `{"spec":{"metadataOptions":{"httpTokens":"optional"}}}`, "gets the node's credentials", `{"spec":{}}`},
	{"node-class-metadata", nodeClass, `{"spec":{"metadataOptions":{"httpPutResponseHopLimit":2}}}`, "hops", `{"spec":{"metadataOptions":` + imds1 + `}}`},
	{"node-class-disks", nodeClass, `{"spec":` + disk(`{"volumeType":"gp3"}`) + `}`, "the disk is not encrypted", `{"spec":` + disk(`{"encrypted":true,"volumeType":"gp3"}`) + `}`},
	{"node-pool-limit", nodePool, `{"spec":{"template":{}}}`, "until the account's quota", `{"spec":{"limits":{"cpu":"40"}}}`},
	{"node-pool-drain", nodePool, `{"spec":{"template":{"spec":{}}}}`, "for ever", `{"spec":{"template":{"spec":{"terminationGracePeriod":"30m"}}}}`},
	{"node-class-image", nodeClass, `{"spec":{"amiSelectorTerms":[{"alias":"al2@latest"}]}}`, "use al2023@", `{"spec":{"amiSelectorTerms":[{"alias":"al2023@v20261101"},{"id":"ami-1"}]}}`},
}

func TestC2NodeArguments(t *testing.T) { breakEach(t, nodeCases) }

var componentCases = []breakage{
	{"eks-component-oidc", eksComponent, `{"createOidcProvider":true}`, "in every preview", `{"createOidcProvider":false}`},
	{"eks-component-nodes", eksComponent, `{}`, "skipDefaultNodeGroup (not set)", `{"skipDefaultNodeGroup":true}`},
	{"eks-component-cni", eksComponent, `{}`, "useDefaultVpcCni (not set)", `{"useDefaultVpcCni":true}`},
	{"eks-component-storage", eksComponent, `{"storageClasses":"gp2"}`, "in-tree", `{}`},
	{"eks-component-roles", eksComponent, `{"authenticationMode":"API","roleMappings":[]}`, "no aws-auth map", `{"authenticationMode":"API","instanceRole":{}}`},
	{"eks-component-template", managedNodeGroup, `{"launchTemplate":{"id":"lt-1"},"enableIMDSv2":true}`, "a template of its own", `{"enableIMDSv2":true}`},
	{"eks-component-addon", "eks:index:Addon", `{"addonName":"coredns"}`, "use eks.NewAddon of pulumi-aws", ""},
}

func TestC1ComponentArguments(t *testing.T) { breakEach(t, componentCases) }

var edgeCases = []breakage{
	{"cloudflare-record-content", record, `{"value":"192.0.2.1"}`, "use content", `{"content":"192.0.2.1"}`},
	{"cloudflare-record-proxied", record, `{"proxied":true,"ttl":300}`, "1 is automatic", `{"proxied":true,"ttl":1}`},
	{"cloudflare-record-proxied", record, `{"proxied":true,"type":"TXT"}`, "use one of A AAAA CNAME", `{"proxied":false,"type":"TXT","ttl":300}`},
	{"cloudflare-phase", ruleset, `{"phase":"httpRatelimit","kind":"zone"}`, "snake case", `{"phase":"http_ratelimit","kind":"zone"}`},
	{"cloudflare-phase", ruleset, `{"phase":"http_request_firewall_custom","kind":"Zone"}`, "use one of custom", `{"phase":"http_request_firewall_custom","kind":"zone"}`},
	{"cloudflare-rate-limit", ruleset, `{"rules":[{"ratelimit":{"characteristics":["ip.src"],"period":60}}]}`, "add cf.colo.id", `{"rules":[{"ratelimit":{"characteristics":["ip.src","cf.colo.id"],"period":60}}]}`},
	{"cloudflare-rate-limit", ruleset, `{"rules":[{"ratelimit":{"characteristics":["cf.colo.id"],"period":30}}]}`, "use one of 10 60 120 300 600 3600", `{"rules":[{"action":"block"}]}`},
	{"cloudflare-rate-limit", ruleset, `{"rules":[{"ratelimit":{"characteristics":["cf.colo.id"],"mitigationTimeout":5}}]}`, "mitigationTimeout 5", `{"rules":[{"ratelimit":{"characteristics":["cf.colo.id"],"mitigationTimeout":60}}]}`},
	{"cloudflare-setting-switch", zoneSettings, `{"settings":{"alwaysUseHttps":"true"}}`, "use one of on off", `{"settings":{"alwaysUseHttps":"on"}}`},
	{"cloudflare-tls", zoneSettings, `{"settings":{"ssl":"full"}}`, "strict TLS", `{"settings":{"ssl":"strict","minTlsVersion":"1.2"}}`},
	{"cloudflare-tls", zoneSettings, `{"settings":{"minTlsVersion":"1.0"}}`, "use one of 1.2 1.3", `{"settings":{"minTlsVersion":"1.3"}}`},
}

func TestN5EdgeArguments(t *testing.T) { breakEach(t, edgeCases) }
