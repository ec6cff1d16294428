-- Usage from elsewhere: a file's rows as text become values once, kept as Parquet (`typed`), which everything else reads
-- column by column; only ids and lines are held in memory. DuckDB's own: runs while no server does.

-- name: moment
-- A time as naive UTC: Unix seconds, or ISO with or without an offset. Null where it is none.
create or replace temp macro moment(written) as case
    when regexp_full_match(written, '\d{9,10}(\.\d{1,6})?')
        then make_timestamp((written::decimal(38,6) * 1000000)::bigint)
    when regexp_matches(written, ':\d\d(\.\d+)? ?(Z|[+-]\d\d(:?\d\d)?)$')
        then make_timestamp(epoch_us(try_cast(regexp_replace(written, '([+-]\d\d)(\d\d)$', '\1:\2') as timestamptz)))
    when isfinite(try_cast(written as timestamp)) then try_cast(written as timestamp)
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

-- name: quoted
create or replace temp macro quoted(written) as
    case when written = '' then 'nothing' else '“' || written[:40] || '”' end

-- name: one_line
-- A name as lists, addresses and charts can hold it: what breaks a line or jumps to a column is a space.
create or replace temp macro one_line(written) as trim(regexp_replace(written, '[[:cntrl:]]+', ' ', 'g'))

-- name: usage_of
-- The counts in LiteLLM's metadata, read once. Null where there is no JSON.
create or replace temp macro usage_of(metadata) as case when json_valid(metadata) then json_extract_string(metadata, [
    '$.usage_object.prompt_tokens_details.cached_tokens', '$.usage_object.cache_read_input_tokens',
    '$.additional_usage_values.cache_read_input_tokens', '$.usage_object.cache_creation_input_tokens',
    '$.additional_usage_values.cache_creation_input_tokens',
    '$.usage_object.completion_tokens_details.reasoning_tokens', '$.usage_object.reasoning_tokens',
    '$.additional_usage_values.reasoning_tokens'
]) end

-- name: import_id
-- UUIDv7 from the moment of the call and what the file says of it: the same call has the same id again.
create or replace temp macro import_id(moment, said) as (
    lpad(to_hex(greatest(epoch_ms(moment), 0)), 12, '0') || '7' || md5(said)[:3]
    || '89ab'[1 + ascii(md5(said)[4]) % 4] || md5(said)[5:19]
)::uuid

-- name: true_word
create or replace temp macro true_word(written) as lower(written) in ('true', 't', '1', 'yes')

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

-- name: typed
-- Each row with its values as the ledger has them, and what is wrong with it.
with counted as (
    select
        * replace (
            one_line("user") as "user", one_line(requested_model) as requested_model,
            one_line(served_model) as served_model, one_line(provider) as provider, one_line(use_case) as use_case
        ),
        case when metadata <> '' then usage_of(metadata) end as usage
    from {incoming}
),
typed as (
    select
        counted.*, moment(started_at) as began, case when ended_at <> '' then moment(ended_at) end as given_end,
        moment(first_token_at) as first_token, whole(input_tokens) as input, whole(output_tokens) as output,
        whole(coalesce(nullif(cached_input_tokens, ''), usage[1], usage[2], usage[3], '')) as kept,
        whole(coalesce(nullif(cache_write_tokens, ''), usage[4], usage[5], '')) as written,
        whole(coalesce(nullif(reasoning_tokens, ''), usage[6], usage[7], usage[8], '')) as reasoning,
        whole(image_tokens) as image, whole(cache_write_1h_tokens) as written_1h, whole(audio_tokens) as audio,
        whole(audio_output_tokens) as audio_output, true_word(cached) as was_cached, dollars(cost_usd) as given_cost,
        dollars(reported_cost_usd) as reported, dollars(computed_cost_usd) as computed, dollars(cache_saved_usd) as saved
    from counted
),
ended as (
    select *, case when ended_at = '' then began else given_end end as ended,
        case when cost_usd <> '' then given_cost else reported end as cost,
        case lower(status) when '' then 'ok' when 'success' then 'ok' when 'failure' then 'server' else lower(status) end
            as how
    from typed
)
select
    line, began, first_token, ended, input, kept, written, image, output, reasoning, written_1h, audio, audio_output,
    computed, reported, cost, saved, was_cached, "user",
    case when $own then try_cast(id as uuid) end as own_id,
    nullif(id, '') as given_id,
    case when id = '' then md5(concat_ws('|', "user", requested_model, provider, started_at, ended_at, input_tokens,
        output_tokens, cost_usd, reported_cost_usd, conversation_id, status)) end as said,
    nullif(turn_id, '') as turn_id, nullif(parent_id, '') as parent_id, nullif(conversation_id, '') as conversation_id,
    nullif(use_case, '') as use_case, requested_model, coalesce(nullif(served_model, ''), requested_model) as served_model,
    nullif(upstream_model, '') as upstream_model,
    case when provider <> '' then provider when requested_model like '%/%' then split_part(requested_model, '/', 1)
        else 'unknown' end as provider,
    case when parameters = '' then '{}' else parameters end as parameters,
    case
        when cost is null then 'unpriced'
        when cost_code in ('reported', 'computed', 'estimated', 'partial', 'free', 'cached') then cost_code
        when was_cached then 'cached' else 'reported'
    end as cost_code,
    nullif(price_version, '') as price_version,
    how as status,
    nullif(error_message, '') as error_message, nullif(fallback_of, '') as fallback_of,
    nullif(service_tier, '') as service_tier, true_word(counted_by_us) as counted_by_us,
    case
        when began is null then 'has no time that can be read in started_at: ' || quoted(started_at)
        when ended is null then 'has no time that can be read in ended_at: ' || quoted(ended_at)
        when ended < began then 'ends before it starts'
        when began < '2020-01-01' then 'starts before there were models to call: ' || quoted(started_at)
        when ended >= '2200-01-01' then 'ends in another century: ' || quoted(case when ended_at = '' then started_at else ended_at end)
        when requested_model = '' then 'names no model'
        when greatest(length(requested_model), length(served_model), length(provider), length(use_case)) > 200
            then 'has a name of more than 200 characters'
        when input_tokens = '' or input is null then 'has no count of input tokens: ' || quoted(input_tokens)
        when output_tokens = '' or output is null then 'has no count of output tokens: ' || quoted(output_tokens)
        when kept is null or written is null or image is null or reasoning is null or written_1h is null
            or audio is null or audio_output is null then 'has a count that is none'
        when kept + written > input
            then 'has more cached tokens than input: ' || (kept + written) || ' of ' || input
        when reasoning > output then 'has more reasoning tokens than output: ' || reasoning || ' of ' || output
        when how not in (select unnest($statuses)) then 'has a status that is not known here: ' || quoted(status)
        when cost_usd <> '' and given_cost is null then 'has a cost that is no amount: ' || quoted(cost_usd)
        when computed_cost_usd <> '' and computed is null
            then 'has a cost that is no amount: ' || quoted(computed_cost_usd)
        when reported_cost_usd <> '' and reported is null
            then 'has a cost that is no amount: ' || quoted(reported_cost_usd)
    end as problem
from ended

-- name: name_calls
-- The rows that can be taken, by id. Two calls of which a file says exactly the same are two calls, unless it gives them
-- ids.
create or replace temp table named as
select line, coalesce(own_id, import_id(began, $layout || ' ' || given_id)) as call_id
from read_parquet($typed)
where problem is null and given_id is not null
union all
select line, import_id(began, $layout || ' ' || said || ' ' || row_number() over (partition by said order by line))
from (select line, began, said from read_parquet($typed) where problem is null and given_id is null)

-- name: find_repeated
create or replace temp table repeated as
select line
from (
    select line, row_number() over (partition by call_id order by line) as time
    from named
    where call_id in (select call_id from named group by call_id having count(*) > 1)
)
where time > 1

-- name: find_present
create or replace temp table present as
select line
from named
where call_id::text in (select id from attempts) and line not in (select line from repeated)

-- name: leave_out
-- duckdb: it reads what is staged there
delete from named where line in (select line from repeated union all select line from present)

-- name: counts
select
    (select count(*) from read_parquet($typed)) as rows,
    (select count(*) from named) as new,
    (select count(*) from present) as present,
    (select count(*) from repeated) as repeated

-- name: summary
select
    coalesce(sum(cost), 0)::decimal(38,9) as cost_usd,
    count(*) - count(cost) as unpriced,
    min(began) as first,
    max(began) as last
from read_parquet($typed) join named using (line)

-- name: in_order
-- Whether the rows already are in the order of time: then nothing has to be sorted.
select coalesce(bool_and(began >= earlier), true) as in_order
from (select began, lag(began) over () as earlier from read_parquet($typed) where problem is null)
where earlier is not null

-- name: problems
select line, problem as reason from read_parquet($typed) where problem is not null order by line

-- name: unknown_people
select "user" as name, count(*) as calls
from read_parquet($typed) join named using (line) left join named_people on named_people.name = lower("user")
where named_people.user_id is null
group by 1 order by 2 desc, 1

-- name: calls
-- What is taken, as rows of `attempts`.
select
    call_id::text as id, coalesce(turn_id, call_id::text) as turn_id, parent_id, conversation_id,
    coalesce(
        named_people.user_id, $everybody_else, $placeholder || case when "user" = '' then 'unknown' else "user" end
    ) as user_id,
    'import' as source, use_case, requested_model, served_model, upstream_model,
    provider, parameters, began as started_at, first_token as first_token_at, ended as ended_at,
    input as input_tokens, kept as cached_input_tokens, written as cache_write_tokens, image as image_tokens,
    output as output_tokens, reasoning as reasoning_tokens,
    computed as computed_cost_usd, reported as reported_cost_usd, cost as cost_usd, cost_code, price_version,
    status, error_message, fallback_of, was_cached as cached, saved as cache_saved_usd,
    written_1h as cache_write_1h_tokens, audio as audio_tokens, audio_output as audio_output_tokens, service_tier,
    counted_by_us
from read_parquet($typed) join named using (line) left join named_people on named_people.name = lower("user")
{order}

-- name: user_id
select id from users where username = lower($username)
