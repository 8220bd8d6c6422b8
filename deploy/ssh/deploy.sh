#!/bin/sh
# Bring a release to a server over SSH, or leave the server as it was:
#   deploy/ssh/deploy.sh [--dry-run] [USER@]HOST VERSION     for instance deploy@music.example v1.4.0
#   deploy/ssh/deploy.sh --follow [USER@]HOST                see how the last one went or goes
# Run it from the release's checkout: docker-compose.yml and config/ come from here, images from the registry.
#   DEPLOY_DIR       the folder on the server, with .env and secrets/ in it (samplemind)
#   DEPLOY_REGISTRY  where the images are, for instance ghcr.io/you/; empty: the server has them already
#   DEPLOY_HEALTH_S  so many seconds each service may take until it is healthy (60)
#   DEPLOY_SSH       the client and its options (ssh)
# The work is done by on-server.sh on the server, which needs no connection for it: a lost one is taken up again.
# Exit 0: it runs. 1: refused, nothing was done. 3: the images could not be pulled, nothing was changed.
# 4: it did not get healthy and the previous release runs again. 5: that failed too. 6: connection lost, outcome unknown.
set -eu
here="$(cd "$(dirname "$0")/../.." && pwd)"
dir="${DEPLOY_DIR:-samplemind}" registry="${DEPLOY_REGISTRY:-}" health_s="${DEPLOY_HEALTH_S:-60}"
ssh="${DEPLOY_SSH:-ssh} -o BatchMode=yes -o ConnectTimeout=10 -o ServerAliveInterval=5 -o ServerAliveCountMax=3"
lost=255 again_s="${DEPLOY_AGAIN_S:-5}"

refuse() {
  echo "deploy: $*" >&2
  exit 1
}

fits() { # WHAT TEXT PATTERN: these words become part of a command on the server
  printf '%s\n' "$2" | grep -Eqx "$3" || refuse "$1 cannot be '$2'"
}

on_server() {
  # shellcheck disable=SC2029,SC2086 # the words were checked, and the client's options are several
  $ssh "$host" "$*"
}

follow() { # STATUS: of the connection so far
  status="$1" tries=0
  while [ "$status" -eq "$lost" ] && [ "$tries" -lt 5 ]; do
    tries=$((tries + 1))
    echo "deploy: the connection was lost; the server goes on. Looking again ($tries of 5)" >&2
    sleep "$again_s"
    status=0
    on_server "sh $dir/.deploy/on-server.sh follow $dir" || status=$?
  done
  if [ "$status" -eq "$lost" ]; then
    echo "deploy: $host cannot be reached. It ends the deployment or undoes it by itself; see with --follow" >&2
    exit 6
  fi
  exit "$status"
}

mode=start
case "${1:-}" in
  --dry-run) mode=dry && shift ;;
  --follow) mode=follow && shift ;;
esac
host="${1:-}" version="${2:-}"
fits "the host" "$host" '[A-Za-z0-9_][A-Za-z0-9_.@:-]*'
fits DEPLOY_DIR "$dir" '[A-Za-z0-9_./][A-Za-z0-9_./-]*'
if [ "$mode" = follow ]; then
  status=0
  on_server "sh $dir/.deploy/on-server.sh follow $dir" || status=$?
  follow "$status"
fi
fits "the version" "$version" 'v[0-9][A-Za-z0-9._-]*'
fits DEPLOY_REGISTRY "$registry" '([A-Za-z0-9][A-Za-z0-9.:/_-]*/)?'
fits DEPLOY_HEALTH_S "$health_s" '[0-9]+'

if [ "$mode" = dry ]; then
  on_server "sh -s dry $dir $version '$registry' $health_s" < "$here/deploy/ssh/on-server.sh"
  exit
fi
tar -C "$here" -cf - docker-compose.yml config/redis.conf deploy/mongo deploy/observe deploy/tls deploy/ssh/on-server.sh |
  on_server "set -e; test -s $dir/.env || { echo '$dir/.env is missing on the server: docs/howto/deploy.md' >&2; exit 1; }
    new=$dir/releases/$version; mkdir -p \$new.part $dir/.deploy; tar -C \$new.part -xf -
    ln -sfn ../../secrets \$new.part/secrets; cp \$new.part/deploy/ssh/on-server.sh $dir/.deploy/
    rm -rf \$new; mv \$new.part \$new" || refuse "the files could not be brought to $host"
status=0
on_server "sh $dir/.deploy/on-server.sh start $dir $version '$registry' $health_s" || status=$?
follow "$status"
