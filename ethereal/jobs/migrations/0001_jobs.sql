CREATE TABLE jobs (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  type TEXT NOT NULL,
  status TEXT NOT NULL,
  stage TEXT,
  progress REAL NOT NULL,
  attempt INTEGER NOT NULL,
  request TEXT NOT NULL,
  result TEXT,
  error TEXT,
  idempotency_key TEXT UNIQUE,
  idempotency_digest TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  started_at INTEGER,
  finished_at INTEGER
);
CREATE INDEX jobs_status ON jobs (status, sequence);
CREATE TABLE steps (
  job_id TEXT NOT NULL REFERENCES jobs (id),
  name TEXT NOT NULL,
  idx INTEGER NOT NULL,
  status TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  owner TEXT,
  lease_expires_at INTEGER,
  deadline_at INTEGER,
  claimed_at INTEGER,
  finished_at INTEGER,
  not_before INTEGER NOT NULL,
  announce_at INTEGER NOT NULL,
  announcements INTEGER NOT NULL,
  result TEXT,
  PRIMARY KEY (job_id, name, idx)
);
CREATE INDEX steps_running ON steps (lease_expires_at) WHERE status = 'running';
CREATE INDEX steps_waiting ON steps (announce_at) WHERE status = 'waiting';
