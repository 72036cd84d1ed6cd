package observability

import (
	_ "embed"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/workloads"
)

// Facts are the figures of facts.yml, by the names that it has for them.
type Facts pulumi.IntMap

// What facts.yml asks for.
const (
	PostgresStorage     = "postgres-storage" // bytes
	OriginPullEnds      = "origin-pull"      // seconds since 1970
	BalancerWebhookEnds = "load-balancer-webhook"
)

//go:embed prometheus/facts/facts.yml
var factsFile string

// figurePlace is where a figure belongs, with its name.
var figurePlace = regexp.MustCompile(`vector\(0\) # (\S+)`)

// newFacts makes the file with the figures in it. They are constants to Prometheus: one that changes rolls it.
func newFacts(ctx *pulumi.Context, place workloads.Place, program string, facts Facts, parent pulumi.Resource) (workloads.Files, error) {
	text := pulumi.IntMap(facts).ToIntMapOutput().ApplyT(factsText).(pulumi.StringOutput)
	return workloads.NewTexts(ctx, place, program+"-facts", program, prometheusPath+"/facts", pulumi.StringMap{"facts.yml": text}, parent)
}

// factsText is facts.yml with the figures in it, all of them.
func factsText(facts map[string]int) (string, error) {
	var wanted []string
	text := figurePlace.ReplaceAllStringFunc(factsFile, func(found string) string {
		name := figurePlace.FindStringSubmatch(found)[1]
		wanted = append(wanted, name)
		return fmt.Sprintf("vector(%d) # %s", facts[name], name)
	})
	slices.Sort(wanted)
	if given := slices.Sorted(maps.Keys(facts)); !slices.Equal(wanted, given) {
		return "", fmt.Errorf("facts.yml of %s asks for %v, and gets %v", config.PrometheusName, wanted, given)
	}
	return text, nil
}
