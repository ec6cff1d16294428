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
select
    {bucket} as bucket,
    {group} as name,
    count(*) as calls,
    coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) - count(cost_usd) as unpriced
from ledger
where {where}
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
-- The dearest conversations; calls without one come as one row without an id, the rest as one row of the others.
with spent as (
    select
        conversation_id,
        count(*) as calls,
        coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
        count(*) - count(cost_usd) as unpriced,
        any_value(user_id) as user_id,
        max(started_at) as last_at
    from ledger
    where {where}
    group by conversation_id
), ranked as (
    select *, row_number() over (order by conversation_id is null, cost_usd desc, conversation_id) as place from spent
)
select
    case when place <= $limit then conversation_id end as conversation_id,
    conversation_id is null as outside,
    place > $limit as others,
    count(*) as conversations,
    sum(calls)::bigint as calls,
    sum(cost_usd)::decimal(38,9) as cost_usd,
    sum(unpriced)::bigint as unpriced,
    any_value(user_id) as user_id,
    max(last_at) as last_at
from ranked
group by 1, 2, 3

-- name: names_of_conversations
-- Titles are words of the person whose conversation it is: only their own are read.
select id, title from conversations where id in (select unnest($ids)) and user_id = $viewer_id and deleted_at is null

-- name: names_of_people
select id, display_name, username from users

-- name: known_values
select distinct
    coalesce(served_model, requested_model) as models,
    provider as providers,
    coalesce(use_case, '') as use_cases,
    status as statuses
from attempts
where $user_id is null or user_id = $user_id
