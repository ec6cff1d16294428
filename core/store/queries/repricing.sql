-- name: effects
select
    model_id,
    count(*) filter (where from_tokens) as calls,
    count(*) filter (where from_tokens and cost_usd is null) as unpriced,
    count(*) filter (where other_cost) as corrected,
    count(*) filter (where not from_tokens and other_figures) as beside,
    coalesce(sum(cost_usd) filter (where from_tokens), 0)::decimal(38,9) as before_usd,
    coalesce(sum(new_cost_usd) filter (where from_tokens), 0)::decimal(38,9) as after_usd,
    max(ended_at) filter (where from_tokens) as last_at
from repriced(
    $slice_models, $slice_begins, $slice_ends, $rate_slices, $rate_services, $rate_above, $rate_up_to, $rate_prices, $rate_free,
    $rate_versions, $since, $until
)
group by model_id

-- name: correct
-- A second time it finds nothing to do: what an earlier correction has brought is in the ledger's cost already.
insert into adjustments (
    id, attempt_id, attempt_started_at, created_at, delta_usd, new_code, price_version, reason, actor,
    computed_cost_usd, cache_saved_usd
)
select
    $batch || '.' || lpad(row_number() over (order by started_at, id)::text, 9, '0'),
    id, started_at, $now, coalesce(new_cost_usd - coalesce(cost_usd, 0), 0), new_code, version, $reason, $actor,
    new_computed_usd, new_saved_usd
from repriced(
    $slice_models, $slice_begins, $slice_ends, $rate_slices, $rate_services, $rate_above, $rate_up_to, $rate_prices, $rate_free,
    $rate_versions, $since, $until
)
where other_cost or other_figures
