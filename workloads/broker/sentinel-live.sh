# Sentinel answers, and what runs beside it goes on.
. "$BROKER_FILES/common.sh"
[ -n "$(sentinel "$POD_IP" PING)" ] && [ -n "$(find "$BROKER_RUN/kept" -mmin -2)" ]
