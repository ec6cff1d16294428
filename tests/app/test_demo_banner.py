"""Demo data is marked on every page, and a store without it is not."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core import cli
from core.accounts.users import find_user
from core.bootstrap import close_services, open_services
from core.demo.team import ADMIN
from core.settings import Settings
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app

PAGES = ("pages/models_page.py", "pages/settings_page.py")


@pytest.fixture(name="demo")
def _demo(tmp_path, monkeypatch):
    """Services on a store with the demo in it."""
    close_services()
    monkeypatch.setenv("SWITCHBOARD_DATA_DIR", str(tmp_path))
    assert cli.main(["demo"]) == 0
    yield open_services(Settings(data_dir=tmp_path, models=ROOT / "data" / "models.yaml", local_model="off"))
    close_services()


def captions(user):
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=20), user).run()
    for page in PAGES:
        app.switch_page(page).run()
        assert not app.exception
        yield [caption.value for caption in app.caption]


def test_the_demo_is_marked_on_every_page(demo):
    admin = find_user(demo.database, ADMIN)

    for shown in captions(admin):
        assert any("Demo data" in text for text in shown)


def test_a_store_without_it_is_not_marked(services):
    ada = add_person(services.database, "ada", role="admin")

    for shown in captions(ada):
        assert not any("Demo data" in text for text in shown)
