"""The page of comparisons under AppTest: line-up, sending, following up, merging, continuing."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from core.arena.comparison import list_comparisons, load_comparison
from core.arena.line_ups import list_line_ups
from core.arena.said import messages_of_column
from core.bootstrap import Services
from core.chat.admission import TurnRequest
from core.chat.store import list_conversations, load_conversation, load_messages
from tests.support.chatting import choose_in_menu, run_with_echo, send_from_component
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.signed_in import sign_in_app

ANSWERS = {
    "swift": "Swift says yes.\n\n- Back up the database first.\n- Stop the server.",
    "html": "Html says no.\n\n- First, back up the database.\n- Tell everybody.",
}


@pytest.fixture(name="page")
def _page(ada) -> AppTest:
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada)
    app.run()
    app.switch_page("pages/compare_page.py")
    return line_up(app, "swift", "html")


def line_up(app: AppTest, *model_ids: str) -> AppTest:
    """Let these models be compared, without parameters of their own."""
    app.session_state["compare_line_up"] = [(f"seat{at}", name, {}) for at, name in enumerate(model_ids)]
    return app.run()


def ask(app: AppTest, text: str) -> AppTest:
    return app.chat_input[0].set_value(text).run()


def button(app: AppTest, key: str):
    return next(found for found in app.button if (found.key or "").startswith(key))


def open_panel(app: AppTest, label: str) -> AppTest:
    """What the browser sends when a panel is opened, now and with every later run, which AppTest itself cannot."""
    opened = next(block.proto.popover.id for block in app.get("popover") if block.proto.popover.label == label)
    run = app._run

    def run_with_panel(states, timeout=None):
        states.widgets.add(id=opened).bool_value = True
        return run(states, timeout=timeout)

    app._run = run_with_panel
    return app.run()


def said(services: Services, user):
    """Every column of the newest comparison with its messages."""
    [newest, *_] = list_comparisons(services.database, user_id=user.id, limit=10)
    comparison = load_comparison(services.database, comparison_id=newest.id, user_id=user.id)
    return comparison, [
        [message.content for message in messages_of_column(services.database, comparison, column)]
        for column in comparison.columns
    ]


def act(app: AppTest, answer_id: str, name: str) -> AppTest:
    return send_from_component(app, "message_actions", event="act", value=name, key=f"offers_{answer_id}")


def test_a_prompt_goes_to_all_and_every_column_has_its_figures(page, services, ada):
    ask(page, "Should we upgrade?")

    assert not page.exception
    comparison, columns = said(services, ada)
    assert [column[0] for column in columns] == ["Should we upgrade?"] * 2
    assert [column[1].split("\n")[0] for column in columns] == ["Swift says yes.", "Html says no."]
    figures = [caption.value for caption in page.caption if "to first token" in caption.value]
    assert len(figures) == 2
    assert [badge.value for badge in page.markdown if "badge[done]" in badge.value] == [":green-badge[done]"] * 2
    assert page.query_params["comparison"] == comparison.id


def test_a_failing_and_a_refused_model_say_so_in_their_columns(page, services, ada):
    line_up(page, "swift", "refused-401", "keyless")
    ask(page, "Hello")

    badges = [found.value for found in page.markdown if "-badge[" in found.value and len(found.value) < 40]
    assert badges == [":green-badge[done]", ":red-badge[failed]", ":orange-badge[not asked]"]
    assert any("its provider has no key" in warning.value for warning in page.warning)
    assert len(said(services, ada)[1][0]) == 2


def test_a_prompt_that_nobody_takes_stays_in_the_composer(page, services, ada):
    line_up(page, "keyless", "keyless")
    ask(page, "A precious prompt")

    assert any("its provider has no key" in warning.value for warning in page.warning)
    assert page.chat_input[0].value == "A precious prompt" or page.session_state["composer"] == "A precious prompt"
    assert list_comparisons(services.database, user_id=ada.id, limit=10) == []


def test_one_model_is_no_comparison(page, services, ada):
    line_up(page, "swift")
    ask(page, "Hello")

    assert any("at least two models" in warning.value for warning in page.warning)
    assert list_comparisons(services.database, user_id=ada.id, limit=10) == []


def test_a_follow_up_goes_where_it_is_sent(page, services, ada):
    ask(page, "Should we upgrade?")
    comparison, _ = said(services, ada)
    page.selectbox(key="compare_to").set_value(comparison.columns[1].id).run()
    ask(page, "Why not?")

    _, columns = said(services, ada)
    assert [len(column) for column in columns] == [2, 4]
    page.selectbox(key="compare_to").set_value("all").run()
    ask(page, "And now?")
    assert [len(column) for column in said(services, ada)[1]] == [4, 6]


def test_what_is_typed_after_new_comparison_begins_one_where_both_arrive_together(page, services, ada):
    ask(page, "Should we upgrade?")
    page.button(key="new_comparison").click()
    page.chat_input[0].set_value("Another matter?")
    states = page._tree.get_widget_states()
    ordered = sorted(states.widgets, key=lambda state: not state.id.endswith("-composer"))
    del states.widgets[:]
    states.widgets.extend(ordered)
    page._run(states)

    assert not page.exception
    titles = {comparison.title for comparison in list_comparisons(services.database, user_id=ada.id, limit=5)}
    assert titles == {"Should we upgrade?", "Another matter?"}
    assert any("Another matter?" in text.value for text in page.markdown)


def test_a_model_that_a_browser_says_again_is_added_once(page):
    box = page.selectbox(key="add_to_line_up")
    added = next(words for words in box.options if words.startswith("Steady"))
    box.set_value("steady").run()
    run_with_echo(page, box.proto.id, string_value=added)

    assert not page.exception
    assert [kept[1] for kept in page.session_state["compare_line_up"]] == ["swift", "html", "steady"]


def test_a_line_up_is_changed_saved_and_used_again(page, services, ada):
    page.selectbox(key="add_to_line_up").set_value("steady").run()
    assert [kept[1] for kept in page.session_state["compare_line_up"]] == ["swift", "html", "steady"]
    page.session_state["line_ups"] = True
    page.run()
    page.text_input(key="line_up_name").set_value("My three").run()
    button(page, "save_line_up").click().run()

    [saved] = list_line_ups(services.database, user_id=ada.id)
    assert (saved.name, [entry.model_id for entry in saved.entries]) == ("My three", ["swift", "html", "steady"])
    line_up(page, "html")
    button(page, f"use_{saved.id}").click().run()
    assert [kept[1] for kept in page.session_state["compare_line_up"]] == ["swift", "html", "steady"]


def test_a_column_has_a_system_prompt_of_its_own(page, services, ada, provider):
    page.session_state["seat_seat1"] = True
    page.run()
    page.text_area[0].set_value("Answer in verse.").run()
    # Its icon has changed, and still it is open for the next parameter.
    assert page.text_area[0].value == "Answer in verse."
    ask(page, "Hello")

    prompts = [
        [message["content"] for message in request.body["messages"] if message["role"] == "system"]
        for request in sorted(provider.requests, key=lambda request: request.body["model"])
    ]
    assert sorted(prompts) == [[], ["Answer in verse."]]
    assert any("system prompt: Answer in verse" in caption.value.replace("\\", "") for caption in page.caption)


def test_what_a_browser_says_again_of_a_closed_form_does_not_open_it(page):
    page.session_state["seat_seat1"] = True
    page.run()
    prompt = page.text_area[0].set_value("Answer in verse.").run().text_area[0].proto.id
    page.session_state["seat_seat1"] = False
    page.run()
    assert not page.text_area
    run_with_echo(page, prompt, string_value="Answer in verse.")

    assert not page.exception
    assert not page.text_area


def test_retrying_answers_again(page, services, ada, provider):
    ask(page, "Should we upgrade?")
    comparison, _ = said(services, ada)
    provider.behave("swift", say("Swift thinks again."))
    button(page, f"retry_{comparison.columns[0].id}").click().run()

    assert said(services, ada)[1][0] == ["Should we upgrade?", "Swift thinks again."]

    page.run()
    act(page, messages_of_column(services.database, comparison, comparison.columns[0])[-1].id, "previous")
    assert said(services, ada)[1][0][1].startswith("Swift says yes.")
    assert not page.exception


def test_the_search_leads_to_the_answer_that_another_one_replaced(page, services, ada, provider):
    ask(page, "Should we upgrade?")
    comparison, _ = said(services, ada)
    provider.behave("swift", say("Swift thinks again."))
    button(page, f"retry_{comparison.columns[0].id}").click().run()
    button(page, "new_comparison").click().run()
    page.switch_page("pages/search_page.py").run()
    page.text_input(key="search_query").set_value("swift says").run()
    button(page, "hit_").click().run()

    assert not page.exception
    shown, columns = said(services, ada)
    assert columns[0][1].startswith("Swift says yes.")
    answer = messages_of_column(services.database, shown, shown.columns[0])[-1]
    assert page.session_state["found_in_comparison"] == (shown.id, answer.id, ("swift", "says"))
    assert page.query_params["comparison"] in (shown.id, [shown.id])
    ask(page, "And now?")
    assert "found_in_comparison" not in page.session_state


def test_continuing_opens_a_chat_with_this_answer(page, services, ada):
    ask(page, "Should we upgrade?")
    comparison, _ = said(services, ada)
    answer = messages_of_column(services.database, comparison, comparison.columns[1])[-1]
    act(page, answer.id, "continue")

    [chat] = list_conversations(services.database, user_id=ada.id, limit=10)
    assert page.session_state["opened_conversation"] == chat.id
    assert not page.exception


def test_the_difference_of_two_answers_is_shown_in_words(page, services, ada):
    ask(page, "Should we upgrade?")
    comparison, _ = said(services, ada)
    answer = messages_of_column(services.database, comparison, comparison.columns[0])[-1]
    act(page, answer.id, "differ")

    assert not page.exception
    shown = [found.proto.body for found in page.get("html")]
    assert any("<del aria-label='only Swift'>" in body and "<ins aria-label='only Html'>" in body for body in shown)


def test_answers_are_merged_by_points_that_were_ticked(page, services, ada, provider):
    ask(page, "Should we upgrade?")
    page.session_state["merge_2"] = True
    page.session_state["merge_way"] = "checklist"
    page.run()
    ticked = {box.label.split(" :gray")[0]: box.value for box in page.checkbox}
    assert ticked == {"Back up the database first\\.": True, "Stop the server\\.": False, "Tell everybody\\.": False}
    next(box for box in page.checkbox if "Tell" in box.label).check().run()
    provider.behave("swift", say("The merged answer."))
    button(page, "merge_start").click().run()

    assert not page.exception
    comparison, columns = said(services, ada)
    [merge] = comparison.merges
    assert columns[-1][-1] == "The merged answer."
    assert "=== answer 2 by Html ===" in columns[-1][0]
    assert "- Back up the database first.\n- Tell everybody.\n" in columns[-1][0]
    assert len(merge.sources) == 2


def test_deleting_can_be_undone(page, services, ada):
    ask(page, "Should we upgrade?")
    choose_in_menu(page, "Delete")
    assert list_comparisons(services.database, user_id=ada.id, limit=10) == []

    button(page, "undo_comparison").click().run()
    assert len(list_comparisons(services.database, user_id=ada.id, limit=10)) == 1
    assert not page.exception


def test_a_comparison_is_renamed_in_a_dialog(page, services, ada):
    ask(page, "Should we upgrade?")
    choose_in_menu(page, "Rename")
    assert not page.exception
    (typed,) = [box.value for box in page.text_input if box.label == "Title"]
    assert typed == "Should we upgrade?"


def test_somebody_elses_comparison_does_not_exist(page, services, ada):
    ask(page, "Should we upgrade?")
    comparison, _ = said(services, ada)
    eve = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), add_person(services.database, "eve"))
    eve.run()
    eve.query_params["comparison"] = comparison.id
    eve.switch_page("pages/compare_page.py").run()

    assert any("was not found" in error.value for error in eve.error)


@pytest.mark.parametrize("from_answer", [True, False])
def test_three_models_are_tried_with_the_history_of_a_chat_and_nothing_is_sent(services, ada, provider, from_answer):
    live = services.engine.start(TurnRequest(user_id=ada.id, model_id="html", text="First question"))
    assert live.buffer.wait_until_ended(timeout_s=20)
    chat = live.ids.conversation
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), ada)
    app.query_params["c"] = chat
    app.run()
    asked = len(provider.requests)
    if from_answer:
        key = f"actions_{live.ids.answer}"
        send_from_component(app, "message_actions", event="act", value="three", key=key)
    else:
        app.get("menu_button")[0].set_value("Try with three models").run()

    assert not app.exception
    assert len(provider.requests) == asked
    kept = [seat[1] for seat in app.session_state["compare_line_up"]]
    assert len(kept) == 3
    assert kept[0] == "html"
    conversation = load_conversation(services.database, conversation_id=chat, user_id=ada.id)
    before = load_messages(services.database, conversation=conversation)
    line_up(app, "swift", "html")
    ask(app, "First question" if from_answer else "And then?")
    comparison, _ = said(services, ada)
    answer = messages_of_column(services.database, comparison, comparison.columns[0])[-1]
    act(app, answer.id, "continue")

    conversation = load_conversation(services.database, conversation_id=chat, user_id=ada.id)
    messages = load_messages(services.database, conversation=conversation)
    assert len(messages) == len(before) + 2
    assert conversation.model_id == "swift"
    assert json.dumps([message.content for message in messages[:2]]) == json.dumps(
        [message.content for message in before[:2]]
    )


def test_an_answer_that_was_cut_off_goes_on_as_one_answer(page, services, ada):
    line_up(page, "swift", "truncated")
    ask(page, "Tell me")
    comparison, [_, (_, cut)] = said(services, ada)
    column = comparison.answers[1]
    answer = messages_of_column(services.database, comparison, column)[-1]
    act(page, answer.id, "go_on")

    assert not page.exception
    [question, whole] = messages_of_column(services.database, comparison, column)
    assert whole.id == answer.id
    assert whole.content.startswith(cut)
    assert len(whole.content) > len(cut)
    assert question.content == "Tell me"


def test_a_model_joins_later_and_catches_up(page, services, ada):
    line_up(page, "swift", "swift")
    ask(page, "First?")
    ask(page, "Second?")
    open_panel(page, "Add")
    page.selectbox(key="compare_joins").set_value("html").run()
    assert "about $" in "\n".join(caption.value.replace("\\", "") for caption in page.caption)
    page.button(key="join_start").click().run()
    assert not page.exception
    # The browser has not heard yet that the panel is closed, and says once more that it is open.
    page.run()
    assert not any(button.key == "join_start" for button in page.button)
    comparison, columns = said(services, ada)
    assert [len(messages) for messages in columns] == [4, 4, 2]
    assert columns[2][0] == "First?"
    assert columns[2][1].startswith("Html says no.")
    joined = comparison.answers[2]
    act(page, messages_of_column(services.database, comparison, joined)[-1].id, "next")
    assert [content for content in said(services, ada)[1][2] if content.endswith("?")] == ["First?", "Second?"]
    act(page, messages_of_column(services.database, comparison, joined)[-1].id, "next")
    assert len(said(services, ada)[1][2]) == 4, "it has been asked as much as the others"
