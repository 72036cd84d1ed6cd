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
	texts := map[string]string{}
	for _, entry := range entries {
		if entry.IsDir() || strings.HasSuffix(entry.Name(), "_test.go") { // tests stay at home
			continue
		}
		text, err := files.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			return Files{}, err
		}
		texts[entry.Name()] = string(text)
	}
	return NewTexts(ctx, place, name, program, path, texts, parent)
}

// NewText makes a ConfigMap of one text that is known only when others are made.
func NewText(ctx *pulumi.Context, place Place, name, program, path, file string, text pulumi.StringOutput, parent pulumi.Resource) (Files, error) {
	made, err := corev1.NewConfigMap(ctx, name, &corev1.ConfigMapArgs{Metadata: labelled(place, name, program), Data: pulumi.StringMap{file: text}}, pulumi.Parent(parent))
	if err != nil {
		return Files{}, fmt.Errorf("creating the files of %q: %w", program, err)
	}
	changes := text.ApplyT(func(text string) string { return digest(file, text) }).(pulumi.StringOutput)
	return Files{Name: name, Path: path, ConfigMap: made.Metadata.Name().Elem(), Digest: changes}, nil
}

// NewTexts makes a ConfigMap of texts by the names of their files.
func NewTexts(ctx *pulumi.Context, place Place, name, program, path string, texts map[string]string, parent pulumi.Resource) (Files, error) {
	var all []string
	for _, file := range sortedKeys(texts) {
		all = append(all, file, texts[file])
	}
	made, err := corev1.NewConfigMap(ctx, name, &corev1.ConfigMapArgs{Metadata: labelled(place, name, program), Data: pulumi.ToStringMap(texts)}, pulumi.Parent(parent))
	if err != nil {
		return Files{}, fmt.Errorf("creating the files of %q: %w", program, err)
	}
	return Files{Name: name, Path: path, ConfigMap: made.Metadata.Name().Elem(), Digest: pulumi.String(digest(all...))}, nil
}
