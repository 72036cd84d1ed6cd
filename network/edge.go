package network

import (
	"github.com/pulumi/pulumi-cloudflare/sdk/v5/go/cloudflare"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
)

// EdgeToken is the component's type.
const EdgeToken = "alphapulse:network:Edge"

// EdgeArgs are what the edge is made from.
type EdgeArgs struct {
	// Name is the environment's prefix.
	Name string
	Zone Zone
	Spec config.Edge
	// Signed are path prefixes whose calls prove who sends them: they are neither counted nor weighed.
	Signed []string
	// Origin is the host name of the ingress load balancer.
	Origin pulumi.StringInput
	// ClientCertPEM and ClientKeyPEM are what Cloudflare proves itself to the origin with. The certificate is ours: the one that Cloudflare
	// offers is the same for all its customers, and so are its address ranges.
	ClientCertPEM, ClientKeyPEM pulumi.StringInput
}

// Edge is what customers connect to, at Cloudflare (N5).
type Edge struct {
	pulumi.ResourceState

	// Host is the name that customers use; what needs it waits for its record.
	Host pulumi.StringOutput
}

// NewEdge makes the edge; the Cloudflare provider comes with the options. Nothing of it is protected: all can be made again.
func NewEdge(ctx *pulumi.Context, name string, args *EdgeArgs, opts ...pulumi.ResourceOption) (*Edge, error) {
	e := &Edge{}
	if err := ctx.RegisterComponentResource(EdgeToken, name, e, opts...); err != nil {
		return nil, err
	}
	var guards []pulumi.Resource
	if args.Spec.OwnsZone {
		var err error
		if guards, err = newZoneWide(ctx, name, args, e); err != nil {
			return nil, err
		}
	}
	record, err := cloudflare.NewRecord(ctx, name, &cloudflare.RecordArgs{
		ZoneId:  pulumi.String(args.Zone.ID),
		Name:    pulumi.String(args.Spec.Host),
		Type:    pulumi.String("CNAME"),
		Content: args.Origin.ToStringOutput(),
		Proxied: pulumi.Bool(true),
		Ttl:     pulumi.Int(1), // "automatic", the only one for a proxied name
		Comment: pulumi.String(args.Name),
	}, pulumi.Parent(e), pulumi.DependsOn(guards)) // nobody is let in before what guards the door, nor after it has gone
	if err != nil {
		return nil, creating("the record of "+args.Spec.Host, err)
	}
	if err := newOriginPulls(ctx, name, args, record, e); err != nil {
		return nil, err
	}
	e.Host = record.Name
	return e, ctx.RegisterResourceOutputs(e, pulumi.Map{"host": e.Host})
}

// newZoneWide makes what concerns every name of the zone.
func newZoneWide(ctx *pulumi.Context, name string, args *EdgeArgs, parent pulumi.Resource) ([]pulumi.Resource, error) {
	on := pulumi.String("on")
	// They stay when this goes, by a destroy or because another stack owns the zone: whoever else has names there lives on strict TLS. The provider
	// would put back what it found, or nothing at all where it does not know that, and has failed at settings that cannot be written
	// (pulumi/pulumi-cloudflare#354).
	settings, err := cloudflare.NewZoneSettingsOverride(ctx, name+"-zone", &cloudflare.ZoneSettingsOverrideArgs{
		ZoneId: pulumi.String(args.Zone.ID),
		Settings: cloudflare.ZoneSettingsOverrideSettingsArgs{
			Ssl:                    pulumi.String("strict"), // the origin's certificate is checked as a browser would
			MinTlsVersion:          pulumi.String("1.2"),
			Tls13:                  on,
			ZeroRtt:                pulumi.String("off"), // what comes with the first packet can be sent again by anybody; it makes another value of TLS 1.3, too
			AlwaysUseHttps:         on,
			AutomaticHttpsRewrites: on,
			SecurityHeader: cloudflare.ZoneSettingsOverrideSettingsSecurityHeaderArgs{
				Enabled: pulumi.Bool(true),
				MaxAge:  pulumi.Int(365 * 24 * 60 * 60),
				Nosniff: pulumi.Bool(true),
				// Browsers would keep both promises for a year and longer, also for names of the zone that this platform does not serve.
				IncludeSubdomains: pulumi.Bool(false),
				Preload:           pulumi.Bool(false),
			},
		},
	}, pulumi.Parent(parent), pulumi.RetainOnDelete(true))
	if err != nil {
		return nil, creating("the settings of zone "+args.Zone.Name, err)
	}
	guards := []pulumi.Resource{settings}
	for _, rules := range zoneRulesets(args.Spec, args.Signed) {
		made, err := cloudflare.NewRuleset(ctx, name+"-"+rules.phase, &cloudflare.RulesetArgs{
			ZoneId:      pulumi.String(args.Zone.ID),
			Kind:        pulumi.String(zoneKind),
			Phase:       pulumi.String(rules.phase),
			Name:        pulumi.String(rules.name(args.Name)),
			Description: pulumi.String(rules.description),
			Rules:       rules.rules,
		}, pulumi.Parent(parent))
		if err != nil {
			return nil, creating("the ruleset "+rules.phase+" of zone "+args.Zone.Name, err)
		}
		guards = append(guards, made)
	}
	return guards, nil
}

// newOriginPulls makes Cloudflare show our client certificate to the origin, for this host only. A renewed certificate is uploaded
// before the host goes over to it, and the old one deleted after that: at no moment there is none.
func newOriginPulls(ctx *pulumi.Context, name string, args *EdgeArgs, record, parent pulumi.Resource) error {
	certificate, err := cloudflare.NewAuthenticatedOriginPullsCertificate(ctx, name+"-client", &cloudflare.AuthenticatedOriginPullsCertificateArgs{
		ZoneId:      pulumi.String(args.Zone.ID),
		Type:        pulumi.String("per-hostname"),
		Certificate: args.ClientCertPEM,
		PrivateKey:  args.ClientKeyPEM,
	}, pulumi.Parent(parent),
		pulumi.Timeouts(&pulumi.CustomTimeouts{Create: "10m"})) // it is spread over the world first, and the provider waits for one minute
	if err != nil {
		return creating("the client certificate of "+args.Spec.Host, err)
	}
	_, err = cloudflare.NewAuthenticatedOriginPulls(ctx, name+"-client", &cloudflare.AuthenticatedOriginPullsArgs{
		ZoneId:                              pulumi.String(args.Zone.ID),
		Hostname:                            pulumi.String(args.Spec.Host),
		AuthenticatedOriginPullsCertificate: certificate.ID(),
		Enabled:                             pulumi.Bool(true),
	}, pulumi.Parent(parent),
		pulumi.ReplaceOnChanges([]string{"hostname"}), // an update would leave the old host's behind
		// Until it is there the origin refuses what comes, so it may be the last; a host without a record may be refused here.
		pulumi.DependsOn([]pulumi.Resource{record}))
	return creating("the authenticated origin pulls of "+args.Spec.Host, err)
}
