-- Keys for scripts. Of a token only the hash is kept: it is shown once, when it is made.

create table api_tokens (
    id text primary key,
    user_id text not null,                  -- whose calls these are: models, budgets and ledger are theirs
    name text not null,
    hash text not null unique,              -- SHA-256 of the token, in hexadecimal; the token is 256 random bits
    ending text not null,                   -- its last four characters, to tell tokens apart
    scopes text not null,                   -- words separated by spaces: chat, usage, admin
    models text,                            -- JSON list of registry ids; null: all that the person may use
    budget_usd decimal(18,9),               -- per calendar month (UTC); null: none of its own
    rpm_limit integer,                      -- requests per minute; null: none of its own
    expires_at timestamp,
    last_used_at timestamp,
    created_at timestamp not null,
    revoked_at timestamp
);

-- The token that asked for a turn; null for what people do on the pages.
alter table turns add column token_id text;
