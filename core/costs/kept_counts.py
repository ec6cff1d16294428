"""Token counts that are kept: a text is counted once, however often a history that holds it is measured."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from hashlib import blake2b

from core.costs.token_count import estimate_tokens

# A page that opens a long conversation for the first time counts so much at once (some 10 ms) and the rest later.
COUNTED_AT_ONCE_BYTES = 32_000
# Bytes and not characters: Chinese text has three bytes a character and about one token.
_BYTES_PER_TOKEN = 4
_DIGEST_BYTES = 16


class KeptCounts:
    """Counts by content, the least recently asked for forgotten first. Safe to use from any thread."""

    def __init__(self, *, count: Callable[[str], int] = estimate_tokens, most: int = 200_000) -> None:
        self._count, self._most = count, most
        self._kept: dict[bytes, int] = {}
        self._waiting: deque[str] = deque()
        self._lock = threading.Lock()
        self._counter: threading.Thread | None = None

    def exactly(self, text: str) -> int:
        """About how many tokens `text` is, by our own count."""
        key = _key(text)
        with self._lock:
            found = self._kept.pop(key, None)
            if found is not None:
                self._kept[key] = found
        return self._keep(key, self._count(text)) if found is None else found

    def quickly(self, texts: Iterable[str]) -> list[int]:
        """The counts of these texts without a wait that anybody notices.

        Of what was never counted, the first 32 kB are counted now; for the rest stand their bytes over four, until a
        thread in the background has counted them.
        """
        counts, left = [], COUNTED_AT_ONCE_BYTES
        for text in texts:
            with self._lock:
                found = self._kept.get(_key(text))
            if found is None:
                size = len(text.encode("utf-8", "replace"))
                left -= size
                found = self.exactly(text) if left >= 0 else self._later(text, size)
            counts.append(found)
        return counts

    def wait(self, timeout_s: float | None = None) -> None:
        """Wait until nothing is being counted in the background."""
        counter = self._counter
        if counter is not None:
            counter.join(timeout_s)

    def _later(self, text: str, size: int) -> int:
        with self._lock:
            self._waiting.append(text)
            if self._counter is None or not self._counter.is_alive():
                self._counter = threading.Thread(target=self._work, name="token-counts", daemon=True)
                self._counter.start()
        return max(1, size // _BYTES_PER_TOKEN)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._counter = None
                    return
                text = self._waiting.popleft()
            self.exactly(text)

    def _keep(self, key: bytes, tokens: int) -> int:
        with self._lock:
            self._kept[key] = tokens
            while len(self._kept) > self._most:
                del self._kept[next(iter(self._kept))]
        return tokens


# One per process: what a text counts does not depend on whose it is, and only digests are kept.
KEPT_COUNTS = KeptCounts()


def _key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "replace"), digest_size=_DIGEST_BYTES).digest()
