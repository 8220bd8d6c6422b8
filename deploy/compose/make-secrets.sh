#!/bin/sh
# Make every secret of docker-compose.yml that is not there yet: deploy/compose/make-secrets.sh [FOLDER]
# Needs openssl and sha256sum. What exists is kept, so a lost file alone is made again (then restart what reads it).
set -eu
umask 077
here="$(cd "$(dirname "$0")/../.." && pwd)"
out="${1:-$here/secrets}"
mkdir -p "$out"
chmod -f u+w "$out"/* || true # they were made read-only the last time

password() { # NAME: the password in the file NAME, made the first time
  [ -s "$out/$1" ] || openssl rand -hex 24 > "$out/$1"
  cat "$out/$1"
}

users="$(cat "$here/config/redis-users.acl")"
for user in gateway reconciler indexer worker flower scaler operator; do
  secret="$(password "redis_$user")"
  hash="$(printf %s "$secret" | sha256sum | cut -d' ' -f1)"
  users="$(printf '%s\n' "$users" | sed "s/@$user@/$hash/")"
  printf 'redis://%s:%s@redis:6379/0' "$user" "$secret" > "$out/redis_url_$user"
done
printf '%s\n' "$users" > "$out/redis_users.acl"

password mongo_root > /dev/null
said=""
for user in gateway reconciler indexer worker; do
  secret="$(password "mongo_$user")"
  said="$said${said:+, }\"$user\": \"$secret\""
  printf 'mongodb://%s:%s@mongo:27017/?replicaSet=rs0&authSource=samplemind' "$user" "$secret" > "$out/mongo_url_$user"
done
printf '{%s}\n' "$said" > "$out/mongo_users.json"
[ -s "$out/mongo_keyfile" ] || openssl rand -base64 512 > "$out/mongo_keyfile"
[ -s "$out/flower_basic_auth" ] || printf 'flower:%s' "$(openssl rand -hex 12)" > "$out/flower_basic_auth"
password grafana_admin > /dev/null

# For the profile tls, until you put a pair of your own in its place (the whole chain, and its key).
if ! { [ -s "$out/tls_cert.pem" ] && [ -s "$out/tls_key.pem" ]; }; then
  name="${SAMPLEMIND_HOST:-localhost}"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 365 -subj "/CN=$name" \
    -addext "subjectAltName=DNS:$name" -keyout "$out/tls_key.pem" -out "$out/tls_cert.pem" 2> /dev/null
fi

# The folder is yours alone; the files in it are mounted into containers that run as other users.
chmod 700 "$out"
chmod 444 "$out"/*
echo "secrets are in $out"
