#!/bin/sh
# Makes the secrets that docker-compose.yml reads, once; what exists is kept.
# The folder is its owner's alone; the files in it are readable, because each container reads them as its own user.
set -eu
cd -- "$(dirname -- "$0")/.."
mkdir -p -m 700 secrets

secret() { head -c 36 /dev/urandom | base64 | tr '+/' '-_'; }
keep() { [ -e "secrets/$1" ] || { cat > "secrets/$1.new" && chmod 644 "secrets/$1.new" && mv "secrets/$1.new" "secrets/$1"; }; }

{ secret | tr -d '\n'; secret; } | keep secret_key
secret | keep postgres_password
secret | keep valkey_password
echo "postgresql://tandem:$(cat secrets/postgres_password)@postgres:5432/tandem" | keep database_url
echo "redis://:$(cat secrets/valkey_password)@valkey:6379" | keep redis_url
keep valkey.conf <<END
requirepass $(cat secrets/valkey_password)
dir /data
appendonly yes
save ""
maxmemory-policy noeviction
END
echo "The secrets are in $PWD/secrets; keep a copy somewhere safe."
