"""Callbacks that another click cannot leave half done.

Streamlit interrupts a script where it uses the session state while another click waits, and a callback is no exception:
the rest of it is dropped, then what was clicked runs. A message would be stored but its conversation not opened, or
lost between the composer and the store. A callback that is `unbroken` starts again where it is interrupted, without
doing again what it did `once`; the other click has its turn afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from streamlit.runtime.scriptrunner import RerunException

P = ParamSpec("P")
T = TypeVar("T")

# What the callback that runs now has done once, by name; None outside of one.
_done: ContextVar[dict[str, Any] | None] = ContextVar("done", default=None)


def unbroken(callback: Callable[P, T]) -> Callable[P, T]:
    """A callback that starts again when another click interrupts it. Within another one it is a part of that."""

    @wraps(callback)
    def run(*arguments: P.args, **options: P.kwargs) -> T:
        if _done.get() is not None:
            return callback(*arguments, **options)
        token, waiting = _done.set({}), None
        try:
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
