# A replica is ready when it has all that the primary has: a rollout goes on to the next pod then.
. "$BROKER_FILES/common.sh"
[ "$(redis "$POD_IP" PING)" = PONG ] || exit 1
redis "$POD_IP" INFO replication | tr -d '\r' | grep -qE '^(role:master|master_link_status:up)$'
