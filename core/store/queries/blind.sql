-- name: insert_round
insert into blind_rounds (comparison_id, user_id, use_case, created_at)
values ($comparison_id, $user_id, $use_case, $now)

-- name: load_round
select blind_rounds.comparison_id, blind_rounds.use_case, blind_rounds.voted_at
from blind_rounds
join comparisons on comparisons.id = blind_rounds.comparison_id
where blind_rounds.comparison_id = $comparison_id and blind_rounds.user_id = $user_id
    and comparisons.deleted_at is null

-- name: open_round
-- The round that waits for this person's vote, the newest first.
select blind_rounds.comparison_id
from blind_rounds
join comparisons on comparisons.id = blind_rounds.comparison_id
where blind_rounds.user_id = $user_id and blind_rounds.voted_at is null and comparisons.deleted_at is null
order by blind_rounds.created_at desc, blind_rounds.comparison_id desc
limit 1

-- name: hidden_conversations
-- The columns of the rounds that wait for this person's vote.
select comparison_columns.conversation_id
from blind_rounds
join comparisons on comparisons.id = blind_rounds.comparison_id
join comparison_columns on comparison_columns.comparison_id = blind_rounds.comparison_id
where blind_rounds.user_id = $user_id and blind_rounds.voted_at is null and comparisons.deleted_at is null
order by comparison_columns.conversation_id

-- name: reveal
update blind_rounds set voted_at = $now where comparison_id = $comparison_id and voted_at is null
