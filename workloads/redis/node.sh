# What the scripts in a Redis pod share. They need the image's busybox (awk, cat, date, sleep, timeout) and redis-cli.
#
#   SERVICE      name of the StatefulSet and of the headless Service: pod i is $SERVICE-$i.$SERVICE
#   PODS         how many there are
#   CREDENTIALS  folder with the file `password`

# newest is the password. It is read each time, since it may change, and stands on no command line: those are for all to see.
newest() { cat "$CREDENTIALS/password"; }

# ask HOST COMMAND...: what a node answers. It fails where nobody answers, or with an error.
ask() {
	host=$1
	shift
	REDISCLI_AUTH=${password:-$(newest)} timeout 5 redis-cli -e -h "$host" -t 2 "$@" </dev/null
}

# nodes makes CLUSTER NODES into lines of: id, address, pod, zone, role, its master, number of slots, the slots, up or down, me or -.
# A node's announced name is <pod>.<zone>.
nodes() {
	awk '{
		split($2, at, /[:@,]/)
		name = at[4] == "" ? "-.-" : at[4]
		pod = zone = name
		sub(/\..*/, "", pod)
		sub(/^[^.]*\./, "", zone)
		count = 0
		ranges = ""
		for (i = 9; i <= NF; i++) {
			if ($i ~ /^\[/) continue # a slot that moves
			parts = split($i, range, "-")
			count += range[parts] - range[1] + 1
			ranges = ranges (ranges == "" ? "" : ",") $i
		}
		me = $3 ~ /myself/
		print $1, at[1], pod, zone, ($3 ~ /slave/ ? "replica" : "master"), $4, count, (ranges == "" ? "-" : ranges), \
			($3 ~ /fail|handshake|noaddr/ || ($8 != "connected" && !me) ? "down" : "up"), (me ? "me" : "-")
	}'
}

# view HOST: the cluster as a node sees it.
view() {
	seen=$(ask "$1" CLUSTER NODES 2>/dev/null) && printf '%s\n' "$seen" | nodes
}

# field N: the n-th word of the line about the node itself.
field() { awk -v n="$1" '$10 == "me" { print $n }'; }

# ups counts the nodes that answer.
ups() { awk '$9 == "up" { n++ } END { print n + 0 }'; }

# say TEXT...: a line in the pod's log.
say() { echo "$(date -u +%Y-%m-%dT%H:%M:%SZ) ${POD_NAME:-$SERVICE}: $*"; }
