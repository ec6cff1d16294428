"""Stands in for core.providers.local_model_server: the same two pipes, no model, and made to misbehave.

`python fake_local_model.py FOLDER BEHAVIOUR...`: the first start shows the first behaviour, and so on; the last one
stays. Every start leaves a file in FOLDER, which is how it counts.

serve    reports its address, answers /health, ends when the parent does
sick     the same, but /health answers 503
ailing   /health answers 200 once and 503 ever after
die      ends with exit code 3 before it has reported anything
silent   never reports, and ignores everything but SIGKILL
garble   reports something that is not JSON
missing  reports a missing package
"""

from __future__ import annotations

import json
import signal
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from pathlib import Path


def main(folder: Path, behaviours: list[str]) -> None:
    started = len(list(folder.iterdir()))
    key = json.loads(sys.stdin.buffer.readline())["api_key"]
    (folder / f"start-{started}").write_text(key)
    behaviour = behaviours[min(started, len(behaviours) - 1)]
    print(f"start {started}: {behaviour}", file=sys.stderr, flush=True)  # noqa: T201 - into the log
    match behaviour:
        case "die":
            sys.exit(3)
        case "silent":
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            threading.Event().wait()
        case "garble":
            report("llama.cpp says hello")
        case "missing":
            report(json.dumps({"missing": "xllamacpp"}))
        case "serve":
            serve(repeat(200))
        case "sick":
            serve(repeat(503))
        case "ailing":
            serve(chain([200], repeat(503)))


def serve(answers: Iterator[int]) -> None:
    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(next(answers))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    report(json.dumps({"address": f"http://127.0.0.1:{server.server_port}"}))
    sys.stdin.buffer.read()


def report(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
