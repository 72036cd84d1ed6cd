# Redis answers, or its start still waits for the others, which no restart would help.
. "$BROKER_FILES/common.sh"
[ -e "$BROKER_RUN/waiting" ] || [ -n "$(redis "$POD_IP" PING)" ]
