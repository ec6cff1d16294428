-- name: list_budgets
select id, audience, subject, shared, period, amount_usd, hard, warn_percent, allow_unpriced, created_at
from budgets order by id

-- name: insert_budget
insert into budgets (
    id, audience, subject, shared, period, amount_usd, hard, warn_percent, allow_unpriced, created_at, updated_at
) values (
    $id, $audience, $subject, $shared, $period, $amount_usd, $hard, $warn_percent, $allow_unpriced, $now, $now
)

-- name: update_budget
update budgets set audience = $audience, subject = $subject, shared = $shared, period = $period,
    amount_usd = $amount_usd, hard = $hard, warn_percent = $warn_percent, allow_unpriced = $allow_unpriced,
    updated_at = $now
where id = $id

-- name: delete_budget
delete from budgets where id = $id

-- name: list_rate_limits
select id, audience, subject, shared, model_id, requests_per_minute, tokens_per_minute, created_at
from rate_limits order by id

-- name: insert_rate_limit
insert into rate_limits (
    id, audience, subject, shared, model_id, requests_per_minute, tokens_per_minute, created_at, updated_at
) values (
    $id, $audience, $subject, $shared, $model_id, $requests_per_minute, $tokens_per_minute, $now, $now
)

-- name: update_rate_limit
update rate_limits set audience = $audience, subject = $subject, shared = $shared, model_id = $model_id,
    requests_per_minute = $requests_per_minute, tokens_per_minute = $tokens_per_minute, updated_at = $now
where id = $id

-- name: delete_rate_limit
delete from rate_limits where id = $id

-- name: spent_since
-- What each person's calls since three moments cost. The earliest moment bounds the scan. Calls without a price are
-- counted: a sum next to them reads "at least".
select
    user_id,
    sum(case when started_at >= $day then cost_usd end)::decimal(38,9) as day_usd,
    sum(case when started_at >= $week then cost_usd end)::decimal(38,9) as week_usd,
    sum(case when started_at >= $month then cost_usd end)::decimal(38,9) as month_usd,
    count(case when started_at >= $day and cost_usd is null then 1 end) as day_unpriced,
    count(case when started_at >= $week and cost_usd is null then 1 end) as week_unpriced,
    count(case when started_at >= $month and cost_usd is null then 1 end) as month_unpriced
from ledger
where started_at >= $since
group by user_id

-- name: turns_since
select distinct turn_id from attempts where ended_at >= $since

-- name: insert_refusal
insert into refusals (id, refused_at, user_id, source, model_id, code, limit_id, reason)
values ($id, $refused_at, $user_id, $source, $model_id, $code, $limit_id, $reason)

-- name: purge_refusals
delete from refusals where refused_at < $before

-- name: list_refusals
select id, refused_at, user_id, source, model_id, code, limit_id, reason
from refusals order by refused_at desc, id desc limit $limit
