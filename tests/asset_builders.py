"""Assets and recipes for tests, made as the system makes them."""

from __future__ import annotations

from ethereal.assets.model import Asset, AssetId
from ethereal.audio.recipe import read_recipe
from ethereal.jobs.request import EditRecipe, IngestRequest, SourceType
from ethereal.pipeline.ingest import ingest
from ethereal.pipeline.submit_audio import submit_ingest
from ethereal.services import Services
from ethereal.storage.keys import StorageKey
from tests.sounds import write_beats

UPLOAD = StorageKey("uploads/123e4567-e89b-42d3-a456-426614174000/original.wav")


def take_in(services: Services, seconds: float = 2.0) -> Asset:
    services.scratch.mkdir(parents=True, exist_ok=True)
    song = write_beats(services.scratch / "song.wav", seconds, rate=8000)
    services.objects.put(UPLOAD, song)
    job = submit_ingest(
        services,
        IngestRequest(source_type=SourceType.AUDIO_FILE, audio_key=UPLOAD, filename="song.wav"),
    )
    ingest(services, job.id)
    result = services.jobs.get(job.id).result
    assert result is not None
    return services.assets.get(AssetId(str(result["assetId"])))


def recipe(asset: Asset, *spans: tuple[float, float], **changes: object) -> EditRecipe:
    clips = [
        {"id": f"c{number}", "sourceAssetId": asset.id, "startTime": start, "endTime": end}
        for number, (start, end) in enumerate(spans or [(0.25, 1.0), (1.5, 2.0)])
    ]
    return read_recipe({"version": 1, "assetId": asset.id, "clips": clips, **changes})
