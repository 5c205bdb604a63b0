# Sourced by the commands of build/: goes to the project's root and installs the pinned tools when they
# are missing or of another lock file. (Its content counts: the times of a fresh checkout say nothing, and npm
# would empty a node_modules that several checkouts share.) Needs node and npm. Sets BUN.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
if ! command -v npm >/dev/null; then
	echo "Cannot install the tools: expected node and npm (Node 18 or later) in PATH" >&2
	exit 1
fi
INSTALLED=node_modules/.installed.sha256
if [ ! -x node_modules/.bin/bun ] || ! sha256sum --status --check "$INSTALLED" 2>/dev/null; then
	echo "installing the pinned tools (npm ci)" >&2
	npm ci --no-audit --no-fund --loglevel=error >&2 || exit 1
	sha256sum package-lock.json >"$INSTALLED"
fi
BUN="$PWD/node_modules/.bin/bun"
