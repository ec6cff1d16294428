-- The ledger of a file as everybody reads it: one row per attempt, with the columns that a PostgreSQL has in its table.
-- `attempt_rows` says nothing twice (migration 32); what it leaves out is put back here.
create or replace view attempts as
select
    * exclude (
        id_text, turn_id_text, parent_id_text, first_token_us, computed_is_cost, reported_is_cost
    ) replace (
        coalesce(id::text, id_text, turn_id::text, turn_id_text) as id,
        coalesce(turn_id::text, turn_id_text) as turn_id,
        coalesce(parent_id::text, parent_id_text) as parent_id,
        coalesce(first_token_at, make_timestamp(epoch_us(started_at) + first_token_us)) as first_token_at,
        case when computed_is_cost then cost_usd else computed_cost_usd end as computed_cost_usd,
        case when reported_is_cost then cost_usd else reported_cost_usd end as reported_cost_usd
    )
from attempt_rows;
