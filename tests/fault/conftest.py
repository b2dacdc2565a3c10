"""One farm for each file of fault tests; what a test leaves wrong is found at its end."""

from __future__ import annotations

from collections.abc import Generator, Iterator

import pytest

from tests.fault.farm import QUICK, Farm, open_farm
from tests.fault.jobs import Jobs
from tests.fault.orphans import files_of_nobody, processes_of_nobody
from tests.waiting import ends_of


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Function,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """A test that fails shows what the farm's processes said last."""
    report = yield
    farm = item.funcargs.get("farm")
    if report.failed and isinstance(farm, Farm):
        report.sections.append(("logs of the farm", ends_of(farm.logs)))
    return report


@pytest.fixture(scope="module")
def farm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Farm]:
    """Leases of three seconds, four attempts; at the end nothing of anybody's is left."""
    more = {"ETHEREAL_MAX_ATTEMPTS": "4", "ETHEREAL_ALLOW_HTTP": "true"}
    with open_farm(tmp_path_factory.mktemp("farm"), settings=QUICK | more) as opened:
        yield opened
        assert processes_of_nobody(opened) == []
    assert opened.processes() == []
    assert files_of_nobody(opened) == []


@pytest.fixture(scope="module")
def song(farm: Farm, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A sound that was taken in."""
    return Jobs(farm).take_in(tmp_path_factory.mktemp("song"))


@pytest.fixture
def jobs(farm: Farm, song: str) -> Iterator[Jobs]:
    """Asks for work; at the end of the test all of it has ended, once."""
    asked = Jobs(farm, song)
    yield asked
    asked.settle()
