"""Every error Switchboard raises on purpose.

SwitchboardError
├── SettingsError            a SWITCHBOARD_* variable is unknown or wrong; the start stops
├── RegistryError            the registry file is refused, with line and field
├── StoreError               the tables cannot be opened or used
│   ├── StoreLocked          another process holds the file
│   ├── StoreDamaged         the file is not a database, or a migration was edited
│   └── StoreTooNew          a newer Switchboard wrote this store
├── NotFound                 no such thing, or not yours: the two are never told apart
├── AccountError             a sign-in or account change is refused
├── BudgetError              a budget or a rate limit cannot be set like that
├── TurnRefused              a message is not sent; nothing was stored, nothing was spent
│   └── LimitReached         a budget or a rate limit has no room for it
├── ImportRefused            a file cannot be imported at all; what was imported before stays
├── PriceRefused             a price cannot be entered in the price book; nothing was changed
├── UsageFilterError         the address of a cost page asks for what cannot be meant
├── DamagedEntry             one conversation of an imported file cannot be read; the others are
└── ProviderError            a model's provider failed; carries an ErrorClass

Every one carries a sentence for the person (`user_message`: what happened), the next step
(`next_step`: what to do) and, where there is one, the technical text (`detail`), which may be
shown behind a disclosure and never holds a secret.
"""

from __future__ import annotations

from enum import StrEnum


class SwitchboardError(Exception):
    """Base of all errors raised on purpose: `except SwitchboardError as error: show(error.user_message)`."""

    def __init__(self, user_message: str, *, next_step: str = "", detail: str = "") -> None:
        super().__init__(user_message)
        self.user_message = user_message
        self.next_step = next_step
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.user_message} {self.next_step}".strip()


class SettingsError(SwitchboardError):
    """A setting is unknown or wrong. The message names the variable."""


class RegistryError(SwitchboardError):
    """The registry file is refused. The message names line, field and what was expected."""


class StoreError(SwitchboardError):
    """The store cannot be opened or used."""


class StoreLocked(StoreError):
    """Another process holds the store file."""


class StoreDamaged(StoreError):
    """The store file is not a database, or an applied migration differs from the one shipped."""


class StoreTooNew(StoreError):
    """The store holds migrations that this version does not know."""


class NotFound(SwitchboardError):
    """No such thing, or it belongs to somebody else."""


class AccountError(SwitchboardError):
    """A sign-in or a change of an account is refused."""


class BudgetError(SwitchboardError):
    """A budget or a rate limit cannot be set like that."""


class TurnRefused(SwitchboardError):
    """A message cannot be sent.

    `code` is stable: empty, too_long, busy, unknown_model, unknown_message, no_key, disabled, parameter, window,
    stopping, temporary, vision, tools, json, attachment, line_up, cap, budget, rate_limit.
    """

    def __init__(self, code: str, user_message: str, *, next_step: str = "", detail: str = "") -> None:
        super().__init__(user_message, next_step=next_step, detail=detail)
        self.code = code


class LimitReached(TurnRefused):
    """A call would go over a budget or a rate limit; `limit_id` says which one.

    `retry_after_s` is in how many seconds the same call would pass, where that is known. `instead` is the id of a model
    that would answer it now.
    """

    def __init__(
        self,
        code: str,
        user_message: str,
        *,
        limit_id: str,
        next_step: str = "",
        retry_after_s: float | None = None,
        instead: str | None = None,
    ) -> None:
        super().__init__(code, user_message, next_step=next_step)
        self.limit_id = limit_id
        self.retry_after_s = retry_after_s
        self.instead = instead


class ImportRefused(SwitchboardError):
    """A file is no export that we know, or too large."""


class PriceRefused(SwitchboardError):
    """A price cannot be entered in the price book. Nothing was changed."""


class UsageFilterError(SwitchboardError):
    """A filter of the cost pages, as an address has it, cannot be meant: a day or a value that is none.

    `parameter` is the one of the address that is wrong.
    """

    def __init__(self, user_message: str, *, parameter: str, next_step: str = "") -> None:
        super().__init__(user_message, next_step=next_step)
        self.parameter = parameter


class DamagedEntry(SwitchboardError):
    """One conversation of a file cannot be read: `user_message` says why in half a sentence."""


class ErrorClass(StrEnum):
    """What went wrong at a provider, in the field's terms. Stored by value in the ledger."""

    CONNECTION = "connection"
    AUTHENTICATION = "authentication"
    PERMISSION = "permission"
    NOT_FOUND = "not_found"
    RATE_LIMIT = "rate_limit"
    BAD_REQUEST = "bad_request"
    CONTEXT_LENGTH = "context_length"
    CONTENT_POLICY = "content_policy"
    SERVER = "server"
    STALL = "stall"
    TRUNCATED = "truncated"
    STARTING = "starting"
    INTERNAL = "internal"


class ProviderError(SwitchboardError):
    """A provider failed. Raised by gateways only, so that nothing above them knows a client library's exceptions."""

    def __init__(
        self,
        error_class: ErrorClass,
        user_message: str,
        *,
        next_step: str = "",
        detail: str = "",
        status_code: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(user_message, next_step=next_step, detail=detail)
        self.error_class = error_class
        self.status_code = status_code
        self.retry_after_s = retry_after_s
