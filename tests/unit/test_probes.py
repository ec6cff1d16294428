"""What a probe asks, and what an answer to it means."""

from __future__ import annotations

import pytest

from core.catalog.models import ProviderSpec
from core.catalog.probes import Finding, finding_of, question_for


@pytest.mark.parametrize(
    ("kind", "api_base", "url"),
    [
        ("openai", "http://127.0.0.1:9/v1/", "http://127.0.0.1:9/v1/models"),
        ("openai", None, "https://api.openai.com/v1/models"),
        ("openrouter", None, "https://openrouter.ai/api/v1/models"),
        ("hosted_vllm", "http://vllm:8000/v1", "http://vllm:8000/v1/models"),
    ],
)
def test_the_question_is_the_list_of_models(kind: str, api_base: str | None, url: str) -> None:
    question = question_for(ProviderSpec(id="a", kind=kind, api_base=api_base), key=None)

    assert question is not None
    assert (question.url, question.headers) == (url, {})


@pytest.mark.parametrize(
    ("kind", "name"), [("openai", "Authorization"), ("anthropic", "x-api-key"), ("gemini", "x-goog-api-key")]
)
def test_the_key_goes_into_the_header_that_the_provider_reads_and_into_no_text(kind: str, name: str) -> None:
    question = question_for(ProviderSpec(id="a", kind=kind, key_variable="A_KEY"), key="sk-secret")

    assert question is not None
    assert "sk-secret" in question.headers[name]
    assert "sk-secret" not in repr(question)
    assert "sk-secret" not in question.url


@pytest.mark.parametrize(
    "provider",
    [
        ProviderSpec(id="local", kind="local"),
        ProviderSpec(id="lab", kind="scripted"),
        ProviderSpec(id="bedrock", kind="bedrock"),
        ProviderSpec(id="anthropic", kind="anthropic", api_base="http://127.0.0.1:9"),
        ProviderSpec(id="openai", kind="openai", key_variable="OPENAI_API_KEY"),
    ],
)
def test_a_provider_without_a_free_question_or_without_its_key_is_asked_nothing(provider: ProviderSpec) -> None:
    assert question_for(provider, key=None) is None


@pytest.mark.parametrize("status_code", [200, 204, 429])
def test_an_answer_is_good_news(status_code: int) -> None:
    assert finding_of(status_code) == Finding()


@pytest.mark.parametrize("status_code", [404, 405, 501])
def test_a_server_without_a_list_says_nothing_of_its_models(status_code: int) -> None:
    assert finding_of(status_code) == Finding(silent=True)


@pytest.mark.parametrize(
    ("status_code", "problem"),
    [
        (401, "refuses its key (401)"),
        (403, "refuses its key (403)"),
        (302, "answers with status 302"),
        (503, "answers with status 503"),
    ],
)
def test_a_refusal_is_a_problem_in_words(status_code: int, problem: str) -> None:
    assert finding_of(status_code) == Finding(problem)
