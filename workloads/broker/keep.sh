# Runs beside Sentinel for as long as that does, and does what neither of the two programs does by itself.
. "$BROKER_FILES/common.sh"

# introduce: a Sentinel that knows no primary takes the others' word for it. If nobody knows one, and all are there to say so, the group is new,
# and begins with the first pod. One that is silent may know more: then nobody begins.
introduce() {
	[ "$(opinion "$POD_IP")" = none ] || return 0
	survey
	if [ -z "$primary" ]; then
		[ $heard -eq "$BROKER_PODS" ] || return 0
		primary=$first
	fi
	{
		echo "SENTINEL MONITOR $group $primary 6379 $majority"
		echo "SENTINEL SET $group auth-pass $REDISCLI_AUTH"
		awk -v group=$group '$1 == "sentinel" && $3 == group { print "SENTINEL SET", group, $2, $4 }' "$BROKER_FILES/sentinel.conf"
	} | sentinel "$POD_IP" >/dev/null
	say "told Sentinel that the primary is $primary"
}

# brake refuses new tasks while there is still some room, and then lets the rest of what workers do have more of it. A worker takes a task off
# its list and then notes that it has it: at the limit Redis would refuse that note, and the task would be nowhere; nor could a worker that
# starts say what it is there for, and nobody would ever make room. Only LPUSH brings new tasks;
# what is given back comes by RPUSH, then at the latest (celery_settings.py).
brake() {
	used=$(redis "$POD_IP" INFO memory | awk -F: -v all="$BROKER_MAXMEMORY" '$1 == "used_memory" { printf "%d", $2 * 100 / all }')
	if [ "${used:-0}" -ge 80 ]; then
		redis "$POD_IP" ACL SETUSER default -lpush >/dev/null
		redis "$POD_IP" CONFIG SET maxmemory $((BROKER_MAXMEMORY / 4 * 5)) >/dev/null
		[ $braked = yes ] || echo "broker: $used % of the memory is in use: new tasks are refused"
		braked=yes
	elif [ $braked != no ] && [ -n "$used" ] && [ "$used" -lt 75 ]; then
		redis "$POD_IP" CONFIG SET maxmemory "$BROKER_MAXMEMORY" >/dev/null
		redis "$POD_IP" ACL SETUSER default +lpush >/dev/null
		[ $braked = unknown ] || echo "broker: $used % of the memory is in use: new tasks are taken again"
		braked=no
	fi
}

# change takes up a new password: at once beside the old one, which goes with the next start; and for use towards the others when all take it.
change() {
	new=$(cat "$BROKER_CREDENTIALS/password")
	[ -n "$new" ] && [ "$new" != "$REDISCLI_AUTH" ] || return 0
	echo "ACL SETUSER default >$new" | redis "$POD_IP" >/dev/null
	echo "ACL SETUSER default >$new" | sentinel "$POD_IP" >/dev/null
	old=$REDISCLI_AUTH REDISCLI_AUTH=$new
	for other in $(hosts); do
		if [ "$(redis "$other" PING)" != PONG ] || [ "$(sentinel "$other" PING)" != PONG ]; then
			REDISCLI_AUTH=$old
			return 0
		fi
	done
	echo "CONFIG SET masterauth $new" | redis "$POD_IP" >/dev/null
	{
		echo "SENTINEL SET $group auth-pass $new"
		echo "SENTINEL CONFIG SET sentinel-pass $new"
	} | sentinel "$POD_IP" >/dev/null
	echo "broker: uses the new password"
}

# be_patient: Sentinel looks up those who are away each second, and waits for the answer. With half of DNS away, as in a lost zone, that is more than
# the two seconds between two of its turns after which it takes its own clock for broken, and changes nobody over for half a minute.
be_patient() {
	[ $patient = no ] && [ "$(sentinel "$POD_IP" SENTINEL DEBUG TILT-TRIGGER 5000)" = OK ] && patient=yes
}

patient=no
braked=unknown # Redis may have been told by one before this, whose container has started anew
while kill -0 "$PPID" 2>/dev/null; do
	be_patient
	introduce
	brake
	change
	touch "$BROKER_RUN/kept" # sentinel-live.sh looks whether this goes on
	sleep 1
done
