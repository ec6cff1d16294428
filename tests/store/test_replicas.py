"""Two replicas on one store: each sees, follows and stops the other's turns, and ends those of one that died."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial

import pytest

from core.arena.prompt_sets import Prompt, load_set, make_set
from core.arena.set_runner import SetRunner
from core.arena.set_runs import begin_run, counts_of_job
from core.chat.elsewhere import TurnsElsewhere
from core.chat.kept_tries import from_json
from core.chat.recovery import recover_turns
from core.chat.script_call import ScriptCall
from core.chat.takeover import Watch, take_over
from core.errors import ErrorClass, ProviderError, SettingsError, TurnRefused
from core.providers.events import Finished, Started, TextDelta
from core.providers.gateway import ChatMessage
from core.providers.scripted import Gate, ScriptedGateway, answer
from core.replicas.jobs import JobOwners
from core.replicas.membership import Marks, Membership
from core.store.database import Database
from tests.support.turns import TIMEOUT_S, Rig, finish, model, read_to_end, rig, text_of, wait_until

MARKS = Marks(secret="one key", files="one folder")
SILENT_LOOKS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Replica:
    rig: Rig
    members: Membership
    elsewhere: TurnsElsewhere
    watch: Watch
    settled: dict[str, object] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


@contextmanager
def replica(database: Database, name: str, *, close: bool = True) -> Iterator[Replica]:
    members = Membership(database, name=name, marks=MARKS)
    members.join()
    models = {"gpt": model()}
    stops: list[str] = []
    elsewhere = TurnsElsewhere(database, owner=members.id, find_model=models.get, stop_here=stops.append)
    with rig(database, elsewhere=elsewhere, checkpoint_s=0.01, close=close) as made:
        elsewhere._stop_here = made.engine.stop_by_id
        settled: dict[str, object] = {}
        gone: list[str] = []
        recover = partial(
            recover_turns,
            database,
            find_model=models.get,
            settled=settled.__setitem__,
            take_over=partial(take_over, database, members),
        )
        watch = Watch(members=members, elsewhere=elsewhere, recover=recover, gone=gone.extend)
        yield Replica(rig=made, members=members, elsewhere=elsewhere, watch=watch, settled=settled, gone=gone)


@pytest.fixture(name="pair")
def _pair(database) -> Iterator[tuple[Replica, Replica]]:
    with ExitStack() as stack:
        yield stack.enter_context(replica(database, "one")), stack.enter_context(replica(database, "two"))


def begin(one: Replica):
    """A turn that has said "Hel" and waits at a gate, with that in its checkpoint."""
    gate = Gate()
    one.rig.gateway.enqueue("gpt", Started(), TextDelta("Hel"), gate, TextDelta("lo"), Finished("stop"))
    live = one.rig.ask("Say hello")
    assert wait_until(lambda: [row["partial_text"] for row in one.rig.rows("turns")] == ["Hel"])
    return live, gate


def test_a_turn_of_another_replica_is_followed_to_its_end(pair):
    one, two = pair
    live, gate = begin(one)
    conversation_id = live.ids.conversation
    assert two.rig.engine.find(conversation_id) is None

    two.watch.look()
    followed = two.rig.engine.find(conversation_id)
    assert followed is not None
    assert (followed.ids.turn, followed.ids.answer, followed.model.label) == (live.ids.turn, live.ids.answer, "GPT")
    assert two.rig.engine.running() == {conversation_id}
    gate.open()
    finish(live)
    two.watch.look()

    assert text_of(read_to_end(followed.buffer)) == "Hello"
    assert (followed.result.id, followed.result.content) == (live.ids.answer, "Hello")
    assert (two.rig.engine.find(conversation_id), two.rig.engine.running()) == (None, frozenset())
    assert database_rows(one, "turn_owners") == []


def test_a_second_turn_in_the_conversation_is_refused_on_every_replica(pair):
    one, two = pair
    live, gate = begin(one)

    with pytest.raises(TurnRefused, match="still being written"):
        two.rig.ask("And now?", conversation_id=live.ids.conversation)
    gate.open()


def test_stop_works_from_another_replica(pair):
    one, two = pair
    live, _gate = begin(one)
    two.watch.look()
    followed = two.rig.engine.find(live.ids.conversation)

    two.rig.engine.stop(followed)
    one.watch.look()

    assert (finish(live).status, live.result.content) == ("stopped", "Hel")
    two.watch.look()
    assert followed.result.status == "stopped"


def test_the_turn_of_a_replica_that_died_is_ended_once_by_the_others(database):
    with ExitStack() as stack:
        # Left without closing: like a process that was killed, it says and writes nothing any more.
        dead = stack.enter_context(replica(database, "dead", close=False))
        one, two = (stack.enter_context(replica(database, name)) for name in ("one", "two"))
        live, _gate = begin(dead)
        two.watch.look()
        followed = two.rig.engine.find(live.ids.conversation)
        for watch in (one.watch, two.watch) * SILENT_LOOKS:
            watch.beat()
            watch.look()

        *_, stored = one.rig.messages(live.ids.conversation)
        assert (stored.id, stored.content, stored.status) == (live.ids.answer, "Hel", "interrupted")
        assert [row["status"] for row in one.rig.rows("turns")] == ["interrupted"]
        assert len(one.rig.rows("attempts")) == 1
        assert [*one.settled, *two.settled] == [live.ids.turn]
        assert one.gone == two.gone == [dead.members.id]
        assert text_of(read_to_end(followed.buffer)) == "Hel"
        assert database_rows(one, "turn_owners") == []
        dead.rig.engine.close()


def test_what_a_replica_does_that_has_just_joined_is_left_to_it(pair, database):
    """The other one has not looked at who is alive since."""
    old, new = pair
    assert new.members.id not in old.members.alive
    live, gate = begin(new)
    assert JobOwners(database, new.members).claim("job")

    old.watch.look()
    gate.open()
    finish(live)

    assert (old.settled, JobOwners(database, old.members).claim("job")) == ({}, False)
    assert JobOwners(database, old.members).elsewhere("job")
    assert [row["status"] for row in new.rig.rows("attempts")] == ["ok"]
    assert live.result.status == "complete"


@pytest.mark.parametrize(("words", "output_tokens"), [((), 0), ((TextDelta("A long "), TextDelta("answer")), 3)])
def test_a_scripts_call_on_a_replica_that_died_is_priced_by_the_others(database, words, output_tokens):
    """Nothing that was said is stored: what had been consumed was counted while it ran."""
    with ExitStack() as stack:
        dead = stack.enter_context(replica(database, "dead", close=False))
        other = stack.enter_context(replica(database, "other"))
        dead.rig.gateway.enqueue("gpt", ProviderError(ErrorClass.SERVER, "Down."))
        dead.rig.gateway.enqueue("gpt", Started(), *words, Gate())
        call = ScriptCall(messages=[ChatMessage("user", "Tell me something long")])
        live = dead.rig.ask("", source="api", temporary=(), call=call)
        assert wait_until(lambda: counted(dead, output_tokens))
        for _ in range(SILENT_LOOKS):
            other.watch.beat()
            other.watch.look()

        failed, interrupted = other.rig.rows("attempts")
        assert (failed["status"], failed["cost_usd"]) == ("server", 0)
        assert (interrupted["status"], interrupted["source"]) == ("interrupted", "api")
        assert (interrupted["cost_code"], interrupted["output_tokens"]) == ("partial", output_tokens)
        assert interrupted["input_tokens"] > 0
        assert interrupted["cost_usd"] > 0
        assert [row["status"] for row in other.rig.rows("turns")] == ["interrupted"]
        assert (list(other.settled), database_rows(other, "turn_owners")) == ([live.ids.turn], [])
        dead.rig.engine.close()


def counted(one: Replica, output_tokens: int) -> bool:
    """Whether the checkpoint of the only turn has an attempt under way with so many tokens."""
    tries = from_json(one.rig.rows("turns")[0]["tries"])
    return bool(tries) and (tries[-1].status, tries[-1].usage.output_tokens) == ("interrupted", output_tokens)


def test_the_oldest_replica_leads_and_the_next_one_follows_it(database):
    with replica(database, "one") as one, replica(database, "two") as two:
        one.watch.beat()
        two.watch.beat()
        assert (one.members.leads, two.members.leads) == (True, False)

        one.members.leave()
        two.watch.beat()
        assert (two.members.leads, two.gone) == (True, [one.members.id])


def test_a_replica_that_stood_still_is_with_the_others_again(pair):
    one, two = pair
    for _ in range(SILENT_LOOKS):
        two.watch.beat()
    assert two.members.alive == {two.members.id}

    one.watch.beat()
    two.watch.beat()

    assert one.members.alive == two.members.alive == {one.members.id, two.members.id}


@pytest.mark.parametrize(
    ("marks", "variable"),
    [
        (Marks(secret="another", files="one folder"), "SWITCHBOARD_SESSION_SECRET"),
        (Marks(secret="one key", files="another"), "SWITCHBOARD_FILES"),
    ],
)
def test_a_replica_with_another_key_or_folder_is_refused(pair, database, marks, variable):
    with pytest.raises(SettingsError, match=variable):
        Membership(database, name="three", marks=marks).join()


def test_a_process_alone_writes_no_owner(database):
    with rig(database) as alone:
        alone.gateway.enqueue("gpt", *answer("Hello"))
        finish(alone.ask("Hi"))

        assert alone.rows("replicas") == []
        assert alone.database.fetch_all("select * from turn_owners") == []


def database_rows(one: Replica, table: str):
    return one.rig.database.fetch_all(f"select * from {table}")  # noqa: S608 - a name in a test


@dataclass(slots=True)
class Seen:
    """Who is alive, as one replica sees it."""

    id: str
    alive: frozenset[str]
    leads: bool = False


@pytest.mark.slow
def test_a_run_of_a_set_works_on_one_replica_hears_the_others_and_outlives_it(database):
    gate, models = Gate(), [model("one"), model("two")]
    gateway = ScriptedGateway(fallback=lambda _request: (gate, *answer("Fine")))
    both = frozenset({"a", "b"})
    here, there = Seen("a", both), Seen("b", both)
    set_id = make_set(database, user_id="ann", name="Ours", prompts=[Prompt("x", (f"{at}?",)) for at in range(4)])
    own = load_set(database, set_id=set_id, user_id="ann")
    with rig(database, *models, gateway=gateway) as one, rig(database, *models, gateway=gateway) as two:
        first, second = (SetRunner(database, made.engine, members=seen) for made, seen in ((one, here), (two, there)))
        job = begin_run(database, own, user_id="ann", models=models)
        first.start(job, user_id="ann")
        assert wait_until(lambda: len(gateway.history) == 4)

        second.resume_all()
        assert (second.wait(job.id, timeout_s=0).state, len(gateway.history)) == ("running", 4)
        assert second.working(job.id)
        second.pause(job, user_id="ann")
        assert wait_until(lambda: first._working[job.id][0]._ending == "paused")
        gate.open()
        assert first.wait(job.id, timeout_s=TIMEOUT_S).state == "paused"
        assert len(gateway.history) == 4

        # Told to go on where nobody works on it, and then its replica goes.
        first.start(job, user_id="ann")
        first.close()
        there.alive = frozenset({"b"})
        second.resume_all()
        assert second.wait(job.id, timeout_s=TIMEOUT_S).state == "done"
        assert counts_of_job(database, job.id) == {"done": 8}
        assert database.fetch_all("select * from job_owners") == []
        second.close()
