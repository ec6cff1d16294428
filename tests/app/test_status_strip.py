"""The status of the last 24 hours on the Models page."""

from __future__ import annotations

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import close_services, open_services
from core.clock import utc_now
from core.settings import Settings
from tests.support.attempts import add_attempt
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app

REGISTRY = """
providers:
  lab: {kind: openai, api_base: 'http://127.0.0.1:9/v1', api_key: none}
models:
  - {id: swift, call: lab/swift, label: Swift}
  - {id: idle, call: lab/idle, label: Idle}
"""


@pytest.fixture(name="services")
def _services(tmp_path):
    close_services()
    registry = tmp_path / "models.yaml"
    registry.write_text(REGISTRY, encoding="utf-8")
    yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off", probes="off"))
    close_services()


def _detail_of(services, model_id: str) -> AppTest:
    app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
    sign_in_app(app, add_person(services.database, "bob")).run()
    app.session_state["models_ticked"] = [model_id]
    app.switch_page("pages/models_page.py").run()
    assert not app.exception
    return app


def test_a_model_shows_its_states_as_a_strip_and_in_words(services) -> None:
    for _ in range(3):
        add_attempt(
            services.database, ended_at=utc_now() - timedelta(minutes=1), model="swift", status="server",
            first_token_ms=None, error_message="Swift failed. Try again.",
        )  # fmt: skip
    services.health.probed()
    services.health.record_changes()

    app = _detail_of(services, "swift")

    assert len(app.get("vega_lite_chart")) == 1
    assert "down: Swift failed" in "\n".join(caption.value.replace("\\", "") for caption in app.caption)


def test_a_model_that_nobody_tried_says_so(services) -> None:
    app = _detail_of(services, "idle")

    assert "Status of the last 24 h: not tried." in [caption.value for caption in app.caption]
    assert not app.get("vega_lite_chart")
