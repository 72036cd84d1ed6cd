package workloads

import (
	"embed"
	"fmt"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NewFolder makes a ConfigMap of all files of a folder, to be mounted as one; folders in it are others. What is changed by the cluster itself is
// in none.
func NewFolder(ctx *pulumi.Context, place Place, name, program, path string, files embed.FS, folder string, parent pulumi.Resource) (Files, error) {
	entries, err := files.ReadDir(folder)
	if err != nil {
		return Files{}, err
	}
	texts := pulumi.StringMap{}
	for _, entry := range entries {
		if entry.IsDir() || strings.HasSuffix(entry.Name(), "_test.go") { // tests stay at home
			continue
		}
		text, err := files.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			return Files{}, err
		}
		texts[entry.Name()] = pulumi.String(text)
	}
	return NewTexts(ctx, place, name, program, path, texts, parent)
}

// NewTexts makes a ConfigMap of texts by the names of their files. Some may be known only when others are made.
func NewTexts(ctx *pulumi.Context, place Place, name, program, path string, texts pulumi.StringMap, parent pulumi.Resource) (Files, error) {
	made, err := corev1.NewConfigMap(ctx, name, &corev1.ConfigMapArgs{Metadata: labelled(place, name, program), Data: texts}, pulumi.Parent(parent))
	if err != nil {
		return Files{}, fmt.Errorf("creating the files of %q: %w", program, err)
	}
	changes := texts.ToStringMapOutput().ApplyT(func(texts map[string]string) string {
		var all []string
		for _, file := range sortedKeys(texts) {
			all = append(all, file, texts[file])
		}
		return digest(all...)
	}).(pulumi.StringOutput)
	return Files{Name: name, Path: path, ConfigMap: made.Metadata.Name().Elem(), Digest: changes}, nil
}
