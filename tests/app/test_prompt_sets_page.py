"""The page of prompt sets under AppTest: a set is made and run, judged blind and by a model, and read by its owner."""

from __future__ import annotations

from streamlit.testing.v1 import AppTest

from core.arena.prompt_files import Prompt
from core.arena.prompt_sets import list_sets, load_prompts, make_set
from core.arena.set_runs import begin_run, jobs_of_run, load_run, runs_of_set
from tests.support.chatting import click_again, double_click, run_with_echo
from tests.support.live_server import ROOT
from tests.support.people import add_person
from tests.support.provider_behaviour import say
from tests.support.signed_in import sign_in_app

TWO = ("swift", "html")
# Only a test that fails waits so long. The first call of a process loads LiteLLM: seconds, on a busy machine many.
WITHIN_S = 90.0
PROMPTS = [Prompt("writing", ("Write.", "Rewrite.")), Prompt("coding", ("Code?",))]


ANSWERS = {"swift": "Seven.", "html": "Both are fine.\ntie"}


def page_of(person, **parameters) -> AppTest:
    app = sign_in_app(AppTest.from_file(str(ROOT / "app.py"), default_timeout=30), person)
    app.run()
    app.switch_page("pages/prompt_sets_page.py")
    for name, value in parameters.items():
        app.query_params[name] = value
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    app.run()
    assert not app.exception
    return app


def shown(app: AppTest) -> str:
    drawn = [*app.markdown, *app.caption, *app.info, *app.warning, *app.error]
    return " ".join(str(element.value) for element in drawn)


def finished_run(services, person, *, shared=False):
    set_id = make_set(services.database, user_id=person.id, name="Ours", prompts=PROMPTS)
    (wanted,) = (one for one in list_sets(services.database, user_id=person.id) if one.id == set_id)
    models = [services.registry.current().models[name] for name in TWO]
    job = begin_run(services.database, wanted, user_id=person.id, models=models, shared=shared)
    services.set_runner.start(job, user_id=person.id)
    assert services.set_runner.wait(job.id, timeout_s=WITHIN_S).state == "done"
    return load_run(services.database, run_id=job.run_id, user_id=person.id)


def test_a_set_is_pasted_and_what_cannot_be_read_is_named(services):
    ann = add_person(services.database, "ann")
    app = page_of(ann)
    press(app, "Make set")
    assert "needs a name" in shown(app)
    app.text_input(key="set_name").set_value("Support *questions*")
    app.text_area(key="set_text").set_value('{"turns": ["One?", "Two?"], "category": "x"}\n{"turns": 3}')
    press(app, "Make set")

    (made,) = list_sets(services.database, user_id=ann.id)
    assert load_prompts(services.database, made.id) == [Prompt("x", ("One?", "Two?"))]
    assert "must be a list of texts" in shown(app)
    assert app.text_area(key="set_text").value == ""
    app.text_area(key="set_text").set_value("Three?\n\nFour?")
    press(app, "Add prompts")
    assert len(load_prompts(services.database, made.id)) == 3


def test_a_double_click_makes_one_set_and_adds_its_prompts_once(services):
    ann = add_person(services.database, "ann")
    app = page_of(ann)
    app.text_input(key="set_name").set_value("Ours")
    app.text_area(key="set_text").set_value("One?")
    double_click(app, "Make set")
    assert not app.exception
    (made,) = list_sets(services.database, user_id=ann.id)
    app.text_area(key="set_text").set_value("Two?")
    double_click(app, "Add prompts")

    assert not app.exception
    assert [prompt.turns for prompt in load_prompts(services.database, made.id)] == [("One?",), ("Two?",)]


def test_a_set_is_run_again_after_its_run_was_deleted(services):
    ann = add_person(services.database, "ann")
    set_id = make_set(services.database, user_id=ann.id, name="Ours", prompts=PROMPTS)
    app = page_of(ann, set=set_id)
    for _ in range(2):
        app.multiselect(key="set_models").set_value(list(TWO)).run()
        press(app, "Start run")
        (run,) = runs_of_set(services.database, set_id=set_id, user_id=ann.id)
        (job,) = jobs_of_run(services.database, run.id)
        assert services.set_runner.wait(job.id, timeout_s=WITHIN_S).state == "done"
        app.run()
        press(app, "Delete this run")

    assert runs_of_set(services.database, set_id=set_id, user_id=ann.id) == []


def test_a_set_is_run_after_its_estimate(services):
    ann = add_person(services.database, "ann")
    set_id = make_set(services.database, user_id=ann.id, name="Ours", prompts=PROMPTS)
    app = page_of(ann, set=set_id)
    assert next(button for button in app.button if button.label == "Start run").disabled
    app.multiselect(key="set_models").set_value(list(TWO)).run()
    assert "6 calls · " in shown(app)
    press(app, "Start run")

    (run,) = runs_of_set(services.database, set_id=set_id, user_id=ann.id)
    (job,) = jobs_of_run(services.database, run.id)
    assert services.set_runner.wait(job.id, timeout_s=WITHIN_S).state == "done"
    app.run()
    assert not app.exception
    assert "Run of **Ours**" in shown(app)
    table = app.dataframe[0].value
    assert list(table["Answered"]) == ["2", "2"]


def test_the_blind_queue_names_no_model_and_counts_the_vote(services):
    ann, bob = add_person(services.database, "ann"), add_person(services.database, "bob")
    run = finished_run(services, ann, shared=True)
    app = page_of(bob, run=run.id)
    assert set(app.segmented_control[0].options) == {"Report", "Judge blind"}
    app.segmented_control[0].set_value("people").run()
    assert not app.exception
    assert "Answer A" in shown(app)
    assert not any(label in shown(app) for label in run.models.values())
    reason = app.text_input[0].set_value("Because it is short.").run().text_input[0].proto.id
    better = next(button.id for button in app.button if button.label == "A is better")
    press(app, "A is better")
    # The second click of a double click: it meant the pair before.
    click_again(app, better)
    assert not app.error
    next(button for button in app.button if button.label == "Equally good").click()
    # A browser on a slow line: what was typed for the pair before.
    run_with_echo(app, reason, string_value="Because it is short.")
    assert "no two answers left" in shown(app)
    votes = services.database.fetch_all("select reason from votes where user_id = $id order by created_at", id=bob.id)
    assert [vote["reason"] for vote in votes] == ["Because it is short.", None]


def test_a_model_judges_and_its_verdicts_stay_apart(services, provider):
    ann = add_person(services.database, "ann")
    run = finished_run(services, ann)
    provider.behave("html", say("Hard to say."))
    app = page_of(ann, run=run.id)
    app.segmented_control[0].set_value("machine").run()
    app.selectbox(key="set_judge").set_value("html").run()
    assert "2 pairs, 4 calls" in shown(app)
    press(app, "Start judging")
    job = jobs_of_run(services.database, run.id)[-1]
    assert services.set_runner.wait(job.id, timeout_s=WITHIN_S).state == "done"
    app.run()
    provider.behave("html", say("Both are fine.\ntie"))
    press(app, "Ask the judge again")
    assert services.set_runner.wait(job.id, timeout_s=WITHIN_S).state == "done"
    app.segmented_control[0].set_value("report").run()
    assert not app.exception
    table = app.dataframe[0].value
    assert list(table["Machine (won-tied-lost)"]) == ["0-2-0", "0-2-0"]
    assert list(table["People (won-tied-lost)"]) == ["", ""]
    assert "in no rating" in shown(app)
    assert services.database.fetch_all("select * from votes") == []


def test_somebody_elses_run_does_not_exist(services):
    run = finished_run(services, add_person(services.database, "ann"))
    app = page_of(add_person(services.database, "bob"), run=run.id)
    assert not app.exception
    assert "was not found" in shown(app)
