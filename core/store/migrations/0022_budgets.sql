-- What may be spent and how fast, as administrators set it, and who was refused because of it.
-- What has been spent is not here: it is the ledger's, and a second figure could only differ from it.

create table budgets (
    id text primary key,
    audience text not null,                 -- everyone | role | group | user
    subject text not null,                  -- '' | a role | user_groups.id | users.id
    shared boolean not null,                -- one amount for all of them together; false: each of them has it
    period text not null,                   -- day | week | month, on the calendar of the team's time zone
    amount_usd decimal(18,9) not null,
    hard boolean not null,                  -- refuses a call before it is made; false: warns only
    warn_percent integer not null,          -- of the amount; from there on people are warned
    allow_unpriced boolean not null,        -- a call whose price nobody knows passes a hard budget
    created_at timestamp not null,
    updated_at timestamp not null
);

create table rate_limits (
    id text primary key,
    audience text not null,                 -- as in `budgets`
    subject text not null,
    shared boolean not null,
    model_id text,                          -- calls of this model only; null: of any
    requests_per_minute integer,
    tokens_per_minute integer,
    created_at timestamp not null,
    updated_at timestamp not null
);

create table refusals (
    id text primary key,
    refused_at timestamp not null,
    user_id text not null,
    source text not null,                   -- chat | compare | api
    model_id text not null,
    code text not null,                     -- budget | rate_limit
    limit_id text not null,                 -- budgets.id or rate_limits.id, which may be gone
    reason text not null                    -- what the person was told
);
