"""Rules that come with the page itself."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from api.early_style import EarlyStyle

PAGE = "<html><head><title>Streamlit</title></head><body>" + "x" * 2000 + "</body></html>"
HTML = {"accept": "text/html,application/xhtml+xml"}


@pytest.fixture(name="client")
def _client() -> TestClient:
    async def page(request: Request) -> Response:
        known = request.headers.get("if-none-match") == "old" or "if-modified-since" in request.headers
        return HTMLResponse("" if known else PAGE, 304 if known else 200, headers={"etag": "old"})

    async def text(_request: Request) -> Response:
        return PlainTextResponse(PAGE)

    async def missing(_request: Request) -> Response:
        return HTMLResponse(PAGE, 404)

    routes = [Route("/", page), Route("/text", text), Route("/missing", missing)]
    middleware = [Middleware(EarlyStyle, rules="p { margin: 0 }"), Middleware(GZipMiddleware, minimum_size=100)]
    return TestClient(Starlette(routes=routes, middleware=middleware))


def test_a_page_has_the_rules_in_its_head_and_is_not_taken_from_before(client):
    answer = client.get("/", headers=HTML)

    head, _, rest = answer.text.partition("</style></head>")
    assert head == "<html><head><title>Streamlit</title><style>p { margin: 0 }"
    assert rest == PAGE.partition("</head>")[2]
    assert answer.headers["content-length"] == str(len(answer.content))
    assert "etag" not in answer.headers


@pytest.mark.parametrize("asked", [{"if-none-match": "old"}, {"if-modified-since": "Sun, 29 Nov 2026 22:03:33 GMT"}])
def test_a_browser_that_has_the_page_from_an_older_version_gets_the_rules(client, asked: dict[str, str]):
    answer = client.get("/", headers={**HTML, **asked})

    assert answer.status_code == 200
    assert "margin: 0" in answer.text


@pytest.mark.parametrize(
    ("path", "headers"), [("/text", HTML), ("/missing", HTML), ("/", {"accept": "application/json"})]
)
def test_everything_else_comes_as_it_is(client, path: str, headers: dict[str, Any]):
    assert client.get(path, headers=headers).text == PAGE


def test_who_asks_for_the_headers_alone_gets_those_of_streamlit(client):
    answer = client.head("/", headers=HTML)

    assert (answer.status_code, answer.headers["etag"]) == (200, "old")
