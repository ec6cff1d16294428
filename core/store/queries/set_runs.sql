-- name: insert_run
insert into set_runs (id, set_id, set_name, user_id, use_case, shared, models, created_at)
values ($id, $set_id, $set_name, $user_id, $use_case, $shared, $models, $now)

-- name: insert_prompts
insert into run_prompts (run_id, position, category, turns)
select $id, unnest($position), unnest($category), unnest($turns)

-- name: insert_job
insert into set_jobs (id, run_id, user_id, kind, state, created_at)
values ($id, $run_id, $user_id, $kind, 'running', $now)

-- name: insert_answers
insert into run_answers (conversation_id, job_id, run_id, position, model_id, state)
select unnest($conversation_id), $job_id, $run_id, unnest($position), unnest($model_id), 'waiting'

-- name: insert_judgements
insert into machine_judgements (conversation_id, job_id, run_id, position, judge_model, model_a, model_b, state)
select unnest($conversation_id), $job_id, $run_id, unnest($position), $judge_model, unnest($model_a),
    unnest($model_b), 'waiting'

-- name: load_run
select id, set_id, set_name, user_id, use_case, shared, models, created_at from set_runs
where id = $id and (user_id = $user_id or shared)

-- name: runs_of_set
select id, set_id, set_name, user_id, use_case, shared, models, created_at from set_runs
where set_id = $set_id and (user_id = $user_id or shared)
order by created_at desc, id desc

-- name: runs_without_set
select id, set_id, set_name, user_id, use_case, shared, models, created_at from set_runs
where user_id = $user_id and set_id not in (select id from prompt_sets)
order by created_at desc, id desc

-- name: prompts_of_run
select category, turns from run_prompts where run_id = $run_id order by position

-- name: jobs_of_run
select id, run_id, user_id, kind, state, note from set_jobs where run_id = $run_id order by id

-- name: load_job
select set_jobs.id, set_jobs.run_id, set_jobs.user_id, set_jobs.kind, set_jobs.state, set_jobs.note, set_runs.use_case
from set_jobs join set_runs on set_runs.id = set_jobs.run_id
where set_jobs.id = $id

-- name: running_jobs
select id from set_jobs where state = 'running' order by id

-- name: set_job_state
update set_jobs set state = $state, note = $note where id = $id

-- name: answers_of_run
select conversation_id, position, model_id, state, problem from run_answers
where run_id = $run_id order by position, model_id

-- name: waiting_answers
select conversation_id, position, model_id from run_answers
where job_id = $job_id and state = 'waiting' order by position, model_id

-- name: waiting_judgements
select conversation_id, position, judge_model, model_a, model_b from machine_judgements
where job_id = $job_id and state = 'waiting' order by position, conversation_id

-- name: judgements_of_run
select conversation_id, job_id, position, judge_model, model_a, model_b, state, verdict, reason, problem
from machine_judgements where run_id = $run_id order by position, conversation_id

-- name: settle_answer
update run_answers set state = $state, problem = $problem where conversation_id = $id

-- name: settle_judgement
update machine_judgements set state = $state, verdict = $verdict, reason = $reason, problem = $problem
where conversation_id = $id

-- name: retry_answers
update run_answers set state = 'waiting', problem = null where job_id = $job_id and state = $state

-- name: retry_judgements
update machine_judgements set state = 'waiting', problem = null where job_id = $job_id and state = $state

-- name: counts_of_job
select state, count(*) as tasks from (
    select state from run_answers where job_id = $job_id
    union all
    select state from machine_judgements where job_id = $job_id
) as both_kinds group by state

-- name: leaves_of
select id, leaf_message_id from conversations where comparison_id = $run_id and id in (select unnest($ids))

-- name: votes_of_run
-- People's votes on a run, seen from its conversations.
select lefts.conversation_id as left_id, rights.conversation_id as right_id, votes.outcome
from votes
join messages as lefts on lefts.id = votes.left_message_id
join messages as rights on rights.id = votes.right_message_id
where votes.comparison_id = $run_id and votes.void is null
order by votes.id

-- name: pairs_voted
select pair from votes where comparison_id = $run_id and user_id = $user_id

-- name: calls_of_run
select run_answers.position, run_answers.model_id, ledger.cost_usd, ledger.input_tokens, ledger.output_tokens,
    ledger.status, ledger.started_at, ledger.first_token_at, ledger.ended_at
from ledger
join run_answers on run_answers.conversation_id = ledger.conversation_id
where run_answers.run_id = $run_id

-- name: state_of_run
-- Changes with whatever a report shows: answers and judgements that ended, votes, corrected figures.
select
    (select count(*) from run_answers where run_id = $run_id and state <> 'waiting') as answers,
    (select count(*) from run_answers where run_id = $run_id and state = 'done') as done,
    (select count(*) from machine_judgements where run_id = $run_id and state <> 'waiting') as judgements,
    (select count(*) from machine_judgements where run_id = $run_id and state = 'done') as verdicts,
    (select count(*) from votes where comparison_id = $run_id) as votes

-- name: judging_cost
-- Summed here, so that it is exact; one call without a price makes the sum unknown.
select case when count(*) = count(cost_usd) then coalesce(sum(cost_usd), 0) end as cost_usd
from ledger
where conversation_id in (select conversation_id from machine_judgements where run_id = $run_id)

-- name: hide_conversations
update conversations set deleted_at = $now where comparison_id = $id and user_id = $user_id and deleted_at is null

-- name: forget_judgements
delete from machine_judgements where run_id = $id

-- name: forget_answers
delete from run_answers where run_id = $id

-- name: forget_prompts
delete from run_prompts where run_id = $id

-- name: forget_jobs
delete from set_jobs where run_id = $id

-- name: forget_run
delete from set_runs where id = $id and user_id = $user_id
