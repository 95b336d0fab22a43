#!/usr/bin/env bash
# Builds the images of manager and agent: swarmkeeper/manager and swarmkeeper/agent, tagged with the
# version of package.json. Needs the docker command, an engine and a registry with the base image.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/setup/common.sh
. deploy/setup/common.sh

have docker || die "the docker command is missing" "Debian: apt-get install docker.io"
version=$(node -p 'require("./package.json").version')
for target in manager agent; do
  docker build --target "$target" --tag "swarmkeeper/$target:$version" \
    --file deploy/images/Dockerfile .
done
