# Read by entrypoint.sh, which puts values in the place of ${NAMES}. More comes by environment variables: api and cluster addresses, the
# seal's key and its region.
cluster_name  = "alphapulse"
ui            = false
disable_mlock = true # Raft maps its store into memory; nodes have no swap
log_format    = "json"

storage "raft" {
  path    = "${DATA}/store"
  node_id = "${POD_NAME}"

  # A leader that is silent for two to four seconds is replaced. One, the least, would do so for a pause of a busy node.
  performance_multiplier = 2

  # Who has no data asks all for a leader until there is one. Who has data ignores this.
  retry_join {
    leader_api_addr       = "https://vault-0.vault-internal:8200"
    leader_ca_cert_file   = "${TLS}/ca.crt"
    leader_tls_servername = "vault-0.vault-internal"
  }
  retry_join {
    leader_api_addr       = "https://vault-1.vault-internal:8200"
    leader_ca_cert_file   = "${TLS}/ca.crt"
    leader_tls_servername = "vault-1.vault-internal"
  }
  retry_join {
    leader_api_addr       = "https://vault-2.vault-internal:8200"
    leader_ca_cert_file   = "${TLS}/ca.crt"
    leader_tls_servername = "vault-2.vault-internal"
  }
}

listener "tcp" {
  address         = "${POD_IP}:8200"
  cluster_address = "${POD_IP}:8201"
  tls_cert_file   = "${TLS}/tls.crt"
  tls_key_file    = "${TLS}/tls.key"

  # Prometheus has no token. Network policies let nobody ask but it and the API.
  telemetry {
    unauthenticated_metrics_access = true
  }
}

seal "awskms" {} # AWS_REGION, VAULT_AWSKMS_SEAL_KEY_ID

telemetry {
  prometheus_retention_time = "1m"
  disable_hostname          = true
}
