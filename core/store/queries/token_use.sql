-- name: spent_by_tokens
-- What each token with a budget has spent since a moment, and how many of its calls have no price.
select
    turns.token_id, sum(ledger.cost_usd)::decimal(38,9) as cost_usd,
    count(*) - count(ledger.cost_usd) as unpriced
from turns
join ledger on ledger.turn_id = turns.id
where turns.token_id in (select id from api_tokens where budget_usd is not null and revoked_at is null)
    and turns.started_at >= $since and ledger.started_at >= $since
group by turns.token_id

-- name: token_turns_since
select id from turns where token_id is not null and ended_at >= $since
