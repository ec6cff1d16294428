"""The registry file: what it gives, and a sentence with line and field for every mistake in it."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path

import pytest

from core.catalog.models import CacheRule, Capability, Prices
from core.catalog.registry import LiveRegistry, load_registry
from core.errors import RegistryError

SHIPPED = Path(__file__).parents[2] / "data" / "models.yaml"
PRICE_MAP = {
    "gpt-x": {
        "litellm_provider": "openai",
        "input_cost_per_token": Decimal("2.5e-07"),
        "output_cost_per_token": Decimal("0.000002"),
        "cache_read_input_token_cost": Decimal("2.5e-08"),
        "max_input_tokens": 272000,
        "max_output_tokens": 128000,
        "supports_vision": True,
        "supports_function_calling": True,
    },
    "groq/lama": {"litellm_provider": "groq", "input_cost_per_token": 0, "output_cost_per_token": 0},
}
ONE = "models:\n  - id: a\n    call: openai/gpt-x\n"


@pytest.fixture(name="path")
def _path(tmp_path):
    return tmp_path / "models.yaml"


@pytest.fixture(name="load")
def _load(path):
    def load(text, **options):
        path.write_text(text, encoding="utf-8")
        return load_registry(path, price_map=PRICE_MAP, **options)

    return load


@pytest.fixture(name="refusal")
def _refusal(load, path):
    def refusal(text):
        with pytest.raises(RegistryError) as caught:
            load(text)
        assert caught.value.next_step
        return caught.value.user_message.removeprefix(f"{path}, ")

    return refusal


def test_models_keep_the_order_of_the_file(load):
    registry = load("models:\n  - {id: b, call: openai/gpt-x}\n  - {id: a, call: openai/gpt-x}\n")

    assert list(registry.models) == ["b", "a"]
    assert registry.default is registry.get("b")
    assert registry.get("c") is None


def test_the_map_fills_in_what_the_file_leaves_out(load):
    model = load(ONE).get("a")

    assert (model.prices.input, model.prices.output, model.prices.cached_input) == (
        Decimal("0.25"),
        Decimal(2),
        Decimal("0.025"),
    )
    assert model.prices.source.startswith("litellm")
    assert (model.context_tokens, model.max_output_tokens) == (272000, 128000)
    assert {Capability.VISION, Capability.TOOLS, Capability.STREAMING} <= model.capabilities
    assert (model.label, model.upstream) == ("a", "gpt-x")


def test_the_file_wins_over_the_map(load):
    model = load(
        ONE + "    price: {input: 0.30, output: 1e-2, cached_input: 0.10}\n"
        "    context_tokens: 8192\n    capabilities: [json]\n"
    ).get("a")

    assert model.prices == Prices(input=Decimal("0.30"), output=Decimal("0.01"), cached_input=Decimal("0.10"))
    assert model.context_tokens == 8192
    assert model.capabilities == {Capability.JSON, Capability.STREAMING, Capability.SYSTEM_PROMPT}


def test_tiers_stand_in_the_file_with_what_differs(load):
    text = (
        ONE + "    price:\n      input: 2.5\n      output: 10\n      cached_input: 0.25\n      request: 0.005\n"
        "      tiers:\n        - {above_tokens: 200_000, input: 5, cache_write_1h: 8}\n"
        "        - {above_tokens: 500000, output: 20}\n"
    )

    prices = load(text).get("a").prices

    [low, high] = prices.tiers
    assert (low.above_tokens, high.above_tokens) == (200_000, 500_000)
    assert low.prices == Prices(
        input=Decimal(5),
        output=Decimal(10),
        cached_input=Decimal("0.25"),
        cache_write_1h=Decimal(8),
        request=Decimal("0.005"),
    )
    assert (high.prices.input, high.prices.output, high.prices.cached_input) == (5, 20, Decimal("0.25"))
    assert prices.at(200_000) is prices


def test_an_endpoints_price_has_tiers_too(load):
    text = (
        "providers:\n  mine: {kind: openai, api_base: http://127.0.0.1:1/v1, api_key: none, discover: true,\n"
        "         price: {input: 1, output: 2, tiers: [{above_tokens: 10, input: 3}]}}\n"
    )

    prices = load(text + ONE).providers["mine"].discovered_prices

    assert prices.at(11).input == 3


def test_a_price_never_passes_through_a_float(load):
    model = load(ONE + "    price: {input: 0.123456789012345678901, output: 0.1}\n").get("a")

    assert model.prices.input == Decimal("0.123456789012345678901")


def test_free_is_a_price_and_unknown_is_none(load):
    assert load(ONE + "    price: free\n").get("a").prices.free
    assert load("models:\n  - {id: a, call: openai/unheard-of}\n").get("a").prices is None
    assert load("models:\n  - {id: a, call: groq/lama}\n").get("a").prices.free


def test_the_same_name_at_another_provider_has_no_known_price(load):
    assert load("models:\n  - {id: a, call: mistral/gpt-x}\n").get("a").prices is None


def test_an_endpoint_of_ones_own_has_no_known_price(load):
    registry = load(
        "providers:\n  mine: {kind: openai, api_base: http://127.0.0.1:1/v1, api_key: none}\n"
        "models:\n  - {id: a, call: mine/gpt-x}\n"
    )
    model = registry.get("a")

    assert model.prices is None
    assert model.context_tokens is None
    assert (model.provider.kind, model.provider.api_base, model.provider.key_variable) == (
        "openai",
        "http://127.0.0.1:1/v1",
        None,
    )


def test_known_providers_need_no_entry(load):
    provider = load("models:\n  - {id: a, call: anthropic/claude-x}\n").get("a").provider

    assert (provider.id, provider.kind, provider.key_variable) == ("anthropic", "anthropic", "ANTHROPIC_API_KEY")


def test_an_entry_of_a_known_provider_changes_only_what_it_says(load):
    provider = load("providers:\n  openai: {api_base: https://eu.example.com}\n" + ONE).get("a").provider

    assert (provider.api_base, provider.key_variable) == ("https://eu.example.com", "OPENAI_API_KEY")


def test_a_key_is_the_name_of_a_variable(load):
    registry = load("providers:\n  openai: {api_key: env:TEAM_KEY}\n" + ONE)

    assert registry.providers["openai"].key_variable == "TEAM_KEY"


def test_every_field_arrives(load):
    model = load(
        "models:\n  - {id: b, call: groq/x}\n  - id: a\n    call: groq/openai/gpt-oss\n    label: A\n    note: N\n"
        "    use_cases: [coding]\n    fallbacks: [b]\n    access: [team]\n    limits: {rpm: 5, tpm: 100}\n"
        "    max_output_tokens: 10\n    system_prompt: Hi\n    cache: {minutes: 60, shared: true}\n"
        "    parameters: {temperature: 0.2, seed: 1, stop: [x, y], effort: low, flag: true}\n"
    ).get("a")

    assert (model.label, model.note, model.use_cases, model.fallbacks) == ("A", "N", ("coding",), ("b",))
    assert (model.access, model.rpm_limit, model.tpm_limit, model.max_output_tokens) == (("team",), 5, 100, 10)
    assert model.system_prompt == "Hi"
    assert model.cache == CacheRule(minutes=60, shared=True)
    assert model.upstream == "openai/gpt-oss"
    assert model.parameters == {"temperature": 0.2, "seed": 1, "stop": ("x", "y"), "effort": "low", "flag": True}
    assert isinstance(model.parameters["temperature"], float)


@pytest.mark.parametrize(
    ("access", "words"),
    [
        ("{groups: [Legal, Design team]}", ("group:Legal", "group:Design team")),
        ("{groups: [Legal], people: [ada], roles: [admin]}", ("admin", "ada", "group:Legal")),
        ("[ada, group:Legal]", ("ada", "group:Legal")),
    ],
)
def test_access_names_groups(load, access, words):
    assert load(f"models:\n  - {{id: a, call: openai/a, access: {access}}}\n").get("a").access == words


def test_local_models_can_be_left_out(load):
    text = "models:\n  - {id: l, call: local/x}\n  - {id: a, call: openai/gpt-x, fallbacks: [l]}\n"

    registry = load(text, local_models=False)

    assert list(registry.models) == ["a"]
    assert registry.get("a").fallbacks == ()
    assert "local" not in registry.providers
    assert load("models:\n  - {id: l, call: local/x}\n", local_models=False).default is None


ACCESS_WORDS = "expected a list such as [admin, ada], or fields such as {groups: [Legal], people: [ada]}, found fields."
MISTAKES = [
    ("", "line 1", "expected fields with values, found nothing."),
    ("[1]", "line 1", "expected fields with values, found a list."),
    ("models:", "line 1, models", "expected a list, found nothing."),
    (ONE + "    access: {groups: Legal}", "line 4, models[1].access", ACCESS_WORDS),
    (ONE + "    access: {group: [Legal]}", "line 4, models[1].access", ACCESS_WORDS),
    (ONE + "    access: {}", "line 4, models[1].access", "expected at least 1 entry, found an empty list."),
    ("models: []", "line 1, models", "expected at least 1 entry, found an empty list."),
    (
        "provders: {}\n" + ONE,
        "line 1, provders",
        "expected a field of this list, found provders, did you mean providers?",
    ),
    (
        ONE + "    prize: 1",
        "line 4, models[1].prize",
        "expected a field of this list, found prize, did you mean price?",
    ),
    (
        ONE + "    price: {inptu: 1, output: 1}",
        "line 4, models[1].price.inptu",
        "expected a field of this list, found inptu, did you mean input?",
    ),
    (
        ONE + "    limits: {usd: 1}",
        "line 4, models[1].limits.usd",
        "expected a field of this list, found usd (there are rpm, tpm).",
    ),
    (
        ONE + "    cache: {minutes: 5, share: true}",
        "line 4, models[1].cache.share",
        "expected a field of this list, found share, did you mean shared?",
    ),
    (ONE + "    cache: {shared: true}", "line 4, models[1].cache.minutes", "expected minutes, found nothing."),
    (ONE + "    cache: {minutes: 0}", "line 4, models[1].cache.minutes", "expected a number above 0, found 0."),
    (
        ONE + "    cache: {minutes: 43201}",
        "line 4, models[1].cache.minutes",
        "expected a number of 43200 or less, found 43201.",
    ),
    (
        ONE + "    cache: {minutes: 5, shared: 1}",
        "line 4, models[1].cache.shared",
        "expected true or false, found 1.",
    ),
    (
        ONE + "    price:\n      input: -1\n      output: 1",
        "line 5, models[1].price.input",
        "expected a number of 0 or more, found -1.",
    ),
    (ONE + "    price: {input: 1}", "line 4, models[1].price.output", "expected output, found nothing."),
    (ONE + "    price: {input: .nan, output: 1}", "line 4, models[1].price.input", "expected a number, found NaN."),
    (ONE + "    price: {input: '1', output: 1}", "line 4, models[1].price.input", "expected a number, found '1'."),
    (
        ONE + "    price: {input: yes, output: 1}",
        "line 4, models[1].price.input",
        "expected a number, found true.",
    ),
    (
        ONE + "    price:\n      input: 1\n      output: 1\n      tiers:\n"
        "        - {above_tokens: 200000, input: 2}\n        - {above_tokens: 128000, input: 3}",
        "line 9, models[1].price.tiers[2].above_tokens",
        "expected more than the 200000 of the tier before, found 128000.",
    ),
    (
        "providers:\n  openai: {price: {input: 1, output: 1, tiers: [{above_tokens: 5}, {above_tokens: 5}]}}\n" + ONE,
        "line 2, providers.openai.price.tiers[2].above_tokens",
        "expected more than the 5 of the tier before, found 5.",
    ),
    (
        ONE + "    price: {input: 1, output: 1, tiers: [{above_tokens: 0, input: 2}]}",
        "line 4, models[1].price.tiers[1].above_tokens",
        "expected a number above 0, found 0.",
    ),
    (
        ONE + "    price: {input: 1, output: 1, tiers: [{input: 2}]}",
        "line 4, models[1].price.tiers[1].above_tokens",
        "expected above_tokens, found nothing.",
    ),
    (
        ONE + "    price: {input: 1, output: 1, tiers: [{above_tokens: 5, inptu: 2}]}",
        "line 4, models[1].price.tiers[1].inptu",
        "expected a field of this list, found inptu, did you mean input?",
    ),
    (
        ONE + "    price: {input: 1, output: 1, tiers: {above_tokens: 5}}",
        "line 4, models[1].price.tiers",
        "expected a list, found fields.",
    ),
    (ONE + "    price: cheap", "line 4, models[1].price", "expected fields with values, found 'cheap'."),
    (
        ONE + "    label: no",
        "line 4, models[1].label",
        "expected text, found false (put it in quotes if it is a name).",
    ),
    (ONE + "    label: ''", "line 4, models[1].label", "expected at least 1 character, found ''."),
    (ONE + "    context_tokens: 0", "line 4, models[1].context_tokens", "expected a number above 0, found 0."),
    (ONE + "    context_tokens: 3.5", "line 4, models[1].context_tokens", "expected a whole number, found 3.5."),
    (ONE + "    use_cases: coding", "line 4, models[1].use_cases", "expected a list, found 'coding'."),
    (
        ONE + "    parameters: {a: {b: 1}}",
        "line 4, models[1].parameters.a",
        "expected text, a number, true or false, or a list of texts, found fields.",
    ),
    (ONE + "    id: b", "line 4, models[1].id", "id is given twice."),
    (ONE + "  - id: a\n    call: openai/gpt-x", "line 4, models[2].id", "a is given twice, first as model 1."),
    ("models:\n  - call: openai/x", "line 2, models[1].id", "expected id, found nothing."),
    (
        "models:\n  - {id: a b, call: openai/x}",
        "line 2, models[1].id",
        "expected a name of letters, digits, dots, colons and dashes, 80 at most, found 'a b'.",
    ),
    ("models:\n  - {id: a, call: gpt}", "line 2, models[1].call", "expected provider/model, found 'gpt'."),
    (
        "models:\n  - {id: a, call: opnai/x}",
        "line 2, models[1].call",
        "expected a known provider before the slash, found opnai, did you mean openai?",
    ),
    (
        "models:\n  - {id: a, call: zzz/x}",
        "line 2, models[1].call",
        "expected a known provider before the slash, found zzz; list it under providers with its kind and api_key.",
    ),
    (ONE + "    fallbacks: [b]", "line 4, models[1].fallbacks[1]", "expected the id of a model, found b."),
    (ONE + "    fallbacks: [a]", "line 4, models[1].fallbacks[1]", "expected another model, found the model itself."),
    (
        "providers:\n  p: {kind: opanai}\n" + ONE,
        "line 2, providers.p.kind",
        "expected a kind that LiteLLM knows, found opanai, did you mean openai?",
    ),
    ("providers:\n  p: {}\n" + ONE, "line 2, providers.p", "expected a kind that LiteLLM knows, found p."),
    (
        "providers:\n  p: {kind: openai, api_base: localhost}\n" + ONE,
        "line 2, providers.p.api_base",
        "expected an address such as http://127.0.0.1:8000/v1, found 'localhost'.",
    ),
    (
        "providers:\n  p: {kind: litellm_proxy}\n" + ONE,
        "line 2, providers.p",
        "expected an api_base: a server of the kind litellm_proxy has no address of its own.",
    ),
    (
        "providers:\n  p: {kind: groq, gateway: direct}\n" + ONE,
        "line 2, providers.p.gateway",
        "expected an api_base beside direct: the address to call.",
    ),
    (
        "x: [",
        "line 1",
        "expected YAML, found a mistake near here (expected the node content, but found '<stream end>').",
    ),
    ("a: &a [*a]", "line 1", "expected a plain list of models, found values nested without end."),
    (
        ONE + "    label: !!python/name:os.system",
        "line 4, models[1].label",
        "expected a plain value, found the tag tag:yaml.org,2002:python/name:os.system.",
    ),
    ("? [a]\n: 1", "line 1", "expected a name before the colon."),
]


@pytest.mark.parametrize(("text", "place", "message"), MISTAKES)
def test_a_mistake_is_named_with_line_and_field(refusal, text, place, message):
    assert refusal(text) == f"{place}: {message}"


def test_a_close_capability_lists_them_all(refusal):
    message = refusal(ONE + "    capabilities: [visoin]")

    assert message.startswith("line 4, models[1].capabilities[1]: expected one of vision, tools")


def test_a_key_in_the_file_is_refused_and_not_repeated(refusal):
    message = refusal("providers:\n  p: {kind: openai, api_key: sk-secret}\n" + ONE)

    assert message.startswith("line 2, providers.p.api_key: expected env:NAME_OF_VARIABLE or none")
    assert "secret" not in message


def test_the_first_mistake_from_the_top_is_named(refusal):
    assert refusal(ONE + "    nope: 1\n    label: 3\n").startswith("line 4")


def test_aliases_that_multiply_are_refused(refusal):
    lines = ["a0: &a0 [x, x]", *(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12))]

    assert "nested without end" in refusal("\n".join(lines))


def test_a_file_that_is_not_text_is_refused(path):
    path.write_bytes(b"models: \xff\xfe")

    with pytest.raises(RegistryError, match="expected UTF-8 text"):
        load_registry(path, price_map={})


def test_a_missing_file_names_the_setting(path):
    with pytest.raises(RegistryError) as caught:
        load_registry(path, price_map={})
    assert "SWITCHBOARD_MODELS" in caught.value.next_step


def test_a_provider_section_with_everything_commented_out_is_no_mistake(load):
    assert load("providers:\n  # nothing\n" + ONE).default.id == "a"


class TestTheShippedFile:
    registry = load_registry(SHIPPED)

    def test_starts_with_the_model_that_needs_nothing(self):
        first, second = list(self.registry.models.values())[:2]

        assert (first.id, second.id) == ("local-smollm2", "local-smollm2-brief")
        assert first.provider.kind == second.provider.kind == "local"
        assert first.prices.free
        assert second.prices.free
        assert first.upstream == second.upstream
        assert first.system_prompt != second.system_prompt

    def test_has_a_price_for_every_model_but_the_one_that_reports_its_own(self):
        unpriced = [model.id for model in self.registry.models.values() if model.prices is None]

        assert unpriced == ["openrouter-auto"]

    def test_never_falls_back_to_the_toy(self):
        assert not any(name.startswith("local-") for m in self.registry.models.values() for name in m.fallbacks)


class TestLiveRegistry:
    @pytest.fixture(name="live")
    def _live(self, path):
        path.write_text(ONE)
        return LiveRegistry(path, price_map=PRICE_MAP)

    def test_takes_a_changed_file(self, live, path):
        path.write_text(ONE.replace("id: a", "id: b"))

        assert list(live.reload().models) == ["b"]
        assert live.problem is None

    def test_stays_on_the_last_good_one(self, live, path):
        path.write_text("models: []")

        assert list(live.reload().models) == ["a"]
        assert "line 1, models" in live.problem
        path.unlink()
        assert list(live.reload().models) == ["a"]
        assert "cannot be read" in live.problem

    def test_recovers(self, live, path):
        path.write_text("models: []")
        live.reload()
        path.write_text(ONE.replace("id: a", "id: c"))

        assert list(live.reload().models) == ["c"]
        assert live.problem is None

    def test_looks_at_the_file_by_itself_but_not_all_the_time(self, path):
        now = [0.0]
        path.write_text(ONE)
        live = LiveRegistry(path, price_map=PRICE_MAP, now_ms=lambda: now[0])
        path.write_text(ONE.replace("id: a", "id: b"))
        os.utime(path, ns=(1, 1))

        now[0] = 1999.0
        assert list(live.current().models) == ["a"]
        now[0] = 2000.0
        assert list(live.current().models) == ["b"]

    def test_does_not_read_an_unchanged_file_again(self, path):
        now = [0.0]
        path.write_text(ONE)
        live = LiveRegistry(path, price_map=PRICE_MAP, now_ms=lambda: now[0])
        before = live.current()

        now[0] = 5000.0
        assert live.current() is before

    def test_needs_a_good_file_at_the_start(self, path):
        path.write_text("models: []")

        with pytest.raises(RegistryError):
            LiveRegistry(path, price_map=PRICE_MAP)
