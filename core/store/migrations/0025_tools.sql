-- The tools that a model called before its answer, as JSON (core/chat/kept_steps.py), and how long it thought in all.
-- Null: none, and for answers from before these columns.
alter table messages add column steps text;
alter table messages add column reasoning_ms double;

-- The steps of a running turn, for the case that a crash ends it.
alter table turns add column partial_steps text;

-- Whether models may call tools in a conversation. Null: they may.
alter table conversations add column tools boolean;
