-- name: export_attempts
select id, turn_id, conversation_id, source, use_case, requested_model, served_model, provider, parameters, started_at,
    first_token_at, ended_at, input_tokens, cached_input_tokens, cache_write_tokens, image_tokens, output_tokens,
    reasoning_tokens, cost_usd, cost_code, price_version, status, fallback_of
from ledger where user_id = $user_id order by started_at, id

-- name: running_turns
select count(*) as running from turns where user_id = $user_id and status = 'running'

-- name: count_conversations
select count(*) as conversations from conversations where user_id = $user_id

-- name: count_presets
select count(*) as presets from presets where owner_id = $user_id

-- name: export_feedback
select message_id, conversation_id, model_id, use_case, rating, reason, created_at, updated_at
from feedback where user_id = $user_id order by created_at, message_id

-- name: delete_feedback
delete from feedback where user_id = $user_id

-- name: delete_branch_leaves
delete from branch_leaves where conversation_id in (select id from conversations where user_id = $user_id)

-- name: delete_summaries
delete from summaries where user_id = $user_id

-- name: export_summaries
select conversation_id, up_to, messages, text, model_label, created_at, taken_back_at
from summaries where user_id = $user_id order by id

-- name: delete_messages
delete from messages where conversation_id in (select id from conversations where user_id = $user_id)

-- name: delete_search_texts
delete from search_texts where user_id = $user_id

-- name: delete_search_state
delete from search_state where user_id = $user_id

-- name: delete_turns
delete from turns where user_id = $user_id

-- name: delete_conversation_parameters
delete from conversation_parameters where user_id = $user_id

-- name: delete_conversations
delete from conversations where user_id = $user_id

-- name: delete_kept_answers
delete from answer_cache where user_id = $user_id

-- name: delete_presets
delete from presets where owner_id = $user_id

-- name: delete_preferences
delete from preferences where user_id = $user_id

-- name: export_prompts
select name, body, shared from prompts where owner_id = $user_id order by lower(name), id

-- name: export_shares
select id, conversation_id, title, message_count, created_at, revoked_at
from shares where user_id = $user_id order by created_at, id

-- name: delete_prompts
delete from prompts where owner_id = $user_id

-- name: delete_shares
delete from shares where user_id = $user_id

-- name: export_votes
select comparison_id, use_case, left_model, right_model, outcome, reason, void, created_at
from votes where user_id = $user_id order by created_at, id

-- name: delete_votes
delete from votes where user_id = $user_id

-- name: delete_comparison_columns
delete from comparison_columns where comparison_id in (select id from comparisons where user_id = $user_id)

-- name: delete_comparisons
delete from comparisons where user_id = $user_id

-- name: delete_continuations
delete from comparison_continuations where user_id = $user_id

-- name: delete_line_ups
delete from line_ups where owner_id = $user_id

-- name: export_comparisons
select id, title, origin_conversation_id, origin_message_id, use_case, created_at, updated_at, deleted_at
from comparisons where user_id = $user_id order by created_at, id

-- name: export_columns
select comparison_columns.comparison_id, comparison_columns.conversation_id, comparison_columns.kind,
    comparison_columns.model_id, comparison_columns.model_label, comparison_columns.parameters,
    comparison_columns.sources
from comparison_columns join comparisons on comparisons.id = comparison_columns.comparison_id
where comparisons.user_id = $user_id order by comparison_columns.comparison_id, comparison_columns.position

-- name: export_line_ups
select name, entries from line_ups where owner_id = $user_id and name <> '' order by lower(name), id

-- name: delete_blind_rounds
delete from blind_rounds where user_id = $user_id

-- name: export_prompt_sets
select id, name, use_case, shared, created_at, updated_at from prompt_sets where owner_id = $user_id order by id

-- name: export_set_prompts
select set_prompts.set_id, set_prompts.category, set_prompts.turns
from set_prompts join prompt_sets on prompt_sets.id = set_prompts.set_id
where prompt_sets.owner_id = $user_id order by set_prompts.set_id, set_prompts.position

-- name: export_set_runs
select id, set_id, set_name, use_case, shared, models, created_at from set_runs where user_id = $user_id order by id

-- name: export_run_answers
select run_answers.run_id, run_answers.position, run_answers.model_id, run_answers.state, run_answers.conversation_id
from run_answers join set_runs on set_runs.id = run_answers.run_id
where set_runs.user_id = $user_id order by run_answers.run_id, run_answers.position, run_answers.model_id

-- name: export_machine_judgements
select machine_judgements.run_id, machine_judgements.position, machine_judgements.judge_model,
    machine_judgements.model_a, machine_judgements.model_b, machine_judgements.state, machine_judgements.verdict,
    machine_judgements.reason
from machine_judgements join set_runs on set_runs.id = machine_judgements.run_id
where set_runs.user_id = $user_id
order by machine_judgements.run_id, machine_judgements.position, machine_judgements.conversation_id

-- name: delete_machine_judgements
delete from machine_judgements where run_id in (select id from set_runs where user_id = $user_id)

-- name: delete_run_answers
delete from run_answers where run_id in (select id from set_runs where user_id = $user_id)

-- name: delete_run_prompts
delete from run_prompts where run_id in (select id from set_runs where user_id = $user_id)

-- name: delete_set_jobs
delete from set_jobs where run_id in (select id from set_runs where user_id = $user_id)

-- name: delete_set_runs
delete from set_runs where user_id = $user_id

-- name: delete_set_prompts
delete from set_prompts where set_id in (select id from prompt_sets where owner_id = $user_id)

-- name: delete_prompt_sets
delete from prompt_sets where owner_id = $user_id
