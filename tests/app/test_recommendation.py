"""The recommended model in the empty state of a new chat, under AppTest."""

from __future__ import annotations

from datetime import timedelta

import pytest
from streamlit.testing.v1 import AppTest

from core.accounts.preferences import save_preference
from core.accounts.users import list_users
from core.arena.votes import Ballot, Side, cast_vote
from core.bootstrap import close_services, open_services
from core.chat.store import set_use_case
from core.clock import utc_now
from core.settings import Settings
from tests.support.attempts import add_attempt
from tests.support.chatting import run_with_echo
from tests.support.conversations import make_conversation
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.signed_in import sign_in_app
from tests.support.turns import model

REGISTRY = """
providers:
  loop: {kind: openai, api_base: 'http://127.0.0.1:9/v1', api_key: none}
models:
  - {id: cheap, call: loop/cheap, label: Cheap, price: {input: 1, output: 2}, use_cases: [coding, everyday]}
  - {id: proven, call: loop/proven, label: "*Proven*", price: {input: 3, output: 15}, use_cases: [coding]}
  - {id: keyless, call: anthropic/claude-sonnet-4-5, label: Keyless, use_cases: [vision]}
"""


def _open(tmp_path, registry: str):
    path = tmp_path / "models.yaml"
    path.write_text(registry, encoding="utf-8")
    return open_services(Settings(data_dir=tmp_path, models=path, local_model="off", probes="off"))


@pytest.fixture(name="services")
def _services(tmp_path):
    close_services()
    services = _open(tmp_path, REGISTRY)
    for second in range(25):
        add_attempt(
            services.database,
            ended_at=utc_now() - timedelta(hours=1, seconds=second),
            model="proven",
            first_token_ms=600,
        )
    yield services
    close_services()


def _page(services) -> AppTest:
    ada = add_person(services.database, "ada")
    return sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()


def _captions(page: AppTest) -> str:
    return "\n".join(caption.value.replace("\\", "") for caption in page.main.caption)


def _buttons(page: AppTest) -> list[str]:
    return [button.key for button in page.main.button]


def test_a_use_case_names_one_model_with_its_numbers_and_takes_it(services):
    page = _page(services)

    assert page.pills(key="recommend_for").options == ["coding", "everyday"]
    assert "use_recommended" not in _buttons(page)
    assert page.session_state["active_model"] == "cheap"
    page.pills(key="recommend_for").set_value("coding").run()

    assert "measured over 24 h: 100 % of 25 calls worked, 0.6 s to first token (25 measured)" in _captions(page)
    assert "$3.00 in, $15.00 out per million" in _captions(page)
    page.button(key="use_recommended").click().run()

    assert not page.exception
    assert page.session_state["active_model"] == "proven"
    assert "use_recommended" not in _buttons(page)
    assert "This chat uses it." in _captions(page)


def test_without_calls_it_is_a_suggestion_and_ones_own_use_case_is_chosen_at_first(services):
    ada = add_person(services.database, "ada")
    save_preference(services.database, user_id=ada.id, name="use_case", value="everyday")
    page = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada).run()

    assert page.pills(key="recommend_for").value == "everyday"
    assert "Our suggestion, not measured yet: $1.00 in, $2.00 out per million" in _captions(page)


def test_nothing_where_one_model_can_be_called(tmp_path):
    close_services()
    services = _open(tmp_path, "\n".join(line for line in REGISTRY.splitlines() if "proven" not in line))
    try:
        page = _page(services)

        assert not page.exception
        assert not page.pills
    finally:
        close_services()


def test_votes_put_the_better_one_first_and_the_dial_is_kept(services):
    for number in range(20):
        sides = [
            Side(message_id=f"{name}{number}", model=model(name), text="Fine.", whole=True)
            for name in ("cheap", "proven")
        ]
        ballot = Ballot(user_id="ann", comparison_id="c", left=sides[0], right=sides[1], use_case="coding")
        cast_vote(services.database, ballot, "left" if number < 15 else "right")
    services.evidence.measure()
    page = _page(services)
    page.pills(key="recommend_for").set_value("coding").run()

    assert page.segmented_control(key="recommend_by").value == "balanced"
    assert "it takes, for the same two models, 20 timed answers" in _captions(page).replace("speed ", "")
    page.segmented_control(key="recommend_by").set_value("quality").run()

    assert not page.exception
    assert "**Cheap** · Best by the team's own judgement: rated 1" in _captions(page)
    assert "from 20 votes for coding" in _captions(page)
    assert "This chat uses it." in _captions(page)
    page.run()
    assert page.segmented_control(key="recommend_by").value == "quality"


def _use_case_sent(services, page, text) -> str | None:
    page.chat_input(key="composer").set_value(text).run()
    assert not page.exception
    row = services.database.fetch_one("select use_case from turns order by id desc limit 1")
    return row["use_case"]


@pytest.mark.parametrize(
    ("chosen", "text", "expected"),
    [
        ("everyday", "Fix this bug in my Python function", "everyday"),
        (None, "Fix this bug in my Python function", "coding"),
        (None, "Hello", None),
    ],
)
def test_a_turn_counts_for_what_was_chosen_else_for_what_its_words_say(services, chosen, text, expected):
    page = _page(services)
    if chosen:
        page.pills(key="recommend_for").set_value(chosen).run()

    assert _use_case_sent(services, page, text) == expected


def test_what_one_chat_was_for_is_not_what_the_next_one_is_for(services):
    page = _page(services)
    [ada] = list_users(services.database)
    other = make_conversation(services.database, ada.id, "Hello", "Hello.")
    pills = page.pills(key="recommend_for").set_value("everyday").run().pills(key="recommend_for").proto.id
    [held] = [state for state in page._tree.get_widget_states().widgets if state.id == pills]
    page.button(key=f"open_{other}").click().run()
    page.button(key="new_chat").click()
    run_with_echo(page, pills, string_array_value=held.string_array_value)

    assert not page.exception
    assert page.pills(key="recommend_for").value is None
    assert _use_case_sent(services, page, "Fix this bug in my Python function") == "coding"


def test_a_later_question_counts_for_what_its_conversation_is_for(services):
    page = _page(services)
    page.pills(key="recommend_for").set_value("everyday").run()
    _use_case_sent(services, page, "Hello")

    assert _use_case_sent(services, page, "Fix this bug in my Python function") == "everyday"
    [chat] = services.database.fetch_all("select id, user_id, use_case from conversations")
    assert chat["use_case"] == "everyday"
    set_use_case(services.database, conversation_id=chat["id"], user_id=chat["user_id"], use_case="")
    page.run()
    assert _use_case_sent(services, page, "Fix another bug in my Python function") is None
