-- Of conversations that are no chats, the columns of comparisons are searched; the answers of prompt sets are not.

-- name: stale_conversations
select conversations.id, conversations.updated_at
from conversations left join search_state on search_state.conversation_id = conversations.id
where conversations.user_id = $user_id
    and (
        conversations.comparison_id is null
        or conversations.comparison_id in (select id from comparisons where user_id = $user_id)
    )
    and search_state.indexed_until is distinct from conversations.updated_at
order by conversations.updated_at desc
limit $limit

-- name: people_to_index
select distinct conversations.user_id
from conversations left join search_state on search_state.conversation_id = conversations.id
where search_state.indexed_until is distinct from conversations.updated_at
    and (
        conversations.comparison_id is null or conversations.comparison_id in (select id from comparisons)
    )

-- name: index_messages
insert into search_texts (user_id, conversation_id, message_id, content, created_at)
select $user_id, conversation_id, id, regexp_replace(folded(content), '\s+', ' ', 'g'), created_at
from messages
where conversation_id in (select unnest($ids)) and content <> ''
    -- What a merge was made with repeats the answers of the other columns.
    and not (
        role = 'user' and conversation_id in (
            select conversation_id from comparison_columns
            where kind = 'merge' and conversation_id in (select unnest($ids))
        )
    )
    and id not in (
        select message_id from search_texts where user_id = $user_id and conversation_id in (select unnest($ids))
    )

-- name: mark_indexed
insert into search_state (conversation_id, user_id, indexed_until) values ($id, $user_id, $updated_at)
on conflict (conversation_id) do update set indexed_until = excluded.indexed_until

-- name: find_messages
-- The newest three hits of each chat or comparison, newest first. Empty terms and filters are always true.
with compared as (
    select id, title from comparisons
    where user_id = $user_id and deleted_at is null
        -- What waits for a blind vote shows its models nowhere.
        and id not in (select comparison_id from blind_rounds where user_id = $user_id and voted_at is null)
),
owned as (
    select conversations.id, coalesce(compared.title, conversations.title) as title, archived_at, tags,
        conversations.comparison_id, coalesce(conversations.comparison_id, conversations.id) as found_in
    from conversations left join compared on compared.id = conversations.comparison_id
    where user_id = $user_id and deleted_at is null and (comparison_id is null or compared.id is not null)
),
mine as (
    select id, title, archived_at, comparison_id, found_in from owned
    where ($tag = '' or contains(' ' || coalesce(tags, '') || ' ', ' ' || lower($tag) || ' '))
        and contains(folded(title), folded($title))
),
answers as (
    select id, parent_id from messages
    where $model <> '' and role = 'assistant' and conversation_id in (select id from mine)
        and contains(folded(coalesce(model_label, '') || ' ' || coalesce(served_model, '')), folded($model))
),
hits as (
    select conversation_id, message_id, created_at, content
    from search_texts
    where user_id = $user_id
        and holds_all(content, $term_1, $term_2, $term_3, $term_4, $term_5, $term_6, $term_7, $term_8)
        and created_at >= $after and created_at < $before
        and conversation_id in (select id from mine)
        and (
            $model = '' or message_id in (
                select id from answers union all select parent_id from answers where parent_id is not null
            )
        )
    -- More are never looked at: ranking 100,000 hits of a word that is everywhere would take half as long again.
    order by created_at desc, message_id desc
    limit 2000
),
placed as (
    -- A question stands in every column of a comparison: it is one hit.
    select hits.conversation_id, hits.message_id, hits.created_at, mine.found_in,
        mine.comparison_id is not null and 1 < row_number() over (
            partition by mine.found_in, hits.content order by hits.created_at, hits.message_id
        ) as again
    from hits join mine on mine.id = hits.conversation_id
),
newest as (
    select *,
        row_number() over (partition by found_in order by created_at desc, message_id desc) as place,
        count(*) over (partition by found_in) as hits_in_conversation
    from placed
    where not again
),
top as (
    select * from newest where place <= 3 order by created_at desc, message_id desc limit $limit
)
select mine.id as conversation_id, mine.comparison_id, mine.title, mine.archived_at is not null as archived,
    top.hits_in_conversation, top.message_id
from top
join mine on mine.id = top.conversation_id
order by top.created_at desc, top.message_id desc

-- name: find_messages_on_server
-- server
-- The same where the texts lie on a PostgreSQL: looked at there, as reading them all takes a quarter of a second. What it
-- cannot fold comes folded: the terms, the conversations of a title ($titled) and the names of a model ($labels).
-- Where few conversations are left ($few), $places names them and the others' texts are not read.
with compared as (
    select id, title from comparisons
    where user_id = $user_id and deleted_at is null
        and id not in (select comparison_id from blind_rounds where user_id = $user_id and voted_at is null)
),
mine as (
    select conversations.id, coalesce(compared.title, conversations.title) as title, archived_at,
        conversations.comparison_id, coalesce(conversations.comparison_id, conversations.id) as found_in
    from conversations left join compared on compared.id = conversations.comparison_id
    where user_id = $user_id and deleted_at is null and (comparison_id is null or compared.id is not null)
        and ($tag = '' or strpos(' ' || coalesce(tags, '') || ' ', ' ' || $tag || ' ') > 0)
        and ($title = '' or conversations.id in (select unnest($titled)))
),
answers as (
    select id, parent_id from messages
    where $model <> '' and role = 'assistant' and conversation_id in (select id from mine)
        and coalesce(model_label, '') || ' ' || coalesce(served_model, '') = any($labels)
        and (not $few or conversation_id = any($places))
),
hits as (
    -- Newest first by the index, until there are enough; `is true` keeps the planner from reading all for a join.
    select conversation_id, message_id, created_at, content
    from search_texts
    where user_id = $user_id
        and strpos(content, $term_1) > 0 and ($term_2 = '' or strpos(content, $term_2) > 0)
        and ($term_3 = '' or strpos(content, $term_3) > 0) and ($term_4 = '' or strpos(content, $term_4) > 0)
        and ($term_5 = '' or strpos(content, $term_5) > 0) and ($term_6 = '' or strpos(content, $term_6) > 0)
        and ($term_7 = '' or strpos(content, $term_7) > 0) and ($term_8 = '' or strpos(content, $term_8) > 0)
        and created_at >= $after and created_at < $before
        and (not $few or conversation_id = any($places))
        and (conversation_id in (select id from mine)) is true
        and (
            $model = '' or (
                message_id in (
                    select id from answers union all select parent_id from answers where parent_id is not null
                )
            ) is true
        )
    order by created_at desc, message_id desc
    limit 2000
),
placed as (
    select hits.conversation_id, hits.message_id, hits.created_at, mine.found_in,
        mine.comparison_id is not null and 1 < row_number() over (
            partition by mine.found_in, hits.content order by hits.created_at, hits.message_id
        ) as again
    from hits join mine on mine.id = hits.conversation_id
),
newest as (
    select *,
        row_number() over (partition by found_in order by created_at desc, message_id desc) as place,
        count(*) over (partition by found_in) as hits_in_conversation
    from placed
    where not again
),
top as (
    select * from newest where place <= 3 order by created_at desc, message_id desc limit $limit
)
select mine.id as conversation_id, mine.comparison_id, mine.title, mine.archived_at is not null as archived,
    top.hits_in_conversation, top.message_id
from top
join mine on mine.id = top.conversation_id
order by top.created_at desc, top.message_id desc

-- name: folded_terms
select folded($term_1) as term_1, folded($term_2) as term_2, folded($term_3) as term_3, folded($term_4) as term_4,
    folded($term_5) as term_5, folded($term_6) as term_6, folded($term_7) as term_7, folded($term_8) as term_8,
    lower($tag) as tag

-- name: folded_titles
-- The conversations whose title, or whose comparison's, holds a text.
select conversations.id
from conversations left join comparisons on comparisons.id = conversations.comparison_id
where conversations.user_id = $user_id
    and contains(folded(coalesce(comparisons.title, conversations.title)), folded($title))

-- name: model_labels
-- server
-- Every name that a model had in the store, whoever asked it: a step through the index for each, which is why they are
-- not asked for by person. The last is null.
with recursive names as (
    (
        select coalesce(model_label, '') || ' ' || coalesce(served_model, '') as label
        from messages
        order by label
        limit 1
    )
    union all
    select (
        select coalesce(model_label, '') || ' ' || coalesce(served_model, '') as label
        from messages
        where coalesce(model_label, '') || ' ' || coalesce(served_model, '') > names.label
        order by label
        limit 1
    )
    from names
    where names.label is not null
)
select label from names where label is not null

-- name: places_left
-- server
-- The conversations that a tag, a title and a model leave of all that a person has.
select id, (select count(*) from conversations where user_id = $user_id) as of_all
from conversations
where user_id = $user_id
    and ($tag = '' or strpos(' ' || coalesce(tags, '') || ' ', ' ' || $tag || ' ') > 0)
    and ($title = '' or id in (select unnest($titled)))
    and (
        $model = '' or id in (
            select conversation_id from messages
            where role = 'assistant' and coalesce(model_label, '') || ' ' || coalesce(served_model, '') = any($labels)
        )
    )

-- name: answered_by
-- server
-- The conversations of a person in which one of these names answered.
select id from conversations
where user_id = $user_id and id in (
    select conversation_id from messages
    where role = 'assistant' and deleted_at is null
        and coalesce(model_label, '') || ' ' || coalesce(served_model, '') = any($labels)
)

-- name: folded_labels
select label from (select unnest($labels) as label) where contains(folded(label), folded($model))

-- name: found_messages
-- Asked apart from the rest: on a PostgreSQL, DuckDB would read the text of every message for these few.
select id, role, content, model_label, created_at
from messages
where id in (select unnest($ids)) and deleted_at is null

-- name: find_comparisons
-- By title, model and time, the one used last first. Empty terms and filters are always true; none has a tag.
select id, title, updated_at
from comparisons
where user_id = $user_id and deleted_at is null and $tag = ''
    and id not in (select comparison_id from blind_rounds where user_id = $user_id and voted_at is null)
    and contains(folded(title), folded($title))
    and holds_all(folded(title), $term_1, $term_2, $term_3, $term_4, $term_5, $term_6, $term_7, $term_8)
    and updated_at >= $after and created_at < $before
    and (
        $model = '' or id in (
            select comparison_id from comparison_columns
            where contains(folded(model_label || ' ' || model_id), folded($model))
        )
    )
order by updated_at desc, id desc
limit $limit

-- name: find_conversations
-- By title, tag, model and time, the one used last first. Empty terms and filters are always true. $answered: those of
-- the model, where a server has found them; else null.
select id, user_id, title, title_source, model_id, leaf_message_id, created_at, updated_at, deleted_at,
    coalesce(fallback, 'automatic') as fallback, pinned_at, archived_at, coalesce(tags, '') as tags
from conversations
where user_id = $user_id and deleted_at is null and comparison_id is null
    and ($archived is null or (archived_at is not null) = $archived)
    and ($tag = '' or contains(' ' || coalesce(tags, '') || ' ', ' ' || lower($tag) || ' '))
    and contains(folded(title), folded($title))
    and holds_all(folded(title), $term_1, $term_2, $term_3, $term_4, $term_5, $term_6, $term_7, $term_8)
    and updated_at >= $after and created_at < $before
    and ($answered is null or id in (select unnest($answered::varchar[])))
    and (
        $model = '' or id in (
            select conversation_id from messages
            where $model <> '' and role = 'assistant' and deleted_at is null
                and conversation_id in (select id from conversations where user_id = $user_id)
                and contains(folded(coalesce(model_label, '') || ' ' || coalesce(served_model, '')), folded($model))
        )
    )
order by updated_at desc, id desc
limit $limit
