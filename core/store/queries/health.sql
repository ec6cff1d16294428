-- name: model_figures
-- What every model did in a stretch of time, in one pass. 429s are counted apart; what says nothing about the model (see
-- core.catalog.health.Calls) counts only as a request. `newest` holds the last three results, the newest first. A probe
-- counts like any call, except for its wait: one word to a question of one word says nothing of a real answer.
with calls as (
    select
        coalesce(served_model, requested_model) as model_id,
        case
            when status = 'ok' or (status in ('stopped', 'budget') and first_token_at is not null) then 'worked'
            when status = 'rate_limit' then 'limited'
            when
                status in (
                    'stopped', 'budget', 'interrupted', 'starting', 'bad_request', 'context_length', 'content_policy'
                )
                then 'neither'
            else 'failed'
        end as result,
        error_message,
        started_at,
        ended_at,
        case
            when source <> 'probe' then date_diff('microsecond', started_at, first_token_at) / 1000.0::double
        end as first_token_ms,
        input_tokens + output_tokens as tokens
    from attempts
    where ended_at >= $since and ended_at < $until and not cached
)

select
    model_id,
    count(*) as calls,
    count(*) filter (where result = 'worked') as worked,
    count(*) filter (where result = 'failed') as failed,
    count(*) filter (where result = 'limited') as limited,
    count(*) filter (where result = 'worked' and ended_at >= $five_minutes) as worked_5,
    count(*) filter (where result = 'failed' and ended_at >= $five_minutes) as failed_5,
    count(*) filter (where result = 'limited' and ended_at >= $five_minutes) as limited_5,
    count(*) filter (where result = 'worked' and ended_at >= $half_hour) as worked_30,
    count(*) filter (where result = 'failed' and ended_at >= $half_hour) as failed_30,
    count(*) filter (where result = 'limited' and ended_at >= $half_hour) as limited_30,
    count(*) filter (where result = 'limited' and ended_at >= $lately) as limited_lately,
    arg_max({'at': ended_at, 'result': result}, ended_at, 3) filter (where result in ('worked', 'failed')) as newest,
    count(first_token_ms) filter (where ended_at >= $half_hour) as first_tokens_30,
    quantile_cont(first_token_ms, [0.5, 0.95]) filter (where ended_at >= $half_hour) as first_token_ms_30,
    max(ended_at) filter (where result <> 'neither') as last_at,
    max(ended_at) filter (where result = 'worked') as last_worked_at,
    arg_max(error_message, ended_at) filter (where result in ('failed', 'limited')) as last_error,
    max(ended_at) filter (where result in ('failed', 'limited') and error_message is not null) as last_error_at,
    count(*) filter (where started_at >= $minute) as requests_last_minute,
    coalesce(sum(tokens) filter (where ended_at >= $minute), 0)::bigint as tokens_last_minute
from calls
group by model_id

-- name: count_calls
select count(*) as calls from attempts where ended_at >= $since and ended_at < $until and not cached

-- name: call_bins
-- How many calls waited how long for the first token and how many wrote how fast, by logarithmic bins. Probes left out.
with calls as (
    select
        coalesce(served_model, requested_model) as model_id,
        date_diff('microsecond', started_at, first_token_at) / 1000.0::double as first_token_ms,
        case
            when status = 'ok' and first_token_at < ended_at and output_tokens > 0
                then output_tokens / (date_diff('microsecond', first_token_at, ended_at) / 1e6)
        end as tokens_per_second
    from attempts
    where ended_at >= $since and ended_at < $until and not cached and source <> 'probe'
)

select
    model_id,
    floor(ln(greatest(first_token_ms, $smallest)) / ln($growth))::integer as wait_bin,
    null as speed_bin,
    count(*) as calls
from calls
where first_token_ms is not null
group by model_id, wait_bin
union all
select
    model_id,
    null,
    floor(ln(greatest(tokens_per_second, $smallest)) / ln($growth))::integer as speed_bin,
    count(*)
from calls
where tokens_per_second is not null
group by model_id, speed_bin

-- name: usual_first_token
-- The p95 of the time to the first token as it usually is: the median over the hours with enough samples.
with hours as (
    select
        coalesce(served_model, requested_model) as model_id,
        date_trunc('hour', ended_at) as hour,
        quantile_cont(date_diff('microsecond', started_at, first_token_at) / 1000.0::double, 0.95) as p95_ms
    from attempts
    where ended_at >= $week and ended_at < $half_hour and first_token_at is not null and not cached and source <> 'probe'
    group by model_id, hour
    having count(*) >= $samples
)

select model_id, median(p95_ms) as usual_p95_ms
from hours
group by model_id

-- name: newest_probes
select
    model_id,
    max(probed_at) as at,
    arg_max_null(problem, probed_at) as problem
from health_events
where probed_at >= $since
group by model_id

-- name: insert_probe
insert into health_events (id, model_id, probed_at, duration_ms, problem)
values ($id, $model_id, $probed_at, $duration_ms, $problem)

-- name: newest_states
select
    model_id,
    arg_max(state, id) as state,
    arg_max(reason, id) as reason,
    arg_max(changed_at, id) as changed_at
from status_changes
group by model_id

-- name: insert_change
insert into status_changes (id, model_id, changed_at, state, reason)
values ($id, $model_id, $changed_at, $state, $reason)

-- name: changes_since
-- The changes within a stretch of time, and the last one before it: that state held when the stretch began.
select model_id, changed_at, state, reason
from status_changes
where changed_at >= $since
union all
select model_id, arg_max(changed_at, id), arg_max(state, id), arg_max(reason, id)
from status_changes
where changed_at < $since
group by model_id
order by changed_at

-- name: purge_probes
delete from health_events where probed_at < $before

-- name: purge_changes
-- The newest change of a model stays, however old: it is the state the model is in.
delete from status_changes
where changed_at < $before and id not in (select max(id) from status_changes group by model_id)
