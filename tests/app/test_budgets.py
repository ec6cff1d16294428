"""Budgets on the pages: the line in the sidebar, one's own in Settings, and the Admin tab, under AppTest."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.bootstrap import Services
from core.chat.admission import TurnRequest
from core.clock import utc_now
from core.costs.pricing import Cost
from core.errors import LimitReached
from core.providers.gateway import ChatMessage, CompletionRequest
from tests.support.attempts import add_attempt
from tests.support.budgets import budget, rate
from tests.support.chatting import double_click, run_with_echo
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app


@pytest.fixture(name="ada")
def _ada(services: Services):
    return add_person(services.database, "ada", role="admin")


def spend(services: Services, user_id: str, usd: str) -> None:
    cost = Cost(cost_usd=Decimal(usd), code="computed", computed_cost_usd=Decimal(usd), reported_cost_usd=None)
    add_attempt(services.database, ended_at=utc_now(), user_id=user_id, cost=cost, lasted_s=0)
    services.budgets.recount()


def sidebar_line(app) -> str:
    return " ".join(caption.value for caption in app.sidebar.caption if " of " in caption.value).replace("\\", "")


def shown(app) -> str:
    return " ".join(str(element.value) for element in (*app.caption, *app.markdown, *app.info))


def open_budgets(app, user):
    sign_in_app(app, user).run()
    app.session_state["admin_tab"] = "Budgets"
    app.switch_page("pages/admin_page.py").run()
    assert not app.exception
    return app


def labelled(elements, label):
    return next(element for element in elements if element.label == label)


def change_amount(app, kept, usd: str) -> None:
    next(one for one in app.text_input if (one.key or "").startswith(f"budget_{kept.id}")).set_value(usd)
    next(one for one in app.button if one.label == "Save" and one.key.startswith("budget_")).click().run()


def test_the_sidebar_says_how_much_of_the_tightest_budget_is_used(app, services, ada):
    sign_in_app(app, ada).run()
    assert sidebar_line(app) == ""

    services.budgets.save(budget("50"), actor_id=ada.id)
    services.budgets.save(budget("500", shared=True), actor_id=ada.id)
    spend(services, ada.id, "12.40")
    assert "$12.40 of $50 this month" in sidebar_line(app.run())
    assert "warning" not in sidebar_line(app)
    spend(services, ada.id, "30")
    assert ":orange[:material/warning:" in sidebar_line(app.run())
    spend(services, ada.id, "10")
    assert ":red[:material/block:" in sidebar_line(app.run())


def test_settings_show_what_binds_oneself_and_nothing_of_others(app, services, ada):
    bob = add_person(services.database, "bob")
    services.budgets.save(budget("50"), actor_id=ada.id)
    services.budgets.save(budget("7", audience="user", subject=ada.id), actor_id=ada.id)
    services.budgets.save(rate(requests_per_minute=20), actor_id=ada.id)
    spend(services, ada.id, "6.50")

    sign_in_app(app, bob).run()
    app.switch_page("pages/settings_page.py").run()

    assert not app.exception
    text = shown(app) + " ".join(str(element.proto) for element in app.get("progress"))
    assert "$50.00 a month for each person" in text.replace("\\", "")
    assert "At most 20 requests a minute for each person" in text
    assert "6.50" not in text


def test_an_administrator_adds_changes_and_removes_a_budget(app, services, ada):
    open_budgets(app, ada)
    assert "There are no budgets" in shown(app)

    labelled(app.text_input, "Dollars").set_value("12.50")
    labelled(app.button, "Add budget").click().run()
    [kept] = services.budgets.budgets
    assert (kept.amount_usd, kept.period, kept.hard, kept.warn_percent) == (Decimal("12.50"), "month", True, 80)

    labelled(app.selectbox, "Change a budget").set_value(kept.id).run()
    change_amount(app, kept, "20")
    assert services.budgets.budgets[0].amount_usd == 20

    labelled(app.button, "Remove it").click().run()
    assert services.budgets.budgets == ()
    assert not app.exception


def test_a_changed_budget_stays_chosen_whatever_title_the_browser_still_shows(app, services, ada):
    for shared in (True, False):
        services.budgets.save(budget("5", shared=shared), actor_id=ada.id)
    open_budgets(app, ada)
    second = services.budgets.budgets[1]
    choice = labelled(app.selectbox, "Change a budget")
    choice.set_value(second.id).run()
    old = choice.options[1]
    change_amount(app, second, "20")

    # The next click comes with what the field showed when it was drawn.
    run_with_echo(app, choice.id, string_value=old)
    choice = labelled(app.selectbox, "Change a budget")
    assert (choice.value, choice.options[1]) == (second.id, "$20.00 a month for each person, refuses")
    change_amount(app, second, "30")

    assert [one.amount_usd for one in services.budgets.budgets] == [5, 30]


@pytest.mark.parametrize("typed", ["", "a lot", "-5", "NaN", "1e400", "12,50", "0,125"])
def test_what_is_no_amount_is_refused_and_stays_in_the_field(app, services, ada, typed):
    open_budgets(app, ada)

    labelled(app.text_input, "Dollars").set_value(typed)
    labelled(app.button, "Add budget").click().run()

    assert services.budgets.budgets == ()
    assert any("That is no amount of money" in error.value for error in app.error)
    assert labelled(app.text_input, "Dollars").value == typed


def test_a_group_that_shares_is_another_budget_than_each_of_its_members(app, services, ada):
    group = services.groups.create("Research", member_ids=[ada.id], actor_id=ada.id)
    open_budgets(app, ada)

    for whom in ("Each member of a group", "A group together"):
        labelled(app.selectbox, "For").set_value(whom).run()
        labelled(app.selectbox, "Group").set_value(group)
        labelled(app.text_input, "Dollars").set_value("5")
        labelled(app.button, "Add budget").click().run()

    assert [(one.whom.subject, one.whom.shared) for one in services.budgets.budgets] == [(group, False), (group, True)]


def test_a_double_click_adds_one_budget(app, services, ada):
    open_budgets(app, ada)

    labelled(app.text_input, "Dollars").set_value("5")
    double_click(app, "Add budget")

    assert not app.exception
    assert [one.amount_usd for one in services.budgets.budgets] == [5]


def test_a_limit_per_minute_is_added(app, services, ada):
    open_budgets(app, ada)

    labelled(app.number_input, "Requests a minute").set_value(10)
    labelled(app.button, "Add limit").click().run()

    [kept] = services.budgets.rate_limits
    assert (kept.requests_per_minute, kept.tokens_per_minute, kept.model_id) == (10, None, None)


def test_who_is_near_the_edge_comes_first_and_refusals_are_listed(app, services, ada):
    bob = add_person(services.database, "bob")
    services.budgets.save(budget("10"), actor_id=ada.id)
    spend(services, ada.id, "1")
    spend(services, bob.id, "11")
    models = services.registry.current().models.values()
    model = next(model for model in models if model.prices is not None and not model.prices.free)
    with pytest.raises(LimitReached):
        services.engine.limits.admit(
            "turn",
            TurnRequest(user_id=bob.id, model_id=model.id),
            CompletionRequest(model=model, messages=(ChatMessage("user", "Hello?"),)),
        )

    open_budgets(app, ada)

    tables = [frame.value for frame in app.dataframe]
    edge = next(table for table in tables if "Used" in table.columns)
    assert list(edge["Who"]) == ["Bob", "Ada"]
    assert list(edge["Spent"]) == ["$11.00", "$1.00"]
    refused = next(table for table in tables if "Why" in table.columns)
    assert list(refused["Who"]) == ["Bob"]
    assert "is spent" in refused["Why"][0]


def test_the_calendar_of_the_team_is_chosen_here(app, services, ada):
    open_budgets(app, ada)

    labelled(app.selectbox, "Days, weeks and months begin at midnight in").set_value("Europe/Berlin").run()

    assert str(services.budgets.zone) == "Europe/Berlin"
    assert not app.exception
