"""The whole app under AppTest, on services of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services, close_services, open_services
from core.settings import Settings
from tests.support.live_server import ROOT


@pytest.fixture(name="services")
def _services(tmp_path) -> Iterator[Services]:
    """The services that the pages get, without the embedded model, in a data dir that is gone after the test."""
    close_services()
    yield open_services(Settings(data_dir=tmp_path, models=ROOT / "data" / "models.yaml", local_model="off"))
    close_services()


@pytest.fixture(name="app")
def _app(services: Services) -> AppTest:
    """app.py, not run yet, with nobody signed in."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
