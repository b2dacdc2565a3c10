# ruff: noqa: S608 - the pieces put together here are constants of this file
"""The SQL of the asset store's moves. Each may run twice: its second run changes nothing."""

from __future__ import annotations

_THERE = "EXISTS (SELECT 1 FROM assets WHERE id = :asset)"
_OF_ASSET = "asset_id = :asset"
# What the objects given take more than what was counted under their keys before.
_MORE = (
    "(SELECT coalesce(SUM(json_extract(value, '$[1]') - coalesce(counted, 0)), 0) FROM json_each(:objects)"
    " LEFT JOIN asset_objects ON asset_objects.key = json_extract(value, '$[0]'))"
)
_ROOM = f"(SELECT bytes FROM asset_totals) + {_MORE} <= :quota"

ADD = (
    "INSERT INTO assets (id, sha256, original, filename, audio, provenance, created_at, updated_at, used_at)"
    " SELECT :asset, :sha256, :original, :filename, :audio, :provenance, :now, :now, :now"
    f" WHERE {_ROOM} ON CONFLICT DO NOTHING"
)
NOTE = (
    "INSERT INTO asset_objects (key, asset_id, size, counted, cached, created_at)"
    " SELECT json_extract(value, '$[0]'), :asset, json_extract(value, '$[1]'), 0,"
    f" json_extract(value, '$[2]'), :now FROM json_each(:objects) WHERE {_THERE} AND {_ROOM}"
    " ON CONFLICT (key) DO UPDATE SET size = excluded.size, created_at = excluded.created_at"
)
COUNT = (
    "UPDATE asset_totals SET bytes = bytes"
    f" + (SELECT coalesce(SUM(size - counted), 0) FROM asset_objects WHERE {_OF_ASSET})"
)
COUNTED = f"UPDATE asset_objects SET counted = size WHERE {_OF_ASSET} AND counted <> size"
NOTED = (
    "SELECT COUNT(*) AS missing FROM json_each(:objects) WHERE NOT EXISTS (SELECT 1 FROM asset_objects"
    " WHERE asset_objects.key = json_extract(value, '$[0]') AND size = json_extract(value, '$[1]')"
    f" AND {_OF_ASSET})"
)
BY_ID = "SELECT * FROM assets WHERE id = :asset"
BY_IDS = "SELECT * FROM assets WHERE id IN (SELECT value FROM json_each(:ids))"
BY_BYTES = "SELECT * FROM assets WHERE sha256 = :sha256"
LIST = (
    "SELECT * FROM assets WHERE (:cursor IS NULL OR sequence < :cursor) ORDER BY sequence DESC LIMIT :limit"
)
KNOWN = "SELECT id FROM assets WHERE id IN (SELECT value FROM json_each(:ids))"
TOTAL = "SELECT bytes FROM asset_totals"
TOUCH = "UPDATE assets SET used_at = max(used_at, :now) WHERE id IN (SELECT value FROM json_each(:ids))"

UNCOUNT = (
    "UPDATE asset_totals SET bytes = bytes - (SELECT coalesce(SUM(counted), 0) FROM asset_objects"
    " WHERE key IN (SELECT value FROM json_each(:keys)))"
)
DROP = "DELETE FROM asset_objects WHERE key IN (SELECT value FROM json_each(:keys))"

FORGET_SOURCES = f"DELETE FROM asset_sources WHERE {_OF_ASSET} AND {_THERE}"
ADD_SOURCES = (
    "INSERT INTO asset_sources (asset_id, source_id) SELECT :asset, value FROM json_each(:sources)"
    f" WHERE {_THERE} ON CONFLICT DO NOTHING"
)
PREPARE = "UPDATE assets SET prepared = :prepared, updated_at = :now WHERE id = :asset RETURNING id"

USERS = "SELECT asset_id FROM asset_sources WHERE source_id = :asset AND asset_id <> :asset ORDER BY asset_id"
_MAY_GO = (
    "(:force OR NOT EXISTS (SELECT 1 FROM asset_sources WHERE source_id = :asset AND asset_id <> :asset))"
)
DELETE_COUNT = (
    "UPDATE asset_totals SET bytes = bytes - (SELECT coalesce(SUM(counted), 0) FROM asset_objects"
    f" WHERE {_OF_ASSET}) WHERE {_MAY_GO}"
)
DELETE_OBJECTS = f"DELETE FROM asset_objects WHERE {_OF_ASSET} AND {_MAY_GO}"
DELETE_SOURCES = f"DELETE FROM asset_sources WHERE {_OF_ASSET} AND {_MAY_GO}"
DELETE_ASSET = f"DELETE FROM assets WHERE id = :asset AND {_MAY_GO} RETURNING id"

UNUSED = (
    "SELECT id FROM assets WHERE used_at < :before AND NOT EXISTS (SELECT 1 FROM asset_sources"
    " WHERE source_id = assets.id AND asset_id <> assets.id) ORDER BY used_at LIMIT :limit"
)
CACHED = (
    "SELECT key FROM asset_objects WHERE cached = 1 AND created_at < :before ORDER BY created_at LIMIT :limit"
)
