"""Brings a database to the newest schema: numbered SQL files, each applied once, whoever starts first."""

from __future__ import annotations

from importlib import resources

from ethereal.jobs.database import ConstraintError, Database, Statement

_DONE = "CREATE TABLE IF NOT EXISTS migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL)"


def migrate(database: Database) -> list[str]:
    """Apply what is missing and return the names applied here. Safe when several processes start at once."""
    database.execute(_DONE)
    applied = {int(row[0]) for row in database.execute("SELECT number FROM migrations").rows}
    return [
        name
        for number, name, sql in _files()
        if number not in applied and _apply(database, number, name, sql)
    ]


def _apply(database: Database, number: int, name: str, sql: str) -> bool:
    """The number is written first and in the same transaction, so only one of several racers goes on."""
    statements = [statement.strip() for statement in sql.split(";") if statement.strip()]
    mark: Statement = ("INSERT INTO migrations VALUES (:number, :name)", {"number": number, "name": name})
    try:
        database.batch([mark, *[(statement, {}) for statement in statements]])
    except ConstraintError:
        return False
    return True


def _files() -> list[tuple[int, str, str]]:
    folder = resources.files("ethereal.jobs.migrations")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.endswith(".sql"))
    return [(int(name.split("_")[0]), name, (folder / name).read_text()) for name in names]
