#!/bin/sh
# Dumps the database every night from BACKUP_HOUR (UTC) on, checks that the dump can be read, and keeps the newest
# BACKUP_KEEP. Without any dump it makes one at once. PGHOST, PGUSER and PGDATABASE say which database.
# Runs for ever; the health check in docker-compose.yml looks at the age of the newest dump and of /tmp/backup-round.
set -eu

: "${BACKUP_HOUR:=2}" "${BACKUP_KEEP:=14}" "${BACKUPS:=/backups}" "${PASSWORD_FILE:=/run/secrets/postgres_password}"
PGPASSWORD=$(cat "$PASSWORD_FILE")
export PGPASSWORD

dump() {
    name=$BACKUPS/tandem-$(date -u +%Y%m%dT%H%M%SZ).dump
    pg_dump --format custom --file "$name.part" && pg_restore --list "$name.part" > /dev/null || return 1
    mv "$name.part" "$name"
    echo "dumped $name"
    find "$BACKUPS" -name 'tandem-*.dump' | sort -r | tail -n "+$((BACKUP_KEEP + 1))" | xargs -r rm --
}

due() {
    [ -z "$(find "$BACKUPS" -name 'tandem-*.dump')" ] && return 0
    [ "$(date -u +%H)" -ge "$BACKUP_HOUR" ] && [ -z "$(find "$BACKUPS" -name "tandem-$(date -u +%Y%m%d)T*.dump")" ]
}

while true; do
    touch /tmp/backup-round
    if due && ! dump; then
        echo "the dump failed; next try in ten minutes" >&2
        rm -f "$BACKUPS"/*.part
    fi
    sleep 600
done
