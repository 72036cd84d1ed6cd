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
	texts, err := readFolder(files, folder)
	if err != nil {
		return Files{}, err
	}
	return NewTexts(ctx, place, name, program, path, pulumi.ToStringMap(texts), parent)
}

func readFolder(files embed.FS, folder string) (map[string]string, error) {
	entries, err := files.ReadDir(folder)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, entry := range entries {
		if entry.IsDir() || strings.HasSuffix(entry.Name(), "_test.go") { // tests stay at home
			continue
		}
		text, err := files.ReadFile(folder + "/" + entry.Name())
		if err != nil {
			return nil, err
		}
		texts[entry.Name()] = string(text)
	}
	return texts, nil
}

// NewTexts makes a ConfigMap of texts by the names of their files. Some may be known only when others are made. It never changes: other texts are
// another ConfigMap, whose name Pulumi makes up, and the old one goes when all pods have left it. A running pod so keeps its files, scripts of its
// probes among them, until the rollout reaches it. Under one name the kubelet would change them in all pods within two minutes, and a bad one would
// end all at once.
func NewTexts(ctx *pulumi.Context, place Place, name, program, path string, texts pulumi.StringMap, parent pulumi.Resource) (Files, error) {
	meta := labelled(place, name, program)
	meta.Name = nil
	return newFiles(ctx, name, program, path, &corev1.ConfigMapArgs{Metadata: meta, Data: texts, Immutable: pulumi.Bool(true)}, parent)
}

// newNamedTexts is for a name that is given. What is in it changes under pods that run: they must read it at their start only.
func newNamedTexts(ctx *pulumi.Context, place Place, name, program, path string, texts pulumi.StringMap, parent pulumi.Resource) (Files, error) {
	return newFiles(ctx, name, program, path, &corev1.ConfigMapArgs{Metadata: labelled(place, name, program), Data: texts}, parent)
}

func newFiles(ctx *pulumi.Context, name, program, path string, args *corev1.ConfigMapArgs, parent pulumi.Resource) (Files, error) {
	made, err := corev1.NewConfigMap(ctx, name, args, pulumi.Parent(parent))
	if err != nil {
		return Files{}, fmt.Errorf("creating the files of %q: %w", program, err)
	}
	changes := args.Data.ToStringMapOutput().ApplyT(func(texts map[string]string) string {
		var all []string
		for _, file := range sortedKeys(texts) {
			all = append(all, file, texts[file])
		}
		return digest(all...)
	}).(pulumi.StringOutput)
	return Files{Name: name, Path: path, ConfigMap: made.Metadata.Name().Elem(), Digest: changes}, nil
}
