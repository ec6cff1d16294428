-- name: weak_evidence
-- A sign counts for what its conversation is for: a correction by its owner (empty: for nothing in particular) counts for
-- what was said before it, too.
with again as (
    -- Completed turns on one question, each with the one before it: another model took the question over.
    select
        requested_model as model_id,
        lag(requested_model) over (partition by user_message_id order by started_at, turns.id) as model_before,
        case
            when conversations.use_case is null then turns.use_case else nullif(conversations.use_case, '')
        end as use_case
    from turns
    left join conversations on conversations.id = turns.conversation_id
    where started_at >= $since and status = 'completed' and source = 'chat' and not coalesce(temporary, false)
),
rated as (
    select feedback.model_id, feedback.rating,
        case
            when conversations.use_case is null then feedback.use_case else nullif(conversations.use_case, '')
        end as use_case
    from feedback
    left join conversations on conversations.id = feedback.conversation_id
    where feedback.updated_at >= $since and feedback.model_id is not null
),
signs as (
    select model_id, use_case, 'thumbs_up' as sign from rated where rating > 0
    union all
    select model_id, use_case, 'thumbs_down' from rated where rating < 0
    union all
    select comparison_columns.model_id, nullif(comparisons.use_case, ''), 'continued'
    from comparison_continuations
    join comparison_columns on comparison_columns.conversation_id = comparison_continuations.column_id
    join comparisons on comparisons.id = comparison_columns.comparison_id
    where comparison_continuations.created_at >= $since
    union all
    select model_id, use_case, 'asked_instead' from again where model_before is not null and model_before <> model_id
    union all
    select model_before, use_case, 'replaced' from again where model_before is not null and model_before <> model_id
)
select
    model_id,
    count(*) filter (where sign = 'thumbs_up') as thumbs_up,
    count(*) filter (where sign = 'thumbs_down') as thumbs_down,
    count(*) filter (where sign = 'continued') as continued,
    count(*) filter (where sign = 'asked_instead') as asked_instead,
    count(*) filter (where sign = 'replaced') as replaced
from signs
where $use_case::text is null or use_case = $use_case::text
group by model_id
order by count(*) desc, model_id
