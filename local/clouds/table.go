package clouds

import (
	"context"
	"fmt"
	"strings"

	"github.com/alphapulse/infrastructure/local/inventory"
)

// Type is a modelled resource type: one row of a table. See field for the notation of Props, and expand for that of ID and Out.
type Type struct {
	Name    string // "ec2.Vpc" is Pulumi's "aws:ec2/vpc:Vpc", "index.Record" is "cloudflare:index/record:Record"
	ID      string // how the physical id looks: "vpc-{hex}", "{name}"
	Props   string
	Out     string // computed outputs, "arn=arn:aws:ec2:{region}:{account}:vpc/{id} state=available"; "?" is set by a hook
	Unique  string // error code and the properties of which no two records have the same: "EntityAlreadyExists name"
	Missing string // error code when another resource refers to one that is not there, unless the service has one for all

	Moves       string // outputs that every update changes: previews do not know them
	DeleteFirst bool   // a replacement always waits until its predecessor is gone

	// What cannot be said in a table. Hooks may change the record's outputs; a failed hook leaves no record.
	check func(in map[string]any) error // values may be unknown
	// admit refuses what the cloud would, seeing what it holds, before the record is made or changed. Nobody else writes meanwhile.
	admit  func(p *Provider, r *inventory.Record) error
	create func(ctx context.Context, p *Provider, r *inventory.Record) error
	update func(ctx context.Context, p *Provider, old inventory.Record, r *inventory.Record) error
	delete func(ctx context.Context, p *Provider, r inventory.Record) error

	fields []field
}

// codes are AWS's error codes of a service for a missing thing and for one that is still in use.
type codes struct{ missing, inUse string }

var services = map[string]codes{
	"ec2":            {"InvalidParameterValue", "DependencyViolation"},
	"vpc":            {"InvalidSecurityGroupRuleId.NotFound", "DependencyViolation"},
	"iam":            {"NoSuchEntity", "DeleteConflict"},
	"kms":            {"NotFoundException", "ConflictException"},
	"cloudwatch":     {"ResourceNotFoundException", "OperationAbortedException"},
	"route53":        {"ResourceNotFoundException", "ConflictException"},
	"eks":            {"ResourceNotFoundException", "ResourceInUseException"},
	"s3":             {"NoSuchBucket", "BucketNotEmpty"},
	"rds":            {"DBInstanceNotFound", "InvalidDBParameterGroupState"},
	"ecr":            {"RepositoryNotFoundException", "RepositoryNotEmptyException"},
	"cloudtrail":     {"TrailNotFoundException", "ConflictException"},
	"kinesis":        {"ResourceNotFoundException", "ResourceInUseException"},
	"sqs":            {"AWS.SimpleQueueService.NonExistentQueue", "InvalidParameterValue"},
	"secretsmanager": {"ResourceNotFoundException", "InvalidRequestException"},
	"index":          {"7003", "conflict"}, // Cloudflare's: "could not route to ..., perhaps your object identifier is invalid?"
}

// types holds every row by Pulumi's token.
var types = map[string]*Type{}

func init() { // the hooks of the rows use the table themselves
	for _, table := range [][]Type{ec2Types, iamTypes, kmsTypes, logsTypes, resolverTypes, eksTypes,
		s3Types, rdsTypes, ecrTypes, secretTypes, auditTypes, sqsTypes, eventTypes, prefixListTypes, cloudflareTypes} {
		for _, t := range table {
			t.fields = parseFields(t.Props)
			if tags, ok := lookup(t.fields, "tags"); ok && tags.free {
				t.Out += " tagsAll={tags}"
			}
			types[token(t.Name)] = &t
		}
	}
}

// token gives Pulumi's token of a name of the tables: "aws:ec2/vpc:Vpc" of "ec2.Vpc". All of Cloudflare is in one module, "index", which
// has no resource types at AWS.
func token(name string) string {
	module, typ, _ := strings.Cut(name, ".")
	cloud := "aws"
	if module == "index" {
		cloud = "cloudflare"
	}
	return fmt.Sprintf("%s:%s/%s:%s", cloud, module, strings.ToLower(typ[:1])+typ[1:], typ)
}

func (t *Type) service() codes { return services[t.module()] }

func (t *Type) module() string {
	module, _, _ := strings.Cut(t.Name, ".")
	return module
}

// short is the type in an error message: "Vpc".
func (t *Type) short() string { return t.Name[len(t.module())+1:] }

func (t *Type) missing() string {
	if t.Missing != "" {
		return t.Missing
	}
	return t.service().missing
}

// apiError is an answer of AWS: its own code, and what is wrong.
func apiError(code, format string, args ...any) error {
	return fmt.Errorf("api error %s: %s", code, fmt.Sprintf(format, args...))
}
