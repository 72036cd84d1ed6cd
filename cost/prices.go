package cost

import (
	"slices"
	"strings"

	"github.com/alphapulse/infrastructure/capacity"
)

// PricesDated is the month of the prices below.
const PricesDated = "2026-11"

// PricesAre says what kind of prices they are.
const PricesAre = "list prices in USD, on demand, without tax, discounts, savings plans and free tiers of new accounts"

// regions are those with a column in the tables. Where the figures come from:
//   - EC2: AWS's price list; us-east-1 of 20 Jul 2026 as in package capacity, eu-west-1 of 4 Nov 2025.
//   - VPC, NAT, CloudWatch, S3, KMS, Route 53: AWS's price list of both regions, Aug to Nov 2025; eu-west-1's NAT again of 25 Sep 2026.
//   - RDS: AWS's pricing page as quoted in 2026; for eu-west-1 what bills and reports of 2019 to 2026 show, and nothing where none did.
//   - The rest (RDS m6g and r6g, database throughput, Firehose, ECR, data between zones, EBS and NLB in eu-west-1, Cloudflare) is not looked up
//     but known: check it against the pricing pages before relying on it.
//
// A bill is the better source: correct what differs, and the date above.
var regions = []string{"us-east-1", "eu-west-1"}

// perRegion is USD in the order of regions. 0 is a price that is not known: the estimate fails and says so, since nothing listed is free.
type perRegion [2]float64

// price is what a unit of something costs.
type price struct {
	unit string
	usd  perRegion
}

// Units. What is paid by the hour is paid for all hours of a month.
const (
	hour    = "hour"
	month   = "month"
	gb      = "GB"
	gbMonth = "GB-month"
	million = "million"
)

// HoursPerMonth is a year's hours over twelve, as AWS's own calculator has it.
const HoursPerMonth = 730

var (
	eksControlPlane = price{hour, perRegion{0.10, 0.10}} // standard support; extended is 0.60
	nodeDisk        = price{gbMonth, perRegion{0.08, 0.088}}

	natGateway        = price{hour, perRegion{0.045, 0.048}}
	natData           = price{gb, perRegion{0.045, 0.048}}
	publicAddress     = price{hour, perRegion{0.005, 0.005}}
	interfaceEndpoint = price{hour, perRegion{0.01, 0.011}} // each in each zone
	endpointData      = price{gb, perRegion{0.01, 0.01}}
	betweenZones      = price{gb, perRegion{0.02, 0.02}} // 0.01 on each side
	dataOut           = price{gb, perRegion{0.09, 0.09}} // beyond freeDataOut, up to 10 TB
	dnsFirewall       = price{million, perRegion{0.60, 0.60}}

	loadBalancer      = price{hour, perRegion{0.0225, 0.0252}}
	loadBalancerUnits = price{hour, perRegion{0.006, 0.006}} // NLCU

	databaseDisk       = price{gbMonth, perRegion{0.115, 0.127}}
	databaseIOPS       = price{"IOPS-month", perRegion{0.02}}
	databaseThroughput = price{"MiB/s-month", perRegion{0.08}}
	extendedSupport    = price{hour, perRegion{0.10, 0.112}} // of a vCPU, in years 1 and 2; twice that in year 3

	logsIngested = price{gb, perRegion{0.50, 0.57}}
	logsKept     = price{gbMonth, perRegion{0.03, 0.03}}
	logsCopied   = price{gb, perRegion{0.029, 0.031}} // Firehose

	objects    = price{gbMonth, perRegion{0.023, 0.023}} // S3 Standard
	images     = price{gbMonth, perRegion{0.10, 0.10}}   // ECR
	keyKept    = price{month, perRegion{1, 1}}
	secretKept = price{month, perRegion{0.40, 0.40}}
	edgePlan   = map[string]price{ // paid by the month; enterprise is by contract
		"pro":      {month, perRegion{25, 25}},
		"business": {month, perRegion{250, 250}},
	}
)

// freeDataOut is what an account may send to the internet each month for nothing, GB.
const freeDataOut = 100

// nodeLarge is the hourly price of a family's size "large". Within a family the price goes by the memory.
var nodeLarge = map[string]perRegion{
	"c5":  {0.085, 0.096},
	"c6i": {0.085, 0.0912},
	"c7i": {0.08925, 0.09576},
	"m5":  {0.096, 0.107},
	"m6i": {0.096, 0.107},
	"m7i": {0.1008, 0.11235},
	"r6i": {0.126, 0.141},
	"r7i": {0.1323, 0.14805},
	"t3":  {0.0832, 0.0912},
}

// database is the hourly price of one copy of a PostgreSQL instance; Multi-AZ has two.
var database = map[string]perRegion{
	"db.t4g.micro":   {0.016, 0.017},
	"db.t4g.small":   {0.032, 0.035},
	"db.t4g.medium":  {0.065, 0.069},
	"db.t4g.large":   {0.129},
	"db.m6g.large":   {0.159, 0.175},
	"db.m6g.xlarge":  {0.318, 0.350},
	"db.m6g.2xlarge": {0.636, 0.700},
	"db.r5.large":    {0.25},
	"db.r5.xlarge":   {0.50},
	"db.r5.2xlarge":  {1.00},
	"db.r5.4xlarge":  {2.00},
	"db.r6g.large":   {0.225},
	"db.r6g.xlarge":  {0.45},
	"db.r6g.2xlarge": {0.90},
	"db.r6g.4xlarge": {1.80},
}

// nodePrice is what an EC2 instance type costs on demand; a type that is not known costs 0 everywhere.
func nodePrice(name string) price {
	family, _, _ := strings.Cut(name, ".")
	of := price{unit: hour}
	t, known := capacity.Instance(name)
	large, hasLarge := capacity.Instance(family + ".large")
	if !known || !hasLarge {
		return of
	}
	for i, usd := range nodeLarge[family] {
		of.usd[i] = usd * float64(t.MemoryMiB) / float64(large.MemoryMiB)
	}
	return of
}

// times is a fraction or a multiple of a price.
func (p price) times(n float64) price {
	for i := range p.usd {
		p.usd[i] *= n
	}
	return p
}

// dearest of alternatives: EC2 gives whichever it has. One without a price is the dearest, so that it is not passed over.
func dearest(types []string, region int) (name string, of price) {
	for _, t := range types {
		candidate := nodePrice(t)
		if name == "" || candidate.usd[region] == 0 || of.usd[region] != 0 && candidate.usd[region] > of.usd[region] {
			name, of = t, candidate
		}
	}
	return name, of
}

func regionColumn(region string) (int, bool) {
	i := slices.Index(regions, region)
	return i, i >= 0
}
