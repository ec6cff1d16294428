-- Finding conversations again and keeping them in order.

alter table conversations add column pinned_at timestamp;
alter table conversations add column archived_at timestamp;
alter table conversations add column tags text;         -- lower-case words, separated by spaces; null: none

-- True for a turn of a chat that is not stored: no text of it may be in any row. Null: an ordinary one.
alter table turns add column temporary boolean;

-- What the search reads: the text of messages without case and accents. A copy, filled before a search where the
-- conversation has changed: a message that is sent does not wait for it. Uncompressed, because a search reads all of
-- one person's texts: 60 ms for 100,000 messages instead of 170 (measured with six such people in the store).
create table search_texts (
    user_id text not null,
    conversation_id text not null,
    message_id text not null,
    content text not null using compression uncompressed,
    created_at timestamp not null
);

create table search_state (
    conversation_id text primary key,
    user_id text not null,
    indexed_until timestamp not null        -- the conversation's `updated_at` when its messages were last taken in
);
