"""Every callback of the pages is `unbroken`: a click that comes while it runs cannot leave it half done."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

import pytest

from tests.support.architecture import ROOT, our_files

PAGES = [path for path in our_files() if path.parts[0] in {"ui", "pages"}]
TREES = {path: ast.parse((ROOT / path).read_text(encoding="utf-8")) for path in PAGES}
# What is given on to a widget as its callback, beside Streamlit's own on_click, on_change and so on.
GIVEN_ON = {"choose", "choose_model", "send", "answer_again", "go_on"}
STREAMLIT = {"st.login"}


def functions(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    """The functions of a module by their names."""
    return {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}


def is_unbroken(function: ast.FunctionDef) -> bool:
    return any(ast.unparse(decorator) == "unbroken" for decorator in function.decorator_list)


def callbacks(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """What is given to widgets as their callbacks: the words that name it, and the line."""
    local = assigned(tree)
    for node in ast.walk(tree):
        given = [(word.arg, word.value) for word in node.keywords] if isinstance(node, ast.Call) else []
        if isinstance(node, ast.Dict):
            given = [
                (key.value, value)
                for key, value in zip(node.keys, node.values, strict=True)
                if isinstance(key, ast.Constant)
            ]
        for name, value in given:
            is_callback = isinstance(name, str) and (name.startswith("on_") or name in GIVEN_ON)
            if is_callback and not isinstance(value, ast.Constant):
                yield words_of(value, local), value.lineno


def words_of(value: ast.expr, local: Mapping[str, ast.expr]) -> str:
    if isinstance(value, ast.Name) and value.id in local:
        return words_of(local[value.id], {})
    if isinstance(value, ast.Call) and ast.unparse(value.func) == "partial":
        return words_of(value.args[0], local)
    return ast.unparse(value)


def assigned(tree: ast.Module) -> dict[str, ast.expr]:
    """What the names of a module stand for that are set to a `partial`."""
    pairs: list[tuple[ast.expr, ast.expr]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            target = node.targets[0]
            both = isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple)
            pairs += zip(target.elts, node.value.elts, strict=False) if both else [(target, node.value)]
    return {
        name.id: value
        for name, value in pairs
        if isinstance(name, ast.Name) and isinstance(value, ast.Call) and ast.unparse(value.func) == "partial"
    }


def found(words: str, tree: ast.Module) -> ast.FunctionDef | None:
    """The function of ours with this name, as a module of ours calls it."""
    imported = {
        alias.asname or alias.name: (node.module or "", alias.name)
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    module, _, name = words.rpartition(".")
    if not module and name in functions(tree):
        return functions(tree)[name]
    package, original = imported.get(module or name, ("", ""))
    file = f"{package}.{original}" if module else package
    other = next((tree for path, tree in TREES.items() if str(path) == f"{file.replace('.', '/')}.py"), None)
    return None if other is None else functions(other).get(name if module else original)


def parameters(tree: ast.Module) -> set[str]:
    """What the functions of a module are given: whoever gives it is looked at there."""
    return {argument.arg for node in ast.walk(tree) if isinstance(node, ast.arguments) for argument in all_of(node)}


def all_of(arguments: ast.arguments) -> list[ast.arg]:
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_every_callback_is_unbroken(path):
    tree = TREES[path]
    broken = []
    for words, line in callbacks(tree):
        function = found(words, tree)
        if function is None and (words in parameters(tree) or words.split(".")[0] in parameters(tree)):
            continue
        if words not in STREAMLIT and (function is None or not is_unbroken(function)):
            broken.append(f"line {line}: {words}")

    assert broken == []


def test_callbacks_are_found():
    assert sum(len(list(callbacks(tree))) for tree in TREES.values()) > 100
