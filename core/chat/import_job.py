"""An import that runs beside the pages: on a thread of its own, one per person, with its progress to look at."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Literal, cast

from core.chat.exchange import Parcel
from core.chat.import_files import FileImport
from core.chat.import_sources import is_conversation, read_entry
from core.chat.import_stream import Entry, read_entries
from core.chat.import_upload import LIMIT_BYTES, Counted, Upload, json_files
from core.chat.import_write import Written, write_parcels
from core.chat.search import index_changed
from core.clock import Clock, utc_now
from core.errors import DamagedEntry, ImportRefused, SwitchboardError
from core.store.database import Database
from core.store.files import FileStore

log = logging.getLogger(__name__)

# So many messages are stored in one transaction: short enough that nobody waits for it, long enough to be quick.
_BATCH_MESSAGES = 400
_SHOWN_PROBLEMS = 200
# Between two entries, so that a page that is being drawn gets the interpreter at once.
_PAUSE_S = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import is. `share` runs from 0 to 1; `files` counts attached ones.

    `problems` are sentences, at most 200, `damaged` counts them all. `refused` says why a file could not be read at
    all. `skipped` counts conversations that the export holds as deleted.
    """

    state: Literal["running", "done", "stopped"]
    share: float = 0.0
    written: Written = field(default_factory=Written)
    files: int = 0
    damaged: int = 0
    skipped: int = 0
    problems: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()


class ImportJobs:
    """The imports of this process, at most one running per person."""

    def __init__(self, database: Database, files: FileStore, *, clock: Clock = utc_now) -> None:
        """`files`: where attached files go."""
        self._database = database
        self._files = files
        self._clock = clock
        self._jobs: dict[str, tuple[_Import, threading.Thread]] = {}
        self._lock = threading.Lock()

    def start(self, uploads: Sequence[Upload], *, user_id: str) -> None:
        """Begin to import for a person. Raises ImportRefused while another import of theirs runs."""
        with self._lock:
            running = self._jobs.get(user_id)
            if running and running[1].is_alive():
                raise ImportRefused("An import of yours is still running.", next_step="Wait for its end.")
            job = _Import(self._database, self._files, tuple(uploads), user_id=user_id, clock=self._clock)
            thread = threading.Thread(target=job.run, name="import", daemon=True)
            self._jobs[user_id] = (job, thread)
            thread.start()

    def progress(self, user_id: str) -> ImportProgress | None:
        """How this person's last import stands; None when there was none."""
        with self._lock:
            found = self._jobs.get(user_id)
        return found[0].progress if found else None

    def forget(self, user_id: str) -> None:
        """Let go of what a finished import reported."""
        with self._lock:
            found = self._jobs.get(user_id)
            if found and not found[1].is_alive():
                del self._jobs[user_id]

    def wait(self, user_id: str, *, timeout_s: float) -> ImportProgress | None:
        """Wait for the end of this person's import."""
        with self._lock:
            found = self._jobs.get(user_id)
        if found:
            found[1].join(timeout_s)
        return self.progress(user_id)

    def close(self, *, grace_s: float = 5.0) -> None:
        """End every import after the batch it is storing; importing the file again goes on from there."""
        with self._lock:
            jobs = list(self._jobs.values())
        for job, _ in jobs:
            job.stopping.set()
        for _, thread in jobs:
            thread.join(grace_s)


class _Import:
    """One import. `progress` is replaced as a whole: a reader sees one moment, never half of two."""

    def __init__(
        self, database: Database, files: FileStore, uploads: tuple[Upload, ...], *, user_id: str, clock: Clock
    ) -> None:
        self.progress = ImportProgress(state="running")
        self.stopping = threading.Event()
        self._write: Callable[[Sequence[Parcel]], Written] = lambda parcels: write_parcels(
            database, parcels, user_id=user_id, clock=clock
        )
        self._index_some: Callable[[], int] = lambda: index_changed(database, user_id=user_id)
        self._attached = FileImport(database, files, user_id=user_id)
        self._uploads = uploads
        self._total = max(1, sum(len(upload.data) for upload in uploads))
        self._left = LIMIT_BYTES
        self._waiting: list[Parcel] = []

    def run(self) -> None:
        """Import every file; what one of them holds wrong is reported and stops nothing."""
        before = 0
        for upload in self._uploads:
            try:
                self._import(upload, before)
                self._store()
            except SwitchboardError as error:
                self._refuse(upload.name, str(error))
            except Exception:
                # A thread of its own: nobody else would hear of it, and the page would wait for ever.
                log.exception("an import failed")
                self._refuse(upload.name, "Something went wrong. What was imported before stays; the log says why.")
            before += len(upload.data)
            self._waiting.clear()
        self._uploads = ()
        self._index()
        self._show(state="stopped" if self.stopping.is_set() else "done", share=1.0)

    def _import(self, upload: Upload, before: int) -> None:
        for name, source, read_bytes in json_files(upload):
            counted = Counted(source, limit=self._left)
            for entry in read_entries(cast("BinaryIO", counted), recognised=is_conversation):
                if self.stopping.wait(_PAUSE_S):
                    return
                if entry.section == "attachments":
                    self._attach(name, entry)
                else:
                    self._take(name, entry)
                if sum(len(parcel.messages) for parcel in self._waiting) >= _BATCH_MESSAGES:
                    self._store()
                self._show(share=min(1.0, (before + read_bytes()) / self._total))
            self._left -= counted.taken

    def _index(self) -> None:
        """Let the search take in what came, so that the next search does not wait for it."""
        try:
            while not self.stopping.is_set() and self._index_some():
                pass
        except Exception:
            # Everything is imported: the search makes up for it.
            log.exception("what was imported could not be indexed")

    def _take(self, name: str, entry: Entry) -> None:
        try:
            parcel = read_entry(entry.value)
        except DamagedEntry as error:
            self._report(name, entry, error.user_message)
            return
        except Exception:
            # Whatever one entry holds, it must not cost the others.
            log.exception("an entry of an import could not be read")
            self._report(name, entry, "it could not be read; the log says why")
            return
        if parcel.lost:
            count = "1 message" if parcel.lost == 1 else f"{parcel.lost} messages"
            self._report(name, entry, f"{count} could not be read; the rest of it is imported")
        if parcel.deleted:
            self._show(skipped=self.progress.skipped + 1)
        else:
            self._waiting.append(parcel)

    def _attach(self, name: str, entry: Entry) -> None:
        # Files come after the conversations: their messages have to be there.
        self._store()
        try:
            if self._attached.take(entry.value):
                self._show(files=self.progress.files + 1)
        except DamagedEntry as error:
            self._report(name, entry, error.user_message)

    def _store(self) -> None:
        waiting, self._waiting = self._waiting, []
        try:
            written = self._write(waiting)
        except SwitchboardError:
            raise
        except Exception:
            if len(waiting) == 1:
                raise
            log.exception("conversations of an import are stored one by one")
            self._store_each(waiting)
            return
        self._show(written=self.progress.written + written)

    def _store_each(self, parcels: Sequence[Parcel]) -> None:
        for parcel in parcels:
            try:
                written = self._write([parcel])
            except Exception:
                log.exception("a conversation of an import could not be stored")
                self._refuse(parcel.title, "This conversation could not be stored; the log says why.")
            else:
                self._show(written=self.progress.written + written)

    def _report(self, name: str, entry: Entry, problem: str) -> None:
        shown = entry.value if isinstance(entry.value, dict) else {}
        title = shown.get("name" if entry.section == "attachments" else "title")
        named = f" “{title[:60]}”" if isinstance(title, str) and title else ""
        what = "attached file" if entry.section == "attachments" else "entry"
        problems = (*self.progress.problems, f"{name}, {what} {entry.number}{named}: {problem}.")
        self._show(damaged=self.progress.damaged + 1, problems=problems[:_SHOWN_PROBLEMS])

    def _refuse(self, name: str, sentence: str) -> None:
        self._show(refused=(*self.progress.refused, f"{name}: {sentence}"))

    def _show(self, **changes: Any) -> None:
        self.progress = replace(self.progress, **changes)
