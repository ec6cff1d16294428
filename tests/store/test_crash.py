"""A process that is killed in the middle of a turn, and the next one that finds what it left."""

from __future__ import annotations

import subprocess
import sys
from decimal import Decimal

from core.chat.recovery import recover_turns
from core.chat.store import load_conversation, load_messages
from core.store.database import Database
from core.store.migrate import migrate
from tests.support.live_server import ROOT
from tests.support.turns import model

# The first try fails and is paid, the second one says half a word; then the process kills itself.
_VICTIM = """
import os, signal, sys
from core.errors import ErrorClass, ProviderError
from core.providers.events import TextDelta, Usage
from core.providers.scripted import Gate
from tests.support.turns import model, open_store, rig, wait_until

database = open_store(sys.argv[1])
with rig(database, model(), checkpoint_s=0.01) as made:
    made.gateway.enqueue("gpt", Usage(input_tokens=1000, output_tokens=0), ProviderError(ErrorClass.SERVER, "Down."))
    made.gateway.enqueue("gpt", TextDelta("Half"), Gate())
    made.ask("Hi")
    assert wait_until(lambda: made.rows("turns")[0]["partial_text"] == "Half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_after_a_kill_every_attempt_is_in_the_ledger_and_the_text_in_the_conversation(store_url):
    killed = subprocess.run(
        [sys.executable, "-c", _VICTIM, store_url], cwd=ROOT, capture_output=True, check=False, timeout=60
    )
    assert killed.returncode == -9, killed.stderr.decode()

    database = Database(store_url)
    migrate(database)
    assert recover_turns(database, find_model={"gpt": model()}.get) == 1

    [turn] = database.fetch_all("select * from turns")
    conversation = load_conversation(database, conversation_id=turn["conversation_id"], user_id="ann")
    answer = load_messages(database, conversation=conversation)[-1]
    failed, interrupted = database.fetch_all("select * from attempts order by id")
    database.close()
    assert (answer.content, answer.status) == ("Half", "interrupted")
    assert (failed["status"], failed["cost_usd"], failed["error_message"]) == ("server", Decimal("0.003"), "Down.")
    assert (interrupted["status"], interrupted["parent_id"]) == ("interrupted", failed["id"])
    assert interrupted["first_token_at"] >= interrupted["started_at"] >= failed["ended_at"]
    assert answer.figures.cost_usd == failed["cost_usd"] + interrupted["cost_usd"]
    assert [tried.status for tried in answer.receipt.tries] == ["server", "interrupted"]
