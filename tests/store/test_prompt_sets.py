"""Sets of prompts on the real engine and store: runs, pauses, restarts, budgets, judging, the report."""

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal

import pytest

from core.arena.prompt_files import Prompt
from core.arena.prompt_sets import (
    change_set,
    delete_set,
    first_questions,
    list_sets,
    load_prompts,
    load_set,
    make_set,
    replace_prompts,
)
from core.arena.set_estimate import estimate_judging, estimate_run, together
from core.arena.set_queue import next_pair, vote_on_pair
from core.arena.set_report import ALL, Score, load_report
from core.arena.set_runner import SetRunner
from core.arena.set_runs import (
    answers_of_run,
    begin_judging,
    begin_run,
    counts_of_job,
    delete_run,
    judgements_of,
    load_job,
    load_run,
    pairs_to_judge,
    runs_of_set,
    runs_without_set,
    said_in,
)
from core.chat.own_data import delete_data, export_data
from core.chat.recovery import recover_turns
from core.chat.store import list_conversations
from core.clock import utc_now
from core.costs.output_lengths import OutputLengths
from core.errors import ErrorClass, NotFound, ProviderError, SwitchboardError
from core.providers.scripted import Gate, ScriptedGateway, answer
from tests.store.test_budgets_at_work import limited
from tests.support.budgets import budget
from tests.support.people import add_person
from tests.support.turns import TIMEOUT_S, finish, model, rig, wait_until

pytestmark = pytest.mark.slow

MODELS = {name: model(name) for name in ("one", "two", "judge")}
TWO = [MODELS["one"], MODELS["two"]]
PROMPTS = [Prompt("writing", ("Write.", "Rewrite.")), Prompt("coding", ("Code?",)), Prompt("coding", ("Why?",))]


def reply(request):
    """Says back what was asked, and whose answer it is not."""
    return answer(f"On {request.messages[-1].content}")


@contextmanager
def stage(database, gateway=None, **options):
    gateway = gateway or ScriptedGateway(fallback=reply)
    with rig(database, *MODELS.values(), gateway=gateway, **options) as made:
        runner = SetRunner(database, made.engine)
        try:
            yield made, runner
        finally:
            runner.close()


def begin(database, *, prompts=PROMPTS, models=TWO, user_id="ann", **options):
    set_id = make_set(database, user_id=user_id, name="Ours", prompts=prompts)
    return begin_run(
        database, load_set(database, set_id=set_id, user_id=user_id), user_id=user_id, models=models, **options
    )


def run_all(database, runner, job):
    runner.start(job, user_id=job.user_id)
    ended = runner.wait(job.id, timeout_s=TIMEOUT_S)
    return ended, load_run(database, run_id=job.run_id, user_id=job.user_id)


def test_sets_are_private_until_shared_and_changed_by_their_owner_alone(database):
    set_id = make_set(database, user_id="ann", name="  My  set ", prompts=PROMPTS)
    assert load_prompts(database, set_id) == PROMPTS
    with pytest.raises(NotFound):
        load_set(database, set_id=set_id, user_id="bob")

    mine = load_set(database, set_id=set_id, user_id="ann")
    change_set(database, replace(mine, shared=True, use_case="coding"), user_id="ann")
    (seen,) = list_sets(database, user_id="bob")
    assert (seen.name, seen.prompts, seen.use_case) == ("My set", 3, "coding")
    for forbidden in (
        lambda: change_set(database, replace(seen, name="Mine"), user_id="bob"),
        lambda: replace_prompts(database, set_id=set_id, user_id="bob", prompts=PROMPTS),
        lambda: delete_set(database, set_id=set_id, user_id="bob"),
    ):
        with pytest.raises(NotFound):
            forbidden()

    replace_prompts(database, set_id=set_id, user_id="ann", prompts=PROMPTS[:1])
    assert load_prompts(database, set_id) == PROMPTS[:1]
    with pytest.raises(SwitchboardError, match="at least one prompt"):
        replace_prompts(database, set_id=set_id, user_id="ann", prompts=[])
    with pytest.raises(SwitchboardError, match="needs a name"):
        make_set(database, user_id="ann", name=" ", prompts=PROMPTS)


def test_first_questions_are_ones_own_and_of_chats_alone(database):
    with stage(database) as (made, runner):
        finish(made.ask("How do I begin?", model_id="one"))
        finish(made.ask("Not yours", model_id="one", user_id="bob"))
        run_all(database, runner, begin(database))
    assert [one.text for one in first_questions(database, user_id="ann", limit=10)] == ["How do I begin?"]


def test_a_run_asks_every_turn_of_every_model_and_is_in_no_list(database):
    with stage(database) as (made, runner):
        ended, run = run_all(database, runner, begin(database))

        assert ended.state == "done"
        assert counts_of_job(database, ended.id) == {"done": 6}
        assert len(made.gateway.history) == 8
        first = next(one for one in answers_of_run(database, run.id) if one.position == 0)
        said = said_in(database, run.id, [first.id])[first.id]
        assert [message.content for message in said] == ["Write.", "On Write.", "Rewrite.", "On Rewrite."]
        assert list_conversations(database, user_id="ann", limit=10) == []
        rows = database.fetch_all("select distinct source, use_case from attempts order by use_case")
        assert [(row["source"], row["use_case"]) for row in rows] == [("compare", "coding"), ("compare", "writing")]
        lines = load_report(database, run)
        assert {(line.category, line.answered) for line in lines.lines} == {(ALL, 3), ("writing", 1), ("coding", 2)}
        assert all(line.cost_usd is not None and line.duration_ms is not None for line in lines.lines)


def test_the_wrong_number_of_models_is_refused(database):
    for models in (TWO[:1], [TWO[0], TWO[0]], [model(f"m{at}") for at in range(9)]):
        with pytest.raises(SwitchboardError, match="2 to 8 different models"):
            begin(database, models=models)


def test_at_most_two_answers_of_a_model_are_under_way(database):
    gate, gateway = Gate(), ScriptedGateway(fallback=reply)
    for name in ("one", "two"):
        for _ in range(4):
            gateway.enqueue(name, gate, *answer("Fine"))
    prompts = [Prompt("x", (f"Question {at}",)) for at in range(4)]
    with stage(database, gateway) as (made, runner):
        job = begin(database, prompts=prompts)
        runner.start(job, user_id="ann")
        assert wait_until(lambda: len(gateway.history) == 4)
        assert len(made.engine.running()) == 4
        assert [request.model.id for request in gateway.history].count("one") == 2
        gate.open()
        assert runner.wait(job.id, timeout_s=TIMEOUT_S).state == "done"
        assert len(gateway.history) == 8


def test_a_failing_model_stops_nobody_else_and_can_be_asked_again(database):
    gateway = ScriptedGateway(fallback=reply)
    for _ in range(2):
        gateway.enqueue("one", ProviderError(ErrorClass.BAD_REQUEST, "It does not like that."))
    with stage(database, gateway) as (_made, runner):
        ended, run = run_all(database, runner, begin(database))
        assert ended.state == "done"
        assert counts_of_job(database, ended.id) == {"done": 4, "failed": 2}
        failed = [one for one in answers_of_run(database, run.id) if one.state == "failed"]
        assert {one.model_id for one in failed} == {"one"}
        assert "does not like" in failed[0].problem
        calls = len(gateway.history)

        runner.start(ended, user_id="ann", again="failed")
        assert runner.wait(ended.id, timeout_s=TIMEOUT_S).state == "done"
        assert counts_of_job(database, ended.id) == {"done": 6}
        # The two that failed and the turn that one of them had still to come, and nothing else.
        assert len(gateway.history) - calls in {2, 3}


def test_a_pause_lets_answers_end_and_going_on_asks_only_what_is_left(database):
    gate, gateway = Gate(), ScriptedGateway(fallback=reply)
    for name in ("one", "two"):
        gateway.enqueue(name, gate, *answer("Fine"))
        gateway.enqueue(name, gate, *answer("Fine"))
    with stage(database, gateway) as (_made, runner):
        job = begin(database)
        runner.start(job, user_id="ann")
        assert wait_until(lambda: len(gateway.history) == 4)
        with pytest.raises(NotFound):
            runner.pause(job, user_id="bob")
        runner.pause(job, user_id="ann")
        assert runner.working(job.id)
        gate.open()
        assert runner.wait(job.id, timeout_s=TIMEOUT_S).state == "paused"
        assert counts_of_job(database, job.id) == {"done": 2, "waiting": 4}

        runner.start(job, user_id="ann")
        assert runner.wait(job.id, timeout_s=TIMEOUT_S).state == "done"
        assert len(gateway.history) == 8


def test_a_cancelled_run_keeps_what_was_answered(database):
    gate, gateway = Gate(), ScriptedGateway(fallback=reply)
    gateway.enqueue("one", gate, *answer("Fine"))
    with stage(database, gateway) as (_made, runner):
        job = begin(database, prompts=PROMPTS[1:2])
        runner.start(job, user_id="ann")
        assert wait_until(lambda: counts_of_job(database, job.id).get("done") == 1 and gate.wait_until_reached(0))
        runner.cancel(job, user_id="ann")
        assert runner.wait(job.id, timeout_s=TIMEOUT_S).state == "cancelled"
        assert counts_of_job(database, job.id) == {"done": 1, "waiting": 1}
        assert gateway.wait_until_abandoned()


def test_a_new_engine_goes_on_and_asks_nothing_twice(database):
    gate, gateway = Gate(), ScriptedGateway(fallback=reply)
    gateway.enqueue("one", *answer("Whole"))
    gateway.enqueue("one", gate, *answer("Late"))
    gateway.enqueue("one", gate, *answer("Late"))
    with stage(database, gateway) as (_made, runner):
        job = begin(database)
        runner.start(job, user_id="ann")
        assert wait_until(lambda: counts_of_job(database, job.id).get("done", 0) >= 3 and len(gateway.history) >= 7)
        runner.close()
    assert load_job(database, job.id).state == "running"
    done = [one.id for one in answers_of_run(database, job.run_id) if one.state == "done"]
    recover_turns(database, find_model=MODELS.get)

    after = ScriptedGateway(fallback=reply)
    with stage(database, after) as (_made, runner):
        runner.resume_all()
        assert runner.wait(job.id, timeout_s=TIMEOUT_S).state == "done"
        assert counts_of_job(database, job.id) == {"done": 6}
        assert {request.model.id for request in after.history} == {"one"}
        for messages in said_in(database, job.run_id, done).values():
            assert all(message.status == "complete" for message in messages)


def test_a_budget_that_refuses_a_call_pauses_the_run_and_says_why(database):
    gateway = ScriptedGateway(fallback=reply)
    made, _budgets = limited(database, budget("0.0070"), models=tuple(MODELS.values()), gateway=gateway)
    with made as running:
        runner = SetRunner(database, running.engine)
        job = begin(database)
        ended, _run = run_all(database, runner, job)
        assert ended.state == "paused"
        assert "budget" in ended.note.lower()
        # Not for what its own calls held while they ran, and not in words for somebody at a message box.
        assert "under way" not in ended.note
        assert "box" not in ended.note
        assert counts_of_job(database, job.id)["waiting"] >= 1
        runner.close()


def judged(database, runner, run):
    job = begin_judging(database, run, user_id="ann", judge_model="judge")
    runner.start(job, user_id="ann")
    return runner.wait(job.id, timeout_s=TIMEOUT_S)


def test_a_judge_sees_both_orders_and_one_that_disagrees_with_itself_gives_a_tie(database):
    def verdict(request):
        if request.model.id != "judge":
            return answer(f"I am {request.model.id}")
        text = request.messages[-1].content
        if "Code?" in text:
            return answer(json.dumps({"reason": "always the first", "verdict": "A"}))
        if "Why?" in text:
            return answer("Hard to say")
        first = text.index("I am one") < text.index("I am two")
        return answer(f"One it is.\n{'A' if first else 'B'}")

    with stage(database, ScriptedGateway(fallback=verdict)) as (_made, runner):
        _, run = run_all(database, runner, begin(database))
        assert len(pairs_to_judge(database, run, judge_model="judge")) == 3
        assert judged(database, runner, run).state == "done"

        report = load_report(database, run)
        assert report.overall()["one"].machine == Score(wins=1, ties=1, losses=0)
        assert report.overall()["two"].machine == Score(wins=0, ties=1, losses=1)
        assert report.overall()["one"].people == Score()
        assert (report.disagreed, report.unreadable, report.votes) == (1, 2, 0)
        assert report.judging_usd > Decimal(0)
        assert {one.reason for one in judgements_of(database, run.id)} == {
            "always the first",
            "One it is.",
            "Hard to say",
        }
        assert database.fetch_all("select * from votes") == []
        rows = database.fetch_all("select source, count(*) as calls from attempts group by 1 order by 1")
        assert [(row["source"], row["calls"]) for row in rows] == [("compare", 8), ("judge", 6)]
        with pytest.raises(SwitchboardError, match="no two answers"):
            begin_judging(database, run, user_id="ann", judge_model="judge")


def test_a_judge_is_asked_again_only_for_what_could_not_be_read(database):
    said = {"judge": "Hard to say"}

    def verdict(request):
        if request.model.id != "judge":
            return answer("Fine")
        return answer("A" if "Code?" in request.messages[-1].content else said["judge"])

    with stage(database, ScriptedGateway(fallback=verdict)) as (made, runner):
        _, run = run_all(database, runner, begin(database))
        job = judged(database, runner, run)
        assert counts_of_job(database, job.id) == {"done": 2, "unreadable": 4}
        before = load_report(database, run).judging_usd

        said["judge"] = "It is a draw.\ntie"
        calls = len(made.gateway.history)
        runner.start(job, user_id="ann", again="unreadable")
        assert runner.wait(job.id, timeout_s=TIMEOUT_S).state == "done"
        assert counts_of_job(database, job.id) == {"done": 6}
        again = made.gateway.history[calls:]
        # The question as it was, without what was said to it before.
        assert [len(request.messages) for request in again] == [1] * 4
        report = load_report(database, run)
        assert (len(report.judged), report.unreadable) == (3, 0)
        # What was paid for the first try stays in the bill.
        assert report.judging_usd > before


def test_people_vote_blind_once_on_every_pair_and_apart_from_machines(database):
    with stage(database) as (_made, runner):
        _, run = run_all(database, runner, begin(database, shared=True))
        seen = []
        while (blind := next_pair(database, run, user_id="bob")) is not None:
            assert blind == next_pair(database, run, user_id="bob")
            assert not any(name in blind.key for name in MODELS)
            seen.append(blind.key)
            vote_on_pair(database, run, blind.key, "left", user_id="bob", find_model=MODELS.get)
        assert len(seen) == len(set(seen)) == 3
        with pytest.raises(NotFound):
            vote_on_pair(database, run, seen[0], "right", user_id="bob", find_model=MODELS.get)

        assert next_pair(database, run, user_id="ann").voted == 0
        report = load_report(database, run)
        assert report.votes == 3
        assert sum(line.people.wins for line in report.overall().values()) == 3
        assert all(line.machine == Score() for line in report.lines)
        rows = database.fetch_all("select distinct use_case from votes order by 1")
        assert [row["use_case"] for row in rows] == ["coding", "writing"]


def test_a_run_is_its_owners_unless_shared_and_outlives_its_set(database):
    job = begin(database)
    with pytest.raises(NotFound):
        load_run(database, run_id=job.run_id, user_id="bob")
    run = load_run(database, run_id=job.run_id, user_id="ann")
    delete_set(database, set_id=run.set_id, user_id="ann")
    assert runs_without_set(database, user_id="ann") == [run]
    assert runs_of_set(database, set_id=run.set_id, user_id="bob") == []
    with pytest.raises(SwitchboardError, match="still going on"):
        delete_run(database, run, user_id="ann")


def test_a_run_is_deleted_with_its_answers_and_all_of_it_with_ones_data(database):
    ann = add_person(database, "ann")
    with stage(database) as (_made, runner):
        for _ in range(2):
            _, run = run_all(database, runner, begin(database, user_id=ann.id))
            last = run
    delete_run(database, last, user_id=ann.id)
    left = database.fetch_all("select distinct comparison_id from conversations where deleted_at is null")
    assert len(left) == 1

    exported = json.loads(export_data(database, ann))
    assert [kept["prompts"][0]["turns"] for kept in exported["prompt_sets"]] == [["Write.", "Rewrite."]] * 2
    assert len(exported["prompt_set_answers"]) == 6
    assert exported["prompt_set_answers"][0]["conversation"]["messages"]
    delete_data(database, ann)
    for table in ("prompt_sets", "set_prompts", "set_runs", "set_jobs", "run_prompts", "run_answers", "conversations"):
        assert database.fetch_all(f"select * from {table}") == []  # noqa: S608 - a name in a test


def test_estimates_count_every_turn_and_both_orders(database):
    lengths = OutputLengths()
    costs = estimate_run(PROMPTS, TWO, lengths=lengths, use_case=None, now=utc_now())
    one_turn = estimate_run(PROMPTS[1:2], TWO, lengths=lengths, use_case=None, now=utc_now())
    assert costs["one"] == costs["two"]
    assert costs["one"].high_usd > 4 * one_turn["one"].high_usd
    assert together(costs).high_usd == 2 * costs["one"].high_usd
    unpriced = estimate_run(PROMPTS, [model("x", prices=None)], lengths=lengths, use_case=None, now=utc_now())
    assert unpriced["x"].unpriced

    with stage(database) as (_made, runner):
        _, run = run_all(database, runner, begin(database))
    pairs = pairs_to_judge(database, run, judge_model="judge")
    whole = estimate_judging(database, run, MODELS["judge"], pairs, lengths=lengths, now=utc_now())
    parts = [estimate_judging(database, run, MODELS["judge"], [pair], lengths=lengths, now=utc_now()) for pair in pairs]
    assert whole.high_usd == sum(part.high_usd for part in parts)


def test_what_failed_is_asked_again_although_the_job_was_still_at_work(database):
    gate, gateway = Gate(), ScriptedGateway(fallback=reply)
    gateway.enqueue("one", ProviderError(ErrorClass.BAD_REQUEST, "It does not like that."))
    gateway.enqueue("two", gate, *answer("Late"))
    with stage(database, gateway) as (_made, runner):
        job = begin(database, prompts=PROMPTS[1:2])
        runner.start(job, user_id="ann")
        assert wait_until(lambda: counts_of_job(database, job.id) == {"failed": 1, "waiting": 1})
        runner.pause(job, user_id="ann")
        runner.start(job, user_id="ann", again="failed")
        gate.open()
        assert runner.wait(job.id, timeout_s=TIMEOUT_S).state == "done"
        assert counts_of_job(database, job.id) == {"done": 2}


def test_a_model_that_was_asked_too_often_is_asked_again_later(database):
    gateway = ScriptedGateway(fallback=reply)
    gateway.enqueue("one", ProviderError(ErrorClass.RATE_LIMIT, "Too many requests.", retry_after_s=900))
    with stage(database, gateway) as (made, _):
        runner = SetRunner(database, made.engine, rest_s=0.0)
        ended, _run = run_all(database, runner, begin(database, prompts=PROMPTS[1:2]))
        assert ended.state == "done"
        assert counts_of_job(database, ended.id) == {"done": 2}
