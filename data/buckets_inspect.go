package data

import (
	"fmt"
	"strings"

	"github.com/pulumi/pulumi-aws/sdk/v6/go/aws/s3"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/alphapulse/infrastructure/config"
	"github.com/alphapulse/infrastructure/lookup"
)

// InspectBuckets asks AWS, in previews too, whether somebody else has a bucket of ours by name, which `pulumi up` would learn only half
// way. No bucket, and one that is ours, are no problem; an AWS that does not answer is an error.
func InspectBuckets(ctx *pulumi.Context, prefix string, opts ...pulumi.InvokeOption) (config.Problems, error) {
	var taken []string
	for _, name := range bucketNames(prefix) {
		_, err := s3.LookupBucket(ctx, &s3.LookupBucketArgs{Bucket: name}, opts...)
		switch {
		case err == nil || lookup.Missing(err):
		case notOurs(err):
			taken = append(taken, name)
		default:
			return nil, fmt.Errorf("asking for the bucket %s: %w", name, err)
		}
	}
	if len(taken) == 0 {
		return nil, nil
	}
	return config.Problems{{
		Key: config.Namespace + ":data.bucketPrefix", Value: fmt.Sprintf("%q", prefix),
		Want: fmt.Sprintf("%s: somebody else's bucket, or one in another region; bucket names are shared by the whole world: choose another prefix",
			strings.Join(taken, ", ")),
	}}, nil
}

// notOurs recognises S3's answers about a bucket that one may not look at, or that lives in another region.
func notOurs(err error) bool {
	text := err.Error()
	return strings.Contains(text, "StatusCode: 403") || strings.Contains(text, "StatusCode: 301")
}
