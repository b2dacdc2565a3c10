CREATE TABLE assets (
  sequence INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  sha256 TEXT NOT NULL UNIQUE,
  original TEXT NOT NULL,
  filename TEXT NOT NULL,
  audio TEXT NOT NULL,
  provenance TEXT NOT NULL,
  prepared TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  used_at INTEGER NOT NULL
);
CREATE INDEX assets_used ON assets (used_at);
CREATE TABLE asset_objects (
  key TEXT PRIMARY KEY,
  asset_id TEXT NOT NULL,
  size INTEGER NOT NULL,
  counted INTEGER NOT NULL,
  cached INTEGER NOT NULL,
  created_at INTEGER NOT NULL
);
CREATE INDEX asset_objects_asset ON asset_objects (asset_id);
CREATE INDEX asset_objects_cached ON asset_objects (created_at) WHERE cached = 1;
CREATE TABLE asset_sources (asset_id TEXT NOT NULL, source_id TEXT NOT NULL, PRIMARY KEY (asset_id, source_id));
CREATE INDEX asset_sources_source ON asset_sources (source_id);
CREATE TABLE asset_totals (id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
INSERT INTO asset_totals VALUES (1, 0);
