"""The pages, as somebody without JavaScript uses them."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ethereal.jobs.model import JobError
from tests.builders import add_job
from tests.web_builders import Web, open_web, song_bytes


@pytest.fixture
def web(tmp_path: Path) -> Web:
    return open_web(tmp_path)


def text_of(response: TestResponse) -> str:
    return response.get_data(as_text=True)


def form_token(client: FlaskClient) -> str:
    found = re.search(r'name="csrfToken" value="([^"]+)"', text_of(client.get("/")))
    assert found
    return found[1]


def submit(client: FlaskClient, song: bytes, **fields: str) -> TestResponse:
    data = {"csrfToken": form_token(client), "template": "aurora", "outputFormat": "draft-360p", "fps": "24"}
    return client.post("/", data={**data, **fields, "file": (BytesIO(song), "My song.wav")})


def test_the_form_offers_every_choice_and_has_one_chosen(web: Web) -> None:
    page = text_of(web.client.get("/"))

    assert page.count('name="template"') == 9
    for name in ("template", "outputFormat", "fps", "quality"):
        assert len(re.findall(rf'name="{name}"[^>]* checked', page)) == 1


def test_the_form_makes_a_job_and_leads_to_its_page(web: Web, tmp_path: Path) -> None:
    client = web.client

    response = submit(client, song_bytes(tmp_path), title="Plain")

    [job] = web.jobs()
    assert (response.status_code, response.headers["Location"]) == (303, f"/jobs/{job.id}")
    assert (job.request.title, job.request.template) == ("Plain", "aurora")
    assert "Plain" in text_of(client.get(response.headers["Location"]))


def test_what_is_wrong_is_shown_beside_the_field_and_choices_are_kept(web: Web) -> None:
    response = submit(web.client, b"no song", title="Keep me")

    page = text_of(response)
    assert response.status_code == 422
    assert re.search(r'<p class="problem" id="problem-file" data-problem="file">[^<]+</p>', page)
    assert re.search(r'value="aurora"[^>]* checked', page)
    assert 'value="Keep me"' in page
    assert web.stored() == []


def test_a_form_may_name_an_address_in_place_of_a_file(web: Web, tmp_path: Path) -> None:
    client = web.client
    token = form_token(client)

    def post(url: str, file: bytes = b"") -> TestResponse:
        data = {"csrfToken": token, "url": url, "file": (BytesIO(file), "a.wav" if file else "")}
        return client.post("/", data=data)

    assert post("https://example.org/my%20song.mp3").status_code == 303
    [job] = web.jobs()
    assert (job.request.audio_url, job.request.filename) == (
        "https://example.org/my%20song.mp3",
        "my song.mp3",
    )
    for url, file in (("http://10.0.0.1/a.mp3", b""), ("https://example.org/a.mp3", song_bytes(tmp_path))):
        refused = post(url, file)
        assert refused.status_code == 400
        page = text_of(refused)
        assert re.search(r'<p class="problem" id="problem-url" data-problem="url">[^<]+</p>', page)
        assert f'value="{url}"' in page
    assert len(web.jobs()) == 1
    assert web.stored() == []


def test_a_form_without_a_file_says_so(web: Web) -> None:
    client = web.client
    data = {"csrfToken": form_token(client), "file": (BytesIO(), "")}

    response = client.post("/", data=data)

    assert response.status_code == 400
    assert "choose an audio file" in text_of(response)


def test_settings_in_the_address_are_chosen_in_the_form(web: Web) -> None:
    page = text_of(
        web.client.get("/?template=moonfire&outputFormat=draft-720p&fps=60&quality=high&title=Again")
    )

    for value in ("moonfire", "draft-720p", "60", "high"):
        assert re.search(rf'value="{value}"[^>]* checked', page)
    assert 'value="Again"' in page


def test_a_transparent_file_can_be_chosen_and_made_again(web: Web, tmp_path: Path) -> None:
    song = song_bytes(tmp_path)

    refused = submit(web.client, song, background="transparent")
    assert "mp4 cannot be transparent; mov, webm, png-sequence can" in text_of(refused)
    assert re.search(r'name="background" value="transparent"[^>]* checked', text_of(refused))

    submit(web.client, song, background="transparent", container="webm")
    [job] = web.jobs()
    assert job.request.background == "transparent"
    page = text_of(web.client.get(f"/jobs/{job.id}"))
    assert "WebM, transparent" in page


def test_settings_that_make_no_sense_fall_back_to_the_usual(web: Web) -> None:
    page = text_of(web.client.get("/?template=nope&outputFormat=x&fps=three&quality=&title="))

    assert re.search(r'value="ethereal-flame"[^>]* checked', page)
    assert re.search(r'value="30"[^>]* checked', page)


def test_a_job_under_way_shows_its_stage_and_loads_itself_again(web: Web) -> None:
    job = add_job(web.services, title="Under way")
    page = text_of(web.client.get(f"/jobs/{job.id}"))
    assert "Next in line" in page

    web.report(web.claim(job), "rendering", 47)

    page = text_of(web.client.get(f"/jobs/{job.id}"))
    assert "Drawing the frames" in page
    assert 'value="47"' in page
    assert '<noscript><meta http-equiv="refresh"' in page
    assert f"/jobs/{job.id}/cancel" in page


def test_a_complete_job_plays_and_can_be_fetched(web: Web) -> None:
    job = web.add_complete(b"the video", title="Done")
    client = web.client
    page = text_of(client.get(f"/jobs/{job.id}"))

    source = re.search(r'<video [^>]*src="([^"]+)"', page)
    download = re.search(r'<a class="button flame large" href="([^"]+)"', page)
    assert source
    assert download
    assert source[1].startswith("/api/storage/download?")
    played = client.get(source[1].replace("&amp;", "&"), headers={"Range": "bytes=0-2"})
    assert (played.status_code, played.data) == (206, b"the")
    fetched = client.get(download[1].replace("&amp;", "&"))
    assert fetched.headers["Content-Disposition"].startswith("attachment")
    assert "ab" * 32 in page
    assert "http-equiv" not in page


def test_a_failed_job_says_what_happened_and_what_to_do(web: Web) -> None:
    lease = web.claim(add_job(web.services, title="Broken", template="moonfire"))
    error = JobError(code="UNREADABLE_AUDIO", message="The file holds no sound track.", retryable=False)
    job = web.services.jobs.fail(lease, error, now=web.clock(), retry_at=None)

    page = text_of(web.client.get(f"/jobs/{job.id}"))

    assert "The file holds no sound track." in page
    assert "export it again" in page
    assert "UNREADABLE_AUDIO" in page
    assert re.search(r'href="/\?template=moonfire[^"]*title=Broken', page)


def test_a_cancelled_job_can_be_made_again(web: Web) -> None:
    job = add_job(web.services, parameters={"intensity": 1.5})
    client = web.client
    client.post(f"/jobs/{job.id}/cancel", data={"csrfToken": form_token(client)})

    page = text_of(client.get(f"/jobs/{job.id}"))

    assert "Render again with the same settings" in page
    assert "visualConfig=%7B%22intensity%22:+1.5%7D" in page


def test_a_job_can_be_deleted(web: Web) -> None:
    job = web.add_complete()
    client = web.client

    response = client.post(f"/jobs/{job.id}/delete", data={"csrfToken": form_token(client)})

    assert (response.status_code, response.headers["Location"]) == (303, "/jobs")
    assert client.get(f"/jobs/{job.id}").status_code == 404
    assert web.stored() == []


def test_the_list_is_paged_and_filtered(web: Web) -> None:
    done = web.add_complete(title="The only one ready")
    for number in range(13):
        add_job(web.services, title=f"Waiting {number:02}")
    client = web.client

    first = text_of(client.get("/jobs"))
    older = re.search(r'href="(/jobs\?cursor=[^"]+)">Older', first)
    assert first.count('class="job-card"') == 12
    assert older
    assert "Waiting 00" in text_of(client.get(older[1]))
    ready = text_of(client.get("/jobs?status=complete"))
    assert f"/jobs/{done.id}" in ready
    assert "Waiting 0" not in ready


def test_an_empty_list_says_where_to_begin(web: Web) -> None:
    assert "No fire yet" in text_of(web.client.get("/jobs"))
    assert "Nothing here" in text_of(web.client.get("/jobs?status=failed"))


def test_a_page_that_makes_no_sense_is_friendly(web: Web) -> None:
    response = web.client.get("/jobs?status=burnt")

    assert response.status_code == 400
    assert "That did not work" in text_of(response)


def test_what_people_type_is_text_and_never_markup(web: Web) -> None:
    job = web.add_complete(title="<script>alert(1)</script>", filename='"><img src=x>.wav')

    for path in ("/jobs", f"/jobs/{job.id}", "/?title=<script>alert(1)</script>"):
        page = text_of(web.client.get(path))
        assert "<script>alert" not in page
        assert "<img src=x>" not in page


@pytest.mark.parametrize("path", ["/", "/jobs", "/nothing", "complete", "pending"])
def test_no_page_carries_script_or_style_inside(web: Web, path: str) -> None:
    jobs = {"complete": web.add_complete(), "pending": add_job(web.services)}
    page = text_of(web.client.get(f"/jobs/{jobs[path].id}" if path in jobs else path))

    assert not re.search(r"<script(?![^>]* src=)", page)
    assert "<style" not in page
    assert not re.search(r"\s(style|on\w+)=", page)


def test_the_farm_is_linked_where_it_can_be_reached(tmp_path: Path) -> None:
    assert 'href="/farm/"' in text_of(open_web(tmp_path, flower_port=5599).client.get("/"))
    assert 'href="/farm/"' in text_of(open_web(tmp_path, flower_url="http://flower:1").client.get("/"))
    assert "Farm" not in text_of(open_web(tmp_path, flower_port=0).client.get("/"))
