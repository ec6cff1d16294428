-- Comparisons: one prompt, or a chat's history and a prompt, put to several models at once.

create table comparisons (
    id text primary key,
    user_id text not null,
    title text not null,
    origin_conversation_id text,            -- the chat whose history comes first; null: none does
    origin_message_id text,                 -- the message that this history ends with; null: it is empty
    created_at timestamp not null,
    updated_at timestamp not null,
    deleted_at timestamp                    -- kept for undo; its conversations are deleted at the same moment
);

create index comparisons_by_user on comparisons (user_id);

-- A column's messages, turns and ledger rows are those of a conversation of its own, which is in no list of chats.
create table comparison_columns (
    conversation_id text primary key,
    comparison_id text not null,
    position integer not null,
    kind text not null,                     -- answer | merge
    model_id text not null,
    model_label text not null,              -- at the time: a removed model keeps its name here
    parameters text not null,               -- JSON object as in conversation_parameters: what the person set
    sources text,                           -- of a merge: JSON list of the ids of the answers it was made from
    problem text                            -- why the last message to this column was not sent; null: it was
);

create index comparison_columns_by_comparison on comparison_columns (comparison_id);

-- "Continue with this one": the chat that got copies of a column's messages. Their figures are those of the column.
create table comparison_continuations (
    id text primary key,
    user_id text not null,
    conversation_id text not null,          -- the chat
    column_id text not null,                -- the column's conversation
    last_message_id text not null,          -- how far the column had come
    first_copy_id text not null,            -- the first message of the branch in the chat
    created_at timestamp not null
);

create index comparison_continuations_by_chat on comparison_continuations (conversation_id);

create table line_ups (
    id text primary key,
    owner_id text not null,
    name text not null,                     -- empty: the one in use, kept between visits
    entries text not null,                  -- JSON list of {"model_id", "parameters"}
    updated_at timestamp not null
);

-- The comparison whose column this is; null for a chat.
alter table conversations add column comparison_id text;
