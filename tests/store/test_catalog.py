"""The models in force: which source decides, what administrators change, and what survives."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.accounts.audit import list_audit, record
from core.catalog.catalog import Catalog
from core.catalog.discovery import Discovery
from core.catalog.overrides import Override, Overrides, difference
from core.catalog.registry import LiveRegistry
from core.errors import RegistryError
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

TIMEOUT_S = 20
# The map knows one model of a provider that is also asked for its models.
PRICE_MAP = {
    "lab/known": {"litellm_provider": "lab", "max_input_tokens": 111, "input_cost_per_token": Decimal("1e-06")},
}
PLAIN = "models:\n  - {id: a, call: openai/a, label: A, fallbacks: [b]}\n  - {id: b, call: openai/b}\n"


@pytest.fixture(name="path")
def _path(tmp_path):
    path = tmp_path / "models.yaml"
    path.write_text(PLAIN)
    return path


@pytest.fixture(name="open_catalog")
def _open_catalog(database, path):
    opened = []

    def open_catalog(text: str | None = None) -> Catalog:
        if text is not None:
            path.write_text(text)
        file = LiveRegistry(path, price_map=PRICE_MAP)
        catalog = Catalog(file, discovery=Discovery(), overrides=Overrides(database, record=record))
        opened.append(catalog)
        return catalog

    yield open_catalog
    for catalog in opened:
        catalog.close()


@pytest.fixture(name="catalog")
def _catalog(open_catalog):
    return open_catalog()


@pytest.fixture(name="lab")
def _lab():
    with ProviderServer() as provider:
        provider.behave("known", say("Hi"))
        provider.behave("new", say("Hi"))
        yield provider


def _with_lab(provider: ProviderServer, model: str = "", extra: str = "") -> str:
    return (
        f"providers:\n  lab: {{kind: lab, api_base: '{provider.api_base}', api_key: none, discover: true{extra}}}\n"
        f"models:\n  - {{id: mine, call: lab/known{model}}}\n"
    )


class TestPrecedence:
    """Override > file > what the endpoint reports > LiteLLM's map, shown on the context window and the label."""

    @pytest.fixture(name="window")
    def _window(self, lab):
        answer = {"data": [{"id": "known", "max_model_len": 222}, {"id": "new", "max_model_len": 333}]}
        lab.models_json = lambda: answer

    def test_the_map_is_the_last(self, open_catalog, lab):
        catalog = open_catalog(_with_lab(lab))

        assert catalog.current().get("mine").context_tokens == 111

    @pytest.mark.usefixtures("window")
    def test_the_endpoint_comes_before_the_map(self, open_catalog, lab):
        catalog = open_catalog(_with_lab(lab))
        catalog.current()
        assert catalog.wait_for_endpoints(TIMEOUT_S)

        assert catalog.current().get("mine").context_tokens == 222

    @pytest.mark.usefixtures("window")
    def test_the_file_comes_before_the_endpoint(self, open_catalog, lab):
        catalog = open_catalog(_with_lab(lab, ", context_tokens: 444, label: From the file"))
        catalog.current()
        assert catalog.wait_for_endpoints(TIMEOUT_S)

        assert catalog.current().get("mine").context_tokens == 444
        assert list(catalog.current().models) == ["mine", "lab/new"]

    @pytest.mark.usefixtures("window")
    def test_the_override_comes_before_all(self, open_catalog, lab):
        catalog = open_catalog(_with_lab(lab, ", label: From the file", ", price: free"))
        catalog.save_override("mine", Override(label="From the administrator"), actor_id=None)
        catalog.current()
        assert catalog.wait_for_endpoints(TIMEOUT_S)
        catalog.save_override("lab/new", Override(enabled=False), actor_id=None)

        assert catalog.current().get("mine").label == "From the administrator"
        assert catalog.unchanged("mine").label == "From the file"
        assert not catalog.current().get("lab/new").enabled
        assert catalog.current().get("lab/new").prices.free


def test_the_same_registry_comes_back_until_a_source_changes(catalog):
    before = catalog.current()

    assert catalog.current() is before
    catalog.save_override("a", Override(label="Z"), actor_id=None)
    assert catalog.current() is not before


def test_an_override_survives_a_restart_and_a_new_file(catalog, open_catalog, path):
    wanted = Override(
        enabled=False, label="Z", use_cases=("x",), fallbacks=(), access=("ada",), rpm_limit=3, tpm_limit=4
    )
    catalog.save_override("a", wanted, actor_id=None)
    path.write_text(PLAIN.replace("label: A", "label: B"))
    catalog.reload()

    for each in (catalog, open_catalog()):
        model = each.current().get("a")
        assert (model.enabled, model.label, model.use_cases, model.fallbacks) == (False, "Z", ("x",), ())
        assert (model.access, model.rpm_limit, model.tpm_limit) == (("ada",), 3, 4)
        assert each.unchanged("a").label == "B"
        assert each.override("a") == wanted


def test_an_override_waits_for_a_model_that_is_gone(catalog, path):
    catalog.save_override("b", Override(label="Later"), actor_id=None)
    path.write_text("models:\n  - {id: a, call: openai/a}\n")
    assert list(catalog.reload().models) == ["a"]
    path.write_text(PLAIN)

    assert catalog.reload().get("b").label == "Later"


def test_an_empty_override_goes_back_to_the_registry(catalog, database):
    catalog.save_override("a", Override(label="Z"), actor_id=None)
    catalog.save_override("a", Override(), actor_id=None)

    assert catalog.current().get("a").label == "A"
    assert database.fetch_all("select * from model_overrides") == []


def test_each_change_leaves_what_was_before_and_after(catalog, database):
    ada = add_person(database, "ada", role="admin")
    catalog.save_override("a", Override(label="Z", enabled=False), actor_id=ada.id)
    catalog.save_override("a", Override(label="Z", access=("ada",)), actor_id=ada.id)
    catalog.save_override("a", Override(label="Z", access=("ada",)), actor_id=ada.id)

    second, first, *_ = list_audit(database)
    assert (second.actor, second.action, second.subject) == ("ada", "model.change", "a")
    assert (second.before, second.after) == ({"enabled": False, "access": None}, {"enabled": None, "access": ["ada"]})
    assert (first.before, first.after) == ({"enabled": None, "label": None}, {"enabled": False, "label": "Z"})
    assert sum(entry.action == "model.change" for entry in list_audit(database)) == 2


def test_the_new_name_of_a_group_is_taken_on_where_the_old_one_stood(catalog, database):
    ada = add_person(database, "ada", role="admin")
    catalog.save_override("a", Override(label="Z", access=("bob", "group:legal", "group:Legal")), actor_id=None)
    catalog.save_override("b", Override(access=("group:Design",)), actor_id=None)

    database.transaction(lambda cur: catalog.rename_group(cur, "Legal", "Counsel", actor_id=ada.id))
    catalog.read_overrides()

    assert catalog.current().get("a").access == ("bob", "group:Counsel")
    assert catalog.current().get("a").label == "Z"
    assert catalog.current().get("b").access == ("group:Design",)
    entry = list_audit(database)[0]
    assert (entry.actor, entry.action, entry.subject) == ("ada", "model.change", "a")
    assert (entry.before, entry.after) == (
        {"access": ["bob", "group:legal", "group:Legal"]},
        {"access": ["bob", "group:Counsel"]},
    )


@pytest.mark.parametrize(
    "override",
    [
        Override(label=" "),
        Override(label="x" * 121),
        Override(label="a\nb"),
        Override(access=()),
        Override(fallbacks=("a",)),
        Override(fallbacks=("nobody",)),
        Override(rpm_limit=0),
    ],
)
def test_what_no_registry_could_hold_is_refused_and_nothing_stored(catalog, database, override):
    with pytest.raises(RegistryError) as refused:
        catalog.save_override("a", override, actor_id=None)

    assert refused.value.next_step
    assert database.fetch_all("select * from model_overrides") == []
    assert list_audit(database) == []


def test_only_what_differs_is_kept(catalog):
    model = catalog.current().get("a")

    assert difference(model, Override(label="A", fallbacks=("b",), enabled=True)) == Override()
    assert difference(model, Override(label="Z", fallbacks=("b",))) == Override(label="Z")


def test_a_field_of_a_later_version_is_passed_over(database, catalog):
    database.execute(
        "insert into model_overrides values ('a', $value, now()::timestamp)", value='{"label": "Z", "colour": "red"}'
    )
    catalog.reload()

    assert catalog.current().get("a").label == "Z"


def test_a_bad_file_keeps_the_models_and_says_where(catalog, path):
    catalog.save_override("a", Override(label="Z"), actor_id=None)
    path.write_text("models: []")

    assert catalog.reload().get("a").label == "Z"
    assert "line 1, models" in catalog.problem


def test_the_state_of_endpoints_is_listed(open_catalog, lab):
    catalog = open_catalog(_with_lab(lab))
    catalog.endpoints()
    assert catalog.wait_for_endpoints(TIMEOUT_S)

    (endpoint,) = catalog.endpoints()
    assert (endpoint.provider.id, endpoint.problem, len(endpoint.models)) == ("lab", None, 2)
