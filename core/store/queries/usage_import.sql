-- Usage from elsewhere, staged as text and turned into rows of the ledger set by set. DuckDB's own: runs while no
-- server does.

-- name: moment
-- A time as naive UTC: Unix seconds, or ISO with or without an offset. Null where it is none.
create or replace temp macro moment(written) as case
    when regexp_full_match(written, '\d{9,10}(\.\d{1,6})?')
        then make_timestamp((written::decimal(18,6) * 1000000)::bigint)
    when regexp_matches(written, ':\d\d(\.\d+)? ?(Z|[+-]\d\d(:?\d\d)?)$')
        then make_timestamp(epoch_us(try_cast(regexp_replace(written, '([+-]\d\d)(\d\d)$', '\1:\2') as timestamptz)))
    else try_cast(written as timestamp)
end

-- name: whole
-- A count of tokens, 0 where nothing is written. Null where it is none.
create or replace temp macro whole(written) as case
    when written = '' then 0
    when regexp_full_match(written, '\d{1,15}(\.0*)?') then split_part(written, '.', 1)::bigint
end

-- name: dollars
-- An exact amount, rounded to a billionth. Null where nothing is written, or it is no amount: see `is_amount`.
create or replace temp macro dollars(written) as case
    when regexp_full_match(written, '(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?') then try_cast(written as decimal(18,9))
end

-- name: is_amount
create or replace temp macro is_amount(written) as written = '' or dollars(written) is not null

-- name: quoted
create or replace temp macro quoted(written) as
    case when written = '' then 'nothing' else '“' || written[:40] || '”' end

-- name: of_usage
-- A count from LiteLLM's metadata, first found first; empty where there is none.
create or replace temp macro of_usage(metadata, first, second) as coalesce(
    try_cast(metadata as json) ->> ('$.usage_object.' || first),
    try_cast(metadata as json) ->> ('$.usage_object.' || second),
    try_cast(metadata as json) ->> ('$.additional_usage_values.' || second), ''
)

-- name: import_id
-- UUIDv7 text from the moment of the call and what the file says of it: the same call has the same id again.
create or replace temp macro import_id(moment, said) as (
    lpad(to_hex(greatest(epoch_ms(moment), 0)), 12, '0') || '7' || md5(said)[:3]
    || '89ab'[1 + ascii(md5(said)[4]) % 4] || md5(said)[5:19]
)::uuid::text

-- name: stage_people
-- Who the names in the file are: by username, email address or id; and those who are named on the command line.
create or replace temp table named_people as
select name, min(user_id) as user_id
from (
    select lower(username) as name, id as user_id from users
    union all select lower(email), id from users where email is not null
    union all select id, id from users
)
where name not in (select lower(theirs) from given_people)
group by name
union all
select lower(theirs), users.id from given_people join users on users.username = lower(given_people.ours)

-- name: judge
-- Each row with its values, and what is wrong with it.
create or replace temp table judged as
with typed as (
    select
        incoming.*, moment(started_at) as began, case when ended_at = '' then moment(started_at) else moment(ended_at) end as ended,
        moment(first_token_at) as first_token,
        whole(input_tokens) as input, whole(output_tokens) as output,
        whole(case when cached_input_tokens <> '' then cached_input_tokens
            else of_usage(metadata, 'prompt_tokens_details.cached_tokens', 'cache_read_input_tokens') end) as kept,
        whole(case when cache_write_tokens <> '' then cache_write_tokens
            else of_usage(metadata, 'cache_creation_input_tokens', 'cache_creation_input_tokens') end) as written,
        whole(case when reasoning_tokens <> '' then reasoning_tokens
            else of_usage(metadata, 'completion_tokens_details.reasoning_tokens', 'reasoning_tokens') end) as reasoning,
        whole(image_tokens) as image, whole(cache_write_1h_tokens) as written_1h, whole(audio_tokens) as audio,
        whole(audio_output_tokens) as audio_output, lower(cached) in ('true', 't', '1', 'yes') as was_cached,
        dollars(nullif(case when cost_usd <> '' then cost_usd else reported_cost_usd end, '')) as cost
    from incoming
)
select *, case
    when began is null then 'has no time that can be read in started_at: ' || quoted(started_at)
    when ended is null then 'has no time that can be read in ended_at: ' || quoted(ended_at)
    when ended < began then 'ends before it starts'
    when requested_model = '' then 'names no model'
    when input_tokens = '' or input is null then 'has no count of input tokens: ' || quoted(input_tokens)
    when output_tokens = '' or output is null then 'has no count of output tokens: ' || quoted(output_tokens)
    when kept is null or written is null or image is null or reasoning is null or written_1h is null or audio is null
        or audio_output is null then 'has a count that is none'
    when kept + written > input then 'has more cached tokens than input: ' || (kept + written) || ' of ' || input
    when reasoning > output then 'has more reasoning tokens than output: ' || reasoning || ' of ' || output
    when not is_amount(cost_usd) then 'has a cost that is no amount: ' || quoted(cost_usd)
    when not is_amount(computed_cost_usd) then 'has a cost that is no amount: ' || quoted(computed_cost_usd)
    when not is_amount(reported_cost_usd) then 'has a cost that is no amount: ' || quoted(reported_cost_usd)
end as problem
from typed

-- name: identify
-- The rows that can be taken, with their ids. Two calls of which a file says exactly the same are two calls, unless it
-- gives them ids.
create or replace temp table identified as
select *, call_id in (select id from attempts) as present, row_number() over (partition by call_id order by line) as time
from (
    select *, case
        when $own and try_cast(id as uuid) is not null then id
        when id <> '' then import_id(began, $layout || ' ' || id)
        else import_id(began, $layout || ' ' || said || ' ' || row_number() over (partition by said order by line))
    end as call_id
    from (
        select *, md5(concat_ws('|', "user", requested_model, provider, started_at, ended_at, input_tokens,
            output_tokens, cost_usd, reported_cost_usd, conversation_id, status)) as said
        from judged where problem is null
    )
)

-- name: summary
select
    count(*) filter (where not present and time = 1) as new,
    count(*) filter (where present and time = 1) as present,
    count(*) filter (where time > 1) as repeated,
    coalesce(sum(cost) filter (where not present and time = 1), 0)::decimal(18,9) as cost_usd,
    count(*) filter (where not present and time = 1 and cost is null) as unpriced,
    min(began) filter (where not present and time = 1) as first,
    max(began) filter (where not present and time = 1) as last
from identified

-- name: problems
select line, problem as reason from judged where problem is not null order by line

-- name: unknown_people
select "user" as name, count(*) as calls
from identified left join named_people on named_people.name = lower(identified."user")
where named_people.user_id is null and not present and time = 1
group by 1 order by 2 desc, 1

-- name: take
insert into attempts (
    id, turn_id, parent_id, conversation_id, user_id, source, use_case, requested_model, served_model, upstream_model,
    provider, parameters, started_at, first_token_at, ended_at,
    input_tokens, cached_input_tokens, cache_write_tokens, image_tokens, output_tokens, reasoning_tokens,
    computed_cost_usd, reported_cost_usd, cost_usd, cost_code, price_version,
    status, error_message, fallback_of, cached, cache_saved_usd,
    cache_write_1h_tokens, audio_tokens, audio_output_tokens, service_tier, counted_by_us
)
select
    call_id, coalesce(nullif(turn_id, ''), call_id), nullif(parent_id, ''), nullif(conversation_id, ''),
    coalesce(
        named_people.user_id, $everybody_else, $placeholder || case when "user" = '' then 'unknown' else "user" end
    ),
    'import', nullif(use_case, ''), requested_model, coalesce(nullif(served_model, ''), requested_model),
    nullif(upstream_model, ''),
    case when provider <> '' then provider when requested_model like '%/%' then split_part(requested_model, '/', 1)
        else 'unknown' end,
    case when parameters = '' then '{}' else parameters end,
    began, first_token, ended, input, kept, written, image, output, reasoning,
    dollars(nullif(computed_cost_usd, '')), dollars(nullif(reported_cost_usd, '')), cost,
    case
        when cost_code in ('reported', 'computed', 'estimated', 'partial', 'unpriced', 'free', 'cached') then cost_code
        when cost is null then 'unpriced' when was_cached then 'cached' else 'reported'
    end,
    nullif(price_version, ''),
    case lower(status) when '' then 'ok' when 'success' then 'ok' when 'failure' then 'server' else lower(status) end,
    nullif(error_message, ''), nullif(fallback_of, ''), was_cached, dollars(nullif(cache_saved_usd, '')),
    written_1h, audio, audio_output, nullif(service_tier, ''), lower(counted_by_us) in ('true', 't', '1', 'yes')
from identified left join named_people on named_people.name = lower(identified."user")
where not present and time = 1
order by began, call_id

-- name: user_id
select id from users where username = lower($username)
