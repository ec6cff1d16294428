-- Sign-out and changes that must not pass each other.

create table signed_out_sessions (
    session_id text primary key,            -- the `jti` of a session's token: dead although the token itself is still valid
    expires_at timestamp not null           -- after this the token is refused by its age and the row is purged
);

-- A transaction whose decision rests on more than the row it writes ("is there another administrator?", "how many
-- failures so far?") first writes its row here: of two at the same time, the second then conflicts and starts again.
create table account_locks (
    name text primary key,                  -- people | sign_in
    version bigint not null
);

insert into account_locks values ('people', 0), ('sign_in', 0);
