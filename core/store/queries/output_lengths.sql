-- name: output_lengths
-- The middle half of the lengths of whole answers: per model and use case, per model, and of all. A group of calls
-- without a use case is the model's own as well, so that it is not counted as one.
select
    case when grouping(coalesce(served_model, requested_model)) = 0
        then coalesce(served_model, requested_model) end as model_id,
    case when grouping(use_case) = 0 then use_case end as use_case,
    quantile_cont(output_tokens, 0.25)::bigint as low,
    quantile_cont(output_tokens, 0.75)::bigint as high,
    count(*) as answers
from attempts
where started_at >= $since
    and status = 'ok'
    and not cached
    and output_tokens > 0
    and source not in ('probe', 'title', 'summary')
group by grouping sets ((coalesce(served_model, requested_model), use_case), (coalesce(served_model, requested_model)), ())
having count(*) >= $least and (use_case is not null or grouping(use_case) = 1)
