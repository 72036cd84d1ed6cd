#!/bin/sh
# Does the server answer, and does keep.sh go on beside it? Any answer will do: one that loads its data, or asks for a password, is alive.
set -u
[ -n "$(find "$RUN/kept" -mmin -2)" ] || exit 1
case $(timeout 4 redis-cli -h "$POD_IP" -t 3 PING 2>&1 </dev/null) in
*PONG* | *NOAUTH* | *LOADING* | *BUSY* | *ERR*) exit 0 ;;
esac
exit 1
