-- name: figures_of_conversation
-- What each answer took: every attempt of its turn counts, because every attempt was paid for; the times are those of
-- the attempt that answered, the last one; one that called tools on the way began when it first answered (arg_max would pass over its nulls and take an earlier attempt's figure).
select
    turn_id,
    sum(input_tokens)::bigint as input_tokens,
    sum(cached_input_tokens)::bigint as cached_input_tokens,
    sum(output_tokens)::bigint as output_tokens,
    sum(reasoning_tokens)::bigint as reasoning_tokens,
    case when count(*) = count(cost_usd) then sum(cost_usd)::decimal(38,9) end as cost_usd,
    case when count(*) = count(cost_usd) then arg_max(cost_code, id) else 'unpriced' end as cost_code,
    case when count(*) = count(cache_saved_usd) then sum(cache_saved_usd)::decimal(38,9) end as cache_saved_usd,
    coalesce(min(started_at) filter (where status = 'ok'), arg_max(started_at, id)) as started_at,
    arg_max_null(first_token_at, id) as first_token_at,
    max(ended_at) as ended_at,
    arg_max(output_tokens, id) as last_output_tokens,
    bool_or(parent_id is not null or fallback_of is not null) as detour
from attempts
where conversation_id = $conversation_id
group by turn_id

-- name: any_correction
select 1 as found from adjustments limit 1
