-- name: effects
select
    model_id,
    count(*) as calls,
    count(*) filter (where cost_usd is null) as unpriced,
    count(*) filter (where cost_usd is null or new_cost_usd <> cost_usd or new_code <> cost_code) as corrected,
    coalesce(sum(cost_usd), 0)::decimal(18,9) as before_usd,
    sum(new_cost_usd)::decimal(18,9) as after_usd,
    min(ended_at) as first_at,
    max(ended_at) as last_at
from repriced(
    $slice_models, $slice_begins, $slice_ends, $rate_slices, $rate_services, $rate_above, $rate_up_to, $rate_prices, $rate_free,
    $rate_versions, $since, $until
)
group by model_id

-- name: correct
-- A second time it finds nothing to do: what an earlier correction has brought is in the ledger's cost already.
insert into adjustments (
    id, attempt_id, attempt_started_at, created_at, delta_usd, new_code, price_version, reason, actor
)
select
    $batch || '.' || lpad(row_number() over (order by started_at, id)::text, 9, '0'),
    id, started_at, $now, new_cost_usd - coalesce(cost_usd, 0), new_code, version, $reason, $actor
from repriced(
    $slice_models, $slice_begins, $slice_ends, $rate_slices, $rate_services, $rate_above, $rate_up_to, $rate_prices, $rate_free,
    $rate_versions, $since, $until
)
where cost_usd is null or new_cost_usd <> cost_usd or new_code <> cost_code
