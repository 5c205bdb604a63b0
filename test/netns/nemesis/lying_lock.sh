#!/bin/sh
# lying_lock.sh FILE: a helper of the cluster lock that is honest until there is a file FILE.lies. From then on it says to
# everybody that the lock is theirs, and the checkers have to notice.
if [ ! -e "$1.lies" ]; then
	exec 9>"$1"
	if ! flock --nonblock 9; then
		printf 1
		exit 0
	fi
fi
printf 0
cat >/dev/null
