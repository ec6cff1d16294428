"""A set of prompts in the browser: imported, run, interrupted by a restart, finished, and judged blind."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Page, expect

from tests.support.browsing import create_admin, field
from tests.support.chatting import stored, write_registry
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

LONG = " ".join(f"word{number}" for number in range(60))
LINES = [
    {"question_id": 81, "category": "writing", "turns": ["Write a post.", "Rewrite it."]},
    {"question_id": 82, "category": "coding", "turns": ["What does this do?"]},
    {"question_id": 83, "category": "coding", "turns": ["And this?"]},
]
ANSWERED = "select count(*) as count from run_answers where state = 'done'"
ASKED = "select conversation_id, content, count(*) as times from messages where role = 'user' group by 1, 2 order by 3"


@pytest.fixture(name="registry", scope="module")
def _registry(tmp_path_factory):
    with ProviderServer() as provider:
        provider.behave("swift", say("A short answer."))
        # Slow enough that the server is stopped in mid-run, two at a time.
        provider.behave("steady", say(LONG, tokens_per_second=15))
        yield str(write_registry(tmp_path_factory.mktemp("registry") / "models.yaml", provider))


def choose_models(page: Page, *labels: str) -> None:
    """Choose models for a run."""
    box = page.get_by_role("combobox", name="Put it to 2 to 8 models")
    for label in labels:
        box.fill(label)
        page.get_by_role("option", name=label, exact=True).click()
    box.press("Escape")


def test_a_run_survives_a_restart_and_is_judged_blind(page: Page, start, registry, tmp_path) -> None:
    server = start(directory=tmp_path, SWITCHBOARD_MODELS=registry)
    create_admin(page, server)
    page.goto(f"{server.url}/prompt-sets")
    field(page, "Name").fill("Regression")
    page.get_by_text("Import a file").click()
    lines = "\n".join([*map(json.dumps, LINES), "{"]).encode()
    page.locator("input[type=file]").set_input_files(
        {"name": "questions.jsonl", "mimeType": "application/jsonl", "buffer": lines}
    )
    expect(page.get_by_text("questions.jsonl")).to_be_visible()
    page.get_by_role("button", name="Make set").click()
    expect(page.get_by_text("Line 4: it is not JSON.")).to_be_visible()

    choose_models(page, "Swift", "Steady")
    expect(page.get_by_text(re.compile(r"8 calls · about \$"))).to_be_visible()
    page.get_by_role("button", name="Start run").click()
    expect(page.get_by_text(re.compile(r"Answers: [345] of 6"))).to_be_visible()
    address = page.url
    server.stop()
    (before,) = stored(server, ANSWERED)
    assert 3 <= before["count"] < 6

    server = start(directory=tmp_path, SWITCHBOARD_MODELS=registry, port=int(server.url.rsplit(":", 1)[1]))
    page.goto(address)
    expect(page.get_by_text("Answers: 6 of 6 · finished")).to_be_visible(timeout=60_000)

    page.get_by_text("Judge blind").click()
    expect(page.get_by_text("Answer A")).to_have_count(len(page.get_by_text("Answer B").all()))
    main = page.get_by_test_id("stMain")
    for name in ("Swift", "Steady", "swift", "steady"):
        expect(main).not_to_contain_text(name)
    page.get_by_role("button", name="A is better").click()
    expect(page.get_by_text("You have judged 1 of 3 pairs")).to_be_visible()

    server.stop()
    asked = stored(server, ASKED)
    assert len(asked) == 8
    assert {row["times"] for row in asked} == {1}
    (votes,) = stored(server, "select count(*) as count from votes where void is null")
    assert votes["count"] == 1
