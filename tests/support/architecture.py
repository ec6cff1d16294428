"""Who may import whom, as a function from one file's text to the breaches in it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
OURS = ("core", "ui", "api", "pages", "app", "server")

# Plain values: everybody may use them, they use nothing but each other.
VALUES = frozenset(
    {
        "core.errors",
        "core.clock",
        "core.ids",
        "core.catalog.models",
        "core.providers.events",
        "core.providers.parts",
        "core.costs.pricing",
        "core.chat.conversation",
    }
)
# From the ground up: a unit imports from lower ranks and from itself, never from another unit of its own rank.
RANKS = {
    "core.settings": 1,
    "core.data_dir": 1,
    "core.spreadsheet": 1,
    "core.shared": 2,
    "core.store": 2,
    "core.replicas": 3,
    "core.accounts": 3,
    "core.catalog": 3,
    "core.costs": 3,
    "core.providers": 3,
    "core.tools": 3,
    "core.chat": 4,
    "core.arena": 5,
    "core.demo": 5,
    "core.readiness": 5,
    "core.sharing": 6,
    "core.services": 7,
    "core.foundation": 7,
    "core.calling": 8,
    "core.bootstrap": 9,
    "core.doctor": 10,
    "core.cli_usage": 10,
    "core.cli_demo": 10,
    "core.cli_tokens": 10,
    "core.cli_store": 10,
    "core.cli": 11,
    "core.__main__": 12,
    "ui": 13,
    "api": 14,
    "pages": 14,
    "app": 15,
    "server": 15,
}
# Where a library may be imported; everywhere of ours when it is not named here.
LIBRARIES = {
    "duckdb": ("core/store/",),
    "redis": ("core/shared/redis_journal.py",),
    "litellm": ("core/providers/litellm_gateway.py", "core/providers/wire_errors.py"),
    "streamlit": ("ui/", "pages/", "app.py", "server.py"),
    "streamlit_authenticator": ("ui/auth.py",),
    "extra_streamlit_components": ("ui/auth.py",),
    "starlette": ("api/", "server.py", "ui/process.py"),
    "uvicorn": ("ui/process.py", "server.py"),
}
# What only the composition root builds. The store builds a Database for looking after a store without a server.
BUILT_ONCE = {
    "Database": ("core/foundation.py", "core/store/"),
    "Catalog": ("core/foundation.py",),
    "Discovery": ("core/foundation.py",),
    "Groups": ("core/foundation.py",),
    "LiveRegistry": ("core/foundation.py",),
    "Overrides": ("core/foundation.py",),
    "DirectGateway": ("core/providers/gateways.py", "core/providers/gateway_warmup.py"),
    "LiteLLMGateway": ("core/providers/gateways.py", "core/providers/gateway_warmup.py"),
    "Gateways": ("core/calling.py", "core/providers/gateways.py"),
    "LocalModel": ("core/calling.py",),
    "PriceBook": ("core/foundation.py",),
    "PassiveHealth": ("core/bootstrap.py",),
    "TurnEngine": ("core/calling.py",),
}
SLOW = frozenset({"litellm"})


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and whether the import runs when the file itself is imported."""

    module: str
    line: int
    at_once: bool


def our_files() -> list[Path]:
    """Every Python file of the app, relative to the repository."""
    found = [path for name in OURS for path in (ROOT / name).rglob("*.py")]
    found += [ROOT / f"{name}.py" for name in OURS if (ROOT / f"{name}.py").is_file()]
    return sorted(path.relative_to(ROOT) for path in found)


def breaches(path: Path, text: str) -> list[str]:
    """What in this file goes against the directions, one sentence each."""
    tree = ast.parse(text)
    found = [sentence for item in imports(tree) if (sentence := _judge(path, item))]
    return [*found, *_built_elsewhere(path, tree)]


def imports(tree: ast.Module) -> Iterator[Import]:
    """Every import of a file, also those inside functions and those by name in text."""
    at_once = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        for module in _modules(node):
            yield Import(module, getattr(node, "lineno", 0), id(node) in at_once)


def _modules(node: ast.AST) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=str(module), names=names, level=0):
            return [_submodule(module, alias.name) for alias in names]
        case ast.ImportFrom(level=level) if level:
            return ["a relative import"]
        case ast.Call(func=function, args=[ast.Constant(value=str(name)), *_]) if "import" in _last_name(function):
            return [name]
    return []


def _last_name(function: ast.expr) -> str:
    return ast.unparse(function).rsplit(".", 1)[-1]


def _submodule(module: str, name: str) -> str:
    inside = ROOT.joinpath(*module.split("."), name)
    return f"{module}.{name}" if inside.with_suffix(".py").is_file() or inside.is_dir() else module


def _judge(path: Path, item: Import) -> str | None:
    where = f"{path}:{item.line}"
    library = item.module.split(".")[0]
    if item.module == "a relative import":
        return f"{where}: imports by a relative name"
    if library in LIBRARIES and not path.as_posix().startswith(LIBRARIES[library]):
        return f"{where}: {library} is imported outside {', '.join(LIBRARIES[library])}"
    if library in SLOW and item.at_once:
        return f"{where}: {library} is imported at once, it has to wait for its first use"
    if library in OURS and not _allowed(_module(path), item.module):
        return f"{where}: {_module(path)} may not import {item.module}"
    return None


def _allowed(source: str, target: str) -> bool:
    if target in VALUES:
        return True
    if source in VALUES:
        return False
    source_unit, target_unit = _unit(source), _unit(target)
    if source_unit == target_unit:
        return source_unit != "pages"
    return RANKS[target_unit] < RANKS[source_unit]


def _unit(module: str) -> str:
    parts = module.split(".")
    # A package's own __init__ holds a docstring at most: whoever names the package alone means its ground.
    return ".".join(parts[:2]) if parts[0] == "core" and len(parts) > 1 else parts[0]


def _module(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def _built_elsewhere(path: Path, tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in BUILT_ONCE:
            places = BUILT_ONCE[node.func.id]
            if not path.as_posix().startswith(places):
                yield f"{path}:{node.lineno}: {node.func.id} is built outside {', '.join(places)}"
