"""Who works in the demo, what they ask and what they are told. All of it made up."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import yaml


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody: `pace` is how many conversations they begin on a usual day, `group` the one they are in."""

    username: str
    display_name: str
    group: str
    pace: float


@dataclass(frozen=True, slots=True)
class Topic:
    """What a conversation is about, with what is said in it."""

    title: str
    use_case: str
    turns: tuple[tuple[str, str], ...]


# Signs in as the administrator of the demo.
ADMIN = "demo-admin"

MEMBERS = (
    Member(ADMIN, "Dana Okafor (demo)", "Operations", 1.5),
    Member("amira", "Amira Haddad", "Product", 6.0),
    Member("bela", "Béla Kovács", "Engineering", 11.2),
    Member("chidi", "Chidi Eze", "Engineering", 9.5),
    Member("elif", "Elif Aydan", "Research", 7.2),
    Member("freya", "Freya Lindqvist", "Product", 4.5),
    Member("goran", "Goran Petrović", "Engineering", 5.5),
    Member("hana", "Hana Sato", "Research", 8.2),
    Member("ines", "Inês Carvalho", "Support", 6.8),
    Member("jonas", "Jonas Meier", "Support", 3.8),
    Member("kavya", "Kavya Raman", "Engineering", 6.5),
    Member("luca", "Luca Romano", "Operations", 2.2),
)


@cache
def topics() -> tuple[Topic, ...]:
    """What conversations are about: `topics.yaml`."""
    text = files("core.demo").joinpath("topics.yaml").read_text(encoding="utf-8")
    return tuple(
        Topic(entry["title"], entry["use_case"], tuple((turn["asked"], turn["told"]) for turn in entry["turns"]))
        for entry in yaml.safe_load(text)
    )
