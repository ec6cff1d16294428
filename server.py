"""Starts Switchboard: checks what can be checked, opens the services, serves the pages in this one process."""

from __future__ import annotations

import signal

# Ctrl-C during the imports below, which take a second, ends the process without a word; `prepare` takes over.
signal.signal(signal.SIGINT, signal.SIG_DFL)

import asyncio
import errno
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from pathlib import Path

import streamlit as st
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse
from starlette.routing import Route
from streamlit import config
from streamlit.env_util import is_repl

from api.draining import Draining
from api.early_style import EarlyStyle
from api.page_policy import PagePolicy
from api.routes import api_routes
from core.accounts.session_secret import derived_key
from core.accounts.users import count_users
from core.bootstrap import Services, close_services, open_services
from core.costs.call_metrics import watch_lag
from core.costs.token_count import estimate_tokens
from core.data_dir import prepare_data_dir
from core.errors import SettingsError, SwitchboardError
from core.providers.gateway_warmup import warm_up_gateways
from core.readiness import needs_litellm
from core.settings import address, load_settings
from ui import process
from ui.bursts import Bursts
from ui.errors import draw_uncaught

_SCRIPT = Path(__file__).with_name("app.py")
_EARLY_STYLE = Path(__file__).with_name("ui") / "early.css"
_FIRST_PAGE = ("ui.auth", "ui.shell", "ui.chat_view", "ui.transcript")


def main() -> int:
    """Run until stopped. Returns the exit code: 0 after an orderly stop, 2 when the start was refused."""
    process.prepare()
    try:
        settings = load_settings()
        prepare_data_dir(settings.data_dir)
        _check_port(settings.host, settings.port)
        services = open_services(settings)
        # Streamlit serves its first page at / only; who types the name of this one means it.
        routes = [Route("/chat", _to_chat), *api_routes(services)]
        draining = Middleware(Draining, draining=lambda: services.engine.draining)
        style = Middleware(EarlyStyle, rules=_EARLY_STYLE.read_text(encoding="utf-8"))
        middleware = [Middleware(PagePolicy), draining, style, Middleware(Bursts)]
        app = st.App(
            _SCRIPT,
            on_script_error=draw_uncaught,
            lifespan=partial(_lifespan, services=services),
            routes=routes,
            middleware=middleware,
        )
        app.run(config={"server.address": settings.host, "server.port": settings.port, "server.headless": True})
    except SwitchboardError as error:
        print(error, file=sys.stderr)
        return 2
    finally:
        close_services()
    return 0


@asynccontextmanager
async def _lifespan(_app: st.App, *, services: Services) -> AsyncIterator[None]:
    # Streamlit signs cookies of its own, by which uploads are let in: a replica has to know those of another one.
    config.set_option("server.cookieSecret", derived_key(services.sign_in.secret, "streamlit"))
    process.stop_in_time(partial(services.engine.drain, grace_s=services.settings.drain_s), services.engine.interrupt)
    process.warm_up(
        # Streamlit looks once through all modules for a notebook that it runs in: 65 ms of the first page.
        at_once=[*(partial(import_module, name) for name in _FIRST_PAGE), is_repl],
        later=[
            partial(warm_up_gateways, services.engine.run_aside, litellm=_needs_litellm(services)),
            partial(estimate_tokens, "warm"),
        ],
    )
    works = (_announce(services), process.collect_regularly(), watch_lag(partial(services.metrics.late, "web")))
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.to_thread(close_services)


def _needs_litellm(services: Services) -> bool:
    return needs_litellm(services.registry.current().models.values(), services.keys)


async def _to_chat(request: Request) -> RedirectResponse:
    return RedirectResponse(f"/?{request.url.query}" if request.url.query else "/")


async def _announce(services: Services) -> None:
    host, port = services.settings.host, services.settings.port
    if not await process.until_answering(host, port):
        print(f"Switchboard does not answer on port {port}. See the messages above.", file=sys.stderr, flush=True)
        return
    print(f"Switchboard is ready at {address(host, port)}", flush=True)
    if not count_users(services.database):
        services.sign_in.setup_code.show()


def _check_port(host: str, port: int) -> None:
    """Find out before anything is opened. Raises SettingsError naming the variable to change."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the server itself does: a port that was left a moment ago is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except socket.gaierror as error:
            raise SettingsError(
                f"SWITCHBOARD_HOST is wrong: {host} is no address of this machine.",
                next_step="Set it to 127.0.0.1, or to 0.0.0.0 to be reachable from other machines.",
            ) from error
        except PermissionError as error:
            raise SettingsError(
                f"This user may not listen on port {port}.", next_step="Set SWITCHBOARD_PORT to 1024 or more."
            ) from error
        except OSError as error:
            raise _refused(host, port, error) from error


def _refused(host: str, port: int, error: OSError) -> SettingsError:
    if error.errno == errno.EADDRINUSE:
        return SettingsError(
            f"Port {port} is in use by another program.",
            next_step="Stop that program, or set SWITCHBOARD_PORT to another number.",
        )
    return SettingsError(
        f"SWITCHBOARD_HOST is wrong: cannot listen on {host} ({error.strerror}).",
        next_step="Set it to 127.0.0.1, or to 0.0.0.0 to be reachable from other machines.",
    )


if __name__ == "__main__":
    process.leave(process.run_to_end(main))
