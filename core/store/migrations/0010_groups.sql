-- Groups of people: what a model's access names as `group:NAME`.

create table user_groups (
    id text primary key,
    name text not null,
    name_key text not null unique,          -- the name without the difference between cases: two groups never share it
    created_at timestamp not null
);

create table group_members (
    group_id text not null,
    user_id text not null,
    source text not null,                   -- admin: added here | oidc: follows the identity provider
    added_at timestamp not null,
    primary key (group_id, user_id)
);

-- The newest word of the identity provider on somebody's groups. Another browser may bring an older one later.
create table group_claims (
    user_id text primary key,
    claimed_at timestamp not null           -- when they signed in at the provider
);

-- See account_locks: "is the name free?" and "who is in it?" are decisions on more than the row that is written.
insert into account_locks values ('groups', 0);
