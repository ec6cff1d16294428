-- name: spent_by_token
select coalesce(sum(ledger.cost_usd), 0)::decimal(18,9) as cost_usd
from turns
join ledger on ledger.turn_id = turns.id
where turns.token_id = $token_id and turns.started_at >= $since and ledger.started_at >= $since
