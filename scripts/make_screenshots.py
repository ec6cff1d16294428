"""Takes the pictures in docs/screenshots/ from the running app, so that they stay true.

    .venv/bin/python -m scripts.make_screenshots

The answers come from a provider on loopback; everything else is the app as people see it.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.e2e.conftest import ARGUMENTS, DESKTOP, executable
from tests.support.browsing import create_admin
from tests.support.chatting import ask, choose_model, composer, wait_until_answered
from tests.support.live_server import LiveServer, start_server
from tests.support.provider_behaviour import say
from tests.support.provider_server import ProviderServer

FOLDER = Path(__file__).parents[1] / "docs" / "screenshots"
PHONE = {"width": 390, "height": 844}

REGISTRY = """
providers:
  openai: {{kind: openai, api_base: '{base}', api_key: none}}
  mistral: {{kind: openai, api_base: '{base}', api_key: none}}
models:
  - {{id: gpt-5.4-mini, call: openai/gpt-5.4-mini, label: GPT-5.4 mini, price: {{input: 0.75, output: 4.50}}, context_tokens: 272000}}
  - {{id: mistral-small, call: mistral/mistral-small, label: Mistral Small, price: {{input: 0.10, output: 0.30}}, context_tokens: 128000}}
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


def main() -> int:
    """Take every picture. Returns the exit code."""
    path = executable()
    if path is None:
        print("There is no Chromium on this machine.", file=sys.stderr)
        return 1
    FOLDER.mkdir(parents=True, exist_ok=True)
    with ProviderServer() as provider, tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        provider.behave("gpt-5.4-mini", say(FIRST, tokens_per_second=90, first_token_ms=600))
        provider.behave("mistral-small", say(SECOND, tokens_per_second=140, first_token_ms=400))
        registry = Path(folder) / "models.yaml"
        registry.write_text(REGISTRY.format(base=provider.api_base), encoding="utf-8")
        server = start_server(Path(folder), SWITCHBOARD_MODELS=str(registry))
        browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        try:
            _take(browser, server)
        finally:
            browser.close()
            server.stop()
    return 0


def _take(browser: Browser, server: LiveServer) -> None:
    page = browser.new_context(viewport=DESKTOP, color_scheme="light").new_page()
    page.goto(server.url)
    page.get_by_role("textbox", name="One-time code").wait_for()
    _save(page, "set-up-light")
    create_admin(page, server)
    _converse(page)
    _save(page, "chat-light")
    kept = page.context.storage_state()
    for name, options in {
        "chat-dark": {"viewport": DESKTOP, "color_scheme": "dark"},
        "chat-phone": {"viewport": PHONE, "color_scheme": "light"},
    }.items():
        other = browser.new_context(storage_state=kept, **options).new_page()
        other.goto(page.url)
        composer(other).wait_for()
        wait_until_answered(other, 4)
        _save(other, name)


def _converse(page: Page) -> None:
    choose_model(page, "GPT-5.4 mini")
    ask(page, "Plan the quarterly review in five lines")
    wait_until_answered(page, 2)
    page.get_by_role("button", name="New chat").click()
    page.get_by_text("What can I help with?").wait_for()
    choose_model(page, "GPT-5.4 mini")
    ask(page, "Why is comparing two lists in nested loops slow, and what is the short fix?")
    wait_until_answered(page, 2)
    choose_model(page, "Mistral Small")
    ask(page, "How much faster is it?")
    wait_until_answered(page, 4)
    composer(page).blur()


def _save(page: Page, name: str) -> None:
    # Code is highlighted by a script that loads late.
    page.wait_for_load_state("networkidle")
    page.screenshot(path=FOLDER / f"{name}.png")


if __name__ == "__main__":
    sys.exit(main())
