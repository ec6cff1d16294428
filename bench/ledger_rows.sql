-- A ledger of any size, made of real token counts. Every choice is a hash of the row's number and the seed: the same
-- rows on every machine with this version of DuckDB. In the order of time, as the application writes it.

-- name: dice
-- A number from 0 up to 1, the same for the same `n` and `salt`; the seed is the day the trace was taken.
create or replace temp macro dice(n, salt) as (hash(n * 101 + salt + 20231116) % 1000000007) / 1000000007.0

-- name: id_at
-- UUIDv7 text: 48 bits of Unix milliseconds, the rest from hashes. The first digit of a date before 2527 is 0.
create or replace temp macro id_at(moment, n, salt) as (
    '0' || to_hex((epoch_ms(moment)::ubigint << 16) + 28672 + hash(n, salt) % 4096)
    || to_hex(9223372036854775808 + hash(salt, n) // 4)
)::uuid::text

-- name: trace
create or replace temp table trace as
select row_number() over () - 1 as number, "ContextTokens"::bigint as input_tokens,
    "GeneratedTokens"::bigint as output_tokens, coding
from (
    select *, false as coding from read_csv($conversations)
    union all by name
    select *, true as coding from read_csv($code)
)

-- name: models
-- Forty: one without a price, one that is free, the others from 0.10 to 15 dollars per million tokens of input.
create or replace temp table models as
select
    number, provider || '-' || lpad(number::varchar, 2, '0') as id, provider,
    case number when 38 then null when 39 then 0 else price end::decimal(12,9) as input_usd,
    case number when 38 then null when 39 then 0 else price * 0.1 end::decimal(12,9) as cached_input_usd,
    case number when 38 then null when 39 then 0 else price * 4 end::decimal(12,9) as output_usd
from (
    select
        number, ['openai', 'anthropic', 'gemini', 'openrouter', 'mistral'][1 + number % 5] as provider,
        [3e-6, 2e-7, 1e-6, 1.5e-5, 5e-7, 2e-6, 1e-7, 5e-6][1 + number % 8] as price
    from range(40) as numbers(number)
)

-- name: people
create or replace temp table people as
select number, id_at($begin::timestamp, number, 1) as id from range(200) as numbers(number)

-- name: users
insert into users (
    id, username, display_name, role, sessions_valid_after, created_at
)
select id, 'person' || lpad(number::varchar, 3, '0'), 'Person ' || (number + 1), 'member',
    $begin::timestamp, $begin::timestamp
from people

-- name: hours
-- How many calls have been made by the end of each hour: twice as many at the end as at the beginning, few at night and
-- on weekends, no two days alike.
create or replace temp table hours as
select hour, begins_at, round($rows * sum(weight) over (order by hour) / sum(weight) over ())::bigint as until
from (
    select
        hour, $begin::timestamp + to_hours(hour) as begins_at,
        (1 + hour / ($days * 24.0)) * case when isodow(begins_at) > 5 then 0.15 else 1 end
        * [1, 1, 1, 1, 1, 2, 5, 15, 40, 60, 65, 60, 45, 55, 65, 60, 50, 35, 18, 10, 7, 4, 2, 1][1 + hour % 24]
        * (0.7 + 0.6 * dice(hour, 2)) as weight
    from range($days * 24) as hours(hour)
)

-- name: calls
-- When each call began, and the one before it. A table of its own: DuckDB knows the size of a table.
create or replace temp table calls as
select n, started_at, lag(started_at, 1, started_at) over (order by n) as before_at
from (
    select
        before + k as n,
        begins_at + to_microseconds(((k + 0.9 * dice(before + k, 3)) / (until - before) * 3.6e9)::bigint) as started_at
    from (
        select begins_at, until, before, unnest(range(until - before)) as k
        from (select begins_at, until, lag(until, 1, 0) over (order by hour) as before from hours)
    )
)
order by n

-- name: attempts
-- One call in 40 fails. After half of those the next call is the fallback: in the same turn, on the next model.
with dealt as (
    select
        n, started_at, before_at,
        dice(n, 4) < 0.025 as failed,
        dice(n - 1, 4) < 0.0125 and dice(n - 2, 4) >= 0.0125 and n > 1 as falls_back,
        dice(n, 5) < 0.015 as stopped, dice(n, 6) < 0.01 as cached, dice(n, 7) as wait, dice(n, 8) as keeps,
        (28185 * dice(n, 10))::bigint % (select count(*) from trace) as sample
    from calls
), turned as (
    select
        *, case when falls_back then n - 1 else n end as turn,
        case when falls_back then before_at else started_at end as turn_at
    from dealt
), owned as (
    select
        *, date_trunc('day', turn_at) as day, dice(turn, 12) as kind, (3 * dice(turn, 13))::bigint % 3 as thread,
        (200 * power(dice(turn, 11), 2.5))::integer % 200 as person,
        (40 * power(dice(turn, 9), 2))::integer % 40 as asked, (asked + falls_back::integer) % 40 as model
    from turned
), counted as (
    select
        owned.*, models.id as model_id, models.provider, input_usd, cached_input_usd, output_usd, coding,
        case when failed then 0 else trace.input_tokens end as input_tokens,
        case when failed then 0 when stopped then trace.output_tokens // 2 else trace.output_tokens end
            as output_tokens,
        case when failed or keeps < 0.7 then 0 else (trace.input_tokens * (keeps - 0.1))::bigint end as kept_tokens
    from owned join models on models.number = owned.model join trace on trace.number = owned.sample
), priced as (
    select
        *, ((input_tokens - kept_tokens)::decimal(9,0) * input_usd + kept_tokens::decimal(9,0) * cached_input_usd
            + output_tokens::decimal(9,0) * output_usd)::decimal(18,9) as computed,
        (kept_tokens::decimal(9,0) * (input_usd - cached_input_usd))::decimal(18,9) as kept_usd
    from counted
)
select
    case when falls_back then id_at(started_at + interval 1 second, n, 20) else id_at(turn_at, turn, 21) end as id,
    id_at(turn_at, turn, 21) as turn_id,
    case when falls_back then id_at(turn_at, turn, 21) end as parent_id,
    case when kind < 0.93 then id_at(day, person * 3 + thread, 22) end as conversation_id,
    case when kind >= 0.99 then 'switchboard' else people.id end as user_id,
    case when kind < 0.93 then 'chat' when kind < 0.98 then 'api' when kind < 0.99 then 'title' else 'probe' end
        as source,
    case when coding then 'coding' when kind < 0.5 then 'everyday' when kind < 0.8 then 'writing' end as use_case,
    asked.id as requested_model, model_id as served_model,
    case when not failed then model_id || '-2026' end as upstream_model, priced.provider,
    case when kind < 0.9 then '{}' else '{"max_tokens": 1024, "temperature": 0.2}' end as parameters,
    started_at,
    case when not failed then started_at + to_microseconds((2e5 + 8e5 * wait)::bigint) end as first_token_at,
    started_at + to_microseconds((3e5 + 9e5 * wait + output_tokens * (8e3 + 2e4 * keeps))::bigint) as ended_at,
    input_tokens, kept_tokens as cached_input_tokens, 0 as cache_write_tokens, 0 as image_tokens, output_tokens,
    case when model % 4 = 3 then output_tokens // 3 else 0 end as reasoning_tokens,
    computed as computed_cost_usd,
    case when priced.provider = 'openrouter' and not failed then computed end as reported_cost_usd,
    case when cached and not failed then 0 else computed end as cost_usd,
    case
        when cached and not failed then 'cached' when priced.provider = 'openrouter' and not failed then 'reported'
        when computed is null then 'unpriced' when priced.input_usd = 0 then 'free'
        when stopped and not failed then 'partial' else 'computed'
    end as cost_code,
    case when priced.input_usd is not null then 'map ' || strftime(date_trunc('month', day), '%Y-%m') end
        as price_version,
    case when not failed and stopped then 'stopped' when not failed then 'ok' when wait < 0.5 then 'rate_limit'
        when wait < 0.8 then 'server' else 'stall' end as status,
    case when failed then 'The model failed. Try again.' end as error_message,
    case when falls_back then asked.id end as fallback_of, cached and not failed as cached,
    case when cached and not failed then computed else kept_usd end as cache_saved_usd
from priced
join people on people.number = priced.person
join models as asked on asked.number = priced.asked

-- name: conversations
insert into conversations (id, user_id, title, title_source, model_id, created_at, updated_at)
select conversation_id, min(user_id), 'Conversation of ' || strftime(min(started_at), '%-d %B %Y'), 'auto',
    min(requested_model), min(started_at), max(ended_at)
from attempts
where conversation_id is not null
group by conversation_id

-- name: indexed
-- There is not a message in them that the search would have to find first.
insert into search_state (conversation_id, user_id, indexed_until) select id, user_id, updated_at from conversations
