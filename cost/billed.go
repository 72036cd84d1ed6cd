package cost

import "github.com/alphapulse/infrastructure/config"

// How many the program makes of what no stack file counts. The repositories of the pull-through cache come with use and are not among them.
const (
	keys         = 5  // D6
	secrets      = 12 // four of the database's, three passwords, four that only a person has, Vault's recovery keys
	repositories = 4  // C7
)

// Tokens of what is paid for by the piece.
const (
	natGateways       = "aws:ec2/natGateway:NatGateway"
	databases         = "aws:rds/instance:Instance"
	kmsKeys           = "aws:kms/key:Key"
	storedSecrets     = "aws:secretsmanager/secret:Secret"
	imageRepositories = "aws:ecr/repository:Repository"
)

// Billed is how many of each Pulumi type the estimate pays for, as far as their number follows from config: a program that makes
// another number of them costs something else.
func Billed(p config.Platform) map[string]int {
	nat := 1
	if p.Network.NATGateways == config.NATPerZone {
		nat = len(p.Network.Zones)
	}
	instances := 1
	if p.Data.Postgres.Replica {
		instances++
	}
	groups := 0
	for _, pool := range p.Cluster.NodePools {
		if pool.Min > 0 {
			groups++
		}
	}
	return map[string]int{
		natGateways:                       nat,
		databases:                         instances,
		kmsKeys:                           keys,
		storedSecrets:                     secrets,
		imageRepositories:                 repositories,
		"aws:ec2/eip:Eip":                 nat,
		"aws:ec2/vpcEndpoint:VpcEndpoint": len(p.Network.InterfaceEndpoints) + 1, // S3's costs nothing
		"aws:eks/nodeGroup:NodeGroup":     groups,
		"aws:cloudtrail/trail:Trail":      1, // only an account's first copy of the events is free
	}
}

func (b *builder) billed(token string) float64 { return float64(Billed(b.platform)[token]) }
