ALTER TABLE jobs ADD COLUMN client TEXT NOT NULL DEFAULT '';
ALTER TABLE steps ADD COLUMN turn_at INTEGER;
CREATE INDEX jobs_clients ON jobs (status, client, sequence);
CREATE TABLE turns (client TEXT NOT NULL, lane TEXT NOT NULL, served_at INTEGER NOT NULL, PRIMARY KEY (client, lane));
