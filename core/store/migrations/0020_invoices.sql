-- What providers say they bill, as imported from their files. Nothing of the ledger changes with it.

create table invoices (
    id text primary key,
    provider text not null,                 -- as in `attempts`
    file_name text not null,
    layout text not null,                   -- which export it is, in words
    gives text not null,                    -- amounts | tokens | both
    content_hash text not null,             -- SHA-256 of the file: it is never taken twice
    bad_rows bigint not null,               -- that were left out
    imported_at timestamp not null,
    imported_by text                        -- users.id
);

create table invoice_lines (
    invoice_id text not null,
    line bigint not null,                   -- in the file
    day date not null,                      -- UTC
    model text not null,                    -- the provider's name; empty: about none
    item text not null,                     -- what the amount is for, in the file's words
    amount_usd decimal(18,9),               -- null: the file does not say
    calls bigint,
    input_tokens bigint,                    -- total, the next two are part of it
    cached_input_tokens bigint,
    cache_write_tokens bigint,
    output_tokens bigint
);
