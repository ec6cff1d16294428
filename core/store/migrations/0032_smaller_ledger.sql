-- duckdb
-- The ledger of a file in 58 bytes a row where it took 96 (docs/adr/0017). The rows move into a table that says nothing
-- twice; `attempts` becomes a view over it (core/store/file_views) with the columns it always had. A PostgreSQL keeps its
-- table: it has indexes and triggers on it, and saves nothing that way. The order of the rows stays.
create table attempt_rows (
    id uuid,                                -- null: the turn's id, or in id_text
    turn_id uuid,                           -- null: in turn_id_text
    parent_id uuid,                         -- null: none, or in parent_id_text
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
    first_token_at timestamp,               -- only where first_token_us cannot say it
    ended_at timestamp not null,            -- no duration: what is asked about the last minutes finds them by it
    input_tokens bigint not null,           -- total, details below are subsets of it
    cached_input_tokens bigint not null,
    cache_write_tokens bigint not null,
    image_tokens bigint not null,
    output_tokens bigint not null,          -- total, reasoning is a subset of it
    reasoning_tokens bigint not null,
    computed_cost_usd decimal(18,9),        -- buckets times prices; null where computed_is_cost
    reported_cost_usd decimal(18,9),        -- what the provider says it bills; null where reported_is_cost
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
    counted_by_us boolean default false,    -- the tokens are our own count
    -- Ids that are no UUIDs as we write them, such as those of imports.
    id_text text,
    turn_id_text text,
    parent_id_text text,
    first_token_us bigint,                  -- microseconds from started_at to the first token
    computed_is_cost boolean not null,      -- computed_cost_usd is what cost_usd is, also where that is null
    reported_is_cost boolean not null,
    check (turn_id is not null or turn_id_text is not null)
);

insert into attempt_rows select
    case when id <> turn_id then id_uuid end,
    turn_id_uuid, parent_id_uuid, conversation_id, user_id, source, use_case, requested_model, served_model,
    upstream_model, provider, parameters, started_at,
    case when first_us is null then first_token_at end,
    ended_at, input_tokens, cached_input_tokens, cache_write_tokens, image_tokens, output_tokens, reasoning_tokens,
    case when computed_cost_usd is distinct from cost_usd then computed_cost_usd end,
    case when reported_cost_usd is distinct from cost_usd then reported_cost_usd end,
    cost_usd, cost_code, price_version, status, error_message, fallback_of, cached, cache_saved_usd,
    cache_write_1h_tokens, audio_tokens, audio_output_tokens, service_tier, counted_by_us,
    case when id <> turn_id and id_uuid is null then id end,
    case when turn_id_uuid is null then turn_id end,
    case when parent_id_uuid is null then parent_id end,
    first_us,
    computed_cost_usd is not distinct from cost_usd,
    reported_cost_usd is not distinct from cost_usd
from (
    select
        *,
        case when try_cast(id as uuid)::text = id then try_cast(id as uuid) end as id_uuid,
        case when try_cast(turn_id as uuid)::text = turn_id then try_cast(turn_id as uuid) end as turn_id_uuid,
        case when try_cast(parent_id as uuid)::text = parent_id then try_cast(parent_id as uuid) end as parent_id_uuid,
        try(epoch_us(first_token_at) - epoch_us(started_at)) as first_us
    from attempts
);

drop table attempts;
