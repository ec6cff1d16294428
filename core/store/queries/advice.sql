-- name: answers
-- How every model did with people's questions: per use case, and over all. What says nothing about the model (see
-- core.catalog.health.Calls) is not judged. The wait of one that thinks is part of its first token; of unpriced answers
-- nothing is known, so that the mean is over the priced ones. A group of calls without a use case is no use case.
with calls as (
    select
        coalesce(served_model, requested_model) as model_id,
        use_case,
        status = 'ok' or (status in ('stopped', 'budget') and first_token_at is not null) as worked,
        status not in (
            'ok',
            'rate_limit',
            'stopped',
            'budget',
            'interrupted',
            'starting',
            'bad_request',
            'context_length',
            'content_policy'
        ) as failed,
        date_diff('microsecond', started_at, first_token_at) / 1000.0::double as first_token_ms,
        case when status = 'ok' then cost_usd end as cost_usd
    from ledger
    where started_at >= $since and not cached and source not in ('probe', 'title', 'summary')
)
select
    model_id,
    case when grouping(use_case) = 0 then use_case end as use_case,
    count(*) filter (where worked) as worked,
    count(*) filter (where failed) as failed,
    median(first_token_ms) filter (where worked) as first_token_ms,
    count(first_token_ms) filter (where worked) as timed,
    (sum(cost_usd) / nullif(count(cost_usd), 0))::decimal(18,9) as cost_usd,
    count(cost_usd) as priced
from calls
group by grouping sets ((model_id, use_case), (model_id))
having use_case is not null or grouping(use_case) = 1

-- name: use_cases_with_votes
select use_case, count(*) as votes from votes where void is null and use_case is not null group by 1

-- name: records
-- How often each model's answer was voted on, and how often it was the better one: per use case, and over all.
with sides as (
    select left_model as model_id, use_case, outcome = 'left' as won from votes where void is null
    union all
    select right_model, use_case, outcome = 'right' from votes where void is null
)
select
    model_id,
    case when grouping(use_case) = 0 then use_case end as use_case,
    count(*) as votes,
    count(*) filter (where won) as wins
from sides
group by grouping sets ((model_id, use_case), (model_id))
having use_case is not null or grouping(use_case) = 1
