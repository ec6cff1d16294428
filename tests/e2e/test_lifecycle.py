"""What must survive: restarts, crashes, and a fresh installation with the model that ships with the app."""

from __future__ import annotations

import re
from contextlib import closing

import pytest
from playwright.sync_api import Page, expect

from core.store.database import Database
from core.store.migrate import migrate
from tests.support.browsing import create_admin, sign_in
from tests.support.chatting import (
    ask,
    choose_model,
    composer,
    cost,
    messages,
    stored,
    wait_until_answered,
    write_registry,
)
from tests.support.people import PASSWORD, add_person
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

ATTEMPTS = """
select a.status, a.cost_code, a.cost_usd, a.input_tokens, a.output_tokens, a.served_model, t.status as turn_status
from attempts a join turns t on t.id = a.turn_id order by a.id
"""


@pytest.fixture(name="provider", scope="module")
def _provider():
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        provider.behave("steady", say(" ".join(f"word{number}" for number in range(400)), tokens_per_second=40))
        yield provider


@pytest.fixture(name="registry", scope="module")
def _registry(provider, tmp_path_factory) -> str:
    return str(write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider))


def test_a_restart_finds_the_conversation_its_tokens_and_its_cost(page: Page, start, registry, tmp_path) -> None:
    server = start(directory=tmp_path, SWITCHBOARD_MODELS=registry)
    create_admin(page, server)
    ask(page, "Will you remember?")
    wait_until_answered(page, 2)
    figures = page.get_by_text(re.compile(r"\d+ in · \d+ out")).inner_text()
    address = page.url
    server.stop()

    (attempt,) = stored(server, ATTEMPTS)
    assert (attempt["status"], attempt["turn_status"], attempt["cost_code"]) == ("ok", "completed", "computed")
    assert attempt["cost_usd"] == cost(attempt["input_tokens"], attempt["output_tokens"])

    again = start(directory=tmp_path, SWITCHBOARD_MODELS=registry, port=int(server.url.rsplit(":", 1)[1]))
    page.goto(address)

    assert again.url == server.url
    expect(messages(page).nth(0)).to_contain_text("Will you remember?")
    expect(messages(page).nth(1)).to_contain_text(figures)


def test_a_kill_in_mid_answer_keeps_what_had_arrived(page: Page, start, registry, tmp_path) -> None:
    server = start(directory=tmp_path, SWITCHBOARD_MODELS=registry)
    create_admin(page, server)
    choose_model(page, "Steady")
    ask(page, "A long story")
    # At 40 words a second the checkpoint of two seconds ago holds at least this.
    expect(messages(page).nth(1)).to_contain_text("word110", timeout=15_000)
    address = page.url
    server.process.kill()
    server.process.wait()

    server = start(directory=tmp_path, SWITCHBOARD_MODELS=registry, port=int(server.url.rsplit(":", 1)[1]))
    page.goto(address)

    expect(messages(page).nth(1)).to_contain_text("word10", timeout=15_000)
    expect(messages(page).nth(1)).to_contain_text("interrupted")
    expect(messages(page).nth(1)).to_contain_text("What had arrived is kept")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    server.stop()
    (attempt,) = stored(server, ATTEMPTS)
    assert (attempt["status"], attempt["turn_status"], attempt["cost_code"]) == (
        "interrupted",
        "interrupted",
        "partial",
    )
    assert attempt["cost_usd"] == cost(attempt["input_tokens"], attempt["output_tokens"]) > 0


def test_an_orderly_stop_in_mid_answer_stores_it_as_interrupted(page: Page, start, registry, tmp_path) -> None:
    server = start(directory=tmp_path, SWITCHBOARD_MODELS=registry)
    create_admin(page, server)
    choose_model(page, "Steady")
    ask(page, "A long story")
    expect(messages(page).nth(1)).to_contain_text("word10")

    server.stop()

    (attempt,) = stored(server, ATTEMPTS)
    assert (attempt["status"], attempt["turn_status"]) == ("interrupted", "interrupted")
    (answer,) = stored(server, "select content, status from messages where role = 'assistant'")
    assert answer["content"].startswith("word0 word1")
    assert answer["status"] == "interrupted"


@pytest.mark.local_model
def test_a_new_user_talks_to_the_model_that_ships_with_the_app(page: Page, start, tmp_path) -> None:
    server = start(directory=tmp_path, SWITCHBOARD_LOCAL_MODEL="on")
    create_admin(page, server)
    expect(page.get_by_role("combobox", name="Model", exact=True)).to_have_value(re.compile("SmolLM2 135M"))

    ask(page, "What is the capital of France?")
    wait_until_answered(page, 2)

    # So small a model sometimes repeats itself until its limit cuts it.
    figures = r"SmolLM2 135M · (cut at its length limit · )?\d[\d,]* in · \d[\d,]* out · free"
    expect(messages(page).nth(1)).to_contain_text(re.compile(figures))
    choose_model(page, "SmolLM2 135M, brief")
    ask(page, "And of Italy?")
    wait_until_answered(page, 4)
    expect(messages(page).nth(3)).to_contain_text("SmolLM2 135M, brief ·")

    server.stop()
    first, second = stored(server, ATTEMPTS)
    assert [first["served_model"], second["served_model"]] == ["local-smollm2", "local-smollm2-brief"]
    assert all(attempt["cost_code"] == "free" and attempt["cost_usd"] == 0 for attempt in (first, second))
    assert all(attempt["output_tokens"] > 0 and attempt["input_tokens"] > 5 for attempt in (first, second))


def test_another_persons_conversation_is_not_found(page: Page, start, open_profile, registry, tmp_path) -> None:
    with closing(Database(f"duckdb:{tmp_path / 'team.duckdb'}")) as database:
        migrate(database)
        add_person(database, "ada", role="admin")
        add_person(database, "bob")
    server = start(
        directory=tmp_path, SWITCHBOARD_MODELS=registry, SWITCHBOARD_STORE=f"duckdb:{tmp_path / 'team.duckdb'}"
    )
    page.goto(server.url)
    sign_in(page, "ada", PASSWORD)
    ask(page, "A secret")
    wait_until_answered(page, 2)

    other = open_profile()
    other.goto(server.url)
    sign_in(other, "bob", PASSWORD)
    other.goto(page.url)

    expect(other.get_by_text("This conversation was not found.")).to_be_visible()
    expect(other.get_by_text("A secret")).to_have_count(0)
    other.get_by_test_id("stMain").get_by_role("button", name="New chat").click()
    expect(composer(other)).to_be_visible()
