"""The Models page under AppTest: who sees what, what filters leave, and what an administrator's change does."""

from __future__ import annotations

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.bootstrap import Services, close_services, open_services
from core.catalog.health import ModelStatus
from core.catalog.overrides import Override
from core.catalog.status_history import record_change
from core.chat.admission import TurnRequest
from core.clock import utc_now
from core.errors import TurnRefused
from core.settings import Settings
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer, port_nobody_listens_on
from tests.support.signed_in import sign_in_app

TIMEOUT_S = 20


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        provider.behave("extra", say("Found."))
        yield provider


def _registry(provider: ProviderServer) -> str:
    return (
        "providers:\n"
        f"  lab: {{kind: openai, api_base: '{provider.api_base}', api_key: none, discover: true, price: free}}\n"
        f"  away: {{kind: openai, api_base: 'http://127.0.0.1:{port_nobody_listens_on()}/v1', api_key: none, "
        "discover: true}\n"
        "models:\n"
        "  - {id: swift, call: lab/swift, label: Swift, price: {input: 1, output: 2}, use_cases: [everyday]}\n"
        "  - {id: dear, call: away/dear, label: Dear, price: {input: 3, output: 4}, fallbacks: [swift]}\n"
        "  - {id: secret, call: away/x, label: Secret, access: [admin]}\n"
    )


@pytest.fixture(name="services")
def _services(tmp_path, provider):
    close_services()
    registry = tmp_path / "models.yaml"
    registry.write_text(_registry(provider), encoding="utf-8")
    services = open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
    services.registry.endpoints()
    assert services.registry.wait_for_endpoints(TIMEOUT_S)
    yield services
    close_services()


@pytest.fixture(name="bob")
def _bob(services):
    return add_person(services.database, "bob")


@pytest.fixture(name="ada")
def _ada(services):
    return add_person(services.database, "ada", role="admin")


@pytest.fixture(name="open_page")
def _open_page(services):
    def open_page(user) -> AppTest:
        app = AppTest.from_file(str(ROOT / "app.py"), default_timeout=30)
        sign_in_app(app, user).run()
        return app.switch_page("pages/models_page.py").run()

    return open_page


def _labels(app: AppTest) -> list[str]:
    return list(app.dataframe[0].value["Model"]) if app.dataframe else []


def _captions(app: AppTest) -> str:
    return "\n".join(caption.value.replace("\\", "") for caption in app.caption)


def _tick(app: AppTest, *model_ids: str) -> AppTest:
    # AppTest cannot click into a table.
    app.session_state["models_ticked"] = list(model_ids)
    return app.run()


def _facts(app: AppTest) -> dict[str, str]:
    found = {}
    for table in app.table:
        found |= {name: str(row.iloc[0]).replace("\\", "") for name, row in table.value.iterrows()}
    return found


def _button(app: AppTest, label: str):
    return next(button for button in app.button if button.label == label)


def _ask(services: Services, user_id: str, model_id: str):
    return services.engine.start(TurnRequest(user_id=user_id, model_id=model_id, text="Hello"))


def test_everybody_sees_what_they_may_choose(open_page, ada, bob):
    page = open_page(bob)

    assert not page.exception
    assert _labels(page) == ["Swift", "Dear", "extra"]
    assert "3 of 3 models" in _captions(page)
    assert not [button for button in page.button if button.label == "Reload registry"]
    assert _labels(open_page(ada)) == ["Swift", "Dear", "Secret", "extra"]


def test_endpoints_say_what_they_have_and_that_they_are_away(open_page, ada, bob):
    captions = _captions(open_page(bob))

    assert "lab: 2 models found" in captions
    assert "away: not reachable" in captions
    assert "127.0.0.1" not in captions
    assert "127.0.0.1" in _captions(open_page(ada))


def test_figures_stay_numbers_that_sort(open_page, bob):
    frame = open_page(bob).dataframe[0].value

    assert list(frame["In"]) == [1.0, 3.0, 0.0]
    assert frame["Out"].dtype == float


def test_filters_leave_what_fits(open_page, bob):
    page = open_page(bob)

    page.text_input(key="models_search").set_value("SWI every").run()
    assert _labels(page) == ["Swift"]
    page.toggle(key="models_free").set_value(True).run()
    assert _labels(page) == []
    assert "No model fits" in page.info[0].value
    _button(page, "Clear filters").click().run()
    assert len(_labels(page)) == 3


def test_one_ticked_model_shows_everything_known_of_it(open_page, bob, services):
    assert _ask(services, bob.id, "swift").buffer.wait_until_ended(timeout_s=TIMEOUT_S)

    page = _tick(open_page(bob), "swift")

    known = _facts(page)
    assert known["Id"] == "swift"
    assert known["Input"] == "$1.00 per million"
    assert known["First token, 7 days"].endswith("(median of 1 answer)")
    assert known["Cost me this month"].startswith("$0.0")
    assert not page.exception
    assert not [button for button in page.button if button.label == "Save"]


def test_several_ticked_models_show_their_facts_beside_each_other(open_page, bob):
    page = _tick(open_page(bob), "swift", "dear")

    (table,) = page.table
    assert list(table.value.columns) == ["Swift", "Dear"]
    assert "3\\.00" in table.value.loc["Input", "Dear"]
    _button(page, "Clear ticks").click().run()
    assert not page.table


def test_switching_a_model_off_refuses_it_at_once(open_page, ada, bob, services):
    page = _tick(open_page(ada), "swift")

    next(toggle for toggle in page.toggle if toggle.label == "Switched on").set_value(False)
    next(field for field in page.text_input if field.label == "Label").set_value("Swift, old")
    _button(page, "Save").click().run()

    assert not page.exception
    assert services.registry.override("swift") == Override(enabled=False, label="Swift, old")
    assert "switched off" in page.dataframe[0].value["Status"][0]
    assert "Differs from the registry: switched on, label." in _captions(page)
    assert "Swift, old" not in _labels(open_page(bob))
    audit = page.switch_page("pages/admin_page.py").run().dataframe[1].value
    assert audit["What"].iloc[0] == "Model changed"
    assert audit["Details"].iloc[0] == ("switched: as in the registry → off, label: as in the registry → Swift, old")
    with pytest.raises(TurnRefused, match="switched off") as refused:
        _ask(services, bob.id, "swift")
    assert refused.value.code == "disabled"


def test_going_back_to_the_registry_fills_the_form_anew(open_page, ada, services):
    services.registry.save_override("swift", Override(label="Other"), actor_id=ada.id)
    page = _tick(open_page(ada), "swift")

    _button(page, "Back to the registry").click().run()

    assert services.registry.override("swift") == Override()
    assert next(field for field in page.text_input if field.label == "Label").value == "Swift"


def test_a_model_for_administrators_is_refused_to_others(ada, bob, services):
    with pytest.raises(TurnRefused, match="not open to you"):
        _ask(services, bob.id, "secret")
    assert _ask(services, ada.id, "secret").buffer.wait_until_ended(timeout_s=TIMEOUT_S)


def test_an_empty_label_is_refused_in_words(open_page, ada, services):
    page = _tick(open_page(ada), "swift")

    next(field for field in page.text_input if field.label == "Label").set_value("  ")
    _button(page, "Save").click().run()

    assert "label cannot be used" in page.error[0].value
    assert services.registry.override("swift") == Override()


def test_a_bad_file_keeps_the_models_and_shows_line_and_field(open_page, ada, services):
    page = open_page(ada)
    services.settings.models.write_text("models:\n  - id: a\n", encoding="utf-8")

    _button(page, "Reload registry").click().run()

    error = page.error[0].value.replace("\\", "")
    assert "last good model list stays in use" in error
    assert "line 2, models[1].call: expected call, found nothing" in error
    assert len(_labels(page)) == 4


def test_nothing_on_offer_is_said_in_words(open_page, bob, services):
    for model_id in list(services.registry.current().models):
        services.registry.save_override(model_id, Override(enabled=False), actor_id=None)

    page = open_page(bob)

    assert not page.exception
    assert "No model is offered to you" in page.info[0].value


def test_one_use_case_puts_the_models_in_the_order_recommended(open_page, bob):
    page = open_page(bob)
    assert "Rank" not in page.dataframe[0].value

    page.multiselect(key="models_use_cases").set_value(["everyday"]).run()

    assert list(page.dataframe[0].value["Rank"]) == [1]


def test_the_last_day_of_a_model_stands_in_the_table(open_page, bob, services):
    record_change(services.database, "dear", ModelStatus("down", "down: away"), at=utc_now() - timedelta(hours=2))

    assert open_page(bob).dataframe[0].value["24 h"][1].startswith("data:image/svg+xml")
