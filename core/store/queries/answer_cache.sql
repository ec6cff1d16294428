-- name: find_answer
select text, reasoning, input_tokens, cached_input_tokens, cache_write_tokens, image_tokens, output_tokens,
    reasoning_tokens
from answer_cache where key = $key and created_at > $oldest and expires_at > $now

-- name: purge_expired
-- The key about to be written stays: DuckDB does not take it anew in the transaction that deletes it.
delete from answer_cache where expires_at <= $now and key <> $key

-- name: keep_answer
insert into answer_cache (
    key, user_id, text, reasoning, input_tokens, cached_input_tokens, cache_write_tokens, image_tokens, output_tokens,
    reasoning_tokens, created_at, expires_at
) values (
    $key, $user_id, $text, $reasoning, $input_tokens, $cached_input_tokens, $cache_write_tokens, $image_tokens,
    $output_tokens, $reasoning_tokens, $now, $expires_at
)
on conflict (key) do update set
    user_id = excluded.user_id, text = excluded.text, reasoning = excluded.reasoning,
    input_tokens = excluded.input_tokens, cached_input_tokens = excluded.cached_input_tokens,
    cache_write_tokens = excluded.cache_write_tokens, image_tokens = excluded.image_tokens,
    output_tokens = excluded.output_tokens, reasoning_tokens = excluded.reasoning_tokens,
    created_at = excluded.created_at, expires_at = excluded.expires_at
