-- What a running turn knows of its attempts, for the case that a crash ends it: the finished ones as JSON, and when the
-- one under way went out and its first token came. Null while there is nothing to say.
alter table turns add column tries text;
alter table turns add column attempt_started_at timestamp;
alter table turns add column first_token_at timestamp;

-- What a cache saved on a call, by the prices of that moment: the provider's, or an answer that was kept. Null where a
-- price is unknown and for calls from before this column.
alter table attempts add column cache_saved_usd decimal(18,9);
