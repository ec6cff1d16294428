-- What the cost pages ask. `{where}` becomes the condition of the chosen calls, other names in braces become expressions
-- (core.costs.reports.statements). Every sum of money is exact; `unpriced` calls are in no sum, so that with any of them
-- a sum is "at least".

-- name: totals_by_group
select
    {group} as name,
    count(*) as calls,
    coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) - count(cost_usd) as unpriced,
    sum(input_tokens)::bigint as input_tokens,
    sum(cached_input_tokens)::bigint as cached_input_tokens,
    sum(cache_write_tokens)::bigint as cache_write_tokens,
    sum(image_tokens)::bigint as image_tokens,
    sum(output_tokens)::bigint as output_tokens,
    sum(reasoning_tokens)::bigint as reasoning_tokens,
    coalesce(sum(cache_saved_usd) filter (where not cached), 0)::decimal(38,9) as prompt_cache_saved_usd,
    coalesce(sum(cache_saved_usd) filter (where cached), 0)::decimal(38,9) as kept_answers_saved_usd,
    count(*) filter (where cached) as kept_answers
from ledger
where {where}
group by 1

-- name: spend_by_group
select
    {group} as name,
    count(*) as calls,
    coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) - count(cost_usd) as unpriced
from ledger
where {where}
group by 1

-- name: spend_over_time
-- By group over time; the groups past the dearest together, without a name.
with grouped as materialized (
    select
        {bucket} as bucket,
        {group} as name,
        count(*) as calls,
        coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
        count(*) - count(cost_usd) as unpriced
    from ledger
    where {where}
    group by 1, 2
), ranked as (
    select name, row_number() over (order by sum(cost_usd) desc, sum(calls) desc, name) as rank from grouped group by name
)
select
    bucket,
    case when rank <= $most then name end as name,
    sum(calls)::bigint as calls,
    sum(cost_usd)::decimal(38,9) as cost_usd,
    sum(unpriced)::bigint as unpriced
from grouped
join ranked using (name)
group by 1, 2

-- name: spend_lately
-- By day, and within a day before and after the time of day that it is now: enough for every "so far" and what there was
-- as far into the day, the week and the month before.
select
    {bucket} as bucket,
    {second} < $second_now as early,
    count(*) as calls,
    coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) - count(cost_usd) as unpriced
from ledger
where {where}
group by 1, 2

-- name: dearest_conversations
-- The dearest conversations one by one, then all of them together (without a key), then the calls outside of any.
with spent as materialized (
    select
        conversation_key,
        count(*) as calls,
        coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
        count(*) - count(cost_usd) as unpriced
    from measured_calls
    where {where}
    group by conversation_key
)
(
    select 'one' as part, conversation_key as key, 1 as conversations, calls, cost_usd, unpriced
    from spent
    where conversation_key is not null
    order by cost_usd desc, conversation_key
    limit $limit
)
union all
select
    case when conversation_key is null then 'outside' else 'all' end, null, count(*), sum(calls)::bigint,
    sum(cost_usd)::decimal(38,9), sum(unpriced)::bigint
from spent
group by 1

-- name: owners_of_conversations
-- Whose the dearest conversations are and when they were last gone on with: asked for ten of them, not for all.
select
    conversation_key as key,
    any_value(conversation_id) as conversation_id,
    min(user_id) as user_id,
    max(started_at) as last_at
from measured_calls
where {where} and conversation_key in ({keys})
group by conversation_key

-- name: names_of_conversations
-- Titles are words of the person whose conversation it is: only their own are read.
select id, title from conversations where id in (select unnest($ids)) and user_id = $viewer_id and deleted_at is null

-- name: known_values
-- List by list: the different values of one column are read off its dictionary.
select 'models' as list, value from (select distinct coalesce(served_model, requested_model) as value from ledger where {where})
union all
select 'providers', value from (select distinct provider as value from ledger where {where})
union all
select 'use_cases', value from (select distinct coalesce(use_case, '') as value from ledger where {where})
union all
select 'statuses', value from (select distinct status as value from ledger where {where})

-- name: explored
-- Calls grouped by one or two things: the rows of one page of a table, the same rows folded for a chart (everything past
-- the weightiest as "others"), and what all of them took together. `place` is the row's place in the order of the table.
with grouped as materialized (
    select
        {first} as first,
        {second} as second,
        count(*) as calls,
        coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
        count(*) - count(cost_usd) as unpriced,
        sum(input_tokens)::bigint as input_tokens,
        sum(cached_input_tokens)::bigint as cached_input_tokens,
        sum(output_tokens)::bigint as output_tokens
    from ledger
    where {where}
    group by 1, 2
), firsts as (
    select first, row_number() over (order by sum({measure}) desc, first) as rank from grouped group by first
), seconds as (
    select second, row_number() over (order by sum({measure}) desc, second) as rank from grouped group by second
), folded as (
    select
        case when firsts.rank <= $most_firsts then first end as first,
        case when seconds.rank <= $most_seconds then second end as second,
        firsts.rank > $most_firsts as first_others,
        seconds.rank > $most_seconds as second_others,
        sum(calls) as calls, sum(cost_usd) as cost_usd, sum(unpriced) as unpriced, sum(input_tokens) as input_tokens,
        sum(cached_input_tokens) as cached_input_tokens, sum(output_tokens) as output_tokens
    from grouped
    join firsts using (first)
    join seconds using (second)
    group by all
), paged as (
    select *, row_number() over (order by {order}) as place from grouped order by place limit $limit offset $offset
)
select 'table' as part, first, second, false as first_others, false as second_others, place, 1 as rows,
    calls, cost_usd, unpriced, input_tokens, cached_input_tokens, output_tokens
from paged
union all
select 'chart', first, second, first_others, second_others, null, null, calls::bigint, cost_usd::decimal(38,9),
    unpriced::bigint, input_tokens::bigint, cached_input_tokens::bigint, output_tokens::bigint
from folded
union all
select 'total', null, null, false, false, null, count(*), sum(calls)::bigint, sum(cost_usd)::decimal(38,9),
    sum(unpriced)::bigint, sum(input_tokens)::bigint, sum(cached_input_tokens)::bigint, sum(output_tokens)::bigint
from grouped

-- name: newest_calls
-- Which calls are on a page of the list: two columns of all of them, so that the other thirty are read for fifty only.
select id, started_at from ledger where {where} order by started_at desc, id desc limit $limit offset $offset

-- name: calls
select
    id, turn_id, conversation_id, user_id, source, use_case, requested_model,
    coalesce(served_model, requested_model) as model, provider,
    started_at,
    date_diff('microsecond', started_at, first_token_at) / 1000.0::double as first_token_ms,
    date_diff('microsecond', started_at, ended_at) / 1000.0::double as duration_ms,
    input_tokens, cached_input_tokens, output_tokens, reasoning_tokens,
    cost_usd, cost_code, adjusted_usd, status
from ledger
where started_at >= $since and started_at <= $until and id in (select unnest($ids))
order by started_at desc, id desc

-- name: count_calls
select count(*) as calls from ledger where {where}

-- name: distribution
-- How many calls took how much, in bins that grow by a tenth, and the exact percentiles: the steps say where in the order
-- of all values those lie, so that no others are sorted. What is not above zero is counted apart, in the lowest step.
with counted as materialized (
    select {step} as step, count(*) as calls from measured_calls where {where} and {step} is not null group by 1
), placed as (
    select step, calls, sum(calls) over (order by step) - calls as before, sum(calls) over () as total from counted
), wanted as (
    select share, floor(place)::bigint as low, ceil(place)::bigint as high, place - floor(place) as part
    from (
        select share, share * (total - 1) as place
        from (select unnest([0.5, 0.95, 0.99]::double[]) as share), (select max(total) as total from placed)
    )
), holding as materialized (
    -- The steps with a value that is asked for, and the one with the largest.
    select step, before from placed
    where step = (select max(step) from placed)
        or exists (select 1 from wanted where high >= before and low < before + calls)
), valued as (
    select step, value, count(*) as calls
    from (select {step} as step, {value} as value from measured_calls where {where} and {step} in (select step from holding))
    group by 1, 2
), ordered as materialized (
    select
        value, valued.calls,
        before + sum(valued.calls) over (partition by step order by value) - valued.calls as before
    from valued
    join holding using (step)
)
select
    (
        select list({'bin': bin, 'calls': calls} order by bin)
        from (
            select floor(step / 8)::integer as bin, sum(calls)::bigint as calls from counted where step > -2000 group by 1
        )
    ) as bins,
    (select coalesce(sum(calls), 0)::bigint from counted) as calls,
    (select coalesce(sum(calls), 0)::bigint from counted where step = -2000) as zeros,
    (
        select list(lower.value::double + (upper.value - lower.value)::double * part order by share)
        from wanted
        join ordered as lower on low >= lower.before and low < lower.before + lower.calls
        join ordered as upper on high >= upper.before and high < upper.before + upper.calls
    ) as percentiles,
    (select max(value)::double from ordered) as most

-- name: percentiles
-- The exact percentiles of one thing that calls take, by group.
with measured as (
    select {group} as name, {value} as value from measured_calls where {where}
)
select name, count(value) as calls, quantile_cont(value, [0.5, 0.95, 0.99])::double[] as percentiles
from measured
group by name
order by calls desc, name
limit $limit

-- name: calls_to_export
-- The copy of the ledger knows nobody's name: they come along, in the order of the ids.
select
    id, turn_id, parent_id, conversation_id, user_id,
    ($usernames::text[])[array_position($user_ids::text[], user_id)] as username, source, use_case,
    requested_model, served_model, upstream_model, provider, started_at, first_token_at, ended_at, input_tokens, cached_input_tokens, cache_write_tokens, image_tokens,
    output_tokens, reasoning_tokens, cost_usd, original_cost_usd, adjusted_usd, computed_cost_usd, reported_cost_usd,
    cost_code, price_version, status, fallback_of, cached, cache_saved_usd, cache_write_1h_tokens, audio_tokens,
    audio_output_tokens, service_tier, counted_by_us
from ledger
where {where}
order by started_at, id
limit $limit

-- name: outcomes
-- How calls ended, by model.
select
    coalesce(served_model, requested_model) as model,
    status,
    count(*) as calls,
    coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) - count(cost_usd) as unpriced
from ledger
where {where}
group by 1, 2

-- name: outcomes_over_time
select
    {bucket} as bucket,
    status as name,
    count(*) as calls,
    coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) - count(cost_usd) as unpriced
from ledger
where {where} and status not in ('ok', 'stopped', 'budget')
group by 1, 2

-- name: detours
-- What failed tries cost those who were answered by a later try of the same turn, by the model that failed: until the
-- next try began, and the money of the failed one. Summed over a turn this is its receipt (core.chat.receipt).
-- Materialized: the join of the few takes half as long as one that looks for them while it reads.
with failed as materialized (
    select id, started_at, coalesce(served_model, requested_model) as model, cost_usd
    from ledger
    where {where} and status not in ('ok', 'stopped', 'budget')
), next as materialized (
    select parent_id, started_at, coalesce(served_model, requested_model) as model
    from ledger
    where started_at >= $since and parent_id is not null
)
select
    failed.model as model,
    next.model as next_model,
    count(*) as calls,
    coalesce(sum(failed.cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) - count(failed.cost_usd) as unpriced,
    sum(date_diff('microsecond', failed.started_at, next.started_at))::bigint as lost_us
from next
join failed on next.parent_id = failed.id
group by 1, 2
