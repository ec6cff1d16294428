-- Writing the ledger (core.store.attempt_rows). A PostgreSQL has the table `attempts`; a file has `attempt_rows`, which
-- says nothing twice, and over it the view `attempts` (file_views/attempts.sql), which is the other half of this.

-- name: record
insert into attempts (
    id, turn_id, parent_id, conversation_id, user_id, source, use_case,
    requested_model, served_model, upstream_model, provider, parameters,
    started_at, first_token_at, ended_at,
    input_tokens, cached_input_tokens, cache_write_tokens, image_tokens, output_tokens, reasoning_tokens,
    computed_cost_usd, reported_cost_usd, cost_usd, cost_code, price_version,
    status, error_message, fallback_of, cached, cache_saved_usd,
    cache_write_1h_tokens, audio_tokens, audio_output_tokens, service_tier, counted_by_us
) values (
    $id, $turn_id, $parent_id, $conversation_id, $user_id, $source, $use_case,
    $requested_model, $served_model, $upstream_model, $provider, $parameters,
    $started_at, $first_token_at, $ended_at,
    $input_tokens, $cached_input_tokens, $cache_write_tokens, $image_tokens, $output_tokens, $reasoning_tokens,
    $computed_cost_usd, $reported_cost_usd, $cost_usd, $cost_code, $price_version,
    $status, $error_message, $fallback_of, $cached, $cache_saved_usd,
    $cache_write_1h_tokens, $audio_tokens, $audio_output_tokens, $service_tier, $counted_by_us
)

-- name: take
insert into attempts by name select * from {rows}

-- name: take_into_file
-- A text that is not what DuckDB writes for a UUID stays a text. A time that no difference reaches, as an infinite one,
-- stays a time.
insert into attempt_rows by name
select
    * exclude (id_uuid, turn_uuid, parent_uuid, first_us) replace (
        case when id <> turn_id then id_uuid end as id,
        turn_uuid as turn_id,
        parent_uuid as parent_id,
        case when first_us is null then first_token_at end as first_token_at,
        case when computed_cost_usd is distinct from cost_usd then computed_cost_usd end as computed_cost_usd,
        case when reported_cost_usd is distinct from cost_usd then reported_cost_usd end as reported_cost_usd
    ),
    case when id <> turn_id and id_uuid is null then id end as id_text,
    case when turn_uuid is null then turn_id end as turn_id_text,
    case when parent_uuid is null then parent_id end as parent_id_text,
    first_us as first_token_us,
    computed_cost_usd is not distinct from cost_usd as computed_is_cost,
    reported_cost_usd is not distinct from cost_usd as reported_is_cost
from (
    select
        *,
        case when try_cast(id as uuid)::text = id then try_cast(id as uuid) end as id_uuid,
        case when try_cast(turn_id as uuid)::text = turn_id then try_cast(turn_id as uuid) end as turn_uuid,
        case when try_cast(parent_id as uuid)::text = parent_id then try_cast(parent_id as uuid) end as parent_uuid,
        try(epoch_us(first_token_at::timestamp) - epoch_us(started_at)) as first_us
    from {rows}
)

-- name: take_out_of_file
-- duckdb
delete from attempt_rows where rowid in (select number from numbered_attempts where {condition})
