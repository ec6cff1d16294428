-- name: turns_by_status
select source, status, count(*) as turns from turns group by all order by all

-- name: attempts_by_model
select coalesce(served_model, requested_model) as model, status, count(*) as attempts
from attempts group by all order by all

-- name: taken_by_model
select coalesce(served_model, requested_model) as model, sum(input_tokens)::bigint as input_tokens,
    sum(cached_input_tokens)::bigint as cached_input_tokens, sum(output_tokens)::bigint as output_tokens,
    sum(reasoning_tokens)::bigint as reasoning_tokens,
    coalesce(sum(cost_usd), 0)::decimal(18,9) as cost_usd, count(*) filter (cost_usd is null) as unpriced
from ledger group by all order by all

-- name: reachable
select 1 as reachable
