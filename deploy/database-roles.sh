#!/bin/sh
# Makes the role that the service works as: it reads and writes rows, owns no table, and can't empty one.
# The image of PostgreSQL runs this once, when it makes the database; the tables come later, from `migrate`.
# It may be run again at any time, by the owner of the tables, and on a database that has them already:
# POSTGRES_USER=escrow_owner POSTGRES_DB=escrow SERVICE_PASSWORD=... PGHOST=... sh deploy/database-roles.sh
set -eu

psql --set ON_ERROR_STOP=1 --set password="$SERVICE_PASSWORD" --set database="$POSTGRES_DB" \
     --username "$POSTGRES_USER" --dbname "$POSTGRES_DB" <<'SQL'
SELECT 'CREATE ROLE escrow_service'
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'escrow_service') \gexec
ALTER ROLE escrow_service LOGIN PASSWORD :'password'
    NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS;

-- Everybody may connect, and make tables of his own beside ours, unless that is taken away.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO escrow_service;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO escrow_service;

-- Rows and numbers, of the tables that there are and of those that come. No TRUNCATE, TRIGGER or REFERENCES.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM escrow_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO escrow_service;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO escrow_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO escrow_service;
ALTER DEFAULT PRIVILEGES IN SCHEMA public
    GRANT USAGE, SELECT ON SEQUENCES TO escrow_service;
SQL
