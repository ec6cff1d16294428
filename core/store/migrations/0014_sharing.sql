-- What people hand to each other: a conversation as it was at one moment, and texts to begin a message with.

create table shares (
    id text primary key,                    -- 256 random bits: whoever knows it and is signed in may read
    user_id text not null,                  -- who shared it, and who may revoke it
    conversation_id text not null,
    title text not null,                    -- at the time, like everything below
    snapshot text not null,                 -- JSON: the branch on show as a conversation of the exchange format
    message_count integer not null,
    created_at timestamp not null,
    revoked_at timestamp
);

create table prompts (
    id text primary key,
    owner_id text not null,
    name text not null,
    body text not null,                     -- what goes into the composer; {{name}} is filled in before
    shared boolean not null,                -- everybody may use it; only its owner changes it
    created_at timestamp not null,
    updated_at timestamp not null
);
