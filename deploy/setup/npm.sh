#!/usr/bin/env bash
# Brings node_modules in line with package-lock.json. Instant when it already is: the lock file's
# checksum is kept beside what was installed from it.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/setup/common.sh
. deploy/setup/common.sh

# The programs run on Node 20.12; the tools of a checkout (eslint, knip) refuse anything below this.
readonly NODE_MINIMUM=20.19.0

have node || die "Node.js is missing." \
  "Install Node $NODE_MINIMUM or later: https://nodejs.org/en/download"
version=$(node --version)
version=${version#v}
oldest=$(printf '%s\n%s\n' "$NODE_MINIMUM" "$version" | sort -V | head -n 1)
[ "$oldest" = "$NODE_MINIMUM" ] || die "Node $version is too old: $NODE_MINIMUM or later is needed." \
  "Get it from https://nodejs.org/en/download, or with nvm: nvm install (reads .nvmrc)"
have npm || die "npm is missing, though Node is here." "It comes with Node's own packages; Debian: apt-get install npm"

readonly STAMP=node_modules/.swarmkeeper-lock
checksum=$(sha256sum package-lock.json)
checksum=${checksum%% *}
[ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$checksum" ] && exit 0

say "installing npm packages (package-lock.json is new or has changed)"
npm ci --no-audit --no-fund --loglevel=error || die "npm ci failed." \
  "Is the npm registry in reach? npm config get registry says: $(npm config get registry 2>/dev/null)"
printf '%s\n' "$checksum" >"$STAMP"
