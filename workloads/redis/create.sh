#!/bin/sh
# Makes one cluster of the Redis pods, which have met each other, and completes what an earlier run has left; on a cluster that is complete it
# changes nothing. The job redis-cluster-create runs it, and whoever has replaced a lost volume, in any of the pods.
set -u
: "${SERVICE:?}" "${PODS:?}" "${FILES:?}" "${CREDENTIALS:?}"
. "$FILES/node.sh"

# look sets $nodes, the cluster as all pods see it, and nodes of earlier days that only some remember; $why says what it still lacks.
look() {
	i=-1 why= all= gone=
	while [ $((i += 1)) -lt "$PODS" ]; do
		host=$SERVICE-$i.$SERVICE
		nodes=$(view "$host") || { why="$host does not answer"; return 1; }
		up=$(printf '%s\n' "$nodes" | ups)
		[ "$up" = "$PODS" ] || { why="$SERVICE-$i sees $up nodes of $PODS"; return 1; }
		same=$(printf '%s\n' "$nodes" | awk '$9 == "up" { print $1, $4, $5, $6, $8 }' | sort)
		: "${all:=$same}"
		[ "$same" = "$all" ] || { why="the pods do not yet agree on the cluster"; return 1; }
		gone=$(printf '%s\n' "$gone" "$nodes" | awk '$9 == "down" && !seen[$1]++')
	done
	nodes=$(printf '%s\n' "$nodes" | awk '$9 == "up"'; printf '%s\n' "$gone")
}

# whole: every node takes requests, every replica has its master's data.
whole() {
	i=-1
	while [ $((i += 1)) -lt "$PODS" ]; do
		host=$SERVICE-$i.$SERVICE
		case $(ask "$host" CLUSTER INFO) in *cluster_state:ok*) ;; *) why="$SERVICE-$i says that the cluster is not ok"; return 1 ;; esac
		case $(ask "$host" INFO replication) in
		*role:master* | *master_link_status:up*) ;;
		*) why="$SERVICE-$i has not caught up with its master"; return 1 ;;
		esac
	done
}

# act STEP...: one of plan.awk's.
act() {
	case $1 in
	slots) ask "$2" CLUSTER ADDSLOTSRANGE "$3" "$4" ;;
	replicate) ask "$2" CLUSTER REPLICATE "$3" ;;
	forget)
		i=-1
		while [ $((i += 1)) -lt "$PODS" ]; do ask "$SERVICE-$i.$SERVICE" CLUSTER FORGET "$2"; done
		;;
	esac >/dev/null
	say "$*"
}

before= steps=
end=$(($(date +%s) + ${WITHIN_SECONDS:-240}))
while [ "$(date +%s)" -lt "$end" ]; do
	if look; then
		steps=$(printf '%s\n' "$nodes" | grep . | sort -k4,4 -k3,3 | awk -f "$FILES/plan.awk")
		case $steps in
		'') whole && { say "the cluster is complete"; exit 0; } ;;
		error*) why=${steps#error } ;;
		*)
			printf '%s\n' "$steps" | while read -r step; do act $step; done
			why="the steps have not arrived everywhere yet"
			;;
		esac
	fi
	[ "$why" = "$before" ] || say "waits: $why"
	before=$why
	sleep 0.5
done
say "gave up: $why"
exit 1
