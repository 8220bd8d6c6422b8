#!/bin/sh
# The part of deploy.sh that runs on the server: on-server.sh start|dry|follow FOLDER [VERSION REGISTRY HEALTH_S]
# `start` leaves the work to a process of its own and follows it: nothing depends on the connection. Needs docker compose,
# flock and setsid. In FOLDER: .env and secrets/ (yours), releases/VERSION, current -> the one that runs, .deploy/ (logs).
set -u
mode="$1" dir="$2" version="${3:-}" registry="${4:-}" health_s="${5:-60}"
case "$dir" in /*) ;; *) dir="$PWD/$dir" ;; esac
kept="$dir/.deploy"

# Who does the work before who asks for it: a new worker knows the messages of an old gateway, not the other way round.
services="worker index reconciler gateway flower"
stores="redis mongo mongo-users chroma-volume chroma"

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*"; }

of_env() { sed -n "s/^$1=//p" "$dir/.env" | tail -n 1; }

compose() { # of the release that `take` was told
  SAMPLEMIND_VERSION="$taken" SAMPLEMIND_REGISTRY="$taken_registry" \
    docker compose --project-directory "$dir/current" -f "$dir/releases/$taken/docker-compose.yml" \
    --env-file "$dir/.env" "$@"
}

take() { taken="$1" taken_registry="$2"; }

settle() { # make what was taken the release that every later command means
  { grep -Ev '^SAMPLEMIND_(VERSION|REGISTRY)=' "$dir/.env"
    printf 'SAMPLEMIND_VERSION=%s\nSAMPLEMIND_REGISTRY=%s\n' "$taken" "$taken_registry"; } > "$dir/.env.new"
  chmod 600 "$dir/.env.new"
  mv "$dir/.env.new" "$dir/.env"
  ln -sfn "releases/$taken" "$dir/current.new"
  mv -T "$dir/current.new" "$dir/current"
}

remember() { # before anything is changed: the release, and the very images that run (a tag may be another tomorrow)
  [ -s "$kept/previous" ] && return # an earlier attempt was cut off: what it remembered is still what ran
  { printf 'release %s %s\n' "$(of_env SAMPLEMIND_VERSION)" "$(of_env SAMPLEMIND_REGISTRY)"
    [ ! -e "$dir/current" ] || for service in $services; do
      for container in $(compose ps -q "$service"); do
        docker inspect --format 'image {{.Image}} {{.Config.Image}}' "$container"
      done
    done | sort -u; } > "$kept/previous.new"
  mv "$kept/previous.new" "$kept/previous"
}

states() { # SERVICE: how its containers are, each word once
  containers="$(compose ps -q "$1")"
  [ -n "$containers" ] || { echo none; return; }
  # shellcheck disable=SC2086 # one word a container
  docker inspect --format '{{if .State.Health}}{{.State.Health.Status}}{{else}}{{.State.Status}}{{end}}' $containers |
    sort -u | tr '\n' ' '
}

healthy() { # SERVICE: within the time that it has
  until_s=$(($(date +%s) + health_s))
  while :; do
    found="$(states "$1")"
    case "$found" in
      "healthy " | "running ") say "$1 is well"; return 0 ;;
      *unhealthy* | *dead*) break ;;
    esac
    [ "$(date +%s)" -lt "$until_s" ] || break
    sleep 1
  done
  say "$1 is not well after at most $health_s s: $found"
  compose logs --no-color --tail 20 "$1" 2>&1 | sed 's/^/    /'
  return 1
}

renew() { # SERVICE: as many containers as there were
  count="$(compose ps -q "$1" | grep -c .)"
  say "$1: $taken"
  if [ "$1" = worker ] && [ "$count" -gt 1 ]; then
    compose up -d --no-deps --scale "worker=$count" worker
  else
    compose up -d --no-deps "$1"
  fi && healthy "$1"
}

ends() { # STATUS TEXT
  say "$2"
  case "$1" in 0 | 3 | 4) rm -f "$kept/previous" ;; esac
  printf '%s\n' "$1" > "$run/result.new"
  mv "$run/result.new" "$run/result"
  exit "$1"
}

go_back() { # the services that were renewed, the last one first
  read -r _ was was_registry < "$kept/previous"
  [ -n "${was:-}" ] && [ -d "$dir/releases/$was" ] || ends 5 "There is no earlier release here to go back to."
  say "going back to $was"
  while read -r kind image name; do
    if [ "$kind" = image ]; then docker tag "$image" "$name" || say "$name cannot be named again"; fi
  done < "$kept/previous"
  take "$was" "${was_registry:-}"
  settle
  failed=""
  for service in $touched; do renew "$service" < /dev/null || failed="$failed $service"; done
  [ -z "$failed" ] || ends 5 "Going back failed at$failed. Look there now: docker compose ps, docker compose logs."
  ends 4 "$version was not well and is undone; ${was} runs as before."
}

work() {
  exec 9> "$kept/lock"
  flock -n 9 || ends 1 "Another deployment is at work here; nothing was done."
  touched=""
  trap '' HUP
  take "$version" "$registry"
  say "pulling the images of $version"
  remember
  if [ -n "$registry" ]; then
    # shellcheck disable=SC2086 # a word each
    compose pull --quiet $services || ends 3 "The images could not be pulled; nothing was changed."
  fi
  trap go_back INT TERM
  settle
  if [ -z "$(compose ps -q redis)" ]; then
    say "the first time here: starting the stores"
    # shellcheck disable=SC2086
    compose up -d $stores || ends 5 "The stores do not start."
  fi
  for service in $services; do
    touched="$service $touched"
    renew "$service" || go_back
  done
  ends 0 "$version runs."
}

follow() { # RUN: its lines until it ends, and its status
  tail -n +1 -f "$1/log" &
  lines=$!
  while [ ! -s "$1/result" ] && kill -0 "$(cat "$1/pid")" 2> /dev/null; do sleep 0.2; done
  sleep 0.3
  kill "$lines"
  if [ ! -s "$1/result" ]; then
    say "It was cut off. Deploy again: it goes on from what ran before, and can go back to it."
    exit 5
  fi
  exit "$(cat "$1/result")"
}

case "$mode" in
  dry)
    docker compose version || exit 1
    [ -s "$dir/.env" ] || { echo "$dir/.env is missing: docs/howto/deploy.md"; exit 1; }
    say "in $dir runs $(of_env SAMPLEMIND_VERSION); would pull ${registry}samplemind-*:$version and, one after the other,"
    for service in $services; do
      say "  docker compose up -d --no-deps $service    and wait at most $health_s s until it is well"
    done
    say "or go back. Nothing was changed." ;;
  start)
    run="$kept/runs/$(date +%Y%m%d-%H%M%S)-$$"
    mkdir -p "$run"
    : > "$run/log"
    setsid sh "$0" work "$dir" "$version" "$registry" "$health_s" "$run" < /dev/null >> "$run/log" 2>&1 &
    echo $! > "$run/pid"
    ln -sfn "$run" "$kept/last"
    follow "$run" ;;
  work)
    run="$6"
    work ;;
  follow)
    [ -e "$kept/last/pid" ] || { echo "Nothing was deployed here yet."; exit 1; }
    follow "$kept/last" ;;
  *) echo "on-server.sh start|dry|follow FOLDER ..."; exit 1 ;;
esac
