-- name: answered
-- Calls that gave an answer, whole or in part, and were paid for: what another model would have been asked instead.
served_model is not null and not cached and source <> 'probe' and output_tokens > 0

-- name: left_out
-- Why the other model could not have served a call.
case
    when would_read > $window then 'window'
    when image_tokens > 0 and not $sees then 'images'
    when asks_tools and not $uses_tools then 'tools'
    when asks_json and not $writes_json then 'json'
    when asks_reasoning and not $reasons then 'reasoning'
end

-- name: asked_again
-- Questions of one person with several answers: those that were answered again, and the first ones of comparisons, whose
-- columns are conversations of their own.
with asked as (
    select id as turn_id, user_message_id as question
    from turns
    where started_at >= $since and status = 'completed' and source <> 'compare'
    union all
    select turns.id, conversations.comparison_id
    from turns
    join conversations on conversations.id = turns.conversation_id
    join messages on messages.id = turns.user_message_id
    where turns.started_at >= $since and turns.status = 'completed' and turns.source = 'compare'
        and messages.parent_id is null and conversations.comparison_id is not null
)
select turn_id, question from asked
where question in (select question from asked group by question having count(*) > 1)

-- name: same_question_ratios
-- What a model needs for the text that another one answered too: the answers to each of these questions, paired. Of a
-- turn the last attempt counts, the one that answered.
with again as (
    select unnest($turns::text[]) as turn_id, unnest($questions::text[]) as question
),
answered as (
    select
        again.question,
        arg_max(ledger.served_model, ledger.id) as model_id,
        arg_max(ledger.input_tokens, ledger.id) as input_tokens,
        arg_max(ledger.output_tokens, ledger.id) as output_tokens
    from again
    join ledger on ledger.turn_id = again.turn_id
    where ledger.started_at >= $since and ledger.status = 'ok' and not ledger.cached
    group by again.turn_id, again.question
)
select
    asked.model_id as from_model,
    other.model_id as to_model,
    count(*) as pairs,
    quantile_cont(other.output_tokens / asked.output_tokens, 0.25) as output_low,
    quantile_cont(other.output_tokens / asked.output_tokens, 0.5) as output_middle,
    quantile_cont(other.output_tokens / asked.output_tokens, 0.75) as output_high,
    median(other.input_tokens / asked.input_tokens) as input_middle
from answered as asked
join answered as other on other.question = asked.question and other.model_id <> asked.model_id
where asked.input_tokens > 0 and asked.output_tokens > 0 and other.output_tokens > 0
group by 1, 2

-- name: output_lengths
select
    served_model as model_id,
    count(*) as answers,
    quantile_cont(output_tokens, 0.25) as low,
    quantile_cont(output_tokens, 0.5) as middle,
    quantile_cont(output_tokens, 0.75) as high
from ledger
where started_at >= $since and status = 'ok' and not cached and source <> 'probe' and output_tokens > 0
    and served_model is not null
group by 1

-- name: calls_by_model
-- How much each model answered in the chosen part of the ledger.
select served_model as model_id, count(*) as calls
from ledger
where {where} and {answered}
group by 1
order by 2 desc, 1

-- name: replayed
-- The chosen calls as another model would meet them: added up by the model that served them, the tier of the other
-- model's prices, and why the other model could not have served them, if it could not. A model has up to three tiers
-- above the first.
with met as (
    select served_model as model_id, {would_read} as would_read, *
    from {calls}
    where {where} and {answered}
)
select
    model_id,
    (would_read > $tier_1)::integer + (would_read > $tier_2)::integer + (would_read > $tier_3)::integer as tier,
    {left_out} as left_out,
    count(*) as calls,
    sum(input_tokens)::bigint as input_tokens,
    sum(cached_input_tokens)::bigint as cached_input_tokens,
    sum(cache_write_tokens)::bigint as cache_write_tokens,
    sum(image_tokens)::bigint as image_tokens,
    sum(output_tokens)::bigint as output_tokens,
    sum(reasoning_tokens)::bigint as reasoning_tokens,
    coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) filter (where cost_usd is null) as unpriced
from met
group by 1, 2, 3

-- name: calls_as_read
-- The calls with how many tokens the same text is for the other model, where that was measured to be another number.
(
    select measured_calls.*, coalesce(input_ratio, 1) as input_ratio
    from measured_calls
    left join (select unnest($factors, recursive := true)) as factors on factors.model_id = measured_calls.served_model
)

-- name: left_out_calls
-- The newest of the calls that the other model could not have served.
with met as (
    select served_model as model_id, {would_read} as would_read, *
    from {calls}
    where {where} and {answered}
),
judged as (select *, {left_out} as left_out from met)
select started_at, user_id, model_id, left_out, input_tokens, image_tokens, output_tokens, cost_usd, cost_code
from judged
where left_out is not null
order by started_at desc, id desc
limit $limit

-- name: standings
-- `duration_us` is there for whole answers of the model itself alone: of all `answered` asks, the rest is left to say.
select
    served_model as model_id,
    count(*) as answers,
    count(*) - count(cost_usd) as unpriced,
    (sum(cost_usd) / nullif(count(cost_usd), 0))::decimal(18,9) as cost_per_answer_usd,
    median(first_token_us) / 1000 as first_token_ms,
    median(duration_us) / 1000 as duration_ms
from measured_calls
where {where} and duration_us is not null and served_model is not null and source <> 'probe' and output_tokens > 0
group by 1
having count(*) >= $enough
order by 1

-- name: use_of_models
-- Who still uses these models, and for how much.
select
    coalesce(served_model, requested_model) as model_id,
    count(*) as calls,
    count(distinct user_id) as people,
    coalesce(sum(cost_usd), 0)::decimal(38,9) as cost_usd,
    count(*) filter (where cost_usd is null) as unpriced,
    max(started_at) as last_used_at
from ledger
where {where} and coalesce(served_model, requested_model) in (select unnest($models))
group by 1
