"""Groups on the Admin page, and what they open and close, under AppTest."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.changes import set_role
from core.bootstrap import Services, close_services, open_services
from core.catalog.overrides import Override
from core.chat.admission import TurnRequest
from core.chat.own_data import export_data
from core.errors import TurnRefused
from core.settings import Settings
from tests.support.chatting import run_with_echo
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app

TIMEOUT_S = 20


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        yield provider


@pytest.fixture(name="services")
def _services(tmp_path, provider):
    close_services()
    registry = tmp_path / "models.yaml"
    registry.write_text(
        f"providers:\n  lab: {{kind: openai, api_base: '{provider.api_base}', api_key: none}}\n"
        "models:\n"
        "  - {id: open, call: lab/swift, label: Open, price: free}\n"
        "  - {id: filed, call: lab/swift, label: Filed, price: free, access: {groups: [Legal]}}\n"
        "  - {id: set, call: lab/swift, label: Set, price: free}\n",
        encoding="utf-8",
    )
    yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
    close_services()


@pytest.fixture(name="ada")
def _ada(services):
    return add_person(services.database, "ada", role="admin")


@pytest.fixture(name="bob")
def _bob(services):
    return add_person(services.database, "bob")


@pytest.fixture(name="admin_page")
def _admin_page(ada):
    return sign_in_app(AppTest.from_file(str(ROOT / "pages" / "admin_page.py"), default_timeout=20), ada).run()


def _click(page: AppTest, label: str) -> AppTest:
    return next(button for button in page.button if button.label == label).click().run()


def _field(page: AppTest, kind: str, label: str):
    return next(field for field in page.get(kind) if field.label == label)


def _choose(page: AppTest, group_id: str) -> AppTest:
    return _choice(page).set_value(group_id).run()


def _choice(page: AppTest):
    return _field(page, "selectbox", "Manage group")


def _said(page: AppTest) -> str:
    return " ".join(part.value.replace("\\", "") for part in (*page.warning, *page.info, *page.error))


def _audit(page: AppTest) -> dict[str, list[str]]:
    frame = page.dataframe[-1].value
    return {name: list(frame[name]) for name in ("What", "Whom or what", "Details")}


def _offered(services: Services, user) -> list[str]:
    return list(services.offered_models(user))


def _ask(services: Services, user, model_id: str):
    live = services.engine.start(TurnRequest(user_id=user.id, model_id=model_id, text="Hello"))
    return live.buffer.wait_until_ended(timeout_s=TIMEOUT_S)


def test_no_groups_says_what_they_are_for_and_which_are_missing(admin_page):
    assert not admin_page.exception
    assert "There are no groups yet" in _said(admin_page)
    assert "The group Legal does not exist: nobody may use Filed through it" in _said(admin_page)


def test_a_new_group_stays_chosen_when_a_click_from_before_comes_in_after_it(admin_page, services):
    services.groups.create("First", member_ids=(), actor_id=None)
    admin_page.run()
    # What the browser knows of the page when the group is added: nothing is chosen.
    from_before = admin_page._tree.get_widget_states()
    admin_page.text_input(key="groups_name").set_value("Second")
    _click(admin_page, "Add group")

    admin_page._run(from_before)

    assert not admin_page.exception
    second = next(group for group in services.groups.current() if group.name == "Second")
    assert _choice(admin_page).value == second.id


def test_a_group_is_added_with_members_and_opens_what_names_it(admin_page, services, bob):
    admin_page.run()
    admin_page.text_input(key="groups_name").set_value("legal ")
    admin_page.multiselect(key="groups_members").set_value([bob.id])
    _click(admin_page, "Add group")

    assert not admin_page.exception
    assert not admin_page.warning
    (group,) = services.groups.current()
    assert (group.name, group.member_ids) == ("legal", {bob.id})
    listed = admin_page.dataframe[1].value
    assert [list(listed[name]) for name in ("Group", "Members", "Opens")] == [["legal"], [1], ["Filed"]]
    assert list(admin_page.dataframe[0].value["Groups"]) == ["", "legal"]
    assert _audit(admin_page)["What"][0] == "Group added"
    assert _audit(admin_page)["Details"][0] == "added: bob"


def test_a_taken_name_is_said_and_nothing_added(admin_page, services):
    services.groups.create("Legal", actor_id=None)
    admin_page.run()
    admin_page.text_input(key="groups_name").set_value("LEGAL")
    _click(admin_page, "Add group")

    assert "There is a group Legal already" in _said(admin_page)
    assert len(services.groups.current()) == 1


def test_members_are_added_and_removed_and_the_fields_are_empty_again(admin_page, services, ada, bob):
    group_id = services.groups.create("Legal", member_ids=[ada.id], actor_id=None)
    _choose(admin_page.run(), group_id)

    _field(admin_page, "multiselect", "Add people").set_value([bob.id])
    _field(admin_page, "multiselect", "Remove people").set_value([ada.id])
    _click(admin_page, "Save members")

    assert not admin_page.exception
    assert services.groups.current()[0].member_ids == {bob.id}
    assert _field(admin_page, "multiselect", "Add people").value == []
    assert list(admin_page.dataframe[2].value["Username"]) == ["bob"]
    assert _audit(admin_page)["Details"][0] == "added: bob, removed: ada"
    _click(admin_page, "Save members")
    assert "nothing was changed" in admin_page.toast[0].value


def test_a_renamed_group_takes_along_what_administrators_set_and_names_the_file(admin_page, services, ada, bob):
    group_id = services.groups.create("Legal", member_ids=[bob.id], actor_id=None)
    services.registry.save_override("set", Override(access=("group:Legal",)), actor_id=ada.id)
    _choose(admin_page.run(), group_id)

    _field(admin_page, "text_input", "Name").set_value("Counsel")
    _click(admin_page, "Save name")

    assert not admin_page.exception
    assert services.registry.current().get("set").access == ("group:Counsel",)
    assert _offered(services, bob) == ["open", "set"]
    assert "The group Legal does not exist: nobody may use Filed through it" in _said(admin_page)
    audit = _audit(admin_page)
    assert audit["What"][:2] == ["Model changed", "Group renamed"]
    assert audit["Details"][:2] == ["access: group Legal → group Counsel", "Legal → Counsel"]


def test_a_renamed_group_stays_chosen_whatever_name_the_browser_still_shows(admin_page, services):
    group_id = services.groups.create("Legal", actor_id=None)
    _choose(admin_page.run(), group_id)
    shown = _choice(admin_page).id
    _field(admin_page, "text_input", "Name").set_value("Counsel")
    _click(admin_page, "Save name")

    run_with_echo(admin_page, shown, string_value="Legal")

    assert (_choice(admin_page).value, list(_choice(admin_page).options)) == (group_id, ["Counsel"])


def test_a_group_that_models_need_stays(admin_page, services, ada):
    group_id = services.groups.create("Legal", actor_id=None)
    services.registry.save_override("set", Override(access=("group:legal",)), actor_id=ada.id)
    _choose(admin_page.run(), group_id)
    _click(admin_page, "Delete it")

    assert "Legal decides who may use Filed and Set" in _said(admin_page)
    assert len(services.groups.current()) == 1


def test_a_group_is_deleted(admin_page, services, bob):
    group_id = services.groups.create("Design", member_ids=[bob.id], actor_id=None)
    _choose(admin_page.run(), group_id)
    _click(admin_page, "Delete it")

    assert not admin_page.exception
    assert services.groups.current() == ()
    assert _audit(admin_page)["Details"][0] == "removed: bob"


def test_a_demoted_administrators_click_does_nothing(admin_page, services, ada):
    eve = add_person(services.database, "eve", role="admin")
    set_role(services.database, user_id=ada.id, role="member", actor_id=eve.id)
    admin_page.text_input(key="groups_name").set_value("Legal")
    _click(admin_page, "Add group")

    assert services.groups.current() == ()


def test_membership_counts_from_the_next_call_on(services, bob):
    group_id = services.groups.create("LEGAL", actor_id=None)
    assert _offered(services, bob) == ["open", "set"]
    with pytest.raises(TurnRefused, match="Filed is not open to you"):
        _ask(services, bob, "filed")

    services.groups.change_members(group_id, add=[bob.id], actor_id=None)
    assert _offered(services, bob) == ["open", "filed", "set"]
    assert _ask(services, bob, "filed")

    services.groups.change_members(group_id, remove=[bob.id], actor_id=None)
    assert _offered(services, bob) == ["open", "set"]
    with pytest.raises(TurnRefused, match="Filed is not open to you"):
        _ask(services, bob, "filed")


def test_a_group_is_chosen_for_a_model(services, ada, bob):
    services.groups.create("Legal", member_ids=[bob.id], actor_id=None)
    services.groups.create("Design", actor_id=None)
    page = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()
    page.switch_page("pages/models_page.py").run()
    page.session_state["models_ticked"] = ["set"]
    page.run()

    _field(page, "multiselect", "Who may use it").set_value(["group:Design", "ada"])
    _click(page, "Save")

    assert not page.exception
    assert services.registry.current().get("set").access == ("group:Design", "ada")
    assert "set" not in _offered(services, bob)


def test_ones_groups_are_in_the_settings_and_in_the_export(services, bob):
    services.groups.create("Legal", member_ids=[bob.id], actor_id=None)
    services.groups.create("Design", actor_id=None)
    page = sign_in_app(AppTest.from_file(str(ROOT / "pages" / "settings_page.py"), default_timeout=20), bob).run()

    assert any("in the group **Legal**" in caption.value for caption in page.caption)
    assert json.loads(export_data(services.database, bob))["profile"]["groups"] == ["Legal"]


def test_the_models_page_says_which_group_is_missing_to_administrators_only(services, ada, bob):
    pages = {}
    for user in (ada, bob):
        page = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), user).run()
        pages[user.username] = page.switch_page("pages/models_page.py").run()

    assert "The group Legal does not exist" in _said(pages["ada"])
    assert not pages["bob"].warning


def test_a_fallback_for_a_group_answers_its_members_only(services, bob):
    path = services.settings.models
    entry = "  - {id: failing, call: lab/fault-500, label: Failing, price: free, fallbacks: [filed]}\n"
    path.write_text(path.read_text(encoding="utf-8") + entry, encoding="utf-8")
    services.registry.reload()
    group_id = services.groups.create("Legal", actor_id=None)

    served = []
    for member_ids in ([], [bob.id]):
        services.groups.change_members(group_id, add=member_ids, actor_id=None)
        live = services.engine.start(TurnRequest(user_id=bob.id, model_id="failing", text="Hello"))
        assert live.buffer.wait_until_ended(timeout_s=TIMEOUT_S)
        served.append((live.result.status, live.result.served_model))

    assert [status for status, _ in served] == ["failed", "complete"]
    assert served[1][1] == "filed"
