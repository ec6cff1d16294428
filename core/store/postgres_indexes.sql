-- Indexes that only a PostgreSQL gets: DuckDB scans these tables in milliseconds, a server would read them row by row.
-- They belong to the program, not to the data: made at every start where they are missing.
create index if not exists attempts_by_id on attempts (id);
create index if not exists attempts_by_conversation on attempts (conversation_id);
create index if not exists attempts_by_turn on attempts (turn_id);
create index if not exists attempts_by_end on attempts (ended_at);
create index if not exists attempts_by_start on attempts (started_at);
create index if not exists attempts_by_user on attempts (user_id, ended_at);
create index if not exists adjustments_by_attempt on adjustments (attempt_id);
create index if not exists turns_running on turns (status) where status = 'running';
create index if not exists turns_by_user on turns (user_id);
drop index if exists search_texts_by_user;
create index if not exists search_texts_by_time
    on search_texts (user_id, created_at desc nulls last, message_id desc nulls last);
create index if not exists search_texts_by_conversation on search_texts (conversation_id);
create index if not exists summaries_by_conversation on summaries (conversation_id);
create index if not exists feedback_by_conversation on feedback (conversation_id);
create index if not exists branch_leaves_by_conversation on branch_leaves (conversation_id);
create index if not exists shares_by_conversation on shares (conversation_id);
create index if not exists refusals_by_time on refusals (refused_at);
create index if not exists health_events_by_time on health_events (probed_at);
create index if not exists audit_by_time on audit (happened_at);
create index if not exists run_answers_by_run on run_answers (run_id);
create index if not exists machine_judgements_by_run on machine_judgements (run_id);
-- What a search looks for that is narrowed to a model: not `where role = 'assistant'`, as the planner has no figures
-- of an index of some rows.
create index if not exists messages_by_model
    on messages ((coalesce(model_label, '') || ' ' || coalesce(served_model, '')), conversation_id);
