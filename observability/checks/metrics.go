package checks

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// set is one of names.
type set map[string]bool

func setOf(names ...string) set {
	s := set{}
	for _, name := range names {
		s[name] = true
	}
	return s
}

func (s set) with(others ...set) set {
	all := set{}
	for _, one := range append(others, s) {
		for name := range one {
			all[name] = true
		}
	}
	return all
}

func (s set) without(names ...string) set {
	rest := set{}
	for name := range s {
		if !slices.Contains(names, name) {
			rest[name] = true
		}
	}
	return rest
}

// metric is one of a list, with the labels that Prometheus has of it.
type metric struct {
	kind   string
	labels set
}

// job is one of Prometheus' own: the labels that it gives to what it scrapes, and whether a metric's own go before them.
type job struct {
	labels set
	honors bool
}

// readJobs reads them from Prometheus' configuration.
func readJobs(file string) (map[string]job, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var config struct {
		Jobs []struct {
			Name    string `yaml:"job_name"`
			Honors  bool   `yaml:"honor_labels"`
			Relabel []struct {
				Target string `yaml:"target_label"`
			} `yaml:"relabel_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal(text, &config); err != nil {
		return nil, fmt.Errorf("reading %s: %w", file, err)
	}
	jobs := map[string]job{}
	for _, one := range config.Jobs {
		labels := setOf("job", "instance")
		for _, rule := range one.Relabel {
			if rule.Target != "" && !strings.HasPrefix(rule.Target, "__") {
				labels[rule.Target] = true
			}
		}
		jobs[one.Name] = job{labels, one.Honors}
	}
	return jobs, nil
}

// readLists reads what exporters expose. A line has a metric's name, its kind and its own labels; a comment `jobs:` says who scrapes it.
func readLists(folder string, jobs map[string]job) (map[string]metric, error) {
	files, err := filepath.Glob(filepath.Join(folder, "*.txt"))
	if err != nil || len(files) == 0 {
		return nil, fmt.Errorf("%s has no lists: %w", folder, err)
	}
	all := map[string]metric{}
	for _, file := range files {
		if err := readList(file, jobs, all); err != nil {
			return nil, fmt.Errorf("reading %s: %w", file, err)
		}
	}
	return all, nil
}

func readList(file string, jobs map[string]job, all map[string]metric) error {
	text, err := os.Open(file)
	if err != nil {
		return err
	}
	defer text.Close()
	var scraped []job
	for lines := bufio.NewScanner(text); lines.Scan(); {
		line := lines.Text()
		if names, found := strings.CutPrefix(line, "# jobs: "); found {
			if scraped, err = find(jobs, names); err != nil {
				return err
			}
			continue
		}
		words := strings.Fields(line)
		if strings.HasPrefix(line, "#") || len(words) == 0 {
			continue
		}
		if len(words) < 2 || scraped == nil {
			return fmt.Errorf("%q: no kind, or nobody scrapes it", line)
		}
		labels := set{}
		for _, one := range scraped {
			for _, own := range words[2:] {
				if one.labels[own] && !one.honors {
					own = "exported_" + own
				}
				labels[own] = true
			}
			labels = labels.with(one.labels)
		}
		for suffix, more := range suffixes(words[1]) {
			name := words[0] + suffix
			if had, twice := all[name]; twice {
				labels = labels.with(had.labels)
			}
			all[name] = metric{words[1], labels.with(more)}
		}
	}
	return nil
}

func find(jobs map[string]job, names string) (found []job, err error) {
	for _, name := range strings.Fields(names) {
		if name == "*" {
			for _, one := range jobs {
				found = append(found, one)
			}
			continue
		}
		one, known := jobs[name]
		if !known {
			return nil, fmt.Errorf("no job %q", name)
		}
		found = append(found, one)
	}
	return found, nil
}

// suffixes are the series of a metric of a kind, with the labels that only they have.
func suffixes(kind string) map[string]set {
	switch kind {
	case "histogram":
		return map[string]set{"_bucket": setOf("le"), "_sum": nil, "_count": nil}
	case "summary":
		return map[string]set{"": setOf("quantile"), "_sum": nil, "_count": nil}
	}
	return map[string]set{"": nil}
}
