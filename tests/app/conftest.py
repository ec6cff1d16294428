"""The whole app under AppTest, on services of its own."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from streamlit.components.v2 import manifest_scanner
from streamlit.testing.v1 import AppTest

from core.accounts.users import User
from core.bootstrap import Services, close_services, open_services
from core.settings import Settings
from tests.support.chatting import write_registry
from tests.support.fresh_stores import lay_data_dir
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer


@pytest.fixture(name="provider")
def _provider(request: pytest.FixtureRequest) -> Iterator[ProviderServer]:
    """A provider on loopback that gives the file's own ANSWERS, a text by the provider's name of the model."""
    with ProviderServer() as provider:
        for name, text in request.module.ANSWERS.items():
            provider.behave(name, say(text))
        yield provider


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
def _services(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Services]:
    """The services that the pages get, without the embedded model, in a data dir that is gone after the test.

    In a file with ANSWERS their models are those of the provider on loopback.
    """
    close_services()
    models = ROOT / "data" / "models.yaml"
    if hasattr(request.module, "ANSWERS"):
        models = write_registry(tmp_path / "models.yaml", request.getfixturevalue("provider"))
    yield open_services(Settings(data_dir=tmp_path, models=models, local_model="off"))
    close_services()


@pytest.fixture(name="ada")
def _ada(services: Services) -> User:
    return add_person(services.database, "ada")


@pytest.fixture(name="app")
def _app(services: Services) -> AppTest:
    """app.py, not run yet, with nobody signed in."""
    return AppTest.from_file(str(ROOT / "app.py"), default_timeout=20)
