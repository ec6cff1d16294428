"""What the engine and everything around it stand on: the store, and what is read from it before a call can be made."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from core.accounts.audiences import Audiences
from core.accounts.audit import record
from core.accounts.first_admin import SignIn, open_sign_in
from core.accounts.groups import Groups
from core.accounts.preferences import load_team_zone
from core.catalog.catalog import Catalog
from core.catalog.discovery import Discovery
from core.catalog.overrides import Overrides
from core.catalog.registry import LiveRegistry
from core.chat.recovery import recover_turns
from core.costs.budgets import Budgets
from core.costs.price_book import PriceBook
from core.costs.token_budgets import TokenBudgets
from core.providers.endpoints import Keys, load_keys
from core.settings import Settings
from core.shared.journal import ALONE, Journal
from core.sharing import Sharing, open_sharing
from core.store.database import Database
from core.store.files import FileStore
from core.store.migrate import migrate

_SECRETS = Path(".streamlit/secrets.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Foundation:
    """The store with its tables as this version has them, who may do what in it, and what models and calls cost."""

    settings: Settings
    keys: Keys
    database: Database
    files: FileStore
    book: PriceBook
    registry: Catalog
    groups: Groups
    sign_in: SignIn
    sharing: Sharing
    journal: Journal
    budgets: Budgets
    tokens: TokenBudgets


def open_foundation(settings: Settings) -> Foundation:
    """Open the store and read what is needed of it. Raises SwitchboardError, with nothing left open."""
    file = LiveRegistry(settings.models, local_models=settings.local_model == "on")
    keys = load_keys(_SECRETS)
    database = Database(settings.store_url)
    try:
        migrate(database)
        base = _read(settings, database, file, keys)
        base.registry.current()  # fills the book: no call is to come before its price
        if not settings.shares_store:
            recover_turns(database, find_model=base.registry.find, files=base.files, price_at=base.book.price_at)
    except BaseException:
        database.close()
        raise
    return base


def _read(settings: Settings, database: Database, file: LiveRegistry, keys: Keys) -> Foundation:
    files, groups, book = FileStore(settings.files_dir), Groups(database), PriceBook(database, record=record)
    overrides = Overrides(database, record=record)
    sign_in = open_sign_in(
        database,
        data_dir=settings.data_dir,
        admin_password=settings.admin_password,
        session_secret=settings.session_secret,
    )
    sharing = open_sharing(settings, database, files, secret=sign_in.secret)
    journal = sharing.journal or ALONE
    people, zone = Audiences(database, groups), partial(load_team_zone, database)
    return Foundation(
        settings=settings,
        keys=keys,
        database=database,
        files=files,
        book=book,
        registry=Catalog(file, discovery=Discovery(keys=keys), overrides=overrides, book=book),
        groups=groups,
        sign_in=sign_in,
        sharing=sharing,
        journal=journal,
        budgets=Budgets(database, people=people, record=record, zone=zone, journal=journal),
        tokens=TokenBudgets(database, journal=journal),
    )
