"""How often a submit asks a remote job store, counted at a stand-in of Turso."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from ethereal.bootstrap import build_services
from ethereal.settings import read_settings
from tests.asset_builders import UPLOAD, recipe, take_in
from tests.builders import MemoryQueue
from tests.sounds import write_beats
from tests.standins.hrana import open_hrana
from web import create_app


def count_round_trips() -> dict[str, int]:
    """Round trips of a submitted render, by whose sound it names, and of a preview."""
    with TemporaryDirectory() as name, open_hrana(Path(name) / "jobs.db") as server:
        settings = read_settings(data_dir=Path(name), database_url=server.url, public_url=None)
        services = build_services(settings, queue=MemoryQueue())
        client = create_app(services, settings, secret=b"of nobody").test_client()
        with closing(services.jobs):
            asset = take_in(services)
            services.objects.put(UPLOAD, write_beats(Path(name) / "song.wav", 0.2, rate=8000))
            bodies: Mapping[str, tuple[str, object]] = {
                "upload": ("/api/render", {"audio": {"type": "upload", "storageKey": UPLOAD}}),
                "asset": ("/api/render", {"audio": {"type": "asset", "assetId": asset.id}}),
                "preview": ("/api/audio/edit/preview", recipe(asset).model_dump(mode="json")),
            }
            found = {}
            for kind, (path, body) in bodies.items():
                before = len(server.asked)
                client.post(path, json=body, base_url=settings.base_url).close()
                found[kind] = len(server.asked) - before
    return found
