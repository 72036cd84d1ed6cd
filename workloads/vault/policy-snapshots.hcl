# What takes snapshots may read one, and nothing else.
path "sys/storage/raft/snapshot" {
  capabilities = ["read"]
}
