"""Sound is taken in whole or not at all: each call of an ingest fails in turn, and nothing is left."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest

from ethereal.assets.model import AssetId
from ethereal.audio.addresses import AddressRule
from ethereal.errors import (
    ConflictError,
    InvalidInputError,
    QuotaExceededError,
    StoreUnavailableError,
    TooLargeError,
    UnsafeAddressError,
)
from ethereal.jobs.model import Announcement, Job, JobStatus, Sender
from ethereal.jobs.request import IngestRequest, SourceType
from ethereal.pipeline.cancel import cancel
from ethereal.pipeline.ingest import ingest
from ethereal.pipeline.library import delete_asset, sweep_assets
from ethereal.pipeline.submit_audio import INGEST, submit_ingest
from ethereal.pipeline.upload import accept_upload
from ethereal.services import Limits, Services
from ethereal.storage.keys import StorageKey
from ethereal.storage.store import ObjectFacts
from tests.builders import HandClock, make_services
from tests.failing import Failing
from tests.played_web import PlayedWeb, answering, played_web, redirecting
from tests.sounds import write_beats, write_video

UPLOAD = StorageKey("uploads/123e4567-e89b-42d3-a456-426614174000/original.wav")
YOUTUBE = "https://www.youtube.com/watch?v=jNQXAC9IVRw"
#: Stands in for yt-dlp: says what it says, and leaves the file named by its last argument but one.
STAND_IN = """
import shutil, sys
print('ETHEREAL-FACTS {"title": "A song", "duration": 1, "live_status": null}', flush=True)
shutil.copy(sys.argv[1], "jNQXAC9IVRw.wav")
"""


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_beats(tmp_path_factory.mktemp("song") / "song.wav", 1.0, rate=8000)


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def services(tmp_path: Path, clock: HandClock) -> Services:
    return make_services(tmp_path, clock=clock)


def upload(services: Services, song: Path) -> IngestRequest:
    with song.open("rb") as stream:
        taken = accept_upload(services, stream, filename="song.wav")
    return IngestRequest(
        source_type=SourceType.AUDIO_FILE,
        audio_key=taken.key,
        audio_sha256=taken.sha256,
        filename="My song.wav",
    )


def stored(services: Services, prefix: str = "") -> list[str]:
    return [facts.key for facts in services.objects.list(StorageKey(prefix))]


def run(services: Services, request: IngestRequest) -> Job:
    job = submit_ingest(services, request)
    ingest(services, job.id)
    return services.jobs.get(job.id)


def asset_id_of(job: Job) -> AssetId:
    assert job.error is None
    assert job.result is not None
    return AssetId(str(job.result["assetId"]))


def test_an_upload_becomes_an_asset_and_goes(services: Services, song: Path, clock: HandClock) -> None:
    job = run(services, upload(services, song))

    asset = services.assets.get(asset_id_of(job))
    assert job.status is JobStatus.COMPLETE
    assert stored(services) == [f"assets/{asset.id}/original.wav", f"assets/{asset.id}/peaks.json"]
    with services.objects.open(asset.original) as kept:
        assert kept.read() == song.read_bytes()
    assert (asset.audio.duration, asset.audio.sample_rate, asset.filename) == (1.0, 8000, "My song.wav")
    assert asset.provenance.source_type is SourceType.AUDIO_FILE
    assert set(asset.provenance.ingest_tool_versions) == {"ethereal", "av"}
    assert services.assets.bytes_used() == sum(f.size for f in services.objects.list(StorageKey("assets/")))


def test_the_same_bytes_twice_are_one_asset(services: Services, song: Path) -> None:
    first = run(services, upload(services, song))
    again = run(services, upload(services, song))

    assert asset_id_of(again) == asset_id_of(first)
    assert again.result is not None
    assert again.result["known"] is True
    assert len(stored(services)) == 2


def test_sound_is_fetched_from_an_address_under_the_rule(services: Services, song: Path) -> None:
    plays = {"/a%20song.wav": answering(song.read_bytes()), "/inward": redirecting("http://10.0.0.1/x")}
    with played_web(plays) as web:
        local = replace(services, rule=web.rule)
        asset = services.assets.get(asset_id_of(run(local, _address(web, "/a%20song.wav"))))
        inward = run(local, _address(web, "/inward"))
        with pytest.raises(UnsafeAddressError):
            submit_ingest(services, _address(web, "/a%20song.wav"))

    assert (asset.filename, asset.provenance.source_url) == ("a song.wav", web.url("/a%20song.wav"))
    assert inward.error is not None
    assert (inward.status, inward.error.code) == (JobStatus.FAILED, "UNSAFE_ADDRESS")


def test_of_a_video_only_the_sound_is_kept(services: Services, tmp_path: Path) -> None:
    video = write_video(tmp_path / "clip.mp4", "mpeg4", "aac")
    services.objects.put(UPLOAD, video)
    request = IngestRequest(source_type=SourceType.VIDEO_FILE, audio_key=UPLOAD, filename="My clip.mp4")
    asset = services.assets.get(asset_id_of(run(services, request)))

    assert asset.original == f"assets/{asset.id}/original.m4a"
    assert (asset.filename, asset.audio.codec) == ("My clip.mp4", "aac")
    assert asset.sha256 == sha256(video.read_bytes()).hexdigest()
    again = run(services, request.model_copy(update={"audio_key": _uploaded(services, video)}))
    assert asset_id_of(again) == asset.id


def _uploaded(services: Services, path: Path) -> str:
    services.objects.put(UPLOAD, path)
    return UPLOAD


def test_what_is_called_off_while_it_is_fetched_leaves_nothing(services: Services, song: Path) -> None:
    def calling_off(connection: socket.socket) -> None:
        cancel(services, job.id)
        answering(song.read_bytes())(connection)

    with played_web({"/song": calling_off}) as web:
        local = replace(services, rule=web.rule)
        job = submit_ingest(local, _address(web, "/song"))
        assert not ingest(local, job.id)

    assert services.jobs.get(job.id).status is JobStatus.CANCELLED
    assert stored(services) == []
    assert services.assets.list().assets == []


def test_a_server_that_is_down_is_asked_again(services: Services, song: Path, clock: HandClock) -> None:
    with played_web({"/song": answering(b"", "503 Busy")}) as web:
        local = replace(services, rule=web.rule)
        job = run(local, _address(web, "/song"))
        assert job.status is JobStatus.PENDING
        web.plays["/song"] = answering(song.read_bytes())
        clock.turn(timedelta(minutes=1))
        ingest(local, job.id)

    assert services.jobs.get(job.id).status is JobStatus.COMPLETE


def _address(web: PlayedWeb, path: str) -> IngestRequest:
    return IngestRequest(source_type=SourceType.URL, url=web.url(path))


def test_a_video_of_youtube_keeps_who_vouched_for_it(
    services: Services, song: Path, tmp_path: Path, clock: HandClock
) -> None:
    script = tmp_path / "yt_dlp_stand_in.py"
    script.write_text(STAND_IN)
    services = replace(services, yt_dlp=[sys.executable, str(script), str(song)])
    wanted = IngestRequest(source_type=SourceType.YOUTUBE, url=YOUTUBE, rights_attested_at=clock())
    attested_at = clock()
    job = submit_ingest(services, wanted)
    clock.turn(timedelta(hours=1))
    ingest(services, job.id)

    asset = services.assets.get(asset_id_of(services.jobs.get(job.id)))
    assert asset.filename == "A song.wav"
    assert asset.provenance.source_video_id == "jNQXAC9IVRw"
    assert asset.provenance.rights_attested_at == attested_at
    assert {"yt-dlp", "yt-dlp-ejs", "deno"} <= set(asset.provenance.ingest_tool_versions)


@pytest.mark.parametrize(
    ("changes", "error", "field"),
    [
        ({"url": "https://www.youtube.com/playlist?list=PL123"}, InvalidInputError, "url"),
        ({"url": YOUTUBE}, InvalidInputError, "rightsAttested"),
        ({"source_type": "url", "url": "http://example.com/a.mp3"}, UnsafeAddressError, "url"),
        ({"source_type": "url", "url": "https://127.0.0.1/a.mp3"}, UnsafeAddressError, "url"),
        ({"source_type": "audio_file", "audio_key": "renders/a/output.mp4"}, InvalidInputError, "storageKey"),
        (
            {"source_type": "video_file", "audio_key": f"uploads/{'a' * 36}/original.mp4"},
            InvalidInputError,
            "storageKey",
        ),
    ],
)
def test_what_can_be_seen_at_once_is_refused_at_once(
    services: Services, changes: dict[str, str], error: type[InvalidInputError], field: str
) -> None:
    request = IngestRequest.model_validate({"source_type": "youtube"} | changes)
    with pytest.raises(error) as refused:
        submit_ingest(services, request)

    assert set(refused.value.details) == {field}
    assert services.jobs.list().jobs == []


def test_limits_of_size_length_and_room_hold(tmp_path: Path, song: Path) -> None:
    roomy = make_services(tmp_path)
    request = upload(roomy, song)
    with pytest.raises(TooLargeError):
        submit_ingest(replace(roomy, limits=Limits(upload_bytes=1000)), request)
    with pytest.raises(QuotaExceededError):
        submit_ingest(replace(roomy, limits=Limits(assets_bytes=0)), request)
    for limits, code in (
        (Limits(audio=timedelta(seconds=0.5)), "TOO_LARGE"),
        (Limits(assets_bytes=1000), "QUOTA_EXCEEDED"),
    ):
        job = run(replace(roomy, limits=limits), upload(roomy, song))
        assert job.error is not None
        assert (job.status, job.error.code) == (JobStatus.FAILED, code)
        assert stored(roomy, "assets/") == []


@pytest.mark.parametrize(
    ("error", "after"),
    [
        (lambda: StoreUnavailableError("away"), True),
        (lambda: ValueError("a bug"), False),
        (lambda: SystemExit(143), True),
    ],
    ids=["answer lost", "bug", "stopped"],
)
def test_whatever_fails_leaves_nothing_and_is_made_good(
    tmp_path: Path, song: Path, error: Callable[[], BaseException], after: bool
) -> None:
    for number in range(1, 100):
        clock = HandClock()
        services = make_services(tmp_path / str(number), clock=clock)
        wanted = IngestRequest(source_type=SourceType.AUDIO_FILE, audio_key=UPLOAD, filename="song.wav")
        services.objects.put(UPLOAD, song)
        job = submit_ingest(services, wanted)
        left = [number]
        broken = replace(
            services,
            objects=Failing(services.objects, left, error, after=after),  # type: ignore[arg-type]
            assets=Failing(services.assets, left, error, after=after),  # type: ignore[arg-type]
        )
        try:
            ingest(broken, job.id)
        except SystemExit:
            assert isinstance(error(), SystemExit)
        _ensure_owned(services, clock)
        if left[0] > 0:
            break
        clock.turn(timedelta(hours=2))
        ingest(services, job.id)  # again, with nothing broken
        assert services.jobs.get(job.id).status is JobStatus.COMPLETE, number
        assert len(stored(services, "assets/")) == 2, number
    assert number > 6


def _ensure_owned(services: Services, clock: HandClock) -> None:
    """All objects belong to an asset that has them all, once the sweep was there."""
    clock.turn(timedelta(hours=24 * 365 * 100))  # files have the time of this machine
    services.assets.touch([asset.id for asset in services.assets.list().assets], now=clock())
    sweep_assets(services)
    clock.turn(timedelta(hours=-24 * 365 * 100))
    assets = services.assets.list().assets
    names = ("original.wav", "peaks.json")
    assert stored(services, "assets/") == sorted(f"assets/{a.id}/{name}" for a in assets for name in names)


def test_what_nobody_asks_for_goes_after_a_month(services: Services, song: Path, clock: HandClock) -> None:
    asset_id = asset_id_of(run(services, upload(services, song)))
    clock.turn(timedelta(days=20))
    run(services, upload(services, song))  # asked for once more
    clock.turn(timedelta(days=20))
    assert sweep_assets(services) == 0
    assert services.assets.known([asset_id])
    clock.turn(timedelta(days=11))
    assert sweep_assets(services) == 1
    assert stored(services) == []


def test_what_the_library_takes_is_known_without_looking_at_its_objects(
    services: Services, song: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Room and the list used to cost a look at every object, for each sound that came in."""
    looked, look = list[str](), services.objects.list

    def watched(prefix: StorageKey) -> Iterator[ObjectFacts]:
        looked.append(prefix)
        return look(prefix)

    monkeypatch.setattr(services.objects, "list", watched)
    asset_id = asset_id_of(run(services, upload(services, song)))

    assert [asset.id for asset in services.assets.list().assets] == [asset_id]
    assert services.assets.bytes_used() == sum(f.size for f in look(StorageKey("assets/")))
    assert {prefix.partition("/")[0] for prefix in looked} <= {"uploads"}, "the upload's own folder"


def test_a_deleted_asset_takes_its_objects_with_it(services: Services, song: Path) -> None:
    asset_id = asset_id_of(run(services, upload(services, song)))
    delete_asset(services, asset_id)

    assert stored(services) == []
    assert services.assets.bytes_used() == 0


def test_a_request_that_is_sent_twice_is_one_job(services: Services, song: Path) -> None:
    first = submit_ingest(services, upload(services, song), Sender(key="once"))
    again = submit_ingest(services, upload(services, song), Sender(key="once"))

    assert again.id == first.id
    assert stored(services) == [first.upload_key]
    assert services.queue.announced == [Announcement(first.id, INGEST)]  # type: ignore[attr-defined]
    with pytest.raises(ConflictError):
        submit_ingest(
            services,
            IngestRequest(source_type=SourceType.URL, url="https://a.example/b"),
            Sender(key="once"),
        )


def test_only_a_web_app_that_nobody_else_reaches_may_fetch_from_its_own_machine() -> None:
    from ethereal.bootstrap import address_rule
    from ethereal.errors import InvalidConfigError
    from ethereal.settings import read_settings

    assert address_rule(read_settings(_env_file=None)) == AddressRule()
    assert address_rule(read_settings(_env_file=None, allow_http=True)).allow_http
    with pytest.raises(InvalidConfigError, match="ETHEREAL_ALLOW_HTTP"):
        read_settings(_env_file=None, allow_http=True, host="0.0.0.0", api_token="x" * 16)
