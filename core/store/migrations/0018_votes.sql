-- What people said of two answers whose makers they did not know.

create table votes (
    id text primary key,
    user_id text not null,
    pair text not null,                     -- the ids of both answers in order: one vote per person and pair
    comparison_id text not null,
    use_case text,
    left_model text not null,               -- the model that answered on the left, as the ledger names it
    right_model text not null,
    left_message_id text not null,
    right_message_id text not null,
    outcome text not null,                  -- left | right | tie | both_bad
    reason text,
    void text,                              -- why it does not count; null: it does
    left_characters integer not null,       -- the style of the answers, for ratings that take it into account
    left_list_items integer not null,
    left_headers integer not null,
    right_characters integer not null,
    right_list_items integer not null,
    right_headers integer not null,
    created_at timestamp not null,
    unique (user_id, pair)
);
