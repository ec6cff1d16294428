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

-- name: models_asked
-- Who was asked this very prompt in this person's rounds, of those that wait for a vote or have one that counts.
select blind_rounds.comparison_id, comparison_columns.model_id
from blind_rounds
join comparison_columns on comparison_columns.comparison_id = blind_rounds.comparison_id
join messages on messages.conversation_id = comparison_columns.conversation_id
where blind_rounds.user_id = $user_id and comparison_columns.position < 2
    and messages.parent_id is null and messages.content = $text
    and (
        blind_rounds.voted_at is null
        or blind_rounds.comparison_id in (select comparison_id from votes where user_id = $user_id and void is null)
    )

-- name: reveal
update blind_rounds set voted_at = $now where comparison_id = $comparison_id and voted_at is null
