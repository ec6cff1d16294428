"""In which order files of tests go to the workers of pytest-xdist, a whole file to whoever is free.

The long ones first, so that all workers end together. Browser tests mostly wait and the others mostly compute: of
three workers about two are at browser tests at any time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

_BROWSER = "e2e"
_WORKERS = 3
_AT_BROWSER_TESTS = 2

# Roughly the seconds that a file of a folder takes, and those of the files that take much longer. They need not be
# right: what is missing or out of date costs a minute at most.
_USUAL_S: Mapping[str, float] = {_BROWSER: 14, "app": 5, "api": 8, "store": 2, "faults": 3, "unit": 0.5}
_LONG_S: Mapping[str, float] = {
    "api/test_clients.py": 33,
    "app/test_compare_page.py": 16,
    "app/test_recommendation.py": 18,
    "e2e/test_chat.py": 88,
    "e2e/test_compare.py": 28,
    "e2e/test_fallback.py": 22,
    "e2e/test_finding.py": 24,
    "e2e/test_gauge.py": 28,
    "e2e/test_groups.py": 25,
    "e2e/test_keyboard.py": 23,
    "e2e/test_lifecycle.py": 67,
    "e2e/test_message_actions.py": 36,
    "e2e/test_model_selector.py": 46,
    "e2e/test_model_status.py": 58,
    "e2e/test_never_lost.py": 23,
    "e2e/test_oidc.py": 23,
    "e2e/test_parameters.py": 45,
    "e2e/test_postgres.py": 36,
    "e2e/test_prompt_sets.py": 24,
    "e2e/test_replicas.py": 45,
    "e2e/test_sign_in.py": 120,
    "e2e/test_start.py": 66,
    "store/test_copying.py": 12,
    "store/test_cost_reports.py": 19,
    "store/test_demo.py": 20,
    "store/test_exchange.py": 14,
    "store/test_ledger_copy.py": 22,
    "store/test_prompt_sets.py": 20,
    "store/test_turn_engine_ends.py": 20,
    "store/test_usage_import.py": 16,
    "unit/test_gateway_load.py": 17,
}


def handed_out(files: Iterable[str]) -> list[str]:
    """Files such as `store/test_demo.py`, each once, in the order in which workers are to get them."""
    ordered = sorted(set(files), key=lambda file: (-_seconds(file), file))
    browser = [file for file in ordered if _folder(file) == _BROWSER]
    others = [file for file in ordered if _folder(file) != _BROWSER]
    order: list[str] = []
    busy_until = [0.0] * _WORKERS
    while browser or others:
        worker = busy_until.index(min(busy_until))
        at_browser_tests = worker < _AT_BROWSER_TESTS
        file = ((browser or others) if at_browser_tests else (others or browser)).pop(0)
        busy_until[worker] += _seconds(file)
        order.append(file)
    return order


def _folder(file: str) -> str:
    return file.partition("/")[0]


def _seconds(file: str) -> float:
    return _LONG_S.get(file, _USUAL_S.get(_folder(file), 1))
