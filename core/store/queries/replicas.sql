-- name: join
insert into replicas (id, name, beat, secret_mark, files_mark, seen_at)
values ($id, $name, 0, $secret_mark, $files_mark, $now)

-- name: beat
update replicas set beat = beat + 1, seen_at = $now where id = $id

-- name: list
select id, name, beat, secret_mark, files_mark, seen_at from replicas order by id

-- name: remove_silent
delete from replicas where id = $id and beat = $beat

-- name: leave
delete from replicas where id = $id

-- name: own_turn
insert into turn_owners (turn_id, conversation_id, answer_message_id, continues, owner, stop_asked)
values ($turn_id, $conversation_id, $answer_message_id, $continues, $owner, false)

-- name: disown_turn
delete from turn_owners where turn_id = $turn_id

-- name: owned_turns
select turn_id, conversation_id, answer_message_id, continues, owner, stop_asked from turn_owners

-- name: ask_to_stop
update turn_owners set stop_asked = true where turn_id = $turn_id

-- name: running_turns
-- Also those without an owner: of a store that was copied while they ran.
select turns.id as turn_id, turn_owners.owner
from turns left join turn_owners on turn_owners.turn_id = turns.id
where turns.status = 'running'

-- name: owner_of_turn
-- Whoever asks hears of a replica that has just joined with its next look at them; its row says so at once.
select owner, answer_message_id, owner in (select id from replicas) as has_joined
from turn_owners where turn_id = $turn_id

-- name: take_over_turn
update turn_owners set owner = $owner where turn_id = $turn_id and owner = $before

-- name: followed_turn
select turns.id, turns.status, turns.user_id, turns.source, turns.use_case, turns.requested_model,
    turns.answering_model, turns.started_at, turns.partial_text, turns.partial_reasoning, turns.partial_steps
from turns where turns.id = $turn_id

-- name: owner_of_job
select owner, owner in (select id from replicas) as has_joined from job_owners where job_id = $job_id

-- name: own_job
insert into job_owners (job_id, owner) values ($job_id, $owner)

-- name: disown_job
delete from job_owners where job_id = $job_id

-- name: audit_since
select id from audit where id >= $first
