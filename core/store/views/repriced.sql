-- Calls of a period at other prices, to the billionth of a dollar what core.costs.pricing makes of them: whole numbers
-- of 10^-15 dollars, rounded half-even once. What a provider reported and what a cache gave keeps its cost, and only the
-- figures beside it are computed again: `from_tokens` tells them apart. Calls at a level of service without a known price
-- are left out.
-- A slice is one price of a model from a moment on; its rates are 10^-9 dollars per million of each bucket, in the order
-- of core.catalog.models.BUCKETS, for a level of service and a length of the input.
create or replace macro half_even(exact) as
    exact // 1000000 + case
        when exact % 1000000 > 500000 or (exact % 1000000 = 500000 and (exact // 1000000) % 2 = 1) then 1 else 0
    end;

-- Under 9,000 dollars a call fits 64 bits, whose division is 20 times faster.
create or replace macro in_usd(exact) as
    ((case
        when exact < 9000000000000000000 then half_even(exact::bigint)::hugeint else half_even(exact)
    end)::decimal(27,0) * 0.000000001::decimal(10,9))::decimal(18,9);

create or replace macro repriced(
    slice_models, slice_begins, slice_ends, rate_slices, rate_services, rate_above, rate_up_to, rate_prices, rate_free, rate_versions,
    since, until
) as table
with slices as (
    select
        unnest(range(len(slice_models))) as slice,
        unnest(slice_models::text[]) as model_id,
        unnest(slice_begins::timestamp[]) as begins_at,
        unnest(slice_ends::timestamp[]) as ends_at
),
rates as (
    select
        unnest(rate_slices::bigint[]) as slice,
        unnest(rate_services::text[]) as service,
        unnest(rate_above::bigint[]) as above_tokens,
        unnest(rate_up_to::bigint[]) as up_to_tokens,
        unnest(rate_prices::hugeint[][]) as usd,
        unnest(rate_free::boolean[]) as free,
        unnest(rate_versions::text[]) as version
),
calls as (
    select
        *,
        coalesce(served_model, requested_model) as model_id,
        greatest(0, input_tokens - cached_input_tokens - cache_write_tokens) as plain_tokens,
        least(cache_write_1h_tokens, cache_write_tokens) as hour_tokens,
        greatest(0, output_tokens - reasoning_tokens) as said_tokens
    from ledger
    where ended_at >= since and ended_at < until
        and coalesce(served_model, requested_model) in (select model_id from slices)
),
parts as (
    select
        *,
        least(image_tokens, plain_tokens) as images,
        least(audio_tokens, plain_tokens - least(image_tokens, plain_tokens)) as heard,
        least(audio_output_tokens, said_tokens) as spoken
    from calls
),
rated as (
    select
        parts.id, parts.model_id, parts.started_at, parts.ended_at, parts.cost_usd, parts.cost_code, parts.status,
        parts.computed_cost_usd, parts.cache_saved_usd, parts.cached, parts.counted_by_us, rates.free, rates.version,
        parts.cached_input_tokens * (rates.usd[1] - rates.usd[2])
        + (parts.cache_write_tokens - parts.hour_tokens) * (rates.usd[1] - rates.usd[3])
        + parts.hour_tokens * (rates.usd[1] - rates.usd[4]) as saved,
        (parts.plain_tokens - parts.images - parts.heard) * rates.usd[1]
        + parts.cached_input_tokens * rates.usd[2]
        + (parts.cache_write_tokens - parts.hour_tokens) * rates.usd[3]
        + parts.hour_tokens * rates.usd[4]
        + parts.images * rates.usd[5]
        + parts.heard * rates.usd[6]
        + (parts.said_tokens - parts.spoken) * rates.usd[7]
        + parts.reasoning_tokens * rates.usd[8]
        + parts.spoken * rates.usd[9]
        + case when parts.input_tokens + parts.output_tokens > 0 then rates.usd[10] else 0 end as exact
    from parts
    join slices on slices.model_id = parts.model_id
        and parts.ended_at >= slices.begins_at and parts.ended_at < slices.ends_at
    join rates on rates.slice = slices.slice and rates.service = coalesce(parts.service_tier, 'standard')
        and parts.input_tokens > rates.above_tokens and parts.input_tokens <= rates.up_to_tokens
),
figures as (
    select
        *,
        cost_code in ('unpriced', 'computed', 'estimated', 'partial', 'free') as from_tokens,
        in_usd(exact) as new_computed_usd,
        case
            when cached then in_usd(exact) when saved < 0 then -in_usd(-saved) else in_usd(saved)
        end as new_saved_usd
    from rated
),
named as (
    select
        *,
        case when from_tokens then new_computed_usd else cost_usd end as new_cost_usd,
        case
            when not from_tokens then cost_code
            when free then 'free'
            when cost_code in ('computed', 'estimated', 'partial') then cost_code
            when status <> 'ok' then 'partial'
            when counted_by_us then 'estimated'
            else 'computed'
        end as new_code
    from figures
)
select
    id, model_id, started_at, ended_at, cost_usd, cost_code, version, from_tokens, new_cost_usd, new_code,
    new_computed_usd, new_saved_usd,
    new_cost_usd is distinct from cost_usd or new_code <> cost_code as other_cost,
    new_computed_usd is distinct from computed_cost_usd or new_saved_usd is distinct from cache_saved_usd as other_figures
from named;
