# Sourced by the commands of build/: goes to the project's root and installs the pinned tools when they
# are missing or older than the lock file. Needs node and npm. Sets BUN.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
if ! command -v npm >/dev/null; then
	echo "Cannot install the tools: expected node and npm (Node 18 or later) in PATH" >&2
	exit 1
fi
if [ ! -x node_modules/.bin/bun ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
	echo "installing the pinned tools (npm ci)" >&2
	npm ci --no-audit --no-fund --loglevel=error >&2 || exit 1
	touch node_modules/.package-lock.json
fi
BUN="$PWD/node_modules/.bin/bun"
