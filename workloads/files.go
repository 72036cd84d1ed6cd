package workloads

import (
	"embed"
	"fmt"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// newFolder makes a ConfigMap of all that stands in a folder of files, to be mounted as one. What is changed by the cluster itself is in none.
func newFolder(ctx *pulumi.Context, place Place, name, program, path string, files embed.FS, folder string, parent pulumi.Resource) (Files, error) {
	entries, err := files.ReadDir(folder)
	if err != nil {
		return Files{}, err
	}
	data, texts := pulumi.StringMap{}, []string{}
	for _, entry := range entries {
		if strings.HasSuffix(entry.Name(), "_test.go") { // tests stay at home
			continue
		}
		text, err := files.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			return Files{}, err
		}
		data[entry.Name()] = pulumi.String(text)
		texts = append(texts, entry.Name(), string(text))
	}
	made, err := corev1.NewConfigMap(ctx, name, &corev1.ConfigMapArgs{Metadata: labelled(place, name, program), Data: data}, pulumi.Parent(parent))
	if err != nil {
		return Files{}, fmt.Errorf("creating the files of %q: %w", program, err)
	}
	return Files{Name: name, Path: path, ConfigMap: made.Metadata.Name().Elem(), Digest: pulumi.String(digest(texts...))}, nil
}
