# What the API may do: read and keep its credentials.
path "secret/data/api/*" {
  capabilities = ["create", "read", "update", "delete"]
}
path "secret/metadata/api/*" {
  capabilities = ["read", "list", "delete"]
}
