-- name: tries_of_conversation
-- The attempts of the turns that took a detour: more than one attempt, or another model than the one asked for.
select turn_id, requested_model, served_model, status, error_message, started_at, ended_at, cost_usd
from ledger
where conversation_id = $conversation_id
    and turn_id in (
        select turn_id from attempts
        where conversation_id = $conversation_id and (parent_id is not null or fallback_of is not null)
    )
order by id
