# shellcheck shell=bash
# Shared by the scripts: where the checkout is, and how to say things. Sourced, never run.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck disable=SC2034  # read by those who source this
build=$root/build

say() { printf '%s\n' "$*" >&2; }
die() {
    say "${0##*/}: $*"
    exit 1
}
wrong_usage() {
    say "${0##*/}: $*"
    exit 2
}

# nginx's configure takes no path with a blank in it, whoever calls it.
case $root in
*[[:space:]]*) die "nginx cannot be built beside a path with blanks; move the checkout away from '$root'" ;;
esac
