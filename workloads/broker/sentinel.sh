# Starts Sentinel with what it knew before: whom it takes for the primary, whom it knows, and above all for whom it voted last. Without a
# memory it is told by keep.sh whom to watch.
. "$BROKER_FILES/common.sh"
mkdir -p "$BROKER_DATA/sentinel"
conf=$BROKER_DATA/sentinel/sentinel.conf
memory=$(grep -E '^sentinel (myid|monitor|config-epoch|leader-epoch|current-epoch|known-replica|known-sentinel) ' "$conf" 2>/dev/null)
knows=no
case $memory in *"sentinel monitor $group "*) knows=yes ;; esac
{
	if [ $knows = yes ]; then cat "$BROKER_FILES/sentinel.conf"; else grep -v " $group " "$BROKER_FILES/sentinel.conf"; fi
	echo "bind $POD_IP"
	echo "dir $BROKER_DATA/sentinel"
	echo "sentinel announce-ip $self"
	echo "requirepass $REDISCLI_AUTH"
	echo "sentinel sentinel-pass $REDISCLI_AUTH"
	if [ $knows = yes ]; then echo "sentinel auth-pass $group $REDISCLI_AUTH"; fi
	echo "$memory"
} >"$conf.new"
mv "$conf.new" "$conf"
sh "$BROKER_FILES/keep.sh" &
unset REDISCLI_AUTH
exec redis-server "$conf" --sentinel
