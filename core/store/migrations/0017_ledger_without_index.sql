-- The ledger without the index of its primary key. Ids are made to be unique and nobody looks a row up by one alone; the
-- index took 75 of 164 bytes a row, twice the time to append, and its size again in memory (measured at a million rows).
-- A table cannot give up its key, so the rows move, into the order of time that questions about a period read fastest.
create table attempts_moved (
    id text not null,
    turn_id text not null,
    parent_id text,                         -- the attempt this one followed, within its turn
    conversation_id text,
    user_id text not null,
    source text not null,                   -- chat | compare | api | title | probe | import
    use_case text,
    requested_model text not null,
    served_model text,                      -- the registry id that answered; null when none did
    upstream_model text,                    -- the provider's own name for it
    provider text not null,
    parameters text not null,               -- JSON
    started_at timestamp not null,
    first_token_at timestamp,
    ended_at timestamp not null,
    input_tokens bigint not null,           -- total, details below are subsets of it
    cached_input_tokens bigint not null,
    cache_write_tokens bigint not null,
    image_tokens bigint not null,
    output_tokens bigint not null,          -- total, reasoning is a subset of it
    reasoning_tokens bigint not null,
    computed_cost_usd decimal(18,9),        -- buckets times prices
    reported_cost_usd decimal(18,9),        -- what the provider says it bills
    cost_usd decimal(18,9),                 -- the figure at the time; null when unpriced
    cost_code text not null,                -- reported | computed | estimated | partial | unpriced | free | cached
    price_version text,                     -- which prices were used
    status text not null,                   -- ok | stopped | an error class
    error_message text,
    fallback_of text,                       -- the model that was asked first, when another answered
    cached boolean not null,
    cache_saved_usd decimal(18,9),          -- what a cache saved on the call, by the prices of that moment
    cache_write_1h_tokens bigint default 0, -- of cache_write_tokens
    audio_tokens bigint default 0,          -- of input_tokens
    audio_output_tokens bigint default 0,   -- of output_tokens
    service_tier text,                      -- batch | flex | priority; null: the usual one
    counted_by_us boolean default false     -- the tokens are our own count
);

insert into attempts_moved select
    id, turn_id, parent_id, conversation_id, user_id, source, use_case, requested_model, served_model, upstream_model,
    provider, parameters, started_at, first_token_at, ended_at, input_tokens, cached_input_tokens, cache_write_tokens,
    image_tokens, output_tokens, reasoning_tokens, computed_cost_usd, reported_cost_usd, cost_usd, cost_code,
    price_version, status, error_message, fallback_of, cached, cache_saved_usd, cache_write_1h_tokens, audio_tokens,
    audio_output_tokens, service_tier, counted_by_us
from attempts
order by started_at, id;

drop table attempts;

alter table attempts_moved rename to attempts;
