-- What reports measure of a call, and how it is grouped. Only what a model answered itself says how long one takes; an
-- answer that was cut off says nothing of how long answers are.
create or replace macro first_token_us(cached, started_at, first_token_at) as
    case when not cached then epoch_us(first_token_at) - epoch_us(started_at) end;

create or replace macro duration_us(cached, status, started_at, ended_at) as
    case when not cached and status = 'ok' then epoch_us(ended_at) - epoch_us(started_at) end;

create or replace macro whole_tokens(status, input_tokens, output_tokens) as
    case when status = 'ok' then input_tokens + output_tokens end;

-- Where in a distribution a value is: eight of these steps are one of its bins, which are each a tenth wider than the one
-- below. That narrow, few other values are in the step with a percentile. What is not above zero has no logarithm and is
-- in the lowest step, just below the one of a billionth of a dollar: numbers close together are counted fastest.
create or replace macro step_of(value) as
    case when value > 0 then floor(8 * log2(value) / log2(1.1)) when value <= 0 then -2000 end::smallint;

-- What a call asked of a model beyond an answer, by its parameters: JSON as core.costs.ledger writes it.
create or replace macro asks_tools(parameters) as parameters like '%"tools":%';
create or replace macro asks_json(parameters) as parameters like '%"response_format":%';
create or replace macro asks_reasoning(parameters) as
    parameters like '%"reasoning_effort":%' or parameters like '%"thinking":%';
