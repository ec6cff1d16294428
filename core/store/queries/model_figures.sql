-- name: figures_by_model
-- What every model did lately for everybody, and what it cost one person this month, in one pass. An attempt that
-- failed counts for what it cost and not for its speed, and neither does a probe: it is one word long.
select
    coalesce(served_model, requested_model) as model_id,
    count(*) filter (where started_at >= $since and status = 'ok' and not cached and source <> 'probe') as answers,
    median(date_diff('microsecond', started_at, first_token_at) / 1000.0::double)
        filter (where started_at >= $since and status = 'ok' and not cached and source <> 'probe') as first_token_ms,
    median(output_tokens / (date_diff('microsecond', first_token_at, ended_at) / 1e6))
        filter (
            where started_at >= $since and status = 'ok' and not cached and source <> 'probe'
            and first_token_at < ended_at and output_tokens > 0
        ) as tokens_per_second,
    count(*) filter (where user_id = $user_id and started_at >= $month) as calls,
    sum(cost_usd) filter (where user_id = $user_id and started_at >= $month)::decimal(38,9) as spent_usd,
    count(*) filter (where user_id = $user_id and started_at >= $month and cost_usd is null) as unpriced
from ledger
where started_at >= least($since::timestamp, $month::timestamp)
group by 1
