#!/bin/sh
# debug-hung-script.sh PID EVENT: what a script was doing that did not end in time.
#
# CTDB_DEBUG_HUNG_SCRIPT_STACKPAT="NAME|NAME..."  programs whose place in the kernel is shown (exportfs|rpcinfo)
# CTDB_DEBUG_HUNG_SCRIPT_LOGFILE=PATH             where it is written, complete at once; else to the log

CTDB_BASE="${CTDB_BASE:-$(cd -P "$(dirname "$0")" && pwd)}"
. "${CTDB_BASE}/functions"

load_script_options

pid="$1"
event="$2"
patterns="${CTDB_DEBUG_HUNG_SCRIPT_STACKPAT:-exportfs|rpcinfo}"
log_file="$CTDB_DEBUG_HUNG_SCRIPT_LOGFILE"

# Lines "PID NAME" out of a tree "-+-name,123 arguments".
interesting_processes()
{
	sed -E -n -e "s/.*-(.*(${patterns}).*),([0-9]+).*/\\3 \\1/p"
}

report()
{
	echo "===== Start of hung script debug for PID=\"${pid}\", event=\"${event}\" ====="

	tree=""
	if command -v pstree >/dev/null 2>&1; then
		echo "pstree -p -a ${pid}:"
		tree=$(pstree -p -a "$pid")
		echo "$tree"
	else
		echo "ps of all, as there is no pstree for ${pid}:"
		ps -o pid,ppid,stat,args
	fi

	echo "$tree" | interesting_processes | while read -r process name; do
		if stack=$(get_proc "${process}/stack" 2>/dev/null); then
			echo "---- Stack trace of interesting process ${process}[${name}] ----"
			echo "$stack"
		fi
	done

	# During init nobody answers.
	if [ "$event" != "init" ]; then
		echo "---- ctdb scriptstatus ${event}: ----"
		$CTDB scriptstatus "$event"
	fi

	echo "===== End of hung script debug for PID=\"${pid}\", event=\"${event}\" ====="
}

# Before 00.ctdb has run at init it may be missing.
mkdir -p "$CTDB_SCRIPT_VARDIR"

# Several addresses may hang at the same time, for the same reason; one report of it is enough.
(
	flock --wait 2 9 || exit 1
	if [ -n "$log_file" ]; then
		report >>"${log_file}.part" 2>&1
		mv "${log_file}.part" "$log_file"
	else
		report
	fi
) 9>"${CTDB_SCRIPT_VARDIR}/debug-hung-script.lock"
