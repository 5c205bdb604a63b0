#!/bin/sh
# For cron: takes the public addresses from a host whose ctdbd has died.
#
# The same addresses may be up elsewhere by then. A ctdbd that runs without its service manager knowing is running.

CTDB_BASE="${CTDB_BASE:-$(cd -P "$(dirname "$0")" && pwd)}"
. "${CTDB_BASE}/functions"

if pidof ctdbd >/dev/null 2>&1 || service ctdb status >/dev/null 2>&1; then
	exit 0
fi

load_script_options "failover" "11.natgw"

have_public_addresses || die "No public addresses file found. Can't clean up."

{
	drop_all_public_ips
	[ -z "$CTDB_NATGW_PUBLIC_IP" ] || drop_ip "$CTDB_NATGW_PUBLIC_IP"
} 2>&1 | script_log "ctdb-crash-cleanup.sh"
