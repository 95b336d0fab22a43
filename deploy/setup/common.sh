# Shared by the setup scripts. Sourced, never run.
# shellcheck shell=bash

# Prints a line of progress.
say() { printf '%s\n' "setup: $*"; }

# Prints what is wrong and what to do, and ends with status 1.
die() {
  printf '%s\n' "setup: $1" >&2
  shift
  [ $# -eq 0 ] || printf '       %s\n' "$@" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }
