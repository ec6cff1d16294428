-- What a conversation or a comparison is for, as its owner or a guess said: its later questions and the signs given in
-- it count for that. Null: nobody knows; empty: its owner said that it is for nothing in particular.

alter table conversations add column use_case text;
alter table comparisons add column use_case text;
