#!/bin/sh
# What CHANGELOG.md says of a release: deploy/release-notes.sh v1.4.0. Its heading is "## 1.4.0" or "## 1.4.0 - 2026-11-22".
set -eu
cd "$(dirname "$0")/.."
notes="$(awk -v want="${1#v}" '/^## / { here = ($2 == want || $2 == "v" want) ; next } here' CHANGELOG.md)"
if [ -z "$(printf %s "$notes" | tr -d '[:space:]')" ]; then
  echo "CHANGELOG.md says nothing of $1: rename its Unreleased to \"## ${1#v}\" first" >&2
  exit 1
fi
printf '%s\n' "$notes"
