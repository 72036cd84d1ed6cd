package checks

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// lokiFile is what our file says, with the names and types of Loki 3.7's reference, from which it is written by hand. Loki itself is not run here:
// its license keeps it out. So this finds a name that is none, a number that is a word, and what does not fit together; not what Loki would do.
type lokiFile struct {
	Auth   *bool `yaml:"auth_enabled"`
	Server struct {
		Port      int           `yaml:"http_listen_port"`
		Write     time.Duration `yaml:"http_server_write_timeout"`
		GRPC      string        `yaml:"grpc_listen_address"`
		LogFormat string        `yaml:"log_format"`
		LogLevel  string        `yaml:"log_level"`
	} `yaml:"server"`
	Analytics struct {
		Reporting *bool `yaml:"reporting_enabled"`
	} `yaml:"analytics"`
	Common struct {
		Path     string `yaml:"path_prefix"`
		Instance string `yaml:"instance_addr"`
		Copies   int    `yaml:"replication_factor"`
		Ring     struct {
			KVStore struct {
				Store string `yaml:"store"`
			} `yaml:"kvstore"`
		} `yaml:"ring"`
	} `yaml:"common"`
	Schema struct {
		Configs []struct {
			From   string `yaml:"from"`
			Store  string `yaml:"store"`
			Object string `yaml:"object_store"`
			Schema string `yaml:"schema"`
			Index  struct {
				Prefix string        `yaml:"prefix"`
				Period time.Duration `yaml:"period"`
			} `yaml:"index"`
		} `yaml:"configs"`
	} `yaml:"schema_config"`
	Storage struct {
		Prefix string `yaml:"object_prefix"`
		AWS    struct {
			Bucket string `yaml:"bucketnames"`
			Region string `yaml:"region"`
		} `yaml:"aws"`
	} `yaml:"storage_config"`
	Ingester struct {
		Encoding string `yaml:"chunk_encoding"`
		WAL      struct {
			Ceiling lokiBytes `yaml:"replay_memory_ceiling"`
			Flush   bool      `yaml:"flush_on_shutdown"`
		} `yaml:"wal"`
	} `yaml:"ingester"`
	Compactor struct {
		Retention bool   `yaml:"retention_enabled"`
		Requests  string `yaml:"delete_request_store"`
	} `yaml:"compactor"`
	Limits struct {
		Retention   time.Duration `yaml:"retention_period"`
		Deletion    string        `yaml:"deletion_mode"`
		Levels      bool          `yaml:"discover_log_levels"`
		Structured  bool          `yaml:"allow_structured_metadata"`
		ServiceName []string      `yaml:"discover_service_name"`
		Line        lokiBytes     `yaml:"max_line_size"`
		Truncate    bool          `yaml:"max_line_size_truncate"`
		Labels      int           `yaml:"max_label_names_per_series"`
		Streams     int           `yaml:"max_global_streams_per_user"`
		Rate        float64       `yaml:"ingestion_rate_mb"`
		Burst       float64       `yaml:"ingestion_burst_size_mb"`
		StreamRate  lokiBytes     `yaml:"per_stream_rate_limit"`
		StreamBurst lokiBytes     `yaml:"per_stream_rate_limit_burst"`
		RejectOld   bool          `yaml:"reject_old_samples"`
		Oldest      time.Duration `yaml:"reject_old_samples_max_age"`
		QueryLength time.Duration `yaml:"max_query_length"`
		Parallelism int           `yaml:"max_query_parallelism"`
		Entries     int           `yaml:"max_entries_limit_per_query"`
		Timeout     time.Duration `yaml:"query_timeout"`
	} `yaml:"limits_config"`
	QueryRange struct {
		Cache   bool `yaml:"cache_results"`
		Results struct {
			Cache struct {
				Embedded struct {
					Enabled bool `yaml:"enabled"`
					Size    int  `yaml:"max_size_mb"`
				} `yaml:"embedded_cache"`
			} `yaml:"cache"`
		} `yaml:"results_cache"`
	} `yaml:"query_range"`
}

// lokiBytes is a size with a unit.
type lokiBytes string

func (b *lokiBytes) UnmarshalYAML(node *yaml.Node) error {
	if !regexp.MustCompile(`^\d+(B|KB|MB|GB)?$`).MatchString(node.Value) {
		return &yaml.TypeError{Errors: []string{node.Value + " is no size"}}
	}
	*b = lokiBytes(node.Value)
	return nil
}

func readLoki(text string, env map[string]string) (file lokiFile, err error) {
	decoder := yaml.NewDecoder(bytes.NewBufferString(os.Expand(text, func(name string) string { return env[name] })))
	decoder.KnownFields(true)
	return file, decoder.Decode(&file)
}

func TestO4LokiKeepsLogsInOurBucketForSoLong(t *testing.T) {
	text, err := os.ReadFile("../loki/loki.yaml")
	require.NoError(t, err)
	env := map[string]string{"AWS_REGION": "us-east-1", "BUCKET": "logs-of-ours", "RETENTION": "2160h", "REPLAY_MEMORY": "1024MB"}
	// Loki looks at the whole file, comments too, and does not start where it finds a $ that it does not understand.
	rest := regexp.MustCompile(`\$\{([A-Z_]+)\}`).ReplaceAllStringFunc(string(text), func(name string) string {
		assert.Contains(t, env, strings.Trim(name, "${}"))
		return ""
	})
	assert.NotContains(t, rest, "$")
	file, err := readLoki(string(text), env)
	require.NoError(t, err)

	assert.Equal(t, "logs-of-ours", file.Storage.AWS.Bucket)
	assert.Equal(t, "us-east-1", file.Storage.AWS.Region)
	assert.Equal(t, "application/", file.Storage.Prefix, "the prefix whose writer it is (D5)")
	assert.Equal(t, 90*24*time.Hour, file.Limits.Retention)
	assert.True(t, file.Compactor.Retention, "without it nothing is ever deleted")
	require.Len(t, file.Schema.Configs, 1)
	schema := file.Schema.Configs[0]
	assert.Equal(t, []string{"tsdb", "s3", "v13"}, []string{schema.Store, schema.Object, schema.Schema})
	assert.Equal(t, schema.Object, file.Compactor.Requests, "retention wants a store for what is to be deleted")
	assert.Equal(t, 24*time.Hour, schema.Index.Period, "retention wants tables of a day")
	assert.Equal(t, "disabled", file.Limits.Deletion)
	assert.Equal(t, []any{3100, "127.0.0.1", "inmemory", 1}, []any{file.Server.Port, file.Server.GRPC, file.Common.Ring.KVStore.Store, file.Common.Copies})
	assert.Greater(t, file.Server.Write, file.Limits.Timeout, "or a slow query ends as a lost connection, and goes on")
	assert.False(t, *file.Auth)
	assert.False(t, *file.Analytics.Reporting)
	assert.True(t, file.Limits.Levels && file.Limits.Structured, "dashboards ask for detected_level")
	assert.Empty(t, file.Limits.ServiceName, "no label that nobody asked for")
	assert.Less(t, file.Limits.Oldest, file.Limits.Retention)

	// The check itself.
	for _, typo := range [][2]string{{"retention_period", "retention_periode"}, {"768h", "768 hours"}, {"max_size_mb: 64", "max_size_mb: 64MB"}, {"${REPLAY_MEMORY}", "1 giga"}} {
		require.Contains(t, string(text), typo[0])
		_, err := readLoki(strings.Replace(string(text), typo[0], typo[1], 1), env)
		assert.Error(t, err, typo[1])
	}
}
