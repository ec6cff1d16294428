"""The gateway to real providers, through LiteLLM.

LiteLLM takes seconds and 170 MB to import, reads the network and the environment while it does unless told not to,
and prints. All of that is held in `load_litellm`; nothing imports it before the first call or the warm-up.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import sys
import threading
import warnings
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any

import httpx

from core.catalog.models import ModelSpec
from core.providers.endpoints import Endpoint
from core.providers.events import Event
from core.providers.gateway import CompletionRequest, HearHeaders, not_heard
from core.providers.images import ReadFile, nothing_kept, read_images
from core.providers.litellm_stream import answer_headers, read_events
from core.providers.prompt_cache import to_wire
from core.providers.wire import wire_tool
from core.providers.wire_calls import refuse_unreadable
from core.providers.wire_errors import error_headers, to_provider_error
from core.providers.wire_parameters import wire_parameters

# The engine watches for stalls (at most 3600 s by its setting); these only bound what it cannot see.
_CONNECT_S = 10.0
_READ_S = 3700.0

_DROPPED = r"coroutine '(OpenAIChatCompletion|BaseLLMHTTPHandler)\..* was never awaited"

_load_lock = threading.Lock()
_loaded: Any = None


def load_litellm() -> Any:
    """Import LiteLLM and quieten it; later calls return the same module. May be called from any thread, early.

    Touches no network: the price map that ships with it is used, tokenizers are not downloaded, telemetry is off.
    """
    global _loaded  # noqa: PLW0603 - a module is imported once per process, so is its configuration
    with _load_lock:
        if _loaded is None:
            os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
            os.environ.setdefault("LITELLM_MODE", "PRODUCTION")  # else it loads a .env from any parent folder
            _quieten()
            module = _import_without_collecting("litellm")
            _configure(module)
            # Cancelled while LiteLLM prepares a call in a thread, its coroutine is dropped; nothing was sent yet.
            warnings.filterwarnings("ignore", message=_DROPPED, category=RuntimeWarning)
            _loaded = module
        return _loaded


def _import_without_collecting(name: str) -> Any:
    # The import makes a million objects that stay: collecting in between costs a quarter of its time.
    collecting = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if collecting:
            gc.enable()


def _configure(litellm: Any) -> None:
    litellm.disable_hf_tokenizer_download = True
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.set_verbose = False
    litellm.callbacks = []
    litellm.success_callback = []
    litellm.failure_callback = []
    litellm.num_retries = 0
    litellm.drop_params = False
    litellm.modify_params = False
    # It takes 100 equal chunks for a model gone mad; they may as well be the rules of a table.
    litellm.REPEATED_STREAMING_CHUNK_LIMIT = sys.maxsize


def _quieten() -> None:
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).disabled = True
    for name in ("httpx", "openai"):  # they log addresses at INFO, and some providers take the key in the address
        logging.getLogger(name).setLevel(logging.WARNING)


class LiteLLMGateway:
    """Calls any model LiteLLM knows.

    `resolve` gives the address and key at the moment of the call, `read_file` the bytes of an attached image by their
    hash; it raises FileNotFoundError for what is not kept. `hear_headers` takes the model's id and the headers of every
    answer and refusal.
    """

    def __init__(
        self,
        *,
        resolve: Callable[[ModelSpec], Awaitable[Endpoint]],
        read_file: ReadFile = nothing_kept,
        hear_headers: HearHeaders = not_heard,
    ) -> None:
        self._resolve = resolve
        self._read_file = read_file
        self._hear_headers = hear_headers

    async def stream(self, request: CompletionRequest) -> AsyncGenerator[Event, None]:
        """Yield the events of one completion, `Usage` and `Finished` last.

        Close the iterator (`contextlib.aclosing`) or cancel the task to close the upstream connection. A stream that
        ends without `Finished` was cut. Raises ProviderError and nothing else.
        """
        endpoint = None
        try:
            endpoint = await self._resolve(request.model)
            litellm = _loaded or await asyncio.to_thread(load_litellm)
            images = await read_images(request, self._read_file)
            response = await litellm.acompletion(**_arguments(litellm, request, endpoint, images))
            self._hear_headers(request.model.id, answer_headers(response))
            async with aclosing(read_events(response, streams_calls=request.streams_calls)) as events:
                async for event in events:
                    yield event
        except Exception as error:
            secrets = (endpoint.api_key,) if endpoint else ()
            self._hear_headers(request.model.id, error_headers(error))
            # The original may hold the key, so it is not chained.
            raise to_provider_error(error, label=request.model.label, secrets=secrets) from None

    async def aclose(self) -> None:
        """Close the connections kept for reuse on this loop; for the end of the process."""
        if _loaded is not None:
            await _loaded.close_litellm_async_clients()


def _arguments(
    litellm: Any, request: CompletionRequest, endpoint: Endpoint, images: Mapping[str, str]
) -> dict[str, Any]:
    messages = to_wire(request, images=images)
    arguments: dict[str, Any] = {
        **wire_parameters(request),
        "model": endpoint.model,
        "messages": messages,
        "api_base": endpoint.api_base,
        "api_key": endpoint.api_key,
        "stream": True,
        "stream_options": {"include_usage": True},
        "timeout": httpx.Timeout(_READ_S, connect=_CONNECT_S),
        "max_retries": 0,
    }
    if request.tools:
        # Asked for tools, LiteLLM looks for some at MCP servers as well, with a package that is not installed.
        arguments |= {"tools": [wire_tool(offer) for offer in request.tools], "_skip_mcp_handler": True}
    if _is_openai_chat(litellm, endpoint.model):
        # The OpenAI client walks its type definitions for every message, 0.2 ms each; what comes by `extra_body` goes
        # out as it is and replaces the field.
        arguments |= {"messages": messages[-1:], "extra_body": {"messages": messages}}
    else:
        refuse_unreadable(request.messages)
    return arguments


def _is_openai_chat(litellm: Any, model: str) -> bool:
    """True for /chat/completions in OpenAI's own format; LiteLLM takes some models to /responses instead."""
    kind, _, upstream = model.partition("/")
    if kind != "openai" or upstream.startswith("responses/"):
        return False
    known = litellm.model_cost.get(upstream) or litellm.model_cost.get(model) or {}
    return bool(known.get("mode", "chat") == "chat")
