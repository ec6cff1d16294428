"""Callbacks that another click cannot leave half done.

Streamlit ends a script where it uses the session state while another click waits or the connection has gone, and a
callback is no exception: the rest of it is dropped. A message would be stored but its conversation not opened, or lost
between the composer and the store. While a callback that is `unbroken` runs, Streamlit is told that nothing waits; the
other click has its turn afterwards. Where Streamlit interrupts all the same, it starts again, without doing again what
it did `once`.

That one click waits for the other takes `runner.fastReruns = false`. Else each click has a script of its own at once,
and two of them change one session state, and the store, at the same time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from streamlit.runtime.scriptrunner import RerunException, get_script_run_ctx

P = ParamSpec("P")
T = TypeVar("T")

# What the callback that runs now has done once, by name; None outside of one.
_done: ContextVar[dict[str, Any] | None] = ContextVar("done", default=None)
# What Streamlit asks at each use of the session state.
_ASKED = "on_scriptrunner_yield"


def unbroken(callback: Callable[P, T]) -> Callable[P, T]:
    """A callback that comes to its end whatever else is clicked. Within another one it is a part of that."""

    @wraps(callback)
    def run(*arguments: P.args, **options: P.kwargs) -> T:
        if _done.get() is not None:
            return callback(*arguments, **options)
        token, waiting = _done.set({}), None
        try:
            with _others_wait():
                while True:
                    try:
                        result = callback(*arguments, **options)
                        break
                    except RerunException as click:
                        waiting = click
        finally:
            _done.reset(token)
        if waiting is not None:
            raise waiting
        return result

    return run


def once(name: str, work: Callable[[], T]) -> T:
    """The result of `work`, done one time only however often the callback around it starts again."""
    done = _done.get()
    if done is None:
        return work()
    if name not in done:
        done[name] = work()
    return cast(T, done[name])


@contextmanager
def _others_wait() -> Iterator[None]:
    context = get_script_run_ctx(suppress_warning=True)
    if context is None or context.script_requests is None:
        yield
        return
    requests = vars(context.script_requests)
    requests[_ASKED] = lambda: None
    try:
        yield
    finally:
        del requests[_ASKED]
