-- name: record_audit
insert into audit (id, happened_at, actor_id, action, subject, before, after)
values ($id, $happened_at, $actor_id, $action, $subject, $before, $after)

-- name: list_audit
select
    audit.id, audit.happened_at, audit.actor_id, users.username as actor, audit.action, audit.subject,
    audit.before, audit.after
from audit left join users on users.id = audit.actor_id
order by audit.happened_at desc, audit.id desc limit $limit
