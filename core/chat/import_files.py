"""Attached files of an imported export, back to their messages.

Only the bytes and the name are taken from the export: the rest is found out again, as for a file that somebody
attaches. What an export says of a hash would let a forged one reach another person's file.
"""

from __future__ import annotations

import base64
import binascii
from collections import Counter
from collections.abc import Mapping
from typing import Any

from core.chat.attachment_rows import from_json, to_json
from core.chat.attachments import keep_file
from core.chat.exchange import text_of
from core.chat.import_write import own_id, own_message_id
from core.errors import DamagedEntry, TurnRefused
from core.store.database import Cursor, Database
from core.store.files import FileStore
from core.store.sql import load_queries

_SQL = load_queries("exchange")


class FileImport:
    """The attached files of one import, in the order of the export."""

    def __init__(self, database: Database, files: FileStore, *, user_id: str) -> None:
        """`user_id`: whose import it is; files go to this person's messages only."""
        self._database = database
        self._files = files
        self._user_id = user_id
        self._seen: Counter[str] = Counter()

    def take(self, entry: object) -> bool:
        """Attach a file to its message; False when the message is not there, or has the file already.

        Raises DamagedEntry with the reason, in half a sentence, StoreError when the file cannot be written.
        """
        if not isinstance(entry, dict):
            raise DamagedEntry("it is not readable")
        found = self._find(entry)
        if found is None:
            return False
        message_id, held = found["id"], from_json(found["attachments"])
        # The files of a message come in their order: as many as it has are there from an import before.
        self._seen[message_id] += 1
        if self._seen[message_id] <= len(held):
            return False
        attached = self._keep(entry)

        def work(cur: Cursor) -> None:
            cur.execute(_SQL["set_attachments"], id=message_id, attachments=to_json([*held, attached]))

        self._database.transaction(work)
        return True

    def _find(self, entry: Mapping[str, Any]) -> dict[str, Any] | None:
        message_id = text_of(entry.get("message_id"))
        conversation_id = own_id("switchboard", text_of(entry.get("conversation_id")), user_id=self._user_id)
        renamed = own_message_id(conversation_id, message_id)
        return self._database.fetch_one(_SQL["find_question"], user_id=self._user_id, id=message_id, renamed=renamed)

    def _keep(self, entry: Mapping[str, Any]) -> Any:
        content = entry.get("content_base64")
        if not isinstance(content, str):
            raise DamagedEntry("its content was gone already when it was exported")
        try:
            return keep_file(
                self._files, name=text_of(entry.get("name")), data=base64.b64decode(content, validate=True)
            )
        except binascii.Error as error:
            raise DamagedEntry("its content is damaged") from error
        except TurnRefused as error:
            raise DamagedEntry(error.user_message.rstrip(".")) from error
