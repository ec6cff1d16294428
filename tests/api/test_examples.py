"""Every example in docs/api.md and in the README's part for scripts runs as it stands."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# The examples speak of models that people know; these take their place.
STAND_INS = {
    "local-smollm2": "able",
    "claude-haiku": "fast",
    "gpt-5.4-mini": "json",
    "gpt-6-luna": "caller",
    "gpt-6.1-sol": "able",
    "http://127.0.0.1:8501/v1": "{url}",
    "sb-...": "{token}",
}


def blocks(kind: str) -> list[str]:
    told = (ROOT / "docs/api.md").read_text() + (ROOT / "README.md").read_text().partition("## For scripts")[2]
    return re.findall(rf"^```{kind}\n(.*?)^```$", told, re.MULTILINE | re.DOTALL)


@pytest.fixture(name="fitted")
def _fitted(server, token, monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPENAI_BASE_URL", f"{server.url}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", token)

    def fit(text: str) -> str:
        for name, stand_in in STAND_INS.items():
            text = text.replace(name, stand_in.format(url=f"{server.url}/v1", token=token))
        return text

    return fit


def test_the_examples_name_models_of_the_shipped_registry() -> None:
    text = (ROOT / "data/models.yaml").read_text()
    told = "".join(blocks("python") + blocks("sh"))
    assert set(re.findall(r'model(?:=|": )"([^"]+)"', told)) <= set(re.findall(r"- id: (\S+)", text))


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # examples close no client, as scripts that end do not
@pytest.mark.parametrize("example", blocks("python"))
def test_python_examples_run(fitted, example, capsys) -> None:
    exec(compile(fitted(example), "docs/api.md", "exec"), {"__name__": "example"})  # noqa: S102 - our own text
    assert capsys.readouterr().out or "fallbacks" in example


def test_the_example_for_curl_gets_an_answer(fitted) -> None:
    [example] = [block for block in blocks("sh") if "curl" in block]
    done = subprocess.run(["/bin/sh", "-c", fitted(example)], capture_output=True, text=True, check=True)
    assert '"content":"Hello there."' in done.stdout
