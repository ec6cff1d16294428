-- What people think of answers, where they left a branch, and messages that were deleted.

create table feedback (
    message_id text primary key,            -- the answer; of one that was continued, its first part
    conversation_id text not null,
    user_id text not null,
    model_id text,                          -- the model that answered; null when nobody knows
    use_case text,
    rating integer not null,                -- 1: good, -1: bad
    reason text,
    created_at timestamp not null,
    updated_at timestamp not null
);

-- Stepping back to a message shows the branch below it as it was left.
create table branch_leaves (
    message_id text primary key,
    conversation_id text not null,
    leaf_message_id text not null
);

-- Kept for undo. `deleted_with` is the message whose branch was deleted: undo brings back what went with it.
alter table messages add column deleted_at timestamp;
alter table messages add column deleted_with text;
