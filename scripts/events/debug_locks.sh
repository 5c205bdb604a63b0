#!/bin/sh
# debug_locks.sh PID RECORD|DB PATH FCNTL|MUTEX: who holds the lock of a database that the process waits for.
#
# Locks of fcntl are seen in /proc/locks. Of mutexes tdb_mutex_check tells, which looks into the C library and is
# not there on every system.

CTDB_BASE="${CTDB_BASE:-$(cd -P "$(dirname "$0")" && pwd)}"
. "${CTDB_BASE}/functions"

[ $# -eq 4 ] || die "usage: ${0} <pid> { DB | RECORD } <tdb_path> { FCNTL | MUTEX }"

waiter="$1"
database="$3"
lock_type="$4"
database_name="${database##*/}"

if ! command -v gstack >/dev/null 2>&1; then
	gstack()
	{
		gdb -batch --quiet -nx "${PROCFS_PATH}/${1}/exe" "$1" -ex "thread apply all bt" 2>/dev/null |
			grep -E '^(#|Thread )'
	}
fi

# Our name of a file in /proc/locks: major and minor number in hexadecimal, inode.
file_in_locks()
{
	numbers=$(stat -c '%d:%i' "$database" 2>/dev/null) || die "Unable to stat \"${database}\""
	device="${numbers%%:*}"
	major=$(((device >> 8) & 0xfff))
	minor=$(((device & 0xff) | ((device >> 12) & 0xfff00)))
	printf '%02x:%02x:%s\n' "$major" "$minor" "${numbers#*:}"
}

# locks_of_file waits|holds
#   Lines "PID START END" of those who wait, or hold, to write. ctdbd's locks belong to an open file, so they are
#   without a process (-1): one of them that waits is the waiter's. The waiter does not hold what it waits for.
locks_of_file()
{
	get_proc "locks" | awk -v what="$1" -v file="$file" -v waiter="$waiter" '
		{ first = $2 == "->" ? 3 : 2; kind = $2 == "->" ? "waits" : "holds"; process = $(first + 3) }
		kind != what || $(first + 1) != "ADVISORY" || $(first + 2) != "WRITE" { next }
		$first != "POSIX" && $first != "OFDLCK" { next }
		$(first + 4) != file { next }
		kind == "waits" && $first == "OFDLCK" { process = waiter }
		(kind == "waits") == (process == waiter) { print process, $(first + 5), $(first + 6) }'
}

# Not every ps takes a process.
name_of()
{
	ps -p "$1" -o comm= 2>/dev/null || get_proc "${1}/comm" 2>/dev/null
}

state_of()
{
	ps -p "$1" -o state= 2>/dev/null ||
		get_proc "${1}/status" 2>/dev/null | awk '$1 == "State:" { print $2 }'
}

# Lines "PID REST" to lines "PID PROGRAM DATABASE REST".
with_names()
{
	while read -r process rest; do
		echo "${process} $(name_of "$process") ${database_name} ${rest}"
	done
}

# show HEAD LINES
show()
{
	[ -z "$2" ] || printf '%s:\n%s\n' "$1" "$2"
}

mutex_holders()
{
	[ -x "${CTDB_HELPER_BINDIR}/tdb_mutex_check" ] || return 0
	"${CTDB_HELPER_BINDIR}/tdb_mutex_check" "$database"
}

stack_of()
{
	echo "----- Stack trace for PID=${1} -----"
	case "$(state_of "$1")" in
	D*)
		# A debugger would hang with it.
		echo "----- Process in D state, printing kernel stack only"
		get_proc "${1}/stack"
		;;
	*)
		gstack "$1"
		;;
	esac
}

report()
{
	echo "===== Start of debug locks PID=$$ ====="

	file=$(file_in_locks)
	show "Waiter" "$(locks_of_file waits | with_names)"
	holders=$(locks_of_file holds | with_names)
	show "Lock holders" "$holders"

	if [ "$lock_type" = "MUTEX" ] && mutexes=$(mutex_holders); then
		of_mutexes=$(echo "$mutexes" | sed -n -e 's/^\[\(.*\)\] pid=\(.*\)/\2 \1/p' | with_names)
		show "Lock holders" "$of_mutexes"
		[ -n "$of_mutexes" ] || echo "$mutexes" | grep -F 'trylock failed'
		holders=$(printf '%s\n%s\n' "$holders" "$of_mutexes")
	fi

	echo "$holders" | awk -v waiter="$waiter" 'NF > 0 && $1 > 0 && $1 != waiter { print $1 }' | sort -u |
		while read -r holder; do
			stack_of "$holder" </dev/null
		done

	echo "===== End of debug locks PID=$$ ====="
}

# One report at a time; who comes meanwhile waits for the same lock.
(
	flock -n 9 || exit 1
	report
) 9>"${CTDB_SCRIPT_VARDIR}/debug_locks.lock" | script_log "ctdbd-lock"

exit 0
