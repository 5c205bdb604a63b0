#!/bin/sh
# ctdb-backup-persistent-tdbs.sh [-l | -L STATUS] [-m MODE] DIRECTORY
#
# Saves all persistent databases to one archive, DIRECTORY/ctdb-persistent-db-backup-TIME.tgz.
#
#   -l         only where this node leads; elsewhere nothing is done, successfully
#   -L STATUS  the same, and elsewhere the status is STATUS
#   -m MODE    of the directory (0700): databases hold secrets
#
# What is half done does not stay: neither the folder of the copies nor an archive that is not complete.

fail()
{
	echo "ERROR: ${1}"
	exit 1
}

usage()
{
	fail "usage: ${0} [-l | -L <rc> ] [-m <mode>] <dir>"
}

leader_only=false
elsewhere=0
mode="0700"

while getopts "lL:m:h" option; do
	case "$option" in
	l) leader_only=true ;;
	L)
		leader_only=true
		elsewhere="$OPTARG"
		;;
	m) mode="$OPTARG" ;;
	*) usage ;;
	esac
done
shift $((OPTIND - 1))

[ $# -eq 1 ] || usage
[ -d "$1" ] || fail "No such directory ${1}"
directory=$(cd "$1" && pwd) || fail "Failed to change directory to ${1}"

if $leader_only; then
	pnn=$(ctdb pnn) || fail "Failed to ask for the node number"
	leader=$(ctdb leader) || fail "Failed to ask for the leader"
	[ "$pnn" = "$leader" ] || exit "$elsewhere"
fi

name="ctdb-persistent-db-backup-$(date '+%Y%m%d%H%M%S')"
copies="${directory}/${name}"
archive="${directory}/${name}.tgz"

trap 'rm -rf "$copies" "${archive}.new"' EXIT
trap 'exit 1' HUP INT TERM

chmod "$mode" "$directory" || fail "Failed to set mode ${mode} of ${directory}"
mkdir -p "$copies" || fail "Failed to create ${copies}"
cd "$copies" || fail "Failed to change directory to ${copies}"

databases=$(ctdb getdbmap -X) || fail "Failed to list databases"
for database in $(echo "$databases" | awk -F '|' '$5 == "1" { print $3 }'); do
	ctdb backupdb "$database" "${database}.backup" || fail "Failed to backup ${database}"
done

cd "$directory" || fail "Failed to change directory to ${directory}"
tar -c -z -f "${archive}.new" "$name" || fail "Failed to create tarball"
mv "${archive}.new" "$archive" || fail "Failed to create tarball"

echo "Created backup tarball ${archive}"
