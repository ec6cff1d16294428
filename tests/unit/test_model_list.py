"""What the browser is sent about the models."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from core.catalog.health import Cooling, ModelStatus
from core.catalog.models import Capability, ModelSpec, Prices, ProviderSpec
from ui.model_list import build_facts, build_list

UNKNOWN = ModelStatus("unknown", "not tried lately")


def _models(count: int) -> dict[str, ModelSpec]:
    return {
        f"model-{number}": ModelSpec(
            id=f"model-{number}",
            label=f"Model {number}",
            provider=ProviderSpec(id=f"provider-{number % 3}", kind="openai"),
            upstream="x",
            context_tokens=400_000,
            prices=Prices(input=Decimal("0.25"), output=Decimal("2.00")),
            use_cases=("coding", "writing"),
            capabilities=frozenset({Capability.VISION, Capability.TOOLS}),
        )
        for number in range(count)
    }


def _facts(models, statuses, **options) -> dict:
    defaults = {"chosen": "model-0", "favourites": (), "use_case": None, "zone": UTC}
    return json.loads(build_facts(build_list(models), models, statuses, **{**defaults, **options}))


def test_a_row_holds_what_the_list_shows():
    sent = json.loads(build_list(_models(1)).text)

    row = ["model-0", "Model 0", 0, "$0.25 / $2.00", "400k", ["vision", "tools"]]
    assert sent["models"][0][:6] == row
    assert {sent["chips"][place][0] for place in sent["models"][0][6]} == {
        "cheap", "use:coding", "use:writing", "can:vision", "can:tools", "by:provider-0",
    }  # fmt: skip


def test_the_version_follows_the_content():
    models = _models(3)
    relabelled = {**models, "model-1": replace(models["model-1"], label="Another name")}

    assert build_list(models).version == build_list(_models(3)).version
    assert build_list(models).version != build_list(relabelled).version


def test_facts_name_models_by_their_place_in_the_list():
    models = _models(4)
    listed = build_list(models)
    facts = _facts(models, dict.fromkeys(models, UNKNOWN), chosen="model-2", favourites=("model-3", "gone"))

    assert listed.order[facts["chosen"]] == "model-2"
    assert [listed.order[place] for place in facts["favourites"]] == ["model-3"]
    assert facts["version"] == listed.version


def test_only_what_there_is_to_say_is_sent():
    models = _models(500)
    facts = _facts(models, dict.fromkeys(models, UNKNOWN))

    assert facts["states"] == {}
    assert len(build_facts(build_list(models), models, dict.fromkeys(models, UNKNOWN), chosen="model-0",
                           favourites=(), use_case=None, zone=UTC)) < 500  # fmt: skip


def test_a_missing_key_is_said_once_per_provider():
    models = _models(6)
    statuses = {name: ModelStatus("no_key", "no key: set X") for name in models}

    assert _facts(models, statuses)["keyless"] == dict.fromkeys(
        ["provider-0", "provider-1", "provider-2"], "no key: set X"
    )


def test_cooling_is_said_on_the_viewers_clock():
    models = _models(1)
    cooling = Cooling(datetime(2026, 11, 23, 13, 32), "429")  # noqa: DTZ001 - the store holds naive UTC
    statuses = {"model-0": ModelStatus("slow", "cooling (429)", cooling=cooling)}

    facts = _facts(models, statuses, zone=timezone(timedelta(hours=1)))

    assert facts["states"]["0"] == ["slow", "cooling until 14:32 (429)"]


def test_a_use_case_nobody_offers_is_not_recommended_for():
    models = _models(2)
    statuses = dict.fromkeys(models, UNKNOWN)

    assert _facts(models, statuses, use_case="gardening")["useCase"] is None
    assert _facts(models, statuses, use_case="coding")["useCase"] == "coding"
