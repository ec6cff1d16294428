"""The whole app under AppTest, on services of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services, close_services, open_services
from core.settings import Settings
from tests.support.fresh_stores import lay_data_dir
from tests.support.live_server import ROOT


@pytest.fixture(autouse=True, scope="session")
def _packages_read_once() -> Iterator[None]:
    # Every AppTest looks for Streamlit components in the metadata of all installed packages.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest_scanner, "scan_component_manifests", cache(manifest_scanner.scan_component_manifests))
        yield


@pytest.fixture(autouse=True)
def _fresh_data_dir(tmp_path) -> None:
    lay_data_dir(tmp_path)


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
