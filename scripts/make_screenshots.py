"""Takes the pictures in docs/screenshots/ from the running app, so that they stay true.

    .venv/bin/python -m scripts.make_screenshots

The answers come from a provider on loopback, and the costs are those of the made-up team of `python -m core demo`;
everything else is the app as people see it.
"""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, BrowserContext, FilePayload, Page, ViewportSize, expect, sync_playwright

from tests.e2e.conftest import ARGUMENTS, DESKTOP, executable
from tests.support.browsing import create_admin, sign_in
from tests.support.chatting import ask, choose_model, composer, messages, wait_until_answered
from tests.support.live_server import ROOT, LiveServer, start_server
from tests.support.provider_behaviour import call, say
from tests.support.provider_server import ProviderServer

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
PHONE: ViewportSize = {"width": 390, "height": 844}

REGISTRY = """
providers:
  openai: {{kind: openai, api_base: '{base}', api_key: none}}
  mistral: {{kind: openai, api_base: '{base}', api_key: none}}
models:
  - {{id: gpt-5.4-mini, call: openai/gpt-5.4-mini, label: GPT-5.4 mini, price: {{input: 0.75, output: 4.50}}, context_tokens: 272000}}
  - {{id: mistral-small, call: mistral/mistral-small, label: Mistral Small, price: {{input: 0.10, output: 0.30}}, context_tokens: 128000}}
  - {{id: mistral-medium, call: mistral/mistral-medium, label: Mistral Medium, price: {{input: 0.40, output: 2.00}}, context_tokens: 128000, capabilities: [tools, vision]}}
"""

FIRST = """The two lists are compared element by element, so the work grows with their product. A set answers
"is it in there?" in constant time:

```python
def common(left: list[str], right: list[str]) -> list[str]:
    seen = set(right)
    return [item for item in left if item in seen]
```

For lists of length $n$ and $m$ that is $O(n + m)$ instead of $O(n \\cdot m)$.
"""

SECOND = """Measured on lists of 10,000 names:

| version | time |
|---|---:|
| nested loops | 1.9 s |
| with a set | 1.4 ms |

The order of `left` is kept, and so are its duplicates.
"""


SALES: FilePayload = {
    "name": "sales.csv",
    "mimeType": "text/csv",
    "buffer": b"city,amount\nBerlin,210\nParis,340\nBerlin,415\n",
}
SQL = "select city, sum(amount) as total from data group by city order by total desc"
SUMMED = "**Berlin** sold most: 625 against 340 in Paris."
# Two hundred and fifty-six colours are enough for a page, and a third of the bytes.
COLOURS = 256


def main() -> int:
    """Take every picture. Returns the exit code."""
    path = executable()
    if path is None:
        print("There is no Chromium on this machine.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=60_000)
    with ProviderServer() as provider, sync_playwright() as playwright:
        _behave(provider)
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            _with_server(provider, partial(_take_chat, browser))
            _with_server(provider, partial(_take_costs, browser), prepare=_fill_demo)
        finally:
            browser.close()
    return 0


def _behave(provider: ProviderServer) -> None:
    provider.behave("gpt-5.4-mini", say(FIRST, tokens_per_second=90, first_token_ms=600))
    provider.behave("mistral-small", say(SECOND, tokens_per_second=140, first_token_ms=400))
    query = call(("query_csv", json.dumps({"sql": SQL})), tokens=("I", " add", " them", " up."))
    provider.behave("mistral-medium", query, say(SUMMED, tokens_per_second=140), say(SECOND, tokens_per_second=110))


def _with_server(
    provider: ProviderServer,
    take: Callable[[LiveServer, str], None],
    *,
    prepare: Callable[[Path], str] = lambda _folder: "",
) -> None:
    """Take pictures of a server of their own; `take` gets what `prepare` found out before its start."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        registry = folder / "models.yaml"
        registry.write_text(REGISTRY.format(base=provider.api_base), encoding="utf-8")
        known = prepare(folder)
        server = start_server(folder, SWITCHBOARD_MODELS=str(registry))
        try:
            take(server, known)
        finally:
            server.stop()


def _fill_demo(folder: Path) -> str:
    """Make the team of the demo. Returns its password."""
    environment = {
        **os.environ,
        "SWITCHBOARD_DATA_DIR": str(folder / "data"),
        "SWITCHBOARD_MODELS": str(folder / "models.yaml"),
    }
    made = subprocess.run(
        [sys.executable, "-m", "core", "demo"], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    said = re.search(r"sign in as (\S+) with the password (\S+)", made.stdout)
    if said is None:
        raise RuntimeError(made.stdout)
    return " ".join(said.groups())


def _take_chat(browser: Browser, server: LiveServer, _known: str) -> None:
    context = browser.new_context(viewport=DESKTOP, color_scheme="light")
    page = context.new_page()
    page.goto(server.url)
    page.get_by_role("textbox", name="One-time code").wait_for()
    _save(page, "set-up-light")
    create_admin(page, server)
    composer(page).wait_for()
    _save(page, "empty-light")
    _converse(page)
    _save(page, "chat-light")
    _in_other_views(browser, context, page.url, "chat", ready=lambda other: wait_until_answered(other, 4))
    page.keyboard.press("Control+/")
    page.get_by_role("dialog", name="Keyboard shortcuts").wait_for()
    _save(page, "keyboard-light")
    page.keyboard.press("Escape")
    _attach(page)
    _save(page, "tools-light")
    _in_other_views(browser, context, page.url, "tools", ready=lambda other: wait_until_answered(other, 2))
    _search(page)
    _save(page, "search-light")
    _compare(page)
    _save(page, "compare-light")


def _take_costs(browser: Browser, server: LiveServer, known: str) -> None:
    username, password = known.split()
    context = browser.new_context(viewport=DESKTOP, color_scheme="light")
    page = context.new_page()
    page.goto(server.url)
    sign_in(page, username, password)
    page.get_by_role("link", name="Costs").click()
    _wait_for_costs(page)
    _save(page, "costs-light")
    _in_other_views(browser, context, page.url, "costs", ready=_wait_for_costs)


def _wait_for_costs(page: Page) -> None:
    page.get_by_role("heading", name="Costs").wait_for()
    page.get_by_test_id("stVegaLiteChart").first.wait_for()
    expect(page.get_by_test_id("stStatusWidget")).to_have_count(0)


def _in_other_views(
    browser: Browser, context: BrowserContext, url: str, name: str, *, ready: Callable[[Page], None]
) -> None:
    """The same page in the dark and on a phone."""
    kept = context.storage_state()
    dark = browser.new_context(storage_state=kept, viewport=DESKTOP, color_scheme="dark")
    phone = browser.new_context(storage_state=kept, viewport=PHONE, color_scheme="light")
    for view, other in {"dark": dark, "phone": phone}.items():
        page = other.new_page()
        page.goto(url)
        ready(page)
        _save(page, f"{name}-{view}")
        other.close()


def _converse(page: Page) -> None:
    choose_model(page, "GPT-5.4 mini")
    ask(page, "Plan the quarterly review in five lines")
    wait_until_answered(page, 2)
    _begin(page, "GPT-5.4 mini")
    ask(page, "Why is comparing two lists in nested loops slow, and what is the short fix?")
    wait_until_answered(page, 2)
    choose_model(page, "Mistral Small")
    ask(page, "How much faster is it?")
    wait_until_answered(page, 4)
    answer = messages(page).nth(3)
    answer.get_by_role("toolbar").get_by_role("button", name="Answer again").click()
    page.get_by_role("menuitem", name="With the chosen model").click()
    expect(answer.get_by_text("2/2")).to_be_visible()
    wait_until_answered(page, 4)
    composer(page).blur()


def _attach(page: Page) -> None:
    _begin(page, "Mistral Medium")
    page.locator('[data-testid="stChatInput"] input[type="file"]').set_input_files([SALES])
    expect(page.get_by_role("button", name="Remove sales.csv")).to_be_visible()
    expect(page.get_by_test_id("stChatInput").get_by_role("progressbar")).to_have_count(0)
    ask(page, "Which city sold most?")
    wait_until_answered(page, 2)
    messages(page).get_by_test_id("stExpander").filter(has_text="Query a CSV").locator("summary").click()
    messages(page).get_by_text("city,total").wait_for()
    composer(page).fill("And which one grew fastest since last year?")


def _search(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.get_by_role("searchbox").fill("faster")
    page.get_by_role("searchbox").press("Enter")
    page.locator("[class*='st-key-hit_']").first.wait_for()


def _compare(page: Page) -> None:
    page.get_by_role("link", name="Compare").click()
    box = page.get_by_placeholder("Ask all of them")
    box.fill("How much faster is a set than nested loops?")
    box.press("Enter")
    columns = page.locator('.st-key-compare_columns [class*="st-key-column_"]')
    expect(columns.first.get_by_text("tok/s")).to_be_visible()
    expect(page.get_by_role("button", name="Stop all")).to_have_count(0)


def _begin(page: Page, model: str) -> None:
    page.get_by_role("button", name="New chat").click()
    page.get_by_text("What can I help with?").wait_for()
    choose_model(page, model)


def _save(page: Page, name: str) -> None:
    # Code is highlighted by a script that loads late.
    page.wait_for_load_state("networkidle")
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_timeout(1_500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
