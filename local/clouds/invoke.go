package clouds

import (
	"context"
	"fmt"
	"maps"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/plugin"
)

// Invoke answers the functions of the provider that read the cloud.
func (p *Provider) Invoke(_ context.Context, req plugin.InvokeRequest) (plugin.InvokeResponse, error) {
	out, err := p.invoke(string(req.Tok), plainMap(req.Args))
	if err != nil {
		return plugin.InvokeResponse{}, fmt.Errorf("%s: %w", req.Tok, err)
	}
	return plugin.InvokeResponse{Properties: wrap(out)}, nil
}

func (p *Provider) invoke(token string, args map[string]any) (map[string]any, error) {
	switch token {
	case "aws:index/getCallerIdentity:getCallerIdentity":
		return map[string]any{"id": p.account, "accountId": p.account, "userId": "AROALOCALENGINE:local-engine",
			"arn": "arn:aws:sts::" + p.account + ":assumed-role/platform-engineer/local-engine"}, nil
	case "aws:index/getPartition:getPartition":
		return map[string]any{"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}, nil
	case "aws:index/getRegion:getRegion":
		return map[string]any{"id": p.region, "name": p.region, "endpoint": "ec2." + p.region + ".amazonaws.com", "description": p.region}, nil
	case "aws:index/getAvailabilityZones:getAvailabilityZones":
		names := []any{p.region + "a", p.region + "b", p.region + "c"}
		return map[string]any{"id": p.region, "names": names, "zoneIds": []any{"az1", "az2", "az3"}, "groupNames": []any{p.region}}, nil
	case "aws:eks/getAddonVersion:getAddonVersion":
		return addonVersion(args)
	case "aws:eks/getCluster:getCluster":
		r, ok, err := p.find("eks.Cluster", str(args["name"]))
		if err != nil {
			return nil, err
		}
		if !ok {
			return nil, fmt.Errorf("reading EKS Cluster (%v): couldn't find resource", args["name"])
		}
		out := maps.Clone(r.Outputs)
		out["id"] = r.ID
		return out, nil
	case "aws:s3/getBucket:getBucket":
		return p.lookupBucket(args)
	case "aws:rds/getInstance:getInstance":
		return p.lookupInstance(args)
	case "aws:secretsmanager/getSecret:getSecret":
		return p.lookupSecret(args)
	case "aws:secretsmanager/getSecretVersions:getSecretVersions":
		return p.lookupSecretVersions(args)
	case "aws:ec2/getManagedPrefixList:getManagedPrefixList":
		return p.lookupPrefixList(args)
	}
	if function, ok := cloudflareFunctions[token]; ok {
		return function(p, args)
	}
	return nil, fmt.Errorf("function is not modelled by the local engine")
}
