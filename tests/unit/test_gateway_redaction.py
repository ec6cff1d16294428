from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.providers.redaction import HIDDEN, redact


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Incorrect API key provided: sk-abcd1234efgh5678ijkl. You can find it at", "sk-abcd1234efgh5678ijkl"),
        ("Incorrect API key provided: sk-proj-Ab_c-1234****************xyz.", "xyz"),
        ("invalid x-api-key: sk-ant-api03-AbCdEf_123-456", "AbCdEf"),
        ("Authorization: Bearer my.opaque.token", "opaque"),
        ('{"Authorization": "Bearer abcdefgh"}', "abcdefgh"),
        ("proxy-authorization: Basic dXNlcjpwYXNzd29yZA==", "dXNlcjpw"),
        ("GET https://generativelanguage.example/v1?alt=sse&key=hunter2hunter2 failed", "hunter2"),
        ("API key not valid: AIzaSyA1234567890abcdefghijklmnopqrstu", "AIzaSy"),
        ("http://admin:swordfish@proxy.example:3128 refused", "swordfish"),
        ("gsk_abcdefghijklmnop1234 is not active", "gsk_"),
        ("token xai-ABCDEFGHIJKLMNOP expired", "ABCDEF"),
        ("AWS AKIAIOSFODNN7EXAMPLE is disabled", "AKIA"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVm", "eyJzdWI"),
        ("api_key='plainword'", "plainword"),
        ("The API key is: plainword", "plainword"),
    ],
)
def test_keys_in_messages_are_hidden(text, secret):
    shown = redact(text)

    assert secret not in shown
    assert HIDDEN in shown


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 8192 tokens. However, you requested 9001 tokens.",
        "Rate limit reached for gpt-5-mini in organization org-1 on tokens per min (TPM): Limit 30000",
        "Cannot connect to host 127.0.0.1:4000",
        "max_tokens: 5000 is above the limit",
        "asking about risk-management and sk- prefixes",
    ],
)
def test_ordinary_messages_stay_as_they_are(text):
    assert redact(text) == text


@given(
    secret=st.text(st.characters(codec="ascii", categories=("L", "N", "P")), min_size=6, max_size=60),
    before=st.text(max_size=20),
    after=st.text(max_size=20),
)
def test_a_known_secret_never_survives(secret, before, after):
    assert secret not in redact(before + secret + after, secrets=(secret, None)).replace(HIDDEN, "")
