#!/bin/sh
# Makes the role that the service works as: it reads and writes rows, owns no table, and can't empty one.
# The image of PostgreSQL runs this once, when it makes the database; the tables come later, from `migrate`.
set -eu

psql --set ON_ERROR_STOP=1 --set password="$SERVICE_PASSWORD" \
     --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
CREATE ROLE escrow_service LOGIN PASSWORD :'password';
GRANT USAGE ON SCHEMA public TO escrow_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO escrow_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO escrow_service;
SQL
