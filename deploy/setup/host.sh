#!/usr/bin/env bash
# Makes sure that programs of the host are there: host.sh PART...
#
#   etcd      etcd and etcdctl, or ETCD_ENDPOINTS in the environment (tests want the programs)
#   docker    an engine that answers (DOCKER_HOST or the default socket), or dockerd to start one
#   network   iptables, nft and ip
#   busybox   a static busybox: the whole content of the example image
#
# What is missing comes from Debian's packages when we are root on Debian; the services in them are
# not started. Otherwise it says what to install, and ends with status 1.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=deploy/setup/common.sh
. deploy/setup/common.sh
# Debian keeps these out of the path of ordinary users.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"

readonly POLICY=/usr/sbin/policy-rc.d

has_etcd() { have etcd && have etcdctl; }

has_docker() {
  # Tests start engines of their own, so in CI one that merely answers is not enough.
  if [ "${CI:-}" != true ] && node deploy/setup/engine-answers.js; then return 0; fi
  [ "$(id -u)" -eq 0 ] && have dockerd && have iptables && have ip
}

has_network() { have iptables && have nft && have ip; }

# Static: ldd refuses it. A busybox that needs libc would not start in an image of its own.
has_busybox() { have busybox && ! ldd "$(command -v busybox)" >/dev/null 2>&1; }

packages_of() {
  case $1 in
    etcd) echo etcd-server etcd-client ;;
    docker) echo docker.io iptables iproute2 ca-certificates ;;
    network) echo iptables nftables iproute2 ;;
    busybox) echo busybox-static ;;
    *) die "unknown part '$1'" "parts: etcd docker network busybox" ;;
  esac
}

# A local cluster can do without etcd's programs when it was given an etcd; tests start their own.
is_given() { [ "$1" = etcd ] && [ -n "${ETCD_ENDPOINTS:-}" ] && [ "${CI:-}" != true ]; }

missing=()
for part in "$@"; do
  packages_of "$part" >/dev/null
  "has_$part" || is_given "$part" || missing+=("$part")
done
[ ${#missing[@]} -gt 0 ] || exit 0

packages=()
for part in "${missing[@]}"; do
  read -ra of_part <<<"$(packages_of "$part")"
  packages+=("${of_part[@]}")
done
mapfile -t packages < <(printf "%s\n" "${packages[@]}" | sort -u)
readonly BY_HAND="apt-get install --no-install-recommends ${packages[*]}"

have apt-get || die "missing on this machine: ${missing[*]}. It is not a Debian, so nothing is installed for you." \
  "On Debian or Ubuntu it would be: $BY_HAND" \
  "or point to what runs elsewhere: DOCKER_HOST=unix:///path or tcp://host:port, ETCD_ENDPOINTS=http://host:2379"
readonly SOCKET=/var/run/docker.sock
if [ -S "$SOCKET" ] && [ ! -w "$SOCKET" ]; then
  say "there is a Docker Engine at $SOCKET, but $(id -un) may not use it; to allow it, and to log in again after:" >&2
  say "  sudo usermod --append --groups docker $(id -un)" >&2
fi
# An engine that is installed but does not answer is no matter of packages.
needs_engine=false
for part in "${missing[@]}"; do
  if [ "$part" = docker ] && { [ -n "${DOCKER_HOST:-}" ] || have dockerd; }; then needs_engine=true; fi
done
if $needs_engine && [ "$(id -u)" -ne 0 ]; then
  say "no Docker Engine answers $(id -un) at ${DOCKER_HOST:-unix://$SOCKET}. Any of these helps:" >&2
  say "  start it (sudo systemctl start docker), and be in its group (sudo usermod --append --groups docker $(id -un))" >&2
  say "  point to one that you may use: export DOCKER_HOST=unix:///path or tcp://host:port" >&2
  say "  run as root, and an engine of our own is started: sudo make run" >&2
  [ "${#missing[@]}" -gt 1 ] || exit 1
fi
[ "$(id -u)" -eq 0 ] || die "missing on this machine: ${missing[*]}. Only root may install it:" \
  "sudo $BY_HAND" \
  "(starting a Docker Engine of our own needs root as well; an engine that you may use is found by DOCKER_HOST)"

# Packages may not start their services: the local cluster runs its own, elsewhere and cleanly.
policy_is_ours=false
remove_policy() { if $policy_is_ours; then rm -f "$POLICY"; fi; }
trap remove_policy EXIT
if [ ! -e "$POLICY" ]; then
  policy_is_ours=true
  printf '#!/bin/sh\nexit 101\n' >"$POLICY"
  chmod 755 "$POLICY"
fi

export DEBIAN_FRONTEND=noninteractive
say "installing from Debian's packages: ${packages[*]}"
log=$(mktemp)
readonly PATIENCE=(-o Acquire::Retries=3 -o DPkg::Lock::Timeout=120)
if ! { apt-get "${PATIENCE[@]}" update && apt-get "${PATIENCE[@]}" install --yes --no-install-recommends "${packages[@]}"; } >"$log" 2>&1; then
  tail -n 25 "$log" >&2
  die "apt-get could not install: ${packages[*]}" "All of its output: $log" "By hand: $BY_HAND"
fi
rm -f "$log"

for part in "${missing[@]}"; do
  "has_$part" || die "'$part' is still missing after: $BY_HAND"
done
