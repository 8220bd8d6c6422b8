#!/usr/bin/env bash
# Compile every dependency group into hashed pins that every machine installs.
#   requirements/compile.sh            keep what is pinned where it still fits
#   requirements/compile.sh --upgrade  take the newest releases
# Seven days of quarantine are a good habit before an --upgrade is committed.
set -euo pipefail
cd "$(dirname "$0")/.."
uv="${UV:-$(command -v uv || echo .venv/bin/uv)}"
for group in gateway worker indexer flower cluster dev bench audit docs; do
  "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
    --no-emit-index-url --no-emit-find-links "$@" \
    --group "pyproject.toml:$group" --output-file "requirements/$group.txt"
  echo "requirements/$group.txt: $(grep -c '==' "requirements/$group.txt") pins"
done
