package workloads

import (
	"embed"
	"fmt"
	"strings"

	corev1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/core/v1"
	metav1 "github.com/pulumi/pulumi-kubernetes/sdk/v4/go/kubernetes/meta/v1"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

// NewFolder makes a ConfigMap of all files of a folder, to be mounted as one; folders in it are others. What is changed by the cluster itself is
// in none. Its name ends in the files' checksum: a running pod keeps its own, scripts of its probes among them, until the rollout reaches it. Under
// one name the kubelet would change them in all pods within two minutes, and a bad one would end all at once.
func NewFolder(ctx *pulumi.Context, place Place, name, program, path string, files embed.FS, folder string, parent pulumi.Resource) (Files, error) {
	texts, err := readFolder(files, folder)
	if err != nil {
		return Files{}, err
	}
	meta := labelled(place, name+"-"+digestOf(texts), program)
	return newTexts(ctx, meta, name, program, path, pulumi.ToStringMap(texts), parent)
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

// NewTexts makes a ConfigMap of texts by the names of their files. Some may be known only when others are made, so its name says nothing of them:
// programs must read these files once, at their start.
func NewTexts(ctx *pulumi.Context, place Place, name, program, path string, texts pulumi.StringMap, parent pulumi.Resource) (Files, error) {
	return newTexts(ctx, labelled(place, name, program), name, program, path, texts, parent)
}

func newTexts(ctx *pulumi.Context, meta metav1.ObjectMetaArgs, name, program, path string, texts pulumi.StringMap, parent pulumi.Resource) (Files, error) {
	made, err := corev1.NewConfigMap(ctx, name, &corev1.ConfigMapArgs{Metadata: meta, Data: texts}, pulumi.Parent(parent))
	if err != nil {
		return Files{}, fmt.Errorf("creating the files of %q: %w", program, err)
	}
	changes := texts.ToStringMapOutput().ApplyT(digestOf).(pulumi.StringOutput)
	return Files{Name: name, Path: path, ConfigMap: made.Metadata.Name().Elem(), Digest: changes}, nil
}

func digestOf(texts map[string]string) string {
	var all []string
	for _, file := range sortedKeys(texts) {
		all = append(all, file, texts[file])
	}
	return digest(all...)
}
