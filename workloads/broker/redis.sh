# Starts Redis: as the primary if Sentinel says that it is this one, else as a replica. Nobody becomes primary by himself.
. "$BROKER_FILES/common.sh"
waiting=$BROKER_RUN/waiting
touch "$waiting" # live.sh is told not to ask yet
mkdir -p "$BROKER_DATA/redis"

# may_lead: this pod is named. It leads when all others were asked, or, after a while, when a majority was: one that is away could know better.
# Without its data it does not lead a group that has lived: one of its replicas will, in a moment.
may_lead() {
	if [ ! -d "$BROKER_DATA/redis/appendonlydir" ] && [ "$replicas" -gt 0 ]; then
		say "I am named the primary, and my data are gone: waiting until another one is named"
		return 1
	fi
	[ $knowing -eq "$BROKER_PODS" ] || { [ $knowing -ge $majority ] && [ $waited -ge "$BROKER_OTHERS_WITHIN" ]; }
}

# may_follow: the primary is there, whatever it answers. After a stop of all pods it may take long to come, and has the newest data: a replica
# that was up before it would be made primary in its place. Who never comes is not waited for for ever.
may_follow() {
	[ -n "$(redis "$primary" PING)" ] || [ $waited -ge "$BROKER_PRIMARY_WITHIN" ]
}

began=$(date +%s)
while :; do
	survey
	waited=$(($(date +%s) - began))
	if [ -z "$primary" ]; then
		say "no Sentinel knows a primary ($heard of $BROKER_PODS answer)"
	elif [ "$primary" = "$self" ]; then
		if may_lead; then break; fi
		say "I am the primary; waiting for all Sentinels to say so ($knowing of $BROKER_PODS do)"
	elif may_follow; then
		break
	else
		say "waiting for the primary, $primary"
	fi
	sleep 1
done

{
	cat "$BROKER_FILES/redis.conf"
	echo "bind $POD_IP"
	echo "dir $BROKER_DATA/redis"
	echo "maxmemory $BROKER_MAXMEMORY"
	echo "replica-announce-ip $self"
	echo "requirepass $REDISCLI_AUTH"
	echo "masterauth $REDISCLI_AUTH"
	if [ "$primary" != "$self" ]; then echo "replicaof $primary 6379"; fi
} >"$BROKER_RUN/redis.conf"
say "starting; the primary is $primary, epoch $epoch"
rm -f "$waiting"
unset REDISCLI_AUTH
exec redis-server "$BROKER_RUN/redis.conf"
