-- Comparisons whose two models stay hidden until their owner has voted. Until then no list of comparisons shows them.

create table blind_rounds (
    comparison_id text primary key,         -- its first column stands on the left
    user_id text not null,
    use_case text not null,
    created_at timestamp not null,
    voted_at timestamp                      -- when the names were shown: by a vote, or because nobody can vote any more
);
