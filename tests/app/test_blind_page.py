"""Blind votes and ratings under AppTest: who may vote on what, and that nothing gives the models away before."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from core.arena.blind_use_cases import blind_use_cases, set_blind_use_cases
from core.arena.votes import Ballot, Side, cast_vote
from core.bootstrap import close_services, open_services
from core.settings import Settings
from tests.support.budgets import budget
from tests.support.chatting import click_again, write_registry
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import UNAUTHORIZED, say
from tests.support.provider_server import ProviderServer
from tests.support.signed_in import sign_in_app
from tests.support.turns import model


@pytest.fixture(name="provider")
def _provider():
    with ProviderServer() as provider:
        for name in ("swift", "html"):
            provider.behave(name, say("The sky is blue because of scattering."))
        yield provider


@pytest.fixture(name="services")
def _services(tmp_path, provider):
    close_services()
    registry = write_registry(tmp_path / "models.yaml", provider)
    text = registry.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if "- {id:" not in line or "id: swift," in line or "id: html," in line]
    registry.write_text("\n".join(lines).replace("context_tokens", "use_cases: [coding], context_tokens"), "utf-8")
    yield open_services(Settings(data_dir=tmp_path, models=registry, local_model="off"))
    close_services()


def page_of(person, page="blind") -> AppTest:
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), person)
    app.run()
    app.switch_page(f"pages/{page}_page.py")
    return app.run()


def shown(app: AppTest) -> str:
    return " ".join(str(element.value) for element in [*app.markdown, *app.caption, *app.info, *app.warning])


def test_members_are_told_that_it_is_off_and_administrators_switch_it_on(services):
    member = page_of(add_person(services.database, "bob"))
    assert "Blind votes are off" in shown(member)
    assert not member.pills

    admin = page_of(add_person(services.database, "root", role="admin"))
    admin.pills(key="blind_switch").set_value(["coding"]).run()
    assert not admin.exception
    assert blind_use_cases(services.database) == ("coding",)


def test_a_round_hides_its_models_until_the_vote(services):
    set_blind_use_cases(services.database, ["coding"], actor_id="root")
    ann = add_person(services.database, "ann")
    app = page_of(ann)
    app.chat_input[0].set_value("Why is the sky blue?").run()

    assert not app.exception
    hidden = shown(app)
    assert "Answer A" in hidden
    assert "scattering" in hidden
    for name in ("Swift", "Html", "swift", "html", "$", "tok/s"):
        assert name not in hidden
    assert app.chat_input[0].disabled

    better = app.button(key="vote_left")
    better.click().run()
    # The second click of a double click.
    click_again(app, better.id)
    told = shown(app)
    assert not app.warning
    assert "You preferred A. Thank you" in told
    assert "Swift" in told
    assert "Html" in told
    assert services.boards.board("coding").votes == 1


def test_a_round_is_found_again_until_it_is_voted_on(services):
    set_blind_use_cases(services.database, ["coding"], actor_id="root")
    ann = add_person(services.database, "ann")
    page_of(ann).chat_input[0].set_value("Why?").run()

    again = page_of(ann)
    assert "Answer B" in shown(again)
    again.button(key="skip").click().run()
    assert "There was no vote" in shown(again)
    assert services.boards.board().votes == 0


def test_where_an_answer_failed_the_next_step_is_to_see_who_it_was(services, provider):
    provider.behave("swift", UNAUTHORIZED)
    set_blind_use_cases(services.database, ["coding"], actor_id="root")
    app = page_of(add_person(services.database, "ann"))
    app.chat_input[0].set_value("Why?").run()
    assert "a vote would not count" in shown(app)
    assert app.chat_input[0].placeholder == "Show who they were, then ask again"

    app.button(key="give_up").click().run()
    assert not app.exception
    assert app.chat_input[0].placeholder == "Ask two hidden models"


def test_a_budget_that_does_not_cover_two_is_said_without_naming_them(services):
    set_blind_use_cases(services.database, ["coding"], actor_id="root")
    ann = add_person(services.database, "ann")
    services.budgets.save(budget("0.000001"), actor_id=None)

    told = shown(page_of(ann).chat_input[0].set_value("Why is the sky blue?").run())
    assert "A budget of yours does not cover the two models" in told
    for name in ("Swift", "Html", "would cost"):
        assert name not in told


def test_ratings_say_how_many_votes_are_missing_and_then_show_the_board(services):
    ann = add_person(services.database, "ann")
    assert "No votes yet" in shown(page_of(ann, "ratings"))

    def side(number, name):
        return Side(message_id=f"{name}{number}", model=model(name), text="Fine", whole=True)

    for number in range(40):
        ballot = Ballot(user_id="ann", comparison_id="c", left=side(number, "swift"), right=side(number, "html"))
        cast_vote(services.database, ballot, "left" if number % 4 else "right")
    app = page_of(ann, "ratings")
    assert not app.exception
    board = app.dataframe[0].value
    assert board["Model"].tolist() == ["Swift", "Html"]
    assert board["Rank"].tolist() == [1, 2]
    assert "40 votes, ties and both bad count half" in shown(app)
    app.toggle[0].set_value(True).run()
    assert not app.exception
    assert "What style alone does" in shown(app)


def test_the_list_of_pages_marks_compare_where_its_pages_are_not_listed(services):
    ann = add_person(services.database, "ann")

    def marked(page: str) -> bool:
        return any("[href$='/compare']" in found.proto.body for found in page_of(ann, page).get("html"))

    assert {page: marked(page) for page in ("ratings", "blind", "prompt_sets", "costs")} == {
        "ratings": True,
        "blind": True,
        "prompt_sets": True,
        "costs": False,
    }
