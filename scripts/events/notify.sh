#!/bin/sh
# notify.sh EVENT: runs what the site wants to know of a change of state (events/notification/README.md).
#
# Every program is told, also after one that failed; then the status says so.

folder="$(dirname "$0")/events/notification"
status=0

for program in "$folder"/*.script; do
	if [ -f "$program" ] && [ -x "$program" ]; then
		"$program" "$1" || status=1
	fi
done

exit "$status"
