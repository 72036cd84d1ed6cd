# What the scripts in the broker's pods have in common; they are POSIX sh, and use busybox and redis-cli. The pod says:
#
#   BROKER_POD, BROKER_DOMAIN   its name is <pod>.<domain>, that of the others broker-<n>.<domain>
#   BROKER_PODS                 how many there are
#   POD_IP                      where it listens
#   BROKER_FILES, BROKER_CREDENTIALS, BROKER_DATA, BROKER_RUN   folders: these files, the password, the volume, and what is temporary
umask 077
group=broker
self=$BROKER_POD.$BROKER_DOMAIN
first=broker-0.$BROKER_DOMAIN
majority=$((BROKER_PODS / 2 + 1))
REDISCLI_AUTH=$(cat "$BROKER_CREDENTIALS/password")
export REDISCLI_AUTH

# hosts are the names of all pods.
hosts() {
	n=0
	while [ $n -lt "$BROKER_PODS" ]; do
		echo "broker-$n.$BROKER_DOMAIN"
		n=$((n + 1))
	done
}

# redis HOST COMMAND... and sentinel HOST COMMAND... are what a server answers, which is nothing if it does not. Who has something secret to
# say says it on standard input: everybody on the machine sees arguments.
redis() { ask 6379 "$@"; }
sentinel() { ask 26379 "$@"; }
ask() {
	port=$1 host=$2
	shift 2
	timeout 2 redis-cli -h "$host" -p "$port" "$@" 2>/dev/null
}

# opinion HOST: whom the Sentinel of a pod takes for the primary, as "epoch name replicas"; "none" if it knows nobody, nothing if it is silent.
opinion() {
	sentinel "$1" SENTINEL MASTER $group | awk '
		/^ERR No such master/ { print "none"; exit }
		NR % 2 { key = $0; next }
		{ value[key] = $0 }
		END { if (value["ip"] != "") print value["config-epoch"], value["ip"], value["num-slaves"] }'
}

# survey asks all Sentinels. The newest opinion counts: every failover has a higher epoch, and only whoever won it knows at first. The number
# of replicas is the highest that anybody knows: a Sentinel that is new knows of none.
survey() {
	heard=0 knowing=0 epoch=-1 primary='' replicas=0
	for asked in $(hosts); do
		said=$(opinion "$asked")
		[ -n "$said" ] || continue
		heard=$((heard + 1))
		[ "$said" != none ] || continue
		knowing=$((knowing + 1))
		# shellcheck disable=SC2086 # three words
		set -- $said
		if [ "$1" -gt $epoch ]; then epoch=$1 primary=$2; fi
		if [ "$3" -gt $replicas ]; then replicas=$3; fi
	done
}

# say MESSAGE: once, until there is another.
said_last=''
say() {
	[ "$1" = "$said_last" ] || echo "broker: $1"
	said_last=$1
}
