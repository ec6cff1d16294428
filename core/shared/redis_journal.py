"""The journal of several replicas: a stream in Redis.

One script appends and says what was missed, so that agreeing takes one round trip: it refuses to append while there is
something the caller has not seen, and the caller decides again with it. Redis may lose everything at any time; the
store does not. While Redis is away each replica goes on with what it knows; it says so in the log once, in
`available`, and reads the ledger again when Redis is back (`on_return`).
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from queue import Empty, SimpleQueue
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.errors import SettingsError
from core.shared.journal import Event, Hear

log = logging.getLogger(__name__)

_STREAM = "switchboard:journal"
# Long enough for the longest window that is counted, a minute, and for clocks that differ a little.
_KEPT_MS = 150_000
# A Redis that does not answer within this is away: no call waits for it longer, and only one does.
_ANSWERS_WITHIN_S = 0.5
_AGAIN_EVERY_S = 1.0
_BLOCK_MS = 200
_MOST_TRIES = 64
_MOST_AT_ONCE = 200

# KEYS: the stream. ARGV: the last id seen; "1" to append only if nothing was missed; the oldest time kept; the events.
# Returns whether they were appended, the last id, and the entries that were missed.
_APPEND = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local last_id = last[1] and last[1][1] or '0-0'
local missed = {}
if last_id ~= ARGV[1] then missed = redis.call('XRANGE', KEYS[1], '(' .. ARGV[1], '+') end
if ARGV[2] == '1' and #missed > 0 then return {0, last_id, missed} end
for i = 4, #ARGV do
  last_id = redis.call('XADD', KEYS[1], 'MINID', '~', ARGV[3], '*', 'e', ARGV[i])
end
return {1, last_id, missed}
"""

Entry = tuple[bytes, Sequence[bytes]]


class RedisJournal:
    """The journal of one replica. Safe to use from any thread; `start` it when everybody listens."""

    def __init__(self, url: str, *, replica_id: str) -> None:
        self.replica_id = replica_id
        self._redis = _client(url, answers_within_s=_ANSWERS_WITHIN_S)
        # The listener waits for entries on purpose.
        self._listening = _client(url, answers_within_s=_ANSWERS_WITHIN_S + _BLOCK_MS / 1000)
        self._append = self._redis.register_script(_APPEND)
        self._hears: defaultdict[str, list[Hear]] = defaultdict(list)
        self._to_tell: SimpleQueue[Event | Callable[[], Event] | None] = SimpleQueue()
        # Whoever holds it sees and changes what follows: what was seen last, and whether Redis answers.
        self._lock = threading.RLock()
        self._seen = "0-0"
        self._available = False
        self._said_away = False
        self._closing = threading.Event()
        self._on_return: list[Callable[[], None]] = []
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in ((self._listen, "redis-listen"), (self._speak, "redis-speak"))
        ]

    @property
    def available(self) -> bool:
        """Whether Redis answered when it was last asked."""
        return self._available

    def on(self, kind: str, hear: Hear) -> None:
        """Let `hear` take in events of a kind from others. Before `start`."""
        self._hears[kind].append(hear)

    def on_return(self, work: Callable[[], None]) -> None:
        """Run `work` each time Redis answers again, the first time too: to tell how things stand here."""
        self._on_return.append(work)

    def start(self) -> None:
        """Connect, take in what was told lately, and begin to listen.

        Raises SettingsError when Redis refuses this program (password, database). One that is away is waited for.
        """
        try:
            self._connect()
        except redis.AuthenticationError as error:
            raise _refused(str(error)) from error
        except redis.ConnectionError as error:
            self._lose(error)
        except redis.RedisError as error:
            raise _refused(str(error)) from error
        for thread in self._threads:
            thread.start()

    def tell(self, event: Event) -> None:
        """Tell the others soon; while Redis is away it is dropped, and `on_return` makes up for it."""
        if self._available:
            self._to_tell.put(event)

    def tell_now(self, state: Callable[[], Event]) -> None:
        """Tell the others soon how things stand at that moment."""
        if self._available:
            self._to_tell.put(state)

    def agree(self, decide: Callable[[], Event], apply: Callable[[], None]) -> None:
        """Decide with all that the others have told, and let them know before anybody else decides."""
        with self._lock:
            for tries in range(_MOST_TRIES):
                event = decide()
                # After so many others the money is not there or the traffic is beyond counting: told is enough.
                if self._send([event], only_if_seen=tries < _MOST_TRIES - 1):
                    break
            apply()

    def close(self) -> None:
        """Tell what is left to tell and disconnect. Calling it again does nothing."""
        if self._closing.is_set():
            return
        self._closing.set()
        self._to_tell.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(2 * _ANSWERS_WITHIN_S + _BLOCK_MS / 1000)
        self._redis.close()
        self._listening.close()

    def _send(self, events: Sequence[Event], *, only_if_seen: bool = False) -> bool:
        """Append events and take in what was missed; False when that has to be looked at first.

        True as well when Redis is away: everybody then goes on alone.
        """
        if not self._available:
            return True
        oldest = int(time.time() * 1000) - _KEPT_MS
        texts = [json.dumps({**event, "by": self.replica_id}, separators=(",", ":")) for event in events]
        try:
            appended, last, missed = self._append(
                keys=[_STREAM], args=[self._seen, "1" if only_if_seen else "0", oldest, *texts]
            )
        except redis.RedisError as error:
            self._lose(error)
            return True
        self._take(missed, last=last.decode())
        return bool(appended)

    def _take(self, entries: Sequence[Entry], *, last: str | None = None) -> None:
        """Take in entries that were not seen yet; `last` is the newest id there is."""
        for raw_id, fields in entries:
            entry_id = raw_id.decode()
            if _order(entry_id) > _order(self._seen):
                self._seen = entry_id
                self._hear(fields[1])
        # Without its data Redis begins again, and its clock may have been set back: its word counts.
        self._seen = last or self._seen

    def _hear(self, text: bytes) -> None:
        try:
            event = json.loads(text)
            if event["by"] == self.replica_id:
                return
            for hear in self._hears.get(event["kind"], ()):
                hear(event, event["by"])
        except Exception:
            # One event that a version cannot read must not keep it from hearing the others.
            log.exception("what another replica told was not understood")

    def _connect(self) -> None:
        with self._lock:
            entries: Any = self._redis.xrange(_STREAM, f"({self._seen}")
            self._available = True
            self._take(_entries(entries))
            if self._said_away:
                log.warning("Redis answers again: circuits, budgets and limits are shared")
            self._said_away = False
        for work in self._on_return:
            work()

    def _lose(self, error: Exception) -> None:
        self._available = False
        if not self._said_away and not self._closing.is_set():
            log.warning(
                "Redis does not answer (%s): this replica goes on with its own circuits, budgets and limits",
                type(error).__name__,
            )
        self._said_away = True

    def _listen(self) -> None:
        """Hear the others at once; while Redis is away, look for it again and again."""
        while not self._closing.is_set():
            try:
                if not self._available:
                    self._connect()
                self._wait_for_entries()
            except redis.RedisError as error:
                with self._lock:
                    self._lose(error)
                self._closing.wait(_AGAIN_EVERY_S)
            except Exception:
                log.exception("listening to the other replicas failed; trying again")
                self._closing.wait(_AGAIN_EVERY_S)

    def _wait_for_entries(self) -> None:
        found: Any = self._listening.xread({_STREAM: self._seen}, count=_MOST_AT_ONCE, block=_BLOCK_MS)
        with self._lock:
            for _, entries in found or ():
                self._take(_entries(entries))

    def _speak(self) -> None:
        while not self._closing.is_set() or not self._to_tell.empty():
            events = self._next_to_tell()
            if events:
                # Whoever agrees holds the lock until it has happened here as well.
                with self._lock:
                    self._send([event() if callable(event) else event for event in events])

    def _next_to_tell(self) -> list[Event | Callable[[], Event]]:
        events = [self._to_tell.get()]
        while len(events) < _MOST_AT_ONCE:
            try:
                events.append(self._to_tell.get_nowait())
            except Empty:
                break
        return [event for event in events if event is not None]


def answers(url: str) -> bool:
    """Whether Redis answers now. Raises SettingsError when it refuses this program."""
    client = _client(url, answers_within_s=_ANSWERS_WITHIN_S)
    try:
        return bool(client.ping())
    except redis.AuthenticationError as error:
        raise _refused(str(error)) from error
    except redis.ConnectionError:
        return False
    except redis.RedisError as error:
        raise _refused(str(error)) from error
    finally:
        client.close()


def _client(url: str, *, answers_within_s: float) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_connect_timeout=_ANSWERS_WITHIN_S,
        socket_timeout=answers_within_s,
        # Never twice: an answer that did not come says nothing about whether the event is in the stream.
        retry=Retry(NoBackoff(), 0),
        client_name="switchboard",
    )


def _entries(found: Sequence[tuple[bytes, Mapping[bytes, bytes]]]) -> list[Entry]:
    """Entries as the script returns them."""
    return [(entry_id, (b"e", fields[b"e"])) for entry_id, fields in found]


def _order(entry_id: str) -> tuple[int, int]:
    milliseconds, _, number = entry_id.partition("-")
    return int(milliseconds), int(number or 0)


def _refused(detail: str) -> SettingsError:
    return SettingsError(
        "SWITCHBOARD_REDIS is wrong: Redis refuses this program.",
        next_step="Check the password and the number of the database in the URL.",
        detail=detail,
    )
