-- name: insert_vote
insert into votes (
    id, user_id, pair, comparison_id, use_case, left_model, right_model, left_message_id, right_message_id, outcome,
    reason, void, left_characters, left_list_items, left_headers, right_characters, right_list_items, right_headers,
    created_at
) values (
    $id, $user_id, $pair, $comparison_id, $use_case, $left_model, $right_model, $left_message_id, $right_message_id,
    $outcome, $reason, $void, $left_characters, $left_list_items, $left_headers, $right_characters, $right_list_items,
    $right_headers, $created_at
)

-- name: vote_on
select outcome, reason, void, left_message_id from votes where user_id = $user_id and pair = $pair

-- name: counted
-- Votes as the ratings read them. Until a moment, for the history; of one use case, or of all where it is null.
select left_model, right_model,
    case outcome when 'left' then 1.0 when 'right' then 0.0 else 0.5 end as score,
    left_characters, left_list_items, left_headers, right_characters, right_list_items, right_headers
from votes
where void is null
    and ($use_case::text is null or use_case = $use_case::text)
    and ($until::timestamp is null or created_at < $until::timestamp)
order by created_at, id

-- name: state
-- Grows with every vote; a deletion changes it too. What was worked out from the votes holds while it stays the same.
select count(*) as votes, max(id) as newest from votes

-- name: use_cases
select use_case, count(*) as votes from votes where void is null group by 1 order by 2 desc, 1

-- name: votes_by_pair
select least(left_model, right_model) as first_model, greatest(left_model, right_model) as second_model,
    count(*) as votes
from votes
where void is null and ($use_case::text is null or use_case = $use_case::text)
group by 1, 2
