-- Summaries that stand for the older part of a conversation when it is sent. What was taken back stays as a record of
-- what a model was told.
create table summaries (
    id text primary key,
    conversation_id text not null,
    user_id text not null,
    up_to text not null,                    -- the last message it stands for
    messages integer not null,              -- how many it stands for
    text text not null,
    model_label text not null,
    turn_id text not null,                  -- the call that made it, in the ledger
    created_at timestamp not null,
    taken_back_at timestamp
);
