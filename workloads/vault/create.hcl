# The Vault that create.sh makes for itself: nobody else can reach it. It becomes the first pod's store, so it has that one's name.
disable_mlock = true

storage "raft" {
  path    = "${DATA}/new"
  node_id = "${POD_NAME}"

  performance_multiplier = 1 # it is alone: the sooner it elects itself the better
}

listener "tcp" {
  address         = "${PRIVATE_IP}:8200"
  cluster_address = "${PRIVATE_IP}:8201"
  tls_disable     = true
}

seal "awskms" {}
