"""Blind rounds on the real engine: hidden until the vote, counted afterwards, shown where nobody can vote."""

from __future__ import annotations

import random
from types import SimpleNamespace

import pytest

from api.usage import explored, read_question
from core.accounts.tokens import NewToken, create_token, find_bearer
from core.arena.asking import Words
from core.arena.blind import (
    answers_of,
    begin_round,
    hidden_conversations,
    load_round,
    open_round,
    reveal,
    vote,
    vote_of,
)
from core.arena.blind_use_cases import blind_use_cases, candidates, set_blind_use_cases
from core.arena.boards import Boards
from core.arena.comparison import list_comparisons, load_comparison, set_use_case
from core.arena.weak_evidence import weak_evidence
from core.chat.feedback import Rating, rate
from core.clock import utc_now
from core.errors import ErrorClass, NotFound, ProviderError, SwitchboardError, TurnRefused
from core.providers.scripted import answer
from tests.store.test_comparisons import MODELS, settle, stage
from tests.support.people import add_person
from tests.support.turns import model

TWO = {name: MODELS[name] for name in ("one", "two")}


def play(database, made, arena, *, text="Why?", models=TWO, user_id="ann"):
    """A round whose answers have ended."""
    round_id = begin_round(
        arena,
        database,
        user_id=user_id,
        words=Words(text=text),
        use_case="coding",
        models=models,
        rng=random.Random(1),
    )
    found = load_round(database, comparison_id=round_id, user_id=user_id)
    settle(made, found.comparison)
    return found


def test_a_round_is_in_no_list_before_the_vote_and_a_comparison_afterwards(database):
    with stage(database) as (made, arena):
        for name in TWO:
            made.gateway.enqueue(name, *answer(f"Fine, says somebody about {len(name)}"))
        found = play(database, made, arena)

        assert open_round(database, user_id="ann") == found.comparison.id
        assert set(hidden_conversations(database, user_id="ann")) == {side.id for side in found.sides}
        assert hidden_conversations(database, user_id="bob") == ()
        assert list_comparisons(database, user_id="ann", limit=10) == []
        with pytest.raises(NotFound):
            load_comparison(database, comparison_id=found.comparison.id, user_id="ann")

        cast = vote(database, found, "left", find_model=MODELS.get, reason="clearer")
        assert (cast.outcome, cast.reason, cast.void) == ("left", "clearer", None)
        assert open_round(database, user_id="ann") is None
        assert hidden_conversations(database, user_id="ann") == ()
        assert [one.id for one in list_comparisons(database, user_id="ann", limit=10)] == [found.comparison.id]
        after = load_round(database, comparison_id=found.comparison.id, user_id="ann")
        assert after.revealed
        assert vote_of(database, after, find_model=MODELS.get) == cast
        board = Boards(database).board("coding")
        assert (board.votes, set(board.too_few)) == (1, {"one", "two"})


def test_usage_for_scripts_names_the_models_only_after_the_vote(database):
    ann = add_person(database, "ann")
    text, _ = create_token(database, ann, NewToken(name="nightly", scopes=["usage"]), actor_id=ann.id)
    bearer, services = find_bearer(database, text), SimpleNamespace(database=database, ledger=database)
    with stage(database) as (made, arena):
        for name in TWO:
            made.gateway.enqueue(name, *answer("Fine"))
        found = play(database, made, arena, user_id=ann.id)

        before, _ = explored(services, bearer, read_question({"by": ["model"]}))
        assert (before.rows, before.totals.calls) == ([], 0)

        vote(database, found, "tie", find_model=MODELS.get)
        after, _ = explored(services, bearer, read_question({"by": ["model"]}))
        assert {cell.first for cell in after.rows} == set(TWO)


def test_whoever_has_seen_the_names_votes_no_more(database):
    with stage(database) as (made, arena):
        for name in TWO:
            made.gateway.enqueue(name, *answer("Fine"))
        found = play(database, made, arena)

        reveal(database, found)
        seen = load_round(database, comparison_id=found.comparison.id, user_id="ann")
        with pytest.raises(SwitchboardError, match="names of these two have been shown"):
            vote(database, seen, "left", find_model=MODELS.get)
        assert Boards(database).board().votes == 0


def test_the_same_prompt_never_brings_the_same_two_again_to_the_same_person(database):
    with stage(database) as (made, arena):
        for name in ("one", "two", "three"):
            for _ in range(8):
                made.gateway.enqueue(name, *answer("Fine"))
        pairs = set()
        for text in ("Why?", " Why?\n", "Why?"):
            found = play(database, made, arena, text=text, models=MODELS)
            pairs.add(frozenset(side.model_id for side in found.sides))
            if len(pairs) < 3:
                vote(database, found, "left", find_model=MODELS.get)
        assert len(pairs) == 3
        # The third is open: in another tab, too, there is nothing left with this prompt.
        with pytest.raises(SwitchboardError, match="each two models once"):
            play(database, made, arena, models=MODELS)
        play(database, made, arena, text="Why not?", models=MODELS)
        play(database, made, arena, user_id="bob", models=MODELS)

        # Whoever has seen the names without a vote has said nothing of them.
        reveal(database, found)
        assert {side.model_id for side in play(database, made, arena, models=MODELS).sides} in pairs


def test_a_round_is_its_owners_alone(database):
    with stage(database) as (made, arena):
        for name in TWO:
            made.gateway.enqueue(name, *answer("Fine"))
        found = play(database, made, arena)

        with pytest.raises(NotFound):
            load_round(database, comparison_id=found.comparison.id, user_id="bob")
        assert open_round(database, user_id="bob") is None


def test_after_a_failure_there_is_nothing_to_vote_on_and_the_names_can_be_shown(database):
    with stage(database) as (made, arena):
        made.gateway.enqueue("one", ProviderError(ErrorClass.AUTHENTICATION, "The key is wrong."))
        made.gateway.enqueue("two", *answer("Fine"))
        found = play(database, made, arena)

        with pytest.raises(SwitchboardError, match="nothing to vote on"):
            vote(database, found, "left", find_model=MODELS.get)
        reveal(database, found)
        assert open_round(database, user_id="ann") is None
        assert Boards(database).board().votes == 0
        assert sorted(one.status for one in answers_of(database, found)) == ["complete", "failed"]


def test_a_refused_prompt_leaves_no_round(database):
    with stage(database) as (made, arena):
        with pytest.raises(TurnRefused, match="empty"):
            play(database, made, arena, text=" ")
        with pytest.raises(SwitchboardError, match="takes two models"):
            play(database, made, arena, models={"one": MODELS["one"]})

        assert open_round(database, user_id="ann") is None
        assert database.fetch_all("select * from blind_rounds") == []


def test_blind_votes_are_off_until_switched_on_and_kept_in_order(database):
    assert blind_use_cases(database) == ()
    set_blind_use_cases(database, ["writing", "coding"], actor_id="ann")
    assert blind_use_cases(database) == ("writing", "coding")
    set_blind_use_cases(database, [], actor_id="ann")
    assert blind_use_cases(database) == ()


def test_models_that_suit_come_first_and_all_of_them_where_too_few_do():
    models = {
        "a": model("a", use_cases=("coding",)),
        "b": model("b", use_cases=("coding", "writing")),
        "c": model("c"),
    }

    assert list(candidates(models, "coding")) == ["a", "b"]
    assert list(candidates(models, "writing")) == ["a", "b", "c"]


def test_thumbs_are_counted_apart(database):
    since = utc_now()
    with stage(database) as (made, arena):
        for name in TWO:
            made.gateway.enqueue(name, *answer("Fine"))
        found = play(database, made, arena)
        left = answers_of(database, found)[0]
        rate(database, message_id=left.id, user_id="ann", rating=Rating(rating=1))

        (one,) = weak_evidence(database, since=since)
        assert (one.model_id, one.thumbs_up, one.signs, one.share) == (left.served_model, 1, 1, 1.0)
        assert Boards(database).board().votes == 0
        assert weak_evidence(database, since=since, use_case="writing") == []
        # A correction of what the comparison is for counts for what was said before it.
        set_use_case(database, comparison_id=found.comparison.id, user_id="ann", use_case="writing")
        assert weak_evidence(database, since=since, use_case="writing") == [one]
