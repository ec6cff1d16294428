-- The copy of the ledger for analytics (core.store.ledger_copy): first what is asked of the store, then what is done in
-- the copy. `incoming` is what was read from the store and `touched` the attempts to correct: Arrow tables. `-- duckdb`
-- marks what a store on PostgreSQL is never asked and would not understand.

-- name: look
-- How many rows a table of a store in DuckDB holds, how many of them lie behind the last one that was seen, the number
-- and the id of the last one now, and which row has the number of the last one seen. `numbered`: its rows' ids with
-- DuckDB's numbers of the rows.
select
    (select count(*) from {table}) as rows,
    more,
    behind.number,
    behind.id,
    (select id from {numbered} where number = $number) as id_seen
from (
    select count(*) as more, max(number) as number, arg_max(id, number) as id from {numbered} where number > $number
) as behind

-- name: new_calls
-- duckdb
select * exclude (number) from numbered_attempts where number > $number

-- name: new_corrections
-- duckdb
select * from adjustments where rowid > $number

-- name: oldest_open
-- server
-- Every transaction before this one has ended: what it wrote is seen now, or never.
select pg_snapshot_xmin(pg_current_snapshot())::text::bigint as oldest

-- name: touched
-- server
select distinct attempt_id as id, started_at from ledger_notes.touched where written_in >= $oldest

-- name: touched_calls
-- server
select * from attempts
where (started_at, id) in (select started_at, attempt_id from ledger_notes.touched where written_in >= $oldest)

-- name: touched_corrections
-- server
select * from adjustments
where attempt_id in (select attempt_id from ledger_notes.touched where written_in >= $oldest)

-- name: days
-- The UTC days of a ledger with what tells one apart from another: rows are written once, so an id stands for its row.
select
    epoch_us(started_at) // 86400000000 as day,
    count(*) as calls,
    sum(hash(id))::text as ids,
    sum({cost})::decimal(38,9) as cost_usd,
    sum(input_tokens + output_tokens)::bigint as tokens
from {ledger}
group by 1
order by 1

-- name: all_corrections
select * from adjustments

-- name: corrections
select count(*) as rows, sum(hash(id))::text as ids, sum(delta_usd)::decimal(38,9) as usd from adjustments

-- name: calls_of_days
select * from attempts
where started_at >= make_timestamp($first * 86400000000) and started_at < make_timestamp(($last + 1) * 86400000000)
order by started_at, id

-- name: columns
-- What a row of the ledger is made of in this store: another version's copy is made anew.
select string_agg(column_name || ' ' || column_type, ', ') as columns
from (describe select * from attempts)

-- name: make_conversations
create table conversations (key integer not null, id text not null)

-- name: make_adjustments
create table adjustments as select * from incoming

-- name: make_calls
create table measured_calls as {calls_of}

-- name: make_ledger
create view ledger as
select * exclude (
    conversation_key, first_token_us, duration_us, whole_tokens, cost_step, first_token_step, duration_step, tokens_step,
    asks_tools, asks_json, asks_reasoning
)
from measured_calls

-- name: make_layout
create table layout as select $layout as layout

-- name: forget_days
-- duckdb
delete from measured_calls
where started_at >= make_timestamp($first * 86400000000) and started_at < make_timestamp(($last + 1) * 86400000000)

-- name: forget_touched
-- duckdb
delete from measured_calls using touched
where measured_calls.started_at = touched.started_at and measured_calls.id = touched.id

-- name: forget_touched_corrections
-- duckdb
delete from adjustments where attempt_id in (select id from touched)

-- name: take_corrections
insert into adjustments select * from incoming

-- name: number_conversations
-- A number in the place of 36 characters: what grouping by conversation goes through for every call.
insert into conversations
select coalesce((select max(key) from conversations), 0) + row_number() over (order by id), id
from (
    select incoming.id
    from (select distinct conversation_id as id from incoming where conversation_id is not null) as incoming
    left join conversations on conversations.id = incoming.id
    where conversations.id is null
)

-- name: calls_of
-- duckdb
select
    incoming.*,
    incoming.cost_usd as original_cost_usd,
    0::decimal(18,9) as adjusted_usd,
    conversations.key as conversation_key,
    first_token_us(cached, started_at, first_token_at) as first_token_us,
    duration_us(cached, status, started_at, ended_at) as duration_us,
    whole_tokens(status, input_tokens, output_tokens) as whole_tokens,
    step_of(cost_usd::double) as cost_step,
    step_of(first_token_us(cached, started_at, first_token_at) / 1000) as first_token_step,
    step_of(duration_us(cached, status, started_at, ended_at) / 1000) as duration_step,
    step_of(whole_tokens(status, input_tokens, output_tokens)) as tokens_step,
    asks_tools(parameters) as asks_tools,
    asks_json(parameters) as asks_json,
    asks_reasoning(parameters) as asks_reasoning
from incoming
left join conversations on conversations.id = incoming.conversation_id
order by incoming.started_at, incoming.id

-- name: take_calls
insert into measured_calls {calls_of}

-- name: correct
-- duckdb
-- What the view `ledger` of the store makes of a call and all of its corrections, for the calls that are touched.
update measured_calls as calls set
    cost_usd = (coalesce(calls.original_cost_usd, 0) + corrected.delta_usd)::decimal(18,9),
    cost_code = coalesce(corrected.new_code, calls.cost_code),
    price_version = coalesce(corrected.price_version, calls.price_version),
    computed_cost_usd = coalesce(
        corrected.computed_cost_usd, (coalesce(calls.original_cost_usd, 0) + corrected.delta_usd)::decimal(18,9)
    ),
    cache_saved_usd = coalesce(corrected.cache_saved_usd, calls.cache_saved_usd),
    adjusted_usd = corrected.delta_usd,
    cost_step = step_of((coalesce(calls.original_cost_usd, 0) + corrected.delta_usd)::decimal(18,9)::double)
from (
    select
        attempt_id,
        any_value(attempt_started_at) as started_at,
        sum(delta_usd)::decimal(18,9) as delta_usd,
        arg_max(new_code, id) as new_code,
        arg_max(price_version, id) as price_version,
        arg_max(computed_cost_usd, id) as computed_cost_usd,
        arg_max(cache_saved_usd, id) as cache_saved_usd
    from adjustments
    where attempt_id in (select id from touched)
    group by attempt_id
) as corrected
where calls.started_at = corrected.started_at and calls.id = corrected.attempt_id
