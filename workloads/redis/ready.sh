#!/bin/sh
# Has it all its data? Nothing is asked about the cluster, which is only made when all are ready; but a replica that has not caught up yet is not
# ready: the next pod of a rollout, or of a drain, may be its master.
set -u
. "$FILES/node.sh"
[ "$(ask "$POD_IP" PING 2>/dev/null)" = PONG ] || exit 1
case $(ask "$POD_IP" INFO replication) in
*role:master* | *master_link_status:up*) exit 0 ;;
esac
exit 1
