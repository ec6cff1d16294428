-- The tables everything else stands on.
-- No foreign keys: DuckDB cannot update a referenced row. Ids are UUIDv7 text made in Python. Times are UTC.
-- Money is DECIMAL(18,9) dollars, exact. Only what both DuckDB and an attached PostgreSQL take is used here.

create table users (
    id text primary key,
    username text not null unique,          -- lower case; what people type at sign-in
    display_name text not null,
    email text,
    password_hash text,                     -- bcrypt; null for people who come through OIDC
    role text not null,                     -- member | admin
    oidc_subject text,                      -- "<issuer>|<sub>" for people who come through OIDC
    sessions_valid_after timestamp not null,-- a session signed in before this moment is revoked
    disabled_at timestamp,
    created_at timestamp not null,
    last_seen_at timestamp
);

create table sign_in_failures (
    username text primary key,              -- as typed, lower case; also for names that do not exist
    failures integer not null,
    locked_until timestamp,
    updated_at timestamp not null
);

create table conversations (
    id text primary key,
    user_id text not null,
    title text not null,
    title_source text not null,             -- auto (first words) | user
    model_id text,                          -- the model the next message goes to; null: the user's default
    leaf_message_id text,                   -- the end of the branch on show
    created_at timestamp not null,
    updated_at timestamp not null,
    deleted_at timestamp                    -- kept for undo; purged later
);

create index conversations_by_user on conversations (user_id);

create table messages (
    id text primary key,
    conversation_id text not null,
    parent_id text,                         -- null for the first message: messages form a tree
    turn_id text not null,
    role text not null,                     -- user | assistant
    content text not null,
    reasoning text,
    status text not null,                   -- complete | stopped | broken | failed | interrupted
    finish_reason text,
    requested_model text,                   -- null on user messages
    served_model text,
    model_label text,                       -- the label at the time: a removed model keeps its name here
    error_class text,
    error_message text,                     -- in plain words, with the next step
    error_detail text,                      -- the technical text, without secrets
    created_at timestamp not null
);

create index messages_by_conversation on messages (conversation_id);

create table turns (
    id text primary key,
    conversation_id text not null,
    user_id text not null,
    user_message_id text not null,
    source text not null,                   -- chat | compare | api | title | probe
    use_case text,
    requested_model text not null,
    parameters text not null,               -- JSON
    status text not null,                   -- running | completed | stopped | failed | interrupted
    partial_text text not null,             -- the checkpoint of a running turn
    partial_reasoning text not null,
    checkpoint_at timestamp,
    started_at timestamp not null,
    ended_at timestamp
);

create index turns_by_conversation on turns (conversation_id);

-- The ledger: one row per attempt, append-only. Corrections are new rows. No index: DuckDB scans a million rows in
-- milliseconds, and an index would cost more space than the rows themselves.
create table attempts (
    id text primary key,
    turn_id text not null,
    parent_id text,                         -- the attempt this one followed, within its turn
    conversation_id text,
    user_id text not null,
    source text not null,
    use_case text,
    requested_model text not null,
    served_model text,                      -- the registry id that answered; null when none did
    upstream_model text,                    -- the provider's own name for it
    provider text not null,
    parameters text not null,               -- JSON
    started_at timestamp not null,
    first_token_at timestamp,
    ended_at timestamp not null,
    input_tokens bigint not null,           -- total, details below are subsets of it
    cached_input_tokens bigint not null,
    cache_write_tokens bigint not null,
    image_tokens bigint not null,
    output_tokens bigint not null,          -- total, reasoning is a subset of it
    reasoning_tokens bigint not null,
    computed_cost_usd decimal(18,9),        -- buckets times prices
    reported_cost_usd decimal(18,9),        -- what the provider says it bills
    cost_usd decimal(18,9),                 -- the figure to show and sum; null when unpriced
    cost_code text not null,                -- reported | computed | estimated | partial | unpriced | free | cached
    price_version text,                     -- which prices were used
    status text not null,                   -- ok | stopped | an error class
    error_message text,
    fallback_of text,                       -- the model that was asked first, when another answered
    cached boolean not null
);

create table preferences (
    user_id text not null,
    name text not null,
    value text not null,                    -- JSON
    updated_at timestamp not null,
    primary key (user_id, name)
);

create table audit (
    id text primary key,
    happened_at timestamp not null,
    actor_id text,                          -- null: the installation itself
    action text not null,                   -- user.create, user.role, session.revoke, ...
    subject text not null,
    before text,                            -- JSON
    after text                              -- JSON
);
