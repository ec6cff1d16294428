-- The ledger with what reports about all of it measure and group by. The copy for analytics (core.store.ledger_copy) keeps
-- these as columns, here they are worked out when asked for.
create or replace view measured_calls as
select
    *,
    conversation_id as conversation_key,
    first_token_us(cached, started_at, first_token_at) as first_token_us,
    duration_us(cached, status, started_at, ended_at) as duration_us,
    whole_tokens(status, input_tokens, output_tokens) as whole_tokens,
    step_of(cost_usd::double) as cost_step,
    step_of(first_token_us(cached, started_at, first_token_at) / 1000) as first_token_step,
    step_of(duration_us(cached, status, started_at, ended_at) / 1000) as duration_step,
    step_of(whole_tokens(status, input_tokens, output_tokens)) as tokens_step,
    asks_tools(parameters) as asks_tools,
    asks_json(parameters) as asks_json,
    asks_reasoning(parameters) as asks_reasoning
from ledger;
