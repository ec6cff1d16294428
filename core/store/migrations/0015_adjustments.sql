-- Corrections of the ledger. Attempts are never updated and these are never either: what a row of `attempts` costs today
-- is what it was written with plus its rows here (the view `ledger`, core/store/views).
create table adjustments (
    id text primary key,
    attempt_id text not null,
    attempt_started_at timestamp not null,  -- as in `attempts`: what the view finds the few corrected rows by
    created_at timestamp not null,
    delta_usd decimal(18,9) not null,       -- on top of what the attempt cost until now; an unpriced one cost nothing
    new_code text,                          -- the cost code from now on; null: as before
    price_version text,                     -- which prices were used; null: as before
    reason text not null,
    actor text                              -- users.id; null: the installation itself
);

-- What pricing a call again takes, beyond the buckets there were. Rows from before have none of it.
alter table attempts add column cache_write_1h_tokens bigint default 0; -- of cache_write_tokens
alter table attempts add column audio_tokens bigint default 0;          -- of input_tokens
alter table attempts add column audio_output_tokens bigint default 0;   -- of output_tokens
alter table attempts add column service_tier text;                      -- batch | flex | priority; null: the usual one
alter table attempts add column counted_by_us boolean default false;    -- the tokens are our own count
