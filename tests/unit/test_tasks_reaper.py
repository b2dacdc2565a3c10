"""The ticks of the reaper."""

from __future__ import annotations

import pytest

from tasks import config, reaper


def test_a_tick_carries_no_expiry() -> None:
    assert "expires" not in config.beat_schedule["reap"]["options"]  # type: ignore[operator]


def test_ticks_that_piled_up_are_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = list[object]()
    monkeypatch.setattr(reaper, "reap_jobs", looks.append)
    monkeypatch.setattr(reaper, "services", lambda: "services")
    monkeypatch.setattr(reaper, "_last_look", [float("-inf")])

    for _ in range(3):
        reaper.reap()

    assert looks == ["services"]
